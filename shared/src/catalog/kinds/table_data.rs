//! TABLE DATA: the rows of ordinary tables. Partitioned tables have none of their own; sequences and materialized views have other entries.

use super::{
    columns::Column,
    relations::{Relation, Relations},
};
use crate::{
    catalog::draft::{DataSource, Draft, Drafts, Part, Section, TableSource},
    pg::ident,
};

pub(crate) fn collect(relations: &Relations, out: &mut Drafts) {
    for table in relations.archived().filter(|r| r.kind == 'r') {
        out.add(draft(table, relations, ""));
    }
}

/// The entry of one table; `condition` is empty or a WHERE clause that the rows must meet.
pub(super) fn draft(table: &Relation, relations: &Relations, condition: &str) -> Draft {
    let columns = column_list(table);
    let mut draft = table.draft(table.id().part(Part::Data), "TABLE DATA", Section::Data, table.name.clone());
    let mut into = table;
    if relations.loads_through_root(table) {
        into = relations.partition_root(table);
        // pg_restore knows this text: it then does not truncate the table first.
        draft.definition = format!("-- load via partition root {}", into.sql());
    }
    draft.copy = Some(format!("COPY {} {columns} FROM stdin;\n", into.sql()));
    draft.data = Some(DataSource::Table(TableSource {
        oid: table.oid,
        schema: table.schema.clone(),
        name: table.name.clone(),
        relfilenode: table.filenode,
        columns: columns.strip_prefix('(').and_then(|c| c.strip_suffix(')')).unwrap_or_default().to_owned(),
        typed: stored(table).map(|c| (c.name.clone(), c.type_sql.clone())).collect(),
        condition: condition.to_owned(),
        slice: None,
        bytes: 0,
    }));
    draft.depends.insert(table.id().definition());
    draft
}

fn stored(table: &Relation) -> impl Iterator<Item = &Column> {
    table.columns.iter().filter(|c| c.generated == '\0')
}

/// `(a, b)` without generated columns; empty, not `()`, when there is none.
fn column_list(table: &Relation) -> String {
    let names: Vec<String> = stored(table).map(|c| ident(&c.name)).collect();
    if names.is_empty() { String::new() } else { format!("({})", names.join(", ")) }
}
