//! Selection: which of a database's objects a backup is to hold, by what the request says of its relations.
//!
//! ```text
//! Selection (patterns) ─┐
//! Facts (catalog rows) ─┴─ choose ─ Choice ─┬─ the tables to lock
//!                                           ├─ what collectors read
//!                                           └─ which entries stay
//! ```
//!
//! The choice is made before anything is locked, from the rows of catalogs alone and none of the server's functions that look at objects: those
//! fail for what is dropped meanwhile.

mod choice;
mod facts;
mod near;
mod pattern;

use tokio_postgres::Client;

pub use choice::Choice;
pub(crate) use choice::Limits;
pub use near::{misses, nearest};
pub use pattern::{LONGEST, Pattern};

use super::{
    draft::{Context, Drafts},
    rows::field,
};
use crate::{
    base::{Result, ResultExt},
    pg::ServerVersion,
};

/// What of a database is asked for. [`Selection::default`] is all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only these, with what belongs to them and what they need; empty for all.
    pub tables: Vec<Pattern>,
    /// Not these, nor what cannot be without them.
    pub exclude_tables: Vec<Pattern>,
    /// Of these not the rows.
    pub exclude_data: Vec<Pattern>,
    /// Of what would be left out the structure all the same; without `tables` of everything nothing but the structure.
    pub include_schema_only: bool,
}

impl Selection {
    /// Whether it asks for everything.
    pub fn is_everything(&self) -> bool {
        let Self { tables, exclude_tables, exclude_data, include_schema_only } = self;
        [tables, exclude_tables, exclude_data].iter().all(|list| list.is_empty()) && !include_schema_only
    }
}

/// Decides what of the current database stays. The session must be in the transaction with the snapshot, with `search_path` empty.
///
/// # Errors
/// [`Kind::InvalidInput`](crate::base::Kind::InvalidInput) at the field whose pattern matches nothing; those of the queries.
pub async fn choose(client: &Client, version: ServerVersion, selection: &Selection) -> Result<Choice> {
    let doing = "deciding what the selection means";
    let cx = Context::load(client, version).await.context(doing)?;
    let facts = facts::load(&cx).await.context(doing)?;
    choice::choose(&facts, selection)
}

/// A condition on the oids in a column: the two parameters of these numbers are those of [`Limits`]. What is not chosen is not locked, and the
/// server's functions that look at objects wait for whoever holds it, or fail of what is dropped meanwhile.
pub(crate) fn within(column: &str, only: usize, but: usize) -> String {
    format!(
        "(${only}::oid[] IS NULL OR {column} IN (SELECT unnest(${only}::oid[]))) \
         AND {column} NOT IN (SELECT unnest(${but}::oid[]))"
    )
}

const DESCRIPTIONS: &str = "SELECT pg_describe_object(o.class, o.oid, 0) AS object \
     FROM unnest($1::oid[], $2::oid[]) WITH ORDINALITY AS o(class, oid, n) ORDER BY o.n";

/// What the choice leaves out although nobody asked for that, by name, and what else it has to tell.
pub(crate) async fn warnings(cx: &Context<'_>, choice: &Choice) -> Result<Vec<String>> {
    let classes: Vec<u32> = choice.omitted.iter().map(|o| o.id.class).collect();
    let oids: Vec<u32> = choice.omitted.iter().map(|o| o.id.oid).collect();
    let mut warnings = choice.warnings.clone();
    if oids.is_empty() {
        return Ok(warnings);
    }
    let rows = cx.rows("objects that are left out", DESCRIPTIONS, &[&classes, &oids]).await?;
    for (row, omitted) in rows.iter().zip(&choice.omitted) {
        // NULL: dropped meanwhile.
        if let Some(object) = field::<Option<&str>>(row, "object")? {
            warnings.push(format!("{object} is left out, {}", omitted.why));
        }
    }
    Ok(warnings)
}

/// Takes away what the choice leaves out.
pub(crate) fn prune(drafts: &mut Drafts, choice: &Choice) {
    drafts.entries.retain(|key, _| choice.keeps_part(*key));
    drafts.fragments.retain(|id, _| choice.keeps(*id));
}
