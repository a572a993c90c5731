//! CHECK constraints of tables (inside CREATE TABLE, or CHECK CONSTRAINT entries when not validated), and NOT NULL constraints that are not
//! validated (CONSTRAINT entries; 18 and later).

use std::collections::HashMap;

use super::relations::{Relation, Relations};
use crate::{
    base::Result,
    catalog::{
        draft::{CatalogId, Context, Draft, Drafts, Fragment, FragmentKind, Section},
        rows::{field, letter},
    },
    pg::ident,
};

/// One constraint.
#[derive(Debug, Clone)]
pub(crate) struct Check {
    oid: u32,
    name: String,
    /// As `pg_get_constraintdef` gives it.
    definition: String,
    is_local: bool,
    /// Comes after the data: rows may break it.
    separate: bool,
    not_null: bool,
}

/// Before 18, NOT NULL has no rows of type `n` on tables.
const CHECKS: &str = "SELECT c.oid, c.conrelid, c.conname, c.contype, pg_get_constraintdef(c.oid) AS definition, \
       c.conislocal, c.convalidated \
     FROM unnest($1::oid[]) AS src(relid) JOIN pg_constraint c ON c.conrelid = src.relid \
     WHERE c.contype = 'c' OR (c.contype = 'n' AND NOT c.convalidated) \
     ORDER BY c.conrelid, c.conname";

pub(crate) async fn load(cx: &Context<'_>, relations: &Relations) -> Result<HashMap<u32, Vec<Check>>> {
    let mut checks: HashMap<u32, Vec<Check>> = HashMap::new();
    let oids = relations.archived_oids();
    for row in cx.rows("CHECK constraints", CHECKS, &[&oids]).await? {
        checks.entry(field(&row, "conrelid")?).or_default().push(Check {
            oid: field(&row, "oid")?,
            name: field(&row, "conname")?,
            definition: field(&row, "definition")?,
            is_local: field(&row, "conislocal")?,
            separate: !field::<bool>(&row, "convalidated")?,
            not_null: letter(&row, "contype")? == 'n',
        });
    }
    Ok(checks)
}

impl Check {
    pub fn id(&self) -> CatalogId {
        CatalogId::constraint(self.oid)
    }

    /// Whether CREATE TABLE holds it. Partitions hold inherited ones too, because ATTACH PARTITION wants to find them.
    pub fn is_inline(&self, table: &Relation) -> bool {
        !self.separate && (self.is_local || table.is_partition)
    }

    /// Adds it as a piece of the table, as an entry, or as nothing but an alias when it comes with the parent's.
    pub fn place(&self, table: &Relation, out: &mut Drafts) {
        if self.is_inline(table) {
            let fragment = Fragment {
                owner: table.id(),
                kind: FragmentKind::TableCheck,
                inline: format!(",\n    CONSTRAINT {} {}", ident(&self.name), self.definition),
                without: String::new(),
                apart: self.is_local.then(|| self.entry(table)),
            };
            out.fragments.insert(self.id(), fragment);
        } else if self.separate && self.is_local {
            out.add(self.entry(table));
        } else {
            out.aliases.insert(self.id(), table.id());
        }
    }

    fn entry(&self, table: &Relation) -> Draft {
        let desc = if self.not_null { "CONSTRAINT" } else { "CHECK CONSTRAINT" };
        let mut draft = table.member(self.id(), desc, Section::PostData, &self.name);
        // Not ONLY: it is meant for children, too.
        draft.definition = format!(
            "{} {}\n    ADD CONSTRAINT {} {};\n",
            table.alter(),
            table.sql(),
            ident(&self.name),
            self.definition
        );
        draft.drop = format!("{} {} DROP CONSTRAINT {};\n", table.alter(), table.sql(), ident(&self.name));
        draft.depends.insert(table.id().definition());
        draft
    }
}
