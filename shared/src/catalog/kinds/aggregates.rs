//! AGGREGATE entries.

use tokio_postgres::Row;

use super::routines::{ARGUMENT_KEYS, sort_name};
use crate::{
    base::Result,
    catalog::{
        class::{PG_PROC, definition},
        draft::{Context, Draft, Drafts, Section},
        rows::field,
    },
    pg::{ident, literal},
};

fn aggregates_sql() -> String {
    format!(
        "
SELECT p.oid, p.pronamespace AS schema_oid, n.nspname::text AS schema, p.proname::text AS name,
       pg_get_userbyid(p.proowner)::text AS owner,
       pg_get_function_arguments(p.oid) AS arguments, pg_get_function_identity_arguments(p.oid) AS identity_arguments,
       ARRAY(SELECT format_type(u.t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY u(t, n) ORDER BY u.n) AS argument_types,
       {ARGUMENT_KEYS} AS argument_keys, p.proparallel::text AS parallel, a.aggkind::text AS kind,
       a.aggtransfn::text AS sfunc, format_type(a.aggtranstype, NULL) AS stype, a.aggtransspace AS sspace,
       a.agginitval AS initcond,
       a.aggfinalfn::oid AS final_oid, a.aggfinalfn::text AS finalfunc, a.aggfinalextra AS final_extra,
       a.aggfinalmodify::text AS final_modify,
       a.aggcombinefn::oid AS combine_oid, a.aggcombinefn::text AS combinefunc,
       a.aggserialfn::oid AS serial_oid, a.aggserialfn::text AS serialfunc,
       a.aggdeserialfn::oid AS deserial_oid, a.aggdeserialfn::text AS deserialfunc,
       a.aggmtransfn::oid AS moving_oid, a.aggmtransfn::text AS msfunc, a.aggminvtransfn::text AS minvfunc,
       format_type(nullif(a.aggmtranstype, 0), NULL) AS mstype, a.aggmtransspace AS msspace, a.aggminitval AS minitcond,
       a.aggmfinalfn::oid AS mfinal_oid, a.aggmfinalfn::text AS mfinalfunc, a.aggmfinalextra AS mfinal_extra,
       a.aggmfinalmodify::text AS mfinal_modify,
       o.oprname::text AS sort_operator, oprn.nspname::text AS sort_operator_schema
FROM pg_aggregate a
JOIN pg_proc p ON p.oid = a.aggfnoid
JOIN pg_namespace n ON n.oid = p.pronamespace
LEFT JOIN pg_operator o ON o.oid = a.aggsortop
LEFT JOIN pg_namespace oprn ON oprn.oid = o.oprnamespace
WHERE p.pronamespace <> 'pg_catalog'::regnamespace"
    )
}

/// Adds the aggregates of the user's schemas.
///
/// # Errors
/// What the server answers.
pub async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    for row in cx.rows("aggregates", &aggregates_sql(), &[]).await? {
        let key = definition(PG_PROC, field(&row, "oid")?);
        if !cx.namespaces.contains_key(&field(&row, "schema_oid")?) || cx.extension_members.contains(&key.id)
        {
            continue;
        }
        let schema: String = field(&row, "schema")?;
        let name: String = field(&row, "name")?;
        let types: Vec<String> = field(&row, "argument_types")?;
        let full = signature(&name, field(&row, "arguments")?);
        let identity = signature(&name, field(&row, "identity_arguments")?);
        let tag =
            if types.is_empty() { format!("{name}(*)") } else { format!("{name}({})", types.join(", ")) };
        out.add(Draft {
            owner: field(&row, "owner")?,
            definition: format!("CREATE AGGREGATE {}.{full} (\n{}\n);\n", ident(&schema), options(&row)?),
            drop: format!("DROP AGGREGATE {}.{identity};\n", ident(&schema)),
            namespace: Some(schema),
            sort_name: sort_name(&name, &field::<Vec<String>>(&row, "argument_keys")?),
            ..Draft::blank(key, "AGGREGATE", Section::PreData, tag)
        });
    }
    Ok(())
}

/// `name(arguments)`; an aggregate without arguments is written `name(*)`.
pub(crate) fn signature(name: &str, arguments: &str) -> String {
    format!("{}({})", ident(name), if arguments.is_empty() { "*" } else { arguments })
}

/// The options that are not the default, in pg_dump's order.
fn options(row: &Row) -> Result<String> {
    let mut list = Options(Vec::new());
    let kind: &str = field(row, "kind")?;
    list.set("SFUNC", field(row, "sfunc")?);
    list.set("STYPE", field(row, "stype")?);
    list.size("SSPACE", field(row, "sspace")?);
    list.text("INITCOND", field(row, "initcond")?);
    if field::<u32>(row, "final_oid")? != 0 {
        list.set("FINALFUNC", field(row, "finalfunc")?);
        list.extra("FINALFUNC_EXTRA", field(row, "final_extra")?);
        list.modify("FINALFUNC_MODIFY", field(row, "final_modify")?, kind);
    }
    for (oid, option, function) in [
        ("combine_oid", "COMBINEFUNC", "combinefunc"),
        ("serial_oid", "SERIALFUNC", "serialfunc"),
        ("deserial_oid", "DESERIALFUNC", "deserialfunc"),
    ] {
        if field::<u32>(row, oid)? != 0 {
            list.set(option, field(row, function)?);
        }
    }
    if field::<u32>(row, "moving_oid")? != 0 {
        list.set("MSFUNC", field(row, "msfunc")?);
        list.set("MINVFUNC", field(row, "minvfunc")?);
        list.set("MSTYPE", field(row, "mstype")?);
    }
    list.size("MSSPACE", field(row, "msspace")?);
    list.text("MINITCOND", field(row, "minitcond")?);
    if field::<u32>(row, "mfinal_oid")? != 0 {
        list.set("MFINALFUNC", field(row, "mfinalfunc")?);
        list.extra("MFINALFUNC_EXTRA", field(row, "mfinal_extra")?);
        list.modify("MFINALFUNC_MODIFY", field(row, "mfinal_modify")?, kind);
    }
    if let (Some(schema), Some(name)) =
        (field::<Option<&str>>(row, "sort_operator_schema")?, field::<Option<&str>>(row, "sort_operator")?)
    {
        list.set("SORTOP", &format!("OPERATOR({}.{name})", ident(schema)));
    }
    if kind == "h" {
        list.extra("HYPOTHETICAL", true);
    }
    match field(row, "parallel")? {
        "s" => list.set("PARALLEL", "safe"),
        "r" => list.set("PARALLEL", "restricted"),
        _ => {}
    }
    Ok(list.0.join(",\n"))
}

struct Options(Vec<String>);

impl Options {
    fn set(&mut self, option: &str, value: &str) {
        self.0.push(format!("    {option} = {value}"));
    }

    fn size(&mut self, option: &str, bytes: i32) {
        if bytes != 0 {
            self.set(option, &bytes.to_string());
        }
    }

    fn text(&mut self, option: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.set(option, &literal(value));
        }
    }

    fn extra(&mut self, option: &str, on: bool) {
        if on {
            self.0.push(format!("    {option}"));
        }
    }

    /// The default is READ_ONLY for plain aggregates and READ_WRITE for ordered-set and hypothetical ones.
    fn modify(&mut self, option: &str, modify: &str, kind: &str) {
        if modify != if kind == "n" { "r" } else { "w" } {
            self.set(
                option,
                match modify {
                    "r" => "READ_ONLY",
                    "s" => "SHAREABLE",
                    _ => "READ_WRITE",
                },
            );
        }
    }
}
