//! Room: what a database holds, read from its catalogs inside the snapshot's transaction, as definitions in the order pg_dump gives them.
//!
//! One file under [`kinds`] per kind of object; each adds its drafts and nothing else needs to know. The framework then adds comments,
//! grants and dependencies, orders everything and breaks cycles:
//!
//! ```text
//! kinds::collect ─ drafts, fragments, aliases ─┐
//! dependencies ─ pg_depend ────────────────────┘
//! census ─ every object of the database against the entries
//! ```

pub mod acl;
pub mod class;
pub mod comments;
pub mod draft;
mod entry;
pub mod kinds;
pub mod labels;
pub mod select;

mod assemble;
mod bonds;
mod census;
mod context;
mod cycles;
mod database;
mod dependencies;
mod graph;
mod locks;
mod order;
mod privileges;
mod rows;
mod sections;
mod sizes;
mod slices;

use tokio_postgres::Client;

pub use census::Counted;
pub use database::{DatabaseProperties, DatabaseSetting};
pub use draft::{CatalogId, DataSource, Section, Slice, TableSource};
pub use locks::{LockTarget, tables_to_lock};
pub use privileges::{Missing, Withheld, missing as missing_privileges};
pub use select::{Choice, Selection};
pub use sizes::{Sizes, measure};

use crate::{
    base::{Result, ResultExt},
    pg::ServerVersion,
};

/// One entry of the archive's table of contents. Fields as in [`draft::Draft`], with numbers for what it depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// From 1, without gaps, in the order of the archive.
    pub dump_id: i32,
    /// The catalog row it was made from; both oids 0 where there is none.
    pub catalog_id: CatalogId,
    /// TOC description: `TABLE`, `INDEX`, `FK CONSTRAINT` …
    pub desc: &'static str,
    /// Section.
    pub section: Section,
    /// Tag: the name as pg_dump writes it.
    pub tag: String,
    /// Schema, unquoted.
    pub namespace: Option<String>,
    /// Owner, unquoted; empty for entries without one.
    pub owner: String,
    /// Tablespace; `Some("")` for the default one of kinds that have tablespaces.
    pub tablespace: Option<String>,
    /// Table access method.
    pub table_am: Option<String>,
    /// `pg_class.relkind` for relations.
    pub relkind: Option<char>,
    /// SQL, ended by `;` and a newline.
    pub definition: String,
    /// SQL that drops it.
    pub drop: String,
    /// `COPY … FROM stdin;` of a data entry.
    pub copy: Option<String>,
    /// Rows of a data entry.
    pub data: Option<DataSource>,
    /// Dump ids of entries that must come before, sorted.
    pub dependencies: Vec<i32>,
}

/// What a database holds.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// In the order of the archive.
    pub entries: Vec<Entry>,
    /// What could not be archived or may not restore, one sentence each.
    pub warnings: Vec<String>,
    /// The database itself.
    pub database: DatabaseProperties,
    /// All objects of the database by catalog, and how many of them the entries bring back.
    pub census: Vec<Counted>,
}

/// Reads the catalogs of the current database, or what of it was chosen.
///
/// The session must be in the REPEATABLE READ transaction that holds (or imported) the snapshot, with `search_path` empty and the
/// tables of [`tables_to_lock`] locked. The statements are few and their number does not grow with the database's.
///
/// # Errors
/// As the queries' errors; `Permission` when a sequence cannot be read.
pub async fn read(client: &Client, version: ServerVersion, choice: Option<&Choice>) -> Result<Catalog> {
    let database = database::properties(client, version).await?;
    let doing = || format!("reading the catalogs of database {}", database.name);
    let cx = draft::Context { choice, ..draft::Context::load(client, version).await.with_context(doing)? };
    let mut drafts = draft::Drafts::default();
    kinds::collect(&cx, &mut drafts).await.with_context(doing)?;
    kinds::database::collect(&cx, &database, &mut drafts).await.with_context(doing)?;
    if let Some(choice) = choice {
        drafts.warnings.extend(select::warnings(&cx, choice).await.with_context(doing)?);
        select::prune(&mut drafts, choice);
    }
    let dependencies = dependencies::load(&cx).await.with_context(doing)?;
    let extension_of = dependencies::extensions_of_members(&cx).await.with_context(doing)?;

    let mut graph = graph::Graph::build(&drafts, &dependencies, &extension_of);
    cycles::break_all(&mut graph, &mut drafts);
    sections::settle(&mut graph, &mut drafts);
    let order = order::order(&graph);
    let assembled = assemble::entries(drafts, &graph, &order, archive_encoding(&database.encoding));
    let (census, uncovered) = census::take(&cx, &assembled.archived).await.with_context(doing)?;
    let mut warnings = assembled.warnings;
    warnings.extend(uncovered);
    Ok(Catalog { entries: assembled.entries, warnings, database, census })
}

/// The encoding that the archive's text and rows are in: that of the reading session (see `pg::session::pin_for_dump`), not the database's.
fn archive_encoding(database: &str) -> &'static str {
    if database == "SQL_ASCII" { "SQL_ASCII" } else { "UTF8" }
}
