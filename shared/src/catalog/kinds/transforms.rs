//! TRANSFORM entries. A transform has neither schema nor owner.

use tokio_postgres::Row;

use super::routines::reference;
use crate::{
    base::Result,
    catalog::{
        class::{FIRST_USER_OID, PG_TRANSFORM, definition},
        draft::{Context, Draft, Drafts, Section},
        rows::field,
    },
    pg::ident,
};

const TRANSFORMS: &str = "
SELECT x.oid, format_type(x.trftype, NULL) AS type, t.typname::text AS type_name, l.lanname::text AS language,
       fn.nspname::text AS from_schema, f.proname::text AS from_name,
       ARRAY(SELECT format_type(u.t, NULL) FROM unnest(f.proargtypes) WITH ORDINALITY u(t, n) ORDER BY u.n) AS from_types,
       gn.nspname::text AS to_schema, g.proname::text AS to_name,
       ARRAY(SELECT format_type(u.t, NULL) FROM unnest(g.proargtypes) WITH ORDINALITY u(t, n) ORDER BY u.n) AS to_types
FROM pg_transform x
JOIN pg_type t ON t.oid = x.trftype
JOIN pg_language l ON l.oid = x.trflang
LEFT JOIN pg_proc f ON f.oid = x.trffromsql
LEFT JOIN pg_namespace fn ON fn.oid = f.pronamespace
LEFT JOIN pg_proc g ON g.oid = x.trftosql
LEFT JOIN pg_namespace gn ON gn.oid = g.pronamespace
WHERE x.oid >= $1";

/// Adds the transforms that users made.
///
/// # Errors
/// What the server answers.
pub(crate) async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    for row in cx.rows("transforms", TRANSFORMS, &[&FIRST_USER_OID]).await? {
        let key = definition(PG_TRANSFORM, field(&row, "oid")?);
        if cx.extension_members.contains(&key.id) {
            continue;
        }
        let language: &str = field(&row, "language")?;
        let transform =
            format!("TRANSFORM FOR {} LANGUAGE {}", field::<&str>(&row, "type")?, ident(language));
        let functions: Vec<String> = [
            function(&row, "FROM SQL", ["from_schema", "from_name", "from_types"])?,
            function(&row, "TO SQL", ["to_schema", "to_name", "to_types"])?,
        ]
        .into_iter()
        .flatten()
        .collect();
        out.add(Draft {
            definition: format!("CREATE {transform} ({});\n", functions.join(", ")),
            drop: format!("DROP {transform};\n"),
            sort_name: format!("{} {language}", field::<&str>(&row, "type_name")?),
            ..Draft::blank(key, "TRANSFORM", Section::PreData, transform)
        });
    }
    Ok(())
}

fn function(row: &Row, direction: &str, [schema, name, types]: [&str; 3]) -> Result<Option<String>> {
    let (Some(schema), Some(name)) = (field::<Option<&str>>(row, schema)?, field::<Option<&str>>(row, name)?)
    else {
        return Ok(None);
    };
    let types: Vec<&str> = field(row, types)?;
    Ok(Some(format!("{direction} WITH FUNCTION {}", reference(schema, name, &types))))
}
