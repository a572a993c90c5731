//! USER MAPPING entries, written right after the server they belong to.

use crate::{
    base::Result,
    catalog::{
        class::{PG_FOREIGN_SERVER, PG_USER_MAPPING, definition},
        draft::{CatalogId, Context, Draft, Drafts, Part, Section},
        rows::field,
    },
    pg::ident,
};

/// The view shows options to the mapped user, to the server's owner (for PUBLIC) and to superusers, and NULL to others; it cannot be told
/// from a mapping without options, except by who is asking.
const MAPPINGS: &str = "
SELECT m.umid, m.srvid, m.srvname::text AS server, m.usename::text AS role,
       array_to_string(ARRAY(
           SELECT quote_ident(option_name) || ' ' || quote_literal(option_value)
           FROM pg_options_to_table(m.umoptions) ORDER BY option_name), E',\\n    ') AS options,
       m.umoptions IS NULL AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
           AND NOT (m.umuser <> 0 AND m.usename = current_user
                    AND (pg_has_role(s.srvowner, 'USAGE') OR has_server_privilege(s.oid, 'USAGE')))
           AND NOT (m.umuser = 0 AND pg_has_role(s.srvowner, 'USAGE')) AS hidden
FROM pg_user_mappings m JOIN pg_foreign_server s ON s.oid = m.srvid
ORDER BY m.srvname, m.usename";

/// Adds the mappings of archived servers. Those of a server that comes with an extension are not archived, as in pg_dump, and said.
///
/// # Errors
/// What the server answers.
pub async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    for (number, row) in (0_i32..).zip(cx.rows("user mappings", MAPPINGS, &[]).await?) {
        let of_server = definition(PG_FOREIGN_SERVER, field(&row, "srvid")?);
        let (server, role): (&str, &str) = (field(&row, "server")?, field(&row, "role")?);
        let id = CatalogId { class: PG_USER_MAPPING, oid: field(&row, "umid")? };
        if !cx.keeps(id) {
            continue;
        }
        let Some(draft) = out.entries.get(&of_server) else {
            out.left_out.insert(id);
            out.warnings.push(format!(
                "user mapping for {role} on server {server} is not in the backup: the server belongs to an extension"
            ));
            continue;
        };
        let owner = draft.owner.clone();
        if field(&row, "hidden")? {
            out.warnings.push(format!(
                "the options of the user mapping for {role} on server {server} are not in the backup: only a superuser sees them"
            ));
        }
        let options: &str = field(&row, "options")?;
        let options =
            if options.is_empty() { String::new() } else { format!(" OPTIONS (\n    {options}\n)") };
        let what = format!("{} SERVER {}", ident(role), ident(server));
        out.aliases.insert(id, of_server.id);
        out.add(Draft {
            owner,
            definition: format!("CREATE USER MAPPING FOR {what}{options};\n"),
            drop: format!("DROP USER MAPPING FOR {what};\n"),
            ..Draft::blank(
                of_server.id.part(Part::UserMapping(number)),
                "USER MAPPING",
                Section::PreData,
                format!("USER MAPPING {role} SERVER {server}"),
            )
        });
    }
    Ok(())
}
