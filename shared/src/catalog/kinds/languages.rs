//! PROCEDURAL LANGUAGE entries of languages that no extension brings.

use crate::{
    base::Result,
    catalog::{
        class::{FIRST_USER_OID, PG_LANGUAGE, PG_PROC, definition},
        draft::{Context, Draft, Drafts, Section},
        rows::field,
    },
    pg::{ident, qualified},
};

const LANGUAGES: &str = "
SELECT l.oid, l.lanname::text AS name, pg_get_userbyid(l.lanowner)::text AS owner, l.lanpltrusted AS trusted,
       h.oid AS handler_oid, hn.nspname::text AS handler_schema, h.proname::text AS handler,
       i.oid AS inline_oid, i_n.nspname::text AS inline_schema, i.proname::text AS inline,
       v.oid AS validator_oid, vn.nspname::text AS validator_schema, v.proname::text AS validator
FROM pg_language l
LEFT JOIN pg_proc h ON h.oid = l.lanplcallfoid
LEFT JOIN pg_namespace hn ON hn.oid = h.pronamespace
LEFT JOIN pg_proc i ON i.oid = l.laninline
LEFT JOIN pg_namespace i_n ON i_n.oid = i.pronamespace
LEFT JOIN pg_proc v ON v.oid = l.lanvalidator
LEFT JOIN pg_namespace vn ON vn.oid = v.pronamespace
WHERE l.lanispl AND l.oid >= $1";

/// Clause, columns of its function's oid, schema and name.
const FUNCTIONS: [(&str, [&str; 3]); 3] = [
    ("HANDLER", ["handler_oid", "handler_schema", "handler"]),
    ("INLINE", ["inline_oid", "inline_schema", "inline"]),
    ("VALIDATOR", ["validator_oid", "validator_schema", "validator"]),
];

/// Adds the languages that users made. Call it when the functions are there: a language whose functions are not in the archive is
/// written as pg_dump writes it, as the extension of its name.
///
/// # Errors
/// What the server answers.
pub(crate) async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    for row in cx.rows("languages", LANGUAGES, &[&FIRST_USER_OID]).await? {
        let key = definition(PG_LANGUAGE, field(&row, "oid")?);
        if cx.extension_members.contains(&key.id) {
            continue;
        }
        let name: String = field(&row, "name")?;
        let sql = ident(&name);
        let mut clauses = String::new();
        let mut archived = true;
        for (clause, [oid, schema, function]) in FUNCTIONS {
            let Some(oid) = field::<Option<u32>>(&row, oid)? else { continue };
            archived &= out.entries.contains_key(&definition(PG_PROC, oid));
            clauses
                .push_str(&format!(" {clause} {}", qualified(field(&row, schema)?, field(&row, function)?)));
        }
        let definition = if archived {
            let trusted = if field(&row, "trusted")? { "TRUSTED " } else { "" };
            format!("CREATE {trusted}PROCEDURAL LANGUAGE {sql}{clauses};\n")
        } else {
            out.warnings.push(format!(
                "language {name} uses functions of the system or of an extension: it restores only where an extension of its name is"
            ));
            format!("CREATE OR REPLACE PROCEDURAL LANGUAGE {sql};\n")
        };
        out.add(Draft {
            owner: field(&row, "owner")?,
            definition,
            drop: format!("DROP PROCEDURAL LANGUAGE {sql};\n"),
            ..Draft::blank(key, "PROCEDURAL LANGUAGE", Section::PreData, name)
        });
    }
    Ok(())
}
