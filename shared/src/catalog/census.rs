//! The census: every object in the system catalogs, counted class by class and held against the archive's entries.
//!
//! It stands beside the collectors and shares no query with them, so that what a collector overlooks is found here and told. Which catalogs
//! there are is read from the server: a kind that a later PostgreSQL adds is counted, too.
//!
//! ```text
//! all rows with an oid of the user's ── outside temporary and TOAST schemas ── not members of extensions, nor what hangs on one
//!   ── not the implementation of another object (pg_depend type i) ── covered by an entry? ── else a warning
//! ```
//!
//! Objects users made in `pg_catalog` or `information_schema` are counted although pg_dump leaves them out: a restore lacks them.

mod query;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{
    class::{PG_CLASS, PG_LARGEOBJECT, PG_LARGEOBJECT_METADATA},
    draft::{CatalogId, Context, Key, Part},
    rows::{field, letter},
};
use crate::base::Result;

/// Objects of one catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Name of the catalog: `pg_class`, `pg_proc` …
    pub catalog: String,
    /// The database's objects in it; members of extensions and what only implements another object left out.
    pub objects: u64,
    /// How many of them the archive's entries bring back.
    pub archived: u64,
}

/// What the archive's entries bring back.
#[derive(Debug, Default)]
pub(crate) struct Archived {
    /// Addresses of the entries.
    pub keys: HashSet<Key>,
    /// Catalog rows that stand inside the entry of another, or count as another.
    pub inside: HashMap<CatalogId, CatalogId>,
    /// Objects without an entry that a warning tells of.
    pub told: BTreeSet<CatalogId>,
}

/// Longest chain of rows inside rows that is followed.
const DEPTH: usize = 8;

/// Warnings for one catalog, before the rest is only counted.
const NAMED: usize = 50;

impl Archived {
    fn covers(&self, id: CatalogId) -> bool {
        let mut id = id;
        for _ in 0..DEPTH {
            if self.keys.contains(&id.definition()) {
                return true;
            }
            match self.inside.get(&id) {
                Some(outer) => id = *outer,
                None => return false,
            }
        }
        false
    }
}

/// What is missing of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Missing {
    Object,
    Rows,
    Value,
    Comment(i32),
}

/// The counts by catalog, in the order of their names, and a warning for each object that no entry covers.
pub(crate) async fn take(cx: &Context<'_>, archived: &Archived) -> Result<(Vec<Counted>, Vec<String>)> {
    let catalogs = query::catalogs(cx).await?;
    let mut warnings: Vec<String> = catalogs
        .iter()
        .filter(|c| !c.readable)
        .map(|c| format!("the catalog {} may not be read, so its objects were not counted", c.name))
        .collect();
    let mut counts: BTreeMap<&str, Counted> = BTreeMap::new();
    let mut missing: BTreeMap<&str, Vec<(CatalogId, Missing)>> = BTreeMap::new();
    for catalog in catalogs.iter().filter(|c| c.readable) {
        for row in cx.rows("objects to count", &catalog.objects(), &[]).await? {
            let id = CatalogId { class: catalog.oid, oid: field(&row, "oid")? };
            let outer = catalog
                .outer
                .map(|class| Ok(CatalogId { class, oid: field(&row, "outer_oid")? }))
                .transpose()?;
            let relation = field::<Option<u32>>(&row, "relation")?.map(CatalogId::relation);
            if [Some(id), outer, relation].iter().flatten().any(|id| cx.extension_members.contains(id)) {
                continue;
            }
            // What was not chosen is none of the archive's objects.
            if !cx.keeps(outer.unwrap_or(id)) {
                continue;
            }
            let count = counts.entry(&catalog.name).or_insert_with(|| Counted {
                catalog: catalog.name.clone(),
                objects: 0,
                archived: 0,
            });
            count.objects += 1;
            // Rows, or a value, that were not chosen are not missed.
            let full = id.class != PG_CLASS || cx.choice.is_none_or(|choice| choice.is_full(id.oid));
            let kind = if full { letter(&row, "kind")? } else { '\0' };
            match lacking(archived, id, outer, kind) {
                None => count.archived += 1,
                Some(_) if archived.told.contains(&id) => {}
                Some(part) => missing.entry(&catalog.name).or_default().push((id, part)),
            }
        }
    }
    let mut comments = Vec::new();
    for row in cx.rows("comments to count", query::COMMENTS, &[]).await? {
        let id = CatalogId { class: field(&row, "classoid")?, oid: field(&row, "objoid")? };
        let number: i32 = field(&row, "objsubid")?;
        let told = archived.keys.contains(&id.part(Part::Comment(number)));
        if !told && !cx.extension_members.contains(&id) && archived.covers(id) {
            comments.push((id, Missing::Comment(number)));
        }
    }
    missing.insert("pg_description", comments);
    for (catalog, objects) in missing {
        warnings.extend(tell(cx, catalog, &objects).await?);
    }
    Ok((counts.into_values().collect(), warnings))
}

/// What the archive lacks of one object. `outer` is the object that brings it where it has no entry of its own.
fn lacking(archived: &Archived, id: CatalogId, outer: Option<CatalogId>, kind: char) -> Option<Missing> {
    if let Some(outer) = outer {
        return (!archived.covers(outer)).then_some(Missing::Object);
    }
    // Large objects are addressed by the catalog of their rows.
    let id = if id.class == PG_LARGEOBJECT_METADATA { CatalogId { class: PG_LARGEOBJECT, ..id } } else { id };
    if !archived.covers(id) {
        return Some(Missing::Object);
    }
    match kind {
        'r' if id.class == PG_CLASS && !archived.keys.contains(&id.part(Part::Data)) => Some(Missing::Rows),
        'S' | 'm' if id.class == PG_CLASS && !archived.keys.contains(&id.part(Part::Set)) => {
            Some(Missing::Value)
        }
        _ => None,
    }
}

/// One warning for each object, by its name; beyond [`NAMED`] only their number.
async fn tell(cx: &Context<'_>, catalog: &str, objects: &[(CatalogId, Missing)]) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    let named = &objects[..objects.len().min(NAMED)];
    if named.is_empty() {
        return Ok(warnings);
    }
    let classes: Vec<u32> = named.iter().map(|(id, _)| id.class).collect();
    let oids: Vec<u32> = named.iter().map(|(id, _)| id.oid).collect();
    let parts: Vec<i32> = named
        .iter()
        .map(|(_, missing)| if let Missing::Comment(number) = missing { *number } else { 0 })
        .collect();
    let rows =
        cx.rows("objects that no entry covers", query::DESCRIPTIONS, &[&classes, &oids, &parts]).await?;
    for (row, (id, missing)) in rows.iter().zip(named) {
        let object: Option<String> = field(row, "object")?;
        let object = object.unwrap_or_else(|| format!("object {} of {catalog}", id.oid));
        let invalid: bool = field(row, "invalid_index")?;
        warnings.push(match missing {
            Missing::Object if invalid => format!(
                "{object} is not in the backup: it is invalid, as a broken-off CREATE INDEX leaves it; rebuild or drop it"
            ),
            Missing::Object => format!("{object} is not in the backup: no entry of the archive covers it"),
            Missing::Rows => format!("the rows of {object} are not in the backup"),
            Missing::Value => format!("{object} is in the backup without its value or rows"),
            Missing::Comment(_) => format!("the comment on {object} is not in the backup"),
        });
    }
    if objects.len() > NAMED {
        warnings.push(format!("{} more objects of {catalog} are not in the backup", objects.len() - NAMED));
    }
    Ok(warnings)
}
