//! What a kind's collector hands to the framework: drafts of archive entries, addressed by catalog identity, not yet ordered or numbered.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    class::{PG_CLASS, PG_CONSTRAINT},
    select::Choice,
};
use crate::pg::{ServerVersion, qualified};

/// A catalog row: the oid of its catalog (`pg_class.oid` of `pg_class`, `pg_proc` …) and its own oid. As in `pg_depend`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CatalogId {
    /// Oid of the catalog, such as 1259 for `pg_class`.
    pub class: u32,
    /// Oid of the row.
    pub oid: u32,
}

impl CatalogId {
    /// A row of `pg_class`.
    pub fn relation(oid: u32) -> Self {
        Self { class: PG_CLASS, oid }
    }

    /// A row of `pg_constraint`.
    pub fn constraint(oid: u32) -> Self {
        Self { class: PG_CONSTRAINT, oid }
    }

    /// The key of the object's own entry.
    pub fn definition(self) -> Key {
        self.part(Part::Definition)
    }

    /// The key of another of its entries.
    pub fn part(self, part: Part) -> Key {
        Key { id: self, part }
    }
}

/// Which of an object's entries is meant. `Definition` is what `pg_depend` rows refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The object itself.
    Definition,
    /// TABLE DATA, BLOBS.
    Data,
    /// SEQUENCE SET, MATERIALIZED VIEW DATA.
    Set,
    /// SEQUENCE OWNED BY.
    OwnedBy,
    /// STATISTICS DATA.
    Statistics,
    /// TABLE ATTACH, INDEX ATTACH.
    Attach,
    /// COMMENT on the object or one of its columns (the number is the column's, 0 for the object).
    Comment(i32),
    /// SECURITY LABEL on the object and its columns.
    SecurityLabel,
    /// ACL of the object or one of its columns.
    Acl(i32),
    /// USER MAPPING of a server; the numbers are in pg_dump's order.
    UserMapping(i32),
    /// A second definition that completes a first one split off to break a cycle (a view's rule).
    Completion,
    /// ROW SECURITY of a table.
    RowSecurity,
    /// DEFAULT that takes an inherited default away from the column with this number; it has no catalog row.
    NullDefault(i32),
}

/// Address of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The catalog row.
    pub id: CatalogId,
    /// Which of its entries.
    pub part: Part,
}

/// Where pg_restore runs an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// SECTION_NONE (comments, grants: they follow their object).
    None,
    /// Definitions that data needs.
    PreData,
    /// Rows, large objects, sequence values.
    Data,
    /// Indexes, constraints, triggers, rules.
    PostData,
}

/// Rows to be read for an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataSource {
    /// One table's rows.
    Table(TableSource),
    /// All large objects.
    LargeObjects(Vec<u32>),
}

/// What reading one table's rows needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSource {
    /// `pg_class.oid`.
    pub oid: u32,
    /// Schema, unquoted.
    pub schema: String,
    /// Name, unquoted.
    pub name: String,
    /// `pg_class.relfilenode` under the snapshot; 0 for relations without storage of their own (foreign tables).
    pub relfilenode: u32,
    /// Columns as they stand in COPY's list, quoted, generated ones left out; empty when there is none.
    pub columns: String,
    /// The same columns, unquoted, with their types as `format_type` gives them.
    pub typed: Vec<(String, String)>,
    /// A WHERE clause that the rows must meet; empty for all rows.
    pub condition: String,
    /// The part of the table that this is; none for the whole.
    pub slice: Option<Slice>,
    /// Expected bytes of COPY text, 0 when unknown: for planning, not for proof. [`measure`](super::measure) sets it.
    pub bytes: u64,
}

/// Pages of a table: from the first, up to but without the second; the last slice has no end, since a table may have grown after it was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// First page.
    pub from: u32,
    /// First page of the next slice.
    pub to: Option<u32>,
}

impl TableSource {
    /// The statement that streams the rows in COPY text form.
    pub fn copy_out(&self) -> String {
        let table = qualified(&self.schema, &self.name);
        let condition = match (self.slice, self.condition.as_str()) {
            (None, "") if self.columns.is_empty() => return format!("COPY {table}  TO stdout"),
            (None, "") => return format!("COPY {table} ({}) TO stdout", self.columns),
            (None, condition) => condition.to_owned(),
            (Some(Slice { from, to }), _) => {
                let end = to.map(|to| format!(" AND ctid < '({to},0)'::pg_catalog.tid"));
                format!("WHERE ctid >= '({from},0)'::pg_catalog.tid{}", end.unwrap_or_default())
            }
        };
        format!("COPY (SELECT {} FROM ONLY {table} {condition}) TO stdout", self.columns)
    }
}

/// One archive entry in the making. Fields are those of a TOC entry, see the archive room.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Its address.
    pub key: Key,
    /// TOC description: `TABLE`, `INDEX`, `FK CONSTRAINT` …
    pub desc: &'static str,
    /// Section.
    pub section: Section,
    /// Tag: the name as pg_dump writes it (`users`, `users users_pkey`, `f(integer)`).
    pub tag: String,
    /// Schema, unquoted.
    pub namespace: Option<String>,
    /// Owner, unquoted.
    pub owner: String,
    /// Tablespace; `Some("")` for the default one of kinds that have tablespaces.
    pub tablespace: Option<String>,
    /// Table access method.
    pub table_am: Option<String>,
    /// `pg_class.relkind` for relations.
    pub relkind: Option<char>,
    /// SQL, ended by `;\n`.
    pub definition: String,
    /// SQL that drops it.
    pub drop: String,
    /// `COPY … FROM stdin;\n` of a data entry.
    pub copy: Option<String>,
    /// Rows of a data entry.
    pub data: Option<DataSource>,
    /// Entries that must come before this one, beyond what `pg_depend` says of `Definition` parts.
    pub depends: BTreeSet<Key>,
    /// Secondary sort key among entries of one desc: what pg_dump sorts by (namespace, then this).
    pub sort_name: String,
}

/// A piece of an entry's definition that is written inside it, unless it takes part in a dependency cycle: then it becomes an entry of
/// its own. It has a catalog row of its own, so `pg_depend` tells its dependencies.
#[derive(Debug, Clone)]
pub struct Fragment {
    /// The entry it is written in; that entry's definition holds [`Fragment::slot`] of this row where the piece belongs.
    pub owner: CatalogId,
    /// Which kind of piece.
    pub kind: FragmentKind,
    /// What stands in the slot when the piece is inside.
    pub inline: String,
    /// What stands in the slot when the piece is an entry of its own.
    pub without: String,
    /// The entry it becomes; none if another entry brings it (an inherited constraint).
    pub apart: Option<Draft>,
}

impl Fragment {
    /// The mark for the piece of this catalog row inside a definition; no SQL text can hold it, as PostgreSQL has no NUL in text.
    pub fn slot(id: CatalogId) -> String {
        format!("\0{}.{}\0", id.class, id.oid)
    }
}

/// Kinds of [`Fragment`], in the order in which pg_dump prefers to split them off (`repairDependencyLoop` in pg_dump_sort.c).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FragmentKind {
    /// The query of a view (its `_RETURN` rule).
    ViewQuery,
    /// A CHECK constraint of a table.
    TableCheck,
    /// A column's default.
    Default,
    /// A constraint of a domain.
    DomainConstraint,
    /// A generation expression: there is no statement to add one later, so it cannot be split off.
    Generation,
}

/// Everything collected so far.
#[derive(Debug, Default)]
pub struct Drafts {
    /// By address.
    pub entries: BTreeMap<Key, Draft>,
    /// Catalog rows that have no entry of their own and whose dependencies count as another's: a table's row type, a default, a
    /// `_RETURN` rule.
    pub aliases: HashMap<CatalogId, CatalogId>,
    /// Pieces of definitions that may have to become entries of their own.
    pub fragments: BTreeMap<CatalogId, Fragment>,
    /// What could not be archived, one sentence each, naming the object.
    pub warnings: Vec<String>,
    /// Objects that a warning tells of already: the census counts them and says no more.
    pub left_out: BTreeSet<CatalogId>,
}

/// What collectors share.
pub struct Context<'a> {
    /// The session that holds (or imported) the snapshot, settings pinned.
    pub client: &'a tokio_postgres::Client,
    /// The server's version.
    pub version: ServerVersion,
    /// `pg_namespace` rows that are the user's (not `pg_*`, not `information_schema`): oid to name.
    pub namespaces: HashMap<u32, String>,
    /// `pg_roles`: oid to name.
    pub roles: HashMap<u32, String>,
    /// Members of extensions: they come with their extension.
    pub extension_members: std::collections::HashSet<CatalogId>,
    /// What is to be archived; none for everything.
    pub choice: Option<&'a Choice>,
}
