//! INDEX, INDEX ATTACH, and CONSTRAINT for those that an index enforces (PRIMARY KEY, UNIQUE, EXCLUDE).
//!
//! The counterpart of pg_dump's `getIndexes`, `dumpIndex` and the first half of `dumpConstraint`. As pg_dump does, invalid indexes are
//! left out, except on partitioned tables, where they only wait for partitions to be attached.

use std::collections::HashMap;
use std::fmt::Write;

use super::relations::{Relation, Relations, options_sql};
use crate::{
    base::Result,
    catalog::{
        draft::{CatalogId, Context, Drafts, Part, Section},
        rows::{field, letter},
    },
    pg::ServerVersion,
    pg::{ident, qualified},
};

/// What later kinds need to know of an index.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    oid: u32,
    name: String,
    table: u32,
    tablespace: String,
    definition: String,
    options: Vec<String>,
    /// Attribute numbers of keys, then of included columns.
    columns: Vec<i16>,
    key_columns: usize,
    clustered: bool,
    replica_identity: bool,
    nulls_not_distinct: bool,
    /// Partitioned index it belongs to.
    parent: Option<u32>,
    statistics: Vec<(i16, i32)>,
    constraint: Option<Constraint>,
}

#[derive(Debug, Clone)]
struct Constraint {
    oid: u32,
    name: String,
    kind: char,
    definition: String,
    deferrable: bool,
    deferred: bool,
    without_overlaps: bool,
}

/// `indnullsnotdistinct` came with 15, `conperiod` with 18.
fn indexes_query(version: ServerVersion) -> String {
    let nulls_not_distinct = if version.major() >= 15 { "i.indnullsnotdistinct" } else { "false" };
    let without_overlaps = if version.major() >= 18 { "coalesce(c.conperiod, false)" } else { "false" };
    format!(
        "SELECT t.oid, t.relname, i.indrelid, coalesce(tsp.spcname, '') AS tablespace, \
           pg_get_indexdef(i.indexrelid) AS definition, coalesce(t.reloptions, '{{}}') AS options, \
           i.indkey::int2[] AS columns, i.indnkeyatts, i.indisclustered, i.indisreplident, \
           {nulls_not_distinct} AS nulls_not_distinct, inh.inhparent AS parent, \
           (SELECT array_agg(a.attnum ORDER BY a.attnum) FROM pg_attribute a \
             WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0) AS statistics_columns, \
           (SELECT array_agg(a.attstattarget::int4 ORDER BY a.attnum) FROM pg_attribute a \
             WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0) AS statistics_targets, \
           c.oid AS con_oid, c.conname, coalesce(c.contype, ' ') AS contype, \
           CASE WHEN c.contype = 'x' THEN pg_get_constraintdef(c.oid) ELSE '' END AS con_definition, \
           coalesce(c.condeferrable, false) AS deferrable, coalesce(c.condeferred, false) AS deferred, \
           {without_overlaps} AS without_overlaps \
         FROM unnest($1::oid[]) AS src(relid) \
         JOIN pg_index i ON i.indrelid = src.relid \
         JOIN pg_class t ON t.oid = i.indexrelid \
         JOIN pg_class t2 ON t2.oid = i.indrelid \
         LEFT JOIN pg_tablespace tsp ON tsp.oid = t.reltablespace \
         LEFT JOIN pg_constraint c ON c.conrelid = i.indrelid AND c.conindid = i.indexrelid \
           AND c.contype IN ('p', 'u', 'x') \
         LEFT JOIN pg_inherits inh ON inh.inhrelid = i.indexrelid \
         WHERE (i.indisvalid OR t2.relkind = 'p') AND i.indisready \
         ORDER BY i.indrelid, t.relname"
    )
}

/// The indexes of all archived tables.
#[derive(Debug, Default)]
pub(crate) struct Indexes {
    by_oid: HashMap<u32, Index>,
    /// Parent index to the indexes attached to it.
    attached: HashMap<u32, Vec<u32>>,
}

impl Indexes {
    pub async fn load(cx: &Context<'_>, relations: &Relations) -> Result<Self> {
        let mut indexes = Self::default();
        let query = indexes_query(cx.version);
        for row in cx.rows("indexes", &query, &[&relations.archived_oids()]).await? {
            let index = read(&row)?;
            if let Some(parent) = index.parent {
                indexes.attached.entry(parent).or_default().push(index.oid);
            }
            indexes.by_oid.insert(index.oid, index);
        }
        Ok(indexes)
    }

    /// Oid, name and table's oid of each.
    pub fn all(&self) -> impl Iterator<Item = (u32, &str, u32)> {
        self.by_oid.values().map(|i| (i.oid, i.name.as_str(), i.table))
    }

    /// Every index below a partitioned one: a foreign key to it waits until all are attached (pg_dump's `addConstrChildIdxDeps`).
    pub fn attached_below(&self, index: u32) -> Vec<u32> {
        let mut below = Vec::new();
        let mut open = vec![index];
        while let Some(parent) = open.pop() {
            for child in self.attached.get(&parent).into_iter().flatten() {
                below.push(*child);
                open.push(*child);
            }
        }
        below
    }

    pub fn collect(&self, relations: &Relations, out: &mut Drafts) {
        for index in self.by_oid.values() {
            let Some(table) = relations.get(index.table) else { continue };
            match &index.constraint {
                Some(constraint) => index.add_constraint(constraint, table, out),
                None => index.add_index(table, out),
            }
            self.attach(index, table, relations, out);
        }
    }

    fn attach(&self, index: &Index, table: &Relation, relations: &Relations, out: &mut Drafts) {
        let Some(parent) = index.parent.and_then(|p| self.by_oid.get(&p)) else { return };
        let Some(parent_table) = relations.get(parent.table) else { return };
        let id = CatalogId::relation(index.oid);
        let mut draft =
            table.draft(id.part(Part::Attach), "INDEX ATTACH", Section::PostData, index.name.clone());
        draft.owner.clone_from(&parent_table.owner);
        draft.definition = format!(
            "ALTER INDEX {} ATTACH PARTITION {};\n",
            qualified(&parent_table.schema, &parent.name),
            qualified(&table.schema, &index.name)
        );
        let parent_id = CatalogId::relation(parent.oid);
        draft.depends.extend([id, parent_id, table.id(), parent_table.id()].map(CatalogId::definition));
        out.add(draft);
    }
}

fn read(row: &tokio_postgres::Row) -> Result<Index> {
    let constraint = match field::<Option<u32>>(row, "con_oid")? {
        Some(oid) => Some(Constraint {
            oid,
            name: field(row, "conname")?,
            kind: letter(row, "contype")?,
            definition: field(row, "con_definition")?,
            deferrable: field(row, "deferrable")?,
            deferred: field(row, "deferred")?,
            without_overlaps: field(row, "without_overlaps")?,
        }),
        None => None,
    };
    let numbers: Vec<i16> = field::<Option<_>>(row, "statistics_columns")?.unwrap_or_default();
    let targets: Vec<i32> = field::<Option<_>>(row, "statistics_targets")?.unwrap_or_default();
    Ok(Index {
        oid: field(row, "oid")?,
        name: field(row, "relname")?,
        table: field(row, "indrelid")?,
        tablespace: field(row, "tablespace")?,
        definition: field(row, "definition")?,
        options: field(row, "options")?,
        columns: field(row, "columns")?,
        key_columns: usize::try_from(field::<i16>(row, "indnkeyatts")?).unwrap_or(0),
        clustered: field(row, "indisclustered")?,
        replica_identity: field(row, "indisreplident")?,
        nulls_not_distinct: field(row, "nulls_not_distinct")?,
        parent: field(row, "parent")?,
        statistics: numbers.into_iter().zip(targets).collect(),
        constraint,
    })
}

impl Index {
    fn add_index(&self, table: &Relation, out: &mut Drafts) {
        let id = CatalogId::relation(self.oid);
        let mut draft = table.draft(id.definition(), "INDEX", Section::PostData, self.name.clone());
        draft.tablespace = Some(self.tablespace.clone());
        draft.definition = format!("{};\n", self.definition);
        self.cluster(table, &mut draft.definition);
        for (column, target) in &self.statistics {
            // Columns of an index are named by their number here.
            let _ = writeln!(
                draft.definition,
                "ALTER INDEX {} ALTER COLUMN {column} SET STATISTICS {target};",
                qualified(&table.schema, &self.name)
            );
        }
        self.identify(table, &mut draft.definition);
        if self.parent.is_none() {
            draft.drop = format!("DROP INDEX {};\n", qualified(&table.schema, &self.name));
        }
        out.add(draft);
    }

    fn add_constraint(&self, constraint: &Constraint, table: &Relation, out: &mut Drafts) {
        let id = CatalogId::constraint(constraint.oid);
        out.aliases.insert(CatalogId::relation(self.oid), id);
        let mut draft = table.member(id, "CONSTRAINT", Section::PostData, &constraint.name);
        draft.tablespace = Some(self.tablespace.clone());
        let body = if constraint.kind == 'x' {
            constraint.definition.clone()
        } else {
            self.key_definition(constraint, table)
        };
        draft.definition = format!(
            "ALTER TABLE ONLY {}\n    ADD CONSTRAINT {} {body};\n",
            table.sql(),
            ident(&constraint.name)
        );
        self.cluster(table, &mut draft.definition);
        self.identify(table, &mut draft.definition);
        draft.drop =
            format!("ALTER TABLE ONLY {} DROP CONSTRAINT {};\n", table.sql(), ident(&constraint.name));
        out.add(draft);
    }

    /// `pg_get_constraintdef` would add the tablespace, which is the entry's.
    fn key_definition(&self, constraint: &Constraint, table: &Relation) -> String {
        let names = |numbers: &[i16]| {
            let names: Vec<String> =
                numbers.iter().filter_map(|n| table.column(*n)).map(|c| ident(&c.name)).collect();
            names.join(", ")
        };
        let keys = self.key_columns.min(self.columns.len());
        let mut sql = String::from(if constraint.kind == 'p' { "PRIMARY KEY" } else { "UNIQUE" });
        if self.nulls_not_distinct && constraint.kind != 'p' {
            sql.push_str(" NULLS NOT DISTINCT");
        }
        let _ = write!(sql, " ({}", names(&self.columns[..keys]));
        if constraint.without_overlaps {
            sql.push_str(" WITHOUT OVERLAPS");
        }
        if keys < self.columns.len() {
            let _ = write!(sql, ") INCLUDE ({}", names(&self.columns[keys..]));
        }
        sql.push(')');
        if !self.options.is_empty() {
            let _ = write!(sql, " WITH ({})", options_sql(&self.options, ""));
        }
        if constraint.deferrable {
            sql.push_str(" DEFERRABLE");
            if constraint.deferred {
                sql.push_str(" INITIALLY DEFERRED");
            }
        }
        sql
    }

    /// The index name is not qualified in these two statements.
    fn cluster(&self, table: &Relation, sql: &mut String) {
        if self.clustered {
            let _ = write!(sql, "\nALTER TABLE {} CLUSTER ON {};\n", table.sql(), ident(&self.name));
        }
    }

    fn identify(&self, table: &Relation, sql: &mut String) {
        if self.replica_identity {
            let _ = write!(
                sql,
                "\nALTER TABLE ONLY {} REPLICA IDENTITY USING INDEX {};\n",
                table.sql(),
                ident(&self.name)
            );
        }
    }
}
