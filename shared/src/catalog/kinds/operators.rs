//! OPERATOR entries.

use tokio_postgres::Row;

use crate::{
    base::Result,
    catalog::{
        class::{FIRST_USER_OID, PG_OPERATOR, definition},
        draft::{Context, Draft, Drafts, Section},
        rows::field,
    },
    pg::ident,
};

/// Without those that only a commutator or negator clause named: making the other operator makes them again.
const OPERATORS: &str = "
SELECT o.oid, o.oprnamespace AS schema_oid, n.nspname::text AS schema, o.oprname::text AS name,
       pg_get_userbyid(o.oprowner)::text AS owner, o.oprkind::text AS kind, o.oprcode::regprocedure::text AS function,
       CASE WHEN o.oprleft <> 0 THEN o.oprleft::regtype::text END AS left_type,
       CASE WHEN o.oprright <> 0 THEN o.oprright::regtype::text END AS right_type,
       concat_ws(E'\\u0001', ln.nspname, l.typname, rn.nspname, r.typname) AS sort_types,
       cn.nspname::text AS commutator_schema, c.oprname::text AS commutator,
       gn.nspname::text AS negator_schema, g.oprname::text AS negator,
       o.oprcanmerge AS merges, o.oprcanhash AS hashes,
       o.oprrest::regprocedure::text AS restrict_function, o.oprjoin::regprocedure::text AS join_function
FROM pg_operator o
JOIN pg_namespace n ON n.oid = o.oprnamespace
LEFT JOIN pg_type l ON l.oid = o.oprleft
LEFT JOIN pg_namespace ln ON ln.oid = l.typnamespace
LEFT JOIN pg_type r ON r.oid = o.oprright
LEFT JOIN pg_namespace rn ON rn.oid = r.typnamespace
LEFT JOIN pg_operator c ON c.oid = o.oprcom
LEFT JOIN pg_namespace cn ON cn.oid = c.oprnamespace
LEFT JOIN pg_operator g ON g.oid = o.oprnegate
LEFT JOIN pg_namespace gn ON gn.oid = g.oprnamespace
WHERE o.oprcode <> 0 AND o.oid >= $1";

/// Adds the operators of the user's schemas.
///
/// # Errors
/// What the server answers.
pub(crate) async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    for row in cx.rows("operators", OPERATORS, &[&FIRST_USER_OID]).await? {
        let key = definition(PG_OPERATOR, field(&row, "oid")?);
        if !cx.archives(key.id, field(&row, "schema_oid")?) {
            continue;
        }
        let schema: String = field(&row, "schema")?;
        // An operator's name is never quoted.
        let name: String = field(&row, "name")?;
        let sql_name = format!("{}.{name}", ident(&schema));
        let operands = format!(
            "({}, {})",
            field::<Option<&str>>(&row, "left_type")?.unwrap_or("NONE"),
            field::<Option<&str>>(&row, "right_type")?.unwrap_or("NONE")
        );
        // Postfix, prefix, infix; then the operands' types (`DOTypeNameCompare` in pg_dump_sort.c).
        let kind = match field(&row, "kind")? {
            "r" => 0,
            "l" => 1,
            _ => 2,
        };
        out.add(Draft {
            owner: field(&row, "owner")?,
            definition: format!("CREATE OPERATOR {sql_name} (\n    {}\n);\n", options(&row)?.join(",\n    ")),
            drop: format!("DROP OPERATOR {sql_name} {operands};\n"),
            namespace: Some(schema),
            sort_name: format!("{name}\0{kind}\0{}", field::<&str>(&row, "sort_types")?),
            ..Draft::blank(key, "OPERATOR", Section::PreData, name)
        });
    }
    Ok(())
}

fn options(row: &Row) -> Result<Vec<String>> {
    let mut options = vec![format!("FUNCTION = {}", without_arguments(field(row, "function")?))];
    for (option, column) in [("LEFTARG", "left_type"), ("RIGHTARG", "right_type")] {
        options.extend(field::<Option<&str>>(row, column)?.map(|t| format!("{option} = {t}")));
    }
    for (option, schema, name) in
        [("COMMUTATOR", "commutator_schema", "commutator"), ("NEGATOR", "negator_schema", "negator")]
    {
        if let (Some(schema), Some(name)) =
            (field::<Option<&str>>(row, schema)?, field::<Option<&str>>(row, name)?)
        {
            options.push(format!("{option} = OPERATOR({}.{name})", ident(schema)));
        }
    }
    for (option, column) in [("MERGES", "merges"), ("HASHES", "hashes")] {
        if field(row, column)? {
            options.push(option.to_owned());
        }
    }
    for (option, column) in [("RESTRICT", "restrict_function"), ("JOIN", "join_function")] {
        let function: &str = field(row, column)?;
        if function != "-" {
            options.push(format!("{option} = {}", without_arguments(function)));
        }
    }
    Ok(options)
}

/// The name of a `regprocedure`: what stands before the first parenthesis outside double quotes. A `regproc` would be qualified where
/// the name alone is ambiguous.
fn without_arguments(function: &str) -> &str {
    let mut quoted = false;
    let end = function.find(|c| {
        quoted ^= c == '"';
        c == '(' && !quoted
    });
    &function[..end.unwrap_or(function.len())]
}

#[cfg(test)]
mod tests {
    use super::without_arguments;

    #[test]
    fn arguments_are_taken_off() {
        for (function, name) in [
            ("eqsel(internal,oid,internal,integer)", "eqsel"),
            ("public.\"f(x\"(integer)", "public.\"f(x\""),
            ("\"a\"\"(\".b(\"odd (type\")", "\"a\"\"(\".b"),
            ("-", "-"),
        ] {
            assert_eq!(without_arguments(function), name);
        }
    }
}
