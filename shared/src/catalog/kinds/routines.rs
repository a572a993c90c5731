//! FUNCTION and PROCEDURE entries.

pub(crate) mod settings;

use crate::{
    base::Result,
    catalog::{
        class::{PG_PROC, definition},
        draft::{Context, Draft, Drafts, Section},
        rows::field,
        select::{Limits, within},
    },
    pg::{ServerVersion, ident, literal},
};

/// Schema and name of each argument's type, as `pg_type` has them, of the `pg_proc` row `p`.
pub(super) const ARGUMENT_KEYS: &str = "\
ARRAY(SELECT k.key FROM unnest(p.proargtypes) WITH ORDINALITY u(t, n)
             JOIN pg_type kt ON kt.oid = u.t JOIN pg_namespace kn ON kn.oid = kt.typnamespace,
             LATERAL (VALUES (1, kn.nspname::text), (2, kt.typname::text)) k(part, key) ORDER BY u.n, k.part)";

/// Functions, window functions and procedures; not those that came with a type (`deptype` i: range constructors).
/// PostgreSQL 13 has no `prosqlbody`.
fn routines_sql(version: ServerVersion) -> String {
    let body = if version.major() >= 14 { "pg_get_function_sqlbody(p.oid)" } else { "NULL::text" };
    format!(
        "
SELECT p.oid, p.pronamespace AS schema_oid, n.nspname::text AS schema, p.proname::text AS name,
       pg_get_userbyid(p.proowner)::text AS owner, p.prokind::text AS kind, l.lanname::text AS language,
       pg_get_function_arguments(p.oid) AS arguments, pg_get_function_identity_arguments(p.oid) AS identity_arguments,
       pg_get_function_result(p.oid) AS result,
       ARRAY(SELECT format_type(u.t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY u(t, n) ORDER BY u.n) AS argument_types,
       {ARGUMENT_KEYS} AS argument_keys,
       ARRAY(SELECT format_type(u.t, NULL) FROM unnest(p.protrftypes) WITH ORDINALITY u(t, n) ORDER BY u.n) AS transforms,
       p.provolatile::text AS volatile, p.proisstrict AS strict, p.prosecdef AS security_definer, p.proleakproof AS leakproof,
       p.procost::text AS cost, p.proretset AS returns_set, p.prorows::text AS rows,
       CASE WHEN p.prosupport <> 0 THEN p.prosupport::text END AS support,
       p.proparallel::text AS parallel, p.proconfig AS settings, p.prosrc AS source, p.probin AS library, {body} AS body
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE p.prokind IN ('f', 'p', 'w')
  AND p.pronamespace <> 'pg_catalog'::regnamespace
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i')
  AND {}",
        within("p.oid", 1, 2)
    )
}

/// Adds the functions and procedures of the user's schemas.
///
/// # Errors
/// What the server answers.
pub async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    let Limits { only, but } = cx.limits(PG_PROC);
    for row in cx.rows("functions", &routines_sql(cx.version), &[&only, &but]).await? {
        let key = definition(PG_PROC, field(&row, "oid")?);
        if !cx.namespaces.contains_key(&field(&row, "schema_oid")?) || cx.extension_members.contains(&key.id)
        {
            continue;
        }
        let schema: String = field(&row, "schema")?;
        let name: String = field(&row, "name")?;
        let desc = if field::<&str>(&row, "kind")? == "p" { "PROCEDURE" } else { "FUNCTION" };
        let types: Vec<String> = field(&row, "argument_types")?;
        let identity = signature(&name, field(&row, "identity_arguments")?);
        let mut create =
            format!("CREATE {desc} {}.{}", ident(&schema), signature(&name, field(&row, "arguments")?));
        attributes(&row, desc, &mut create)?;
        create.push_str(&format!("\n    {};\n", body(&row)?));
        out.add(Draft {
            owner: field(&row, "owner")?,
            definition: create,
            drop: format!("DROP {desc} {}.{identity};\n", ident(&schema)),
            namespace: Some(schema),
            sort_name: sort_name(&name, &field::<Vec<String>>(&row, "argument_keys")?),
            ..Draft::blank(key, desc, Section::PreData, format!("{name}({})", types.join(", ")))
        });
    }
    Ok(())
}

/// `name(arguments)`, the name quoted where it must be.
pub(crate) fn signature(name: &str, arguments: &str) -> String {
    format!("{}({arguments})", ident(name))
}

/// `schema.name(types)`, as other objects name a routine.
pub(super) fn reference(schema: &str, name: &str, types: &[&str]) -> String {
    format!("{}.{}", ident(schema), signature(name, &types.join(", ")))
}

/// By name, then number of arguments, then their types (`DOTypeNameCompare` in pg_dump_sort.c); `keys` are [`ARGUMENT_KEYS`].
pub(super) fn sort_name(name: &str, keys: &[String]) -> String {
    format!("{name}\0{:03}\0{}", keys.len() / 2, keys.join("\0"))
}

/// What stands between the signature and the body, as pg_dump orders and spells it: nothing that is the default.
fn attributes(row: &tokio_postgres::Row, desc: &str, create: &mut String) -> Result<()> {
    if let (Some(result), "FUNCTION") = (field::<Option<&str>>(row, "result")?, desc) {
        create.push_str(&format!(" RETURNS {result}"));
    }
    let language: &str = field(row, "language")?;
    create.push_str(&format!("\n    LANGUAGE {}", ident(language)));
    let transforms: Vec<&str> = field(row, "transforms")?;
    for (i, t) in transforms.iter().enumerate() {
        create.push_str(&format!("{} FOR TYPE {t}", if i == 0 { " TRANSFORM" } else { "," }));
    }
    if field::<&str>(row, "kind")? == "w" {
        create.push_str(" WINDOW");
    }
    create.push_str(match field(row, "volatile")? {
        "i" => " IMMUTABLE",
        "s" => " STABLE",
        _ => "",
    });
    for (column, words) in
        [("strict", " STRICT"), ("security_definer", " SECURITY DEFINER"), ("leakproof", " LEAKPROOF")]
    {
        if field(row, column)? {
            create.push_str(words);
        }
    }
    let cost: &str = field(row, "cost")?;
    let usual_cost = if matches!(language, "c" | "internal") { "1" } else { "100" };
    if cost != "0" && cost != usual_cost {
        create.push_str(&format!(" COST {cost}"));
    }
    let rows: &str = field(row, "rows")?;
    if field(row, "returns_set")? && rows != "0" && rows != "1000" {
        create.push_str(&format!(" ROWS {rows}"));
    }
    if let Some(support) = field::<Option<&str>>(row, "support")? {
        create.push_str(&format!(" SUPPORT {support}"));
    }
    create.push_str(match field(row, "parallel")? {
        "s" => " PARALLEL SAFE",
        "r" => " PARALLEL RESTRICTED",
        _ => "",
    });
    for setting in field::<Option<Vec<&str>>>(row, "settings")?.unwrap_or_default() {
        create.push_str(&settings::clause(setting));
    }
    Ok(())
}

fn body(row: &tokio_postgres::Row) -> Result<String> {
    if let Some(body) = field::<Option<String>>(row, "body")? {
        return Ok(body);
    }
    let source: &str = field(row, "source")?;
    Ok(match field::<Option<&str>>(row, "library")? {
        None => format!("AS {}", dollar_quoted(source)),
        Some(library) if source.is_empty() => format!("AS {}", literal(library)),
        Some(library) if source.contains(['\'', '\\']) => {
            format!("AS {}, {}", literal(library), dollar_quoted(source))
        }
        Some(library) => format!("AS {}, {}", literal(library), literal(source)),
    })
}

/// A dollar-quoted literal whose delimiter, taken without its last `$`, is nowhere in the text: a text that ends in `$x` must not be
/// quoted with `$x$`.
fn dollar_quoted(text: &str) -> String {
    let mut delimiter = "$".to_owned();
    for c in "_XXXXXXX".chars().cycle() {
        if !text.contains(&delimiter) {
            break;
        }
        delimiter.push(c);
    }
    format!("{delimiter}${text}{delimiter}$")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn delimiters_avoid_the_text() {
        assert_eq!(dollar_quoted("select 1"), "$$select 1$$");
        assert_eq!(dollar_quoted("cost: $5"), "$_$cost: $5$_$");
        assert_eq!(dollar_quoted("$_$"), "$_X$$_$$_X$");
        assert_eq!(dollar_quoted(""), "$$$$");
    }

    proptest! {
        #[test]
        fn the_first_delimiter_after_the_opening_ends_the_text(text in "[$_Xa]{0,24}") {
            let quoted = dollar_quoted(&text);
            let delimiter = &quoted[..=quoted[1..].find('$').unwrap() + 1];
            let rest = &quoted[delimiter.len()..];
            prop_assert_eq!(rest.find(delimiter), Some(text.len()));
            prop_assert_eq!(&rest[..text.len()], text.as_str());
        }
    }
}
