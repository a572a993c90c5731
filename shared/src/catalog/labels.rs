//! SECURITY LABEL entries: one for each labelled object, that of a relation with the labels of its columns.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{
    class::{PG_CLASS, PG_LARGEOBJECT, PG_NAMESPACE, PG_SUBSCRIPTION, definition},
    draft::{CatalogId, Context, Draft, Drafts, Part, Section},
    rows::field,
};
use crate::{
    base::Result,
    pg::{ident, literal},
};

/// Subscriptions belong to a database, though their labels stand with those of shared objects; those of other databases have no entry.
const LABELS: &str = "
SELECT l.classoid, l.objoid, l.objsubid, l.provider, l.label, a.attname::text AS column_name,
       pg_describe_object(l.classoid, l.objoid, l.objsubid) AS described
FROM (SELECT classoid, objoid, objsubid, provider, label FROM pg_seclabel
      UNION ALL
      SELECT classoid, objoid, 0, provider, label FROM pg_shseclabel
      WHERE classoid = 'pg_subscription'::regclass) l
LEFT JOIN pg_attribute a ON l.classoid = 'pg_class'::regclass AND a.attrelid = l.objoid AND a.attnum = l.objsubid AND l.objsubid > 0
ORDER BY l.classoid, l.objoid, l.objsubid, l.provider";

/// What stands after ON, and the schema.
struct Object {
    kind: &'static str,
    /// Quoted, without its schema, with argument types.
    name: String,
    schema: Option<String>,
    owner: String,
}

impl Object {
    fn qualified(&self) -> String {
        let schema = self.schema.as_deref().map(|s| format!("{}.", ident(s))).unwrap_or_default();
        format!("{schema}{}", self.name)
    }
}

/// Adds the labels of what has entries; others are said. Call it when all definitions are there.
///
/// # Errors
/// What the server answers.
pub async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    let mut found: BTreeMap<CatalogId, String> = BTreeMap::new();
    for row in cx.rows("security labels", LABELS, &[]).await? {
        let id = CatalogId { class: field(&row, "classoid")?, oid: field(&row, "objoid")? };
        if !cx.keeps(id) {
            continue;
        }
        let Some(object) = object(cx, out, id) else {
            // NULL: dropped meanwhile.
            if let Some(described) = field::<Option<&str>>(&row, "described")?
                && id.class != PG_SUBSCRIPTION
            {
                out.warnings.push(format!("the security label on {described} is not in the backup"));
            }
            continue;
        };
        let on = match field::<Option<&str>>(&row, "column_name")? {
            Some(column) => format!("COLUMN {}.{}", object.qualified(), ident(column)),
            None => format!("{} {}", object.kind, object.qualified()),
        };
        let (provider, label): (&str, &str) = (field(&row, "provider")?, field(&row, "label")?);
        let _ = writeln!(
            found.entry(id).or_default(),
            "SECURITY LABEL FOR {} ON {on} IS {};",
            ident(provider),
            literal(label)
        );
    }
    for (id, definition) in found {
        let Some(object) = object(cx, out, id) else { continue };
        let tag = format!("{} {}", object.kind, object.name);
        out.add(Draft {
            namespace: object.schema,
            owner: object.owner,
            definition,
            ..Draft::blank(id.part(Part::SecurityLabel), "SECURITY LABEL", Section::None, tag)
        });
    }
    Ok(())
}

/// The object as its entry tells it.
fn object(cx: &Context<'_>, out: &Drafts, id: CatalogId) -> Option<Object> {
    let public = id.class == PG_NAMESPACE && cx.namespaces.get(&id.oid).is_some_and(|n| n == "public");
    let Some(draft) = out.entries.get(&definition(id.class, id.oid)) else {
        return public.then(|| Object {
            kind: "SCHEMA",
            name: "public".to_owned(),
            schema: None,
            owner: "pg_database_owner".to_owned(),
        });
    };
    let kind = match draft.desc {
        "BLOB" => "LARGE OBJECT",
        "PROCEDURAL LANGUAGE" => "LANGUAGE",
        desc => desc,
    };
    // The name of a routine, with the types of its arguments, is what DROP names.
    let dropped = || {
        let name = draft.drop.strip_prefix("DROP ")?.strip_prefix(kind)?.strip_prefix(' ')?;
        let schema = draft.namespace.as_deref().map(|s| format!("{}.", ident(s))).unwrap_or_default();
        Some(name.strip_prefix(&schema)?.trim_end().trim_end_matches(';').to_owned())
    };
    let name = match id.class {
        PG_LARGEOBJECT => draft.tag.clone(),
        PG_CLASS => ident(&draft.tag),
        _ => dropped().unwrap_or_else(|| ident(&draft.tag)),
    };
    Some(Object { kind, name, schema: draft.namespace.clone(), owner: draft.owner.clone() })
}
