//! The copy against the manifest: every table read under the settings of a backup, its rows counted and hashed, and the objects of its catalogs
//! counted.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    Reached, Verify,
    done::{Done, Each, Seen},
    inventory::Inventory,
};
use crate::{
    archive::{
        Manifest, Toc,
        rowhash::{Digest, RowHasher},
        toc::Entry,
    },
    base::{Error, Kind, Result, ResultExt},
    catalog,
    jobs::{
        progress::Tally,
        restore::{
            count::{Place, place},
            plan::shown,
        },
    },
    pg::{self, ConnInfo, Session, Snapshot, copy_out, session},
};

/// Catalogs of what is not restored where owners and grants are not.
const OF_ROLES: &[&str] =
    &["pg_default_acl", "pg_publication", "pg_publication_namespace", "pg_publication_rel"];

/// Catalogs of what is never restored into a copy.
const NEVER: &[&str] = &["pg_subscription"];

/// A table of the copy and what its rows must come to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Table {
    place: Place,
    rows: u64,
    /// None where the rows of several entries with other columns stand in it.
    sum: Option<u128>,
}

impl Verify<'_> {
    /// Counts and hashes every table, then counts the objects. None when all is done.
    ///
    /// # Errors
    /// Those of connecting and of the statements.
    pub(super) async fn compare(
        &self,
        info: &ConnInfo,
        whole: bool,
        inventory: &Inventory,
        done: &mut Done,
    ) -> Result<Option<Reached>> {
        let Some(toc) = inventory.contents(done).await? else { return Ok(None) };
        let info = info.with_application_name(&format!("pgbaton verify {}", self.record.id));
        let session = open(&info).await?;
        let members = of_extensions(&session).await?;
        let tables = Arc::new(tables(&inventory.manifest, &toc, &members)?);
        if !members.is_empty() {
            done.warning("the rows of tables that extensions brought were not compared".to_owned());
        }
        let tally = Arc::new(Tally::new(tables.len() as u64, inventory.manifest.raw_bytes()));
        let already = tables.len() - done.left(tables.len()).len();
        tally.resumed(already as u64, 0, 0);
        let _reporter = tally.report_to(self.platform.ledger.clone(), self.lease.clone());
        let at_once = self.platform.config.concurrency.min(tables.len()).max(1);
        let mut sessions = vec![session];
        while sessions.len() < at_once {
            sessions.push(open(&info).await?);
        }
        let idle = Arc::new(Mutex::new(sessions));
        let look = |n: usize| {
            let (tables, idle, tally) = (Arc::clone(&tables), Arc::clone(&idle), Arc::clone(&tally));
            async move {
                let free = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let session = free.ok_or_else(|| {
                    Error::new(Kind::Internal, "more tables are looked at than there are sessions")
                })?;
                let seen = look(&session, &tables[n], &tally).await?;
                idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
                Ok(seen)
            }
        };
        let each = self.each(done, tables.len(), at_once, look, |_| tally.part(0, true)).await?;
        if let Each::TimeUp(at) = each {
            let stuck_at = at.map(|n| format!("hashing {}", shown(&tables[n].place.table)));
            return Ok(Some(Reached::TimeUp { stuck_at }));
        }
        if self.shift.is_over() {
            return Ok(Some(Reached::TimeUp { stuck_at: None }));
        }
        census(&info, whole, &inventory.manifest, done).await?;
        Ok(None)
    }
}

async fn open(info: &ConnInfo) -> Result<Session> {
    let session = pg::connect(info).await.context("connecting to the scratch database")?;
    session::pin_for_dump(session.client(), session.version()).await?;
    Ok(session)
}

/// Tables that extensions brought, as schema and name: their scripts may have filled them, too.
async fn of_extensions(session: &Session) -> Result<HashSet<(String, String)>> {
    let sql = "SELECT n.nspname::pg_catalog.text, c.relname::pg_catalog.text FROM pg_catalog.pg_depend d \
               JOIN pg_catalog.pg_class c ON c.oid = d.objid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
               WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'e' AND c.relkind IN ('r', 'p')";
    let rows = session.query(sql, &[]).await.map_err(|e| session.error(e)).context("looking at the copy")?;
    Ok(rows.iter().map(|r| (r.get(0), r.get(1))).collect())
}

/// The tables of the manifest, in an order that depends on nothing else. What slices of a table and what partitions that were loaded through
/// their root come to is added up.
fn tables(manifest: &Manifest, toc: &Toc, members: &HashSet<(String, String)>) -> Result<Vec<Table>> {
    let by_id: HashMap<i32, &Entry> = toc.entries.iter().map(|e| (e.dump_id, e)).collect();
    let mut all: BTreeMap<String, Table> = BTreeMap::new();
    for saved in manifest.saved() {
        let Some(entry) = by_id.get(&saved.entry) else { continue };
        let rows = saved.rows;
        let member = (entry.namespace.clone().unwrap_or_default(), entry.tag.clone());
        if members.contains(&member) {
            continue;
        }
        let Some(place) = place(entry) else { continue };
        let hash = saved.content_hash.map(|h| u128::from_str_radix(h, 16)).transpose();
        let hash = hash.map_err(|_| {
            Error::new(Kind::Corrupt, format!("the content hash of {} is not hexadecimal", saved.table))
        })?;
        match all.get_mut(&place.sql()) {
            Some(table) => {
                table.rows += rows;
                let same = table.place.columns == place.columns;
                table.sum = table.sum.zip(hash).filter(|_| same).map(|(a, b)| a.wrapping_add(b));
            }
            None => {
                all.insert(place.sql(), Table { place, rows, sum: hash });
            }
        }
    }
    Ok(all.into_values().collect())
}

async fn look(session: &Session, table: &Table, tally: &Tally) -> Result<Seen> {
    let Place { columns, .. } = &table.place;
    let name = shown(&table.place.table);
    let sql = format!("COPY (SELECT {columns} FROM {}) TO stdout", table.place.sql());
    let read = async {
        let mut rows = copy_out(session, &sql).await?;
        let mut hasher = RowHasher::new();
        while let Some(chunk) = rows.next().await? {
            tally.bytes(chunk.len() as u64);
            hasher.push(&chunk);
        }
        rows.finish().await?;
        hasher.finish()
    };
    let digest =
        read.await.map_err(|e| session.explain(e)).with_context(|| format!("reading {name} of the copy"));
    let digest = match digest {
        // Not in the copy, which no session but the restore's has changed.
        Err(e) if e.kind() == Kind::SnapshotBroken => {
            return Ok(Seen { problem: Some(format!("{name} is not in the copy")), ..Seen::default() });
        }
        other => other?,
    };
    Ok(Seen { rows: digest.rows, problem: judged(table, digest, &name), ..Seen::default() })
}

fn judged(table: &Table, digest: Digest, name: &str) -> Option<String> {
    if digest.rows != table.rows {
        return Some(format!("{name} has {} rows in the copy instead of {}", digest.rows, table.rows));
    }
    let differs = table.sum.is_some_and(|sum| sum != digest.sum);
    differs
        .then(|| format!("the rows of {name} in the copy are not those that were saved: their hash differs"))
}

/// Counts the copy's objects, catalog by catalog, against those that the archive was to bring back.
async fn census(info: &ConnInfo, whole: bool, manifest: &Manifest, done: &mut Done) -> Result<()> {
    if manifest.census.is_empty() {
        return Ok(());
    }
    let snapshot = Snapshot::open(open(info).await?).await?;
    let major = manifest.server_version.split(['.', ' ']).next().and_then(|m| m.parse::<u32>().ok());
    if major != Some(snapshot.version().major()) {
        done.warning(format!(
            "the objects were not counted: the copy is on PostgreSQL {}, the backup of {}",
            snapshot.version(),
            manifest.server_version
        ));
        return Ok(());
    }
    let catalog = catalog::read(snapshot.client(), snapshot.version(), None)
        .await
        .context("counting the copy's objects")?;
    snapshot.finish().await?.close().await;
    for (name, counted) in &manifest.census {
        if NEVER.contains(&name.as_str()) || (!whole && OF_ROLES.contains(&name.as_str())) {
            continue;
        }
        let there = catalog.census.iter().find(|c| c.catalog == *name).map_or(0, |c| c.objects);
        if there < counted.archived {
            done.problem(format!("the copy has {there} objects in {name} instead of {}", counted.archived));
        } else if there > counted.archived {
            done.warning(format!(
                "the copy has {there} objects in {name}, more than the {} that the archive brings back",
                counted.archived
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(sum: Option<u128>) -> Table {
        let place = Place { table: "public.t".into(), only: true, columns: "a".into() };
        Table { place, rows: 2, sum }
    }

    #[test]
    fn rows_and_hash_are_judged() {
        let of = |rows, sum| Digest { rows, sum };
        assert_eq!(judged(&table(Some(7)), of(2, 7), "t"), None);
        assert!(judged(&table(Some(7)), of(3, 7), "t").unwrap().contains("3 rows in the copy instead of 2"));
        assert!(judged(&table(Some(7)), of(2, 8), "t").unwrap().contains("hash differs"));
        assert_eq!(judged(&table(None), of(2, 8), "t"), None);
    }
}
