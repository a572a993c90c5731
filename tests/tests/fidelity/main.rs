//! Databases of every kind of object and value, on every version of server at hand, with pg_dump as the judge.
//!
//! Each file under `areas/` makes one database; the whole file is one query, run by a superuser. A line `-- since N` at its head keeps it
//! from servers older than N; `-- restored since N` has it only compared, not restored, on those whose own syntax pg_dump 18 does not write;
//! `-- warns: …` is a warning that our backup must give, word by word: without such lines it must give none; `-- alone: …` is a
//! statement that takes no company (CREATE TABLESPACE), run before the file, of an object of the server's that may be there already.
//! Roles that it makes belong to the server: their names begin with `fidelity_`, and another area may have made them
//! before. There is a tablespace `fidelity_space`. What must hold for each area:
//!
//! * our table of contents is pg_dump's entry by entry, and every pg_restore at hand lists it as it is;
//! * stock pg_restore restores our archive without a complaint, and `pg_dump` of the copy is `pg_dump` of the source, rows included;
//! * restored into the newest server at hand, our archive makes the same database there as pg_dump's own.
//!
//! `PGBATON_TEST_PG_SERVERS` names the servers, `PGBATON_TEST_PG_DUMPS` other versions' programs. `PGBATON_TEST_AREAS=base_types,rows` runs
//! only areas whose name contains one of these. Each area is judged on the oldest server that knows it, on the newest, and on the one in the
//! middle; with `PGBATON_TEST_EVERY_VERSION=1` on all of them, which takes ten minutes more.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod generated;
mod inheritance;
mod judging;
mod listing;
mod scratch;
mod statements;
mod withheld;

use std::{env, fs, path::PathBuf, sync::Arc};

use futures_util::{StreamExt as _, stream};

use pgbaton_tests::{
    judge::archive,
    servers::{self, Server},
};

/// One database to make.
struct Area {
    name: String,
    sql: String,
    /// The oldest version that knows all that is in it.
    since: u32,
    /// The oldest version that takes what pg_dump 18 writes of it.
    restored_since: u32,
    /// What our backup must say it cannot save.
    warnings: Vec<String>,
    /// Statements that take no company, of objects of the server's.
    alone: Vec<String>,
}

impl Area {
    fn new(name: String, sql: String) -> Self {
        let limit = |word: &str| {
            let found = sql.lines().take_while(|l| l.starts_with("--")).find_map(|l| l.strip_prefix(word));
            found.map_or(0, |n| n.trim().parse().expect("a version"))
        };
        let (since, restored_since) = (limit("-- since "), limit("-- restored since "));
        let all = |word: &str| {
            let head = sql.lines().take_while(|l| l.starts_with("--"));
            head.filter_map(|l| l.strip_prefix(word)).map(str::to_owned).collect()
        };
        let (warnings, alone) = (all("-- warns: "), all("-- alone: "));
        Self { name, sql, since, restored_since, warnings, alone }
    }
}

fn areas() -> Vec<Arc<Area>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fidelity/areas");
    let wanted = env::var("PGBATON_TEST_AREAS").unwrap_or_default();
    let wanted: Vec<&str> = wanted.split([',', ' ']).filter(|w| !w.is_empty()).collect();
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    let area = |file: PathBuf| {
        let sql = fs::read_to_string(&file).unwrap();
        Area::new(file.file_stem().unwrap().to_string_lossy().into_owned(), sql)
    };
    let all = files
        .into_iter()
        .map(area)
        .filter(|a| wanted.is_empty() || wanted.iter().any(|w| a.name.contains(w)));
    all.map(Arc::new).collect()
}

/// How many areas are judged at the same time: their work is the servers' and the programs'.
const AT_ONCE: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn every_area_is_as_pg_dump_has_it_on_every_server() {
    let servers = servers::all().await;
    let newest = Arc::clone(servers.last().expect("a server"));
    let areas = areas();
    assert!(!areas.is_empty());
    let every = env::var_os("PGBATON_TEST_EVERY_VERSION").is_some();
    let mut work = Vec::new();
    for area in &areas {
        let known: Vec<_> = servers.iter().filter(|s| s.major >= area.since).collect();
        let last = known.len().saturating_sub(1);
        let chosen = known.into_iter().enumerate().filter(|(n, _)| every || [0, last / 2, last].contains(n));
        work.extend(chosen.map(|(_, server)| (Arc::clone(area), Arc::clone(server))));
    }
    assert!(!work.is_empty());
    let judged = work.len();
    let verdicts = work.into_iter().map(|(area, server)| judge(area, server, Arc::clone(&newest)));
    let failures: Vec<String> =
        stream::iter(verdicts).buffer_unordered(AT_ONCE).filter_map(async |f| f).collect().await;
    println!(
        "{} areas, {judged} databases on {:?}",
        areas.len(),
        servers.iter().map(|s| s.major).collect::<Vec<_>>()
    );
    assert!(failures.is_empty(), "{} of {judged} failed\n\n{}", failures.len(), failures.join("\n\n"));
}

/// What is wrong with one area on one server, a panic included.
async fn judge(area: Arc<Area>, server: Arc<Server>, newest: Arc<Server>) -> Option<String> {
    let place = format!("== area {} on PostgreSQL {}", area.name, server.major);
    let scratch = scratch::Scratch::new();
    let names = scratch.names.clone();
    let task = {
        let (server, newest) = (Arc::clone(&server), Arc::clone(&newest));
        tokio::spawn(async move { judging::judge(&area, &server, &newest, &names).await })
    };
    let found = match task.await {
        Ok(Ok(())) => None,
        Ok(Err(why)) => Some(why),
        Err(panic) => {
            let told = panic.into_panic();
            let text = told.downcast_ref::<String>().cloned();
            Some(text.or_else(|| told.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default())
        }
    };
    scratch.remove([&*server, &*newest]).await;
    found.map(|why| format!("{place}: {why}"))
}

/// The listing as it was looked over once: kinds, names and order of entries. When it changes for a reason, the message holds the new one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_listing_of_our_archive_is_the_golden_one() {
    let servers = servers::all().await;
    let server = servers.last().expect("a server");
    let scratch = scratch::Scratch::new();
    judging::create(server, &[&scratch.names.source]).await;
    let source = server.connect(&scratch.names.source).await;
    source.batch_execute(include_str!("../../fixtures/fidelity/golden.sql")).await.unwrap();
    let catalog = archive::read(&source).await;
    let folder = scratch.names.folder.join("ours");
    archive::write(&source, &catalog, &folder).await;
    drop(source);
    let listed = listing::masked(&folder);
    scratch.remove([server, server]).await;
    let golden = include_str!("../../fixtures/fidelity/golden.list");
    assert!(listed == golden, "pg_restore -l says now:\n{listed}");
}

#[test]
fn generated_databases_are_as_pg_dump_has_them() {
    generated::run(generated::Flavour::Everything);
}

#[test]
fn generated_families_of_tables_are_as_pg_dump_has_them() {
    generated::run(generated::Flavour::Inheritance);
}
