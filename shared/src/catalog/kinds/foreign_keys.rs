//! FK CONSTRAINT: foreign keys; those that partitions inherit come with the partitioned table's.

use super::{indexes::Indexes, relations::Relations};
use crate::{
    base::Result,
    catalog::{
        draft::{CatalogId, Context, Drafts, Part, Section},
        rows::field,
    },
    pg::ident,
};

const FOREIGN_KEYS: &str = "SELECT c.oid, c.conrelid, c.conname, c.confrelid, c.conindid, \
       pg_get_constraintdef(c.oid) AS definition \
     FROM unnest($1::oid[]) AS src(relid) JOIN pg_constraint c ON c.conrelid = src.relid \
     WHERE c.contype = 'f' AND c.conparentid = 0 \
     ORDER BY c.conrelid, c.conname";

pub(crate) async fn collect(
    cx: &Context<'_>,
    relations: &Relations,
    indexes: &Indexes,
    out: &mut Drafts,
) -> Result<()> {
    let oids = relations.archived_oids();
    for row in cx.rows("foreign keys", FOREIGN_KEYS, &[&oids]).await? {
        let Some(table) = relations.get(field(&row, "conrelid")?) else { continue };
        let name: String = field(&row, "conname")?;
        let definition: String = field(&row, "definition")?;
        let referenced = CatalogId::relation(field(&row, "confrelid")?);
        let index = CatalogId::relation(field(&row, "conindid")?);
        // On partitioned tables foreign keys always reach the partitions.
        let only = if table.kind == 'p' { "" } else { "ONLY " };

        let id = CatalogId::constraint(field(&row, "oid")?);
        let mut draft = table.member(id, "FK CONSTRAINT", Section::PostData, &name);
        draft.definition =
            format!("ALTER TABLE {only}{}\n    ADD CONSTRAINT {} {definition};\n", table.sql(), ident(&name));
        draft.drop = format!("ALTER TABLE {only}{} DROP CONSTRAINT {};\n", table.sql(), ident(&name));
        draft.depends.extend([table.id(), referenced, index].map(CatalogId::definition));
        draft.depends.extend([table.id(), referenced].map(|t| t.part(Part::Data)));
        // The statement locks every partition on both sides. pg_restore -j keeps apart what names the same tables among its
        // dependencies, so all are named: without it, attaching a deeper partition's index at the same time deadlocks.
        for side in [table.oid, referenced.oid] {
            for partition in relations.partitions_below(side) {
                draft.depends.extend([Part::Definition, Part::Data].map(|part| partition.id().part(part)));
            }
        }
        let attached = indexes.attached_below(index.oid);
        draft.depends.extend(attached.into_iter().map(|i| CatalogId::relation(i).part(Part::Attach)));
        out.add(draft);
    }
    Ok(())
}
