//! DEFAULT: column defaults that cannot stand in CREATE TABLE: of views, of inherited columns, and those that take part in a dependency
//! cycle, as a serial column's `nextval` does.

use super::{columns::Column, relations::Relation};
use crate::{
    catalog::{
        class::PG_ATTRDEF,
        draft::{CatalogId, Draft, Part, Section},
    },
    pg::ident,
};

/// The entry; `oid` is 0 for a DEFAULT NULL that has no catalog row.
pub(crate) fn entry(relation: &Relation, column: &Column, expression: &str, oid: u32) -> Draft {
    let key = if oid == 0 {
        relation.id().part(Part::NullDefault(i32::from(column.number)))
    } else {
        CatalogId { class: PG_ATTRDEF, oid }.definition()
    };
    let tag = format!("{} {}", relation.name, column.name);
    let mut draft = relation.draft(key, "DEFAULT", Section::PreData, tag);
    // pg_dump sorts by the table's name, then by the column's number.
    draft.sort_name = format!("{}\0{:05}", relation.name, column.number);
    draft.definition = format!(
        "{} ONLY {} ALTER COLUMN {} SET DEFAULT {expression};\n",
        relation.alter(),
        relation.sql(),
        ident(&column.name)
    );
    draft.drop = format!(
        "{} {} ALTER COLUMN {} DROP DEFAULT;\n",
        relation.alter(),
        relation.sql(),
        ident(&column.name)
    );
    draft.depends.insert(relation.id().definition());
    draft
}
