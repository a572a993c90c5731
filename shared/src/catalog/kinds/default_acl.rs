//! DEFAULT ACL entries: `ALTER DEFAULT PRIVILEGES`.

use crate::{
    base::Result,
    catalog::{
        acl::{self, AclKind},
        class::{PG_DEFAULT_ACL, definition},
        draft::{Context, Draft, Drafts, Section},
        rows::field,
    },
    pg::ident,
};

/// An entry without a schema replaces the built-in default, so its delta is taken from that; one in a schema only adds privileges.
const DEFAULT_ACLS: &str = "
SELECT d.oid, pg_get_userbyid(d.defaclrole)::text AS owner, n.nspname::text AS schema, d.defaclobjtype::text AS kind,
       d.defaclacl::text[] AS acl,
       CASE WHEN d.defaclnamespace <> 0 THEN '{}'::text[]
            ELSE acldefault(CASE WHEN d.defaclobjtype = 'S' THEN 's'::\"char\" ELSE d.defaclobjtype END, d.defaclrole)::text[]
       END AS base
FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace";

/// Adds the default privileges.
///
/// # Errors
/// What the server answers.
pub async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    for row in cx.rows("default privileges", DEFAULT_ACLS, &[]).await? {
        let key = definition(PG_DEFAULT_ACL, field(&row, "oid")?);
        if cx.extension_members.contains(&key.id) || !cx.keeps(key.id) {
            continue;
        }
        let owner: String = field(&row, "owner")?;
        let schema: Option<String> = field(&row, "schema")?;
        let letter: String = field(&row, "kind")?;
        // 'L' since PostgreSQL 18.
        let kind = match letter.as_str() {
            "r" => AclKind::Tables,
            "S" => AclKind::Sequences,
            "f" => AclKind::Functions,
            "T" => AclKind::Types,
            "n" => AclKind::Schemas,
            "L" => AclKind::LargeObjects,
            other => {
                out.warnings.push(format!(
                    "default privileges of role {owner} for objects of kind \"{other}\" are not archived"
                ));
                continue;
            }
        };
        let tag = format!("DEFAULT PRIVILEGES FOR {}", kind.keyword());
        let prefix = match &schema {
            Some(s) => format!("ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA {} ", ident(&owner), ident(s)),
            None => format!("ALTER DEFAULT PRIVILEGES FOR ROLE {} ", ident(&owner)),
        };
        let subject = acl::Subject { kind, name: "", column: None, prefix: &prefix };
        let what = format!("{tag} of role {owner}");
        let definition =
            acl::checked(cx, out, &subject, &owner, &what, field(&row, "acl")?, field(&row, "base")?);
        if definition.is_empty() {
            continue;
        }
        out.add(Draft {
            namespace: schema,
            // pg_dump sorts by the letter of the kind, then by the role.
            sort_name: format!("{letter}\0{owner}"),
            owner,
            definition,
            ..Draft::blank(key, "DEFAULT ACL", Section::PostData, tag)
        });
    }
    Ok(())
}
