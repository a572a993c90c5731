//! TABLE ATTACH: partitions are made as tables of their own and attached afterwards, which keeps their own column order and tablespace
//! and lets one be restored without the other (pg_dump's `dumpTableAttach`).

use super::relations::Relations;
use crate::catalog::draft::{Drafts, Part, Section};

pub(crate) fn collect(relations: &Relations, out: &mut Drafts) {
    for table in relations.archived().filter(|r| r.is_partition && matches!(r.kind, 'r' | 'p' | 'f')) {
        let parent = table.parents.first().and_then(|p| relations.known(*p));
        let (Some(parent), Some(bound)) = (parent, &table.partition_bound) else {
            out.warnings
                .push(format!("partition {} has no parent or no bound and was not attached", table.sql()));
            continue;
        };
        let mut draft =
            table.draft(table.id().part(Part::Attach), "TABLE ATTACH", Section::PreData, table.name.clone());
        draft.definition =
            format!("ALTER TABLE ONLY {} ATTACH PARTITION {} {bound};\n", parent.sql(), table.sql());
        draft.depends.insert(table.id().definition());
        draft.depends.insert(parent.id().definition());
        out.add(draft);
    }
}
