//! CAST entries. A cast has neither schema nor owner.

use super::routines::reference;
use crate::{
    base::Result,
    catalog::{
        class::{FIRST_USER_OID, PG_CAST, definition},
        draft::{Context, Draft, Drafts, Section},
        rows::field,
    },
};

/// Without the cast from a range to its multirange, which comes with the type.
const CASTS: &str = "
SELECT c.oid, format_type(c.castsource, NULL) AS source, format_type(c.casttarget, NULL) AS target,
       s.typname::text AS source_name, t.typname::text AS target_name, c.castcontext::text AS context, c.castmethod::text AS method,
       n.nspname::text AS schema, p.proname::text AS function,
       ARRAY(SELECT format_type(u.t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY u(t, n) ORDER BY u.n) AS argument_types
FROM pg_cast c
JOIN pg_type s ON s.oid = c.castsource
JOIN pg_type t ON t.oid = c.casttarget
LEFT JOIN pg_proc p ON p.oid = c.castfunc
LEFT JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE c.oid >= $1
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_cast'::regclass AND d.objid = c.oid AND d.deptype = 'i')";

/// Adds the casts that users made.
///
/// # Errors
/// What the server answers.
pub(crate) async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    for row in cx.rows("casts", CASTS, &[&FIRST_USER_OID]).await? {
        let key = definition(PG_CAST, field(&row, "oid")?);
        if cx.extension_members.contains(&key.id) {
            continue;
        }
        let cast = format!("CAST ({} AS {})", field::<&str>(&row, "source")?, field::<&str>(&row, "target")?);
        let method = match (field(&row, "method")?, field::<Option<&str>>(&row, "function")?) {
            ("i", _) => "WITH INOUT".to_owned(),
            ("f", Some(function)) => {
                let types: Vec<&str> = field(&row, "argument_types")?;
                format!("WITH FUNCTION {}", reference(field(&row, "schema")?, function, &types))
            }
            _ => "WITHOUT FUNCTION".to_owned(),
        };
        let context = match field(&row, "context")? {
            "a" => " AS ASSIGNMENT",
            "i" => " AS IMPLICIT",
            _ => "",
        };
        let sort_name =
            format!("{} {}", field::<&str>(&row, "source_name")?, field::<&str>(&row, "target_name")?);
        out.add(Draft {
            definition: format!("CREATE {cast} {method}{context};\n"),
            drop: format!("DROP {cast};\n"),
            sort_name,
            ..Draft::blank(key, "CAST", Section::PreData, cast)
        });
    }
    Ok(())
}
