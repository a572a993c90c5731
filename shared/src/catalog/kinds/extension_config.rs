//! Rows of extensions' configuration tables (PostgreSQL manual, "Extension Configuration Tables"): the extension makes the table, but says
//! with `pg_extension_config_dump` that its rows, or some of them, are the user's. So are the values of sequences it names.

use std::collections::BTreeMap;

use super::{
    relations::{Relation, Relations},
    sequences, table_data, views,
};
use crate::{
    base::Result,
    catalog::{
        class::{FIRST_USER_OID, PG_EXTENSION, definition},
        draft::{CatalogId, Context, Drafts, Key, Part},
        rows::field,
    },
};

const CONFIGURED: &str = "
SELECT e.oid AS extension, c.oid, c.condition
FROM pg_extension e, unnest(e.extconfig, e.extcondition) AS c(oid, condition)
WHERE e.oid >= $1";

/// Unlike those of users' tables, the foreign keys among these are there before the rows.
const FOREIGN_KEYS: &str = "
SELECT DISTINCT k.conrelid, k.confrelid FROM pg_constraint k
WHERE k.contype = 'f' AND k.conrelid = ANY ($1) AND k.confrelid = ANY ($1) AND k.conrelid <> k.confrelid";

/// A relation with rows that are the user's.
struct Configured<'a> {
    relation: &'a Relation,
    extension: Key,
    condition: String,
}

pub(crate) async fn collect(cx: &Context<'_>, relations: &Relations, out: &mut Drafts) -> Result<()> {
    let mut all: BTreeMap<u32, Configured<'_>> = BTreeMap::new();
    for row in cx.rows("extensions' configuration tables", CONFIGURED, &[&FIRST_USER_OID]).await? {
        let extension = definition(PG_EXTENSION, field(&row, "extension")?);
        let oid: u32 = field(&row, "oid")?;
        // One that is no longer a member of the extension has entries of its own.
        let chosen = cx.choice.is_none_or(|choice| choice.is_full(oid));
        if let Some(relation) = relations.known(oid).filter(|r| !r.archived && chosen) {
            let condition = field::<Option<_>>(&row, "condition")?.unwrap_or_default();
            all.insert(oid, Configured { relation, extension, condition });
        }
    }
    let of_kind = |kind| all.values().filter(move |c| c.relation.kind == kind);
    for table in of_kind('r') {
        let mut draft = table_data::draft(table.relation, relations, &table.condition);
        draft.depends.insert(table.extension);
        out.add(draft);
    }
    for view in of_kind('m') {
        let mut draft = views::refresh(view.relation);
        draft.depends.insert(view.extension);
        out.add(draft);
    }
    let numbers: Vec<&Relation> = of_kind('S').map(|c| c.relation).collect();
    let values = sequences::values(cx, &numbers).await?;
    for sequence in of_kind('S') {
        let mut draft = sequences::set(sequence.relation, values.get(&sequence.relation.oid).copied())?;
        draft.depends.insert(sequence.extension);
        out.add(draft);
    }
    let oids: Vec<u32> = of_kind('r').map(|c| c.relation.oid).collect();
    for row in cx.rows("foreign keys of configuration tables", FOREIGN_KEYS, &[&oids]).await? {
        let rows = |column| -> Result<Key> { Ok(CatalogId::relation(field(&row, column)?).part(Part::Data)) };
        if let Some(draft) = out.entries.get_mut(&rows("conrelid")?) {
            draft.depends.insert(rows("confrelid")?);
        }
    }
    Ok(())
}
