//! One area on one server.

use pgbaton::{archive::Toc, pg::ident};
use pgbaton_tests::{
    judge::{archive, compare},
    servers::Server,
};

use tokio_postgres::error::SqlState;

use super::{Area, listing, scratch::Names};

/// So many differences of a kind are shown.
const SHOWN: usize = 8;

/// Makes the area's database and judges what becomes of it; tells the first thing that is wrong.
pub async fn judge(area: &Area, server: &Server, newest: &Server, names: &Names) -> Result<(), String> {
    create(server, &[&names.source, &names.copy]).await;
    let source = server.connect(&names.source).await;
    {
        let _alone = server.filling.lock().await;
        for statement in &area.alone {
            match source.batch_execute(statement).await {
                Err(e) if e.code() != Some(&SqlState::DUPLICATE_OBJECT) => {
                    return Err(format!("{statement}: {e:?}"));
                }
                _ => {}
            }
        }
        source.batch_execute(&area.sql).await.map_err(|e| format!("filling it: {e:?}"))?;
    }
    let catalog = archive::read(&source).await;
    if catalog.warnings != area.warnings {
        return Err(format!("warnings of ours: {:#?}\nexpected: {:#?}", catalog.warnings, area.warnings));
    }
    let uncovered: Vec<String> =
        catalog.census.iter().filter(|c| c.archived != c.objects).map(|c| format!("{c:?}")).collect();
    if area.warnings.is_empty() {
        none("catalogs with objects that no entry covers", &uncovered)?;
    }
    let (ours, theirs) = (names.folder.join("ours"), names.folder.join("theirs"));
    let toc = archive::toc(&catalog);
    server.programs.dump(&names.source, &theirs);
    let their_toc = Toc::parse(&std::fs::read(theirs.join("toc.dat")).unwrap()).expect("pg_dump's toc.dat");
    none("differences from pg_dump's archive", &compare::differences(&toc, &their_toc))?;
    archive::write(&source, &catalog, &ours).await;
    source.batch_execute("COMMIT").await.unwrap();
    listing::compare(&toc, &ours)?;
    if server.major < area.restored_since {
        return Ok(());
    }

    let source = script(server, &names.source);
    restored(server, names, &source).await?;
    if server.major < newest.major {
        roles(server, newest).await;
        create(newest, &[&names.copy]).await;
        restored(newest, names, &source).await?;
    }
    Ok(())
}

/// Restores our archive into the empty copy on this server, without a complaint and with the same dump. Where that is not so, pg_dump's own
/// archive is the measure: it must bring the same complaints and the same copy. Among what it cannot bring back as it was are the columns'
/// order in a table that was made to inherit later, and what a newer server has otherwise.
async fn restored(server: &Server, names: &Names, source: &[String]) -> Result<(), String> {
    let told = server.programs.restore(&names.folder.join("ours"), &names.copy);
    let copy = script(server, &names.copy);
    if told.is_empty() && copy == source {
        return Ok(());
    }
    create(server, &[&names.theirs]).await;
    let their = server.programs.restore(&names.folder.join("theirs"), &names.theirs);
    if told.is_empty() && !their.is_empty() {
        // With -j2 their rows of tables that need each other may come in the wrong order.
        return Ok(());
    }
    let place = format!("restored into {}", server.major);
    same(
        &format!("pg_restore's complaints of pg_dump's archive and of ours, {place},"),
        &plain(&their),
        &plain(&told),
    )?;
    let expected = script(server, &names.theirs);
    same(&format!("the dumps of pg_dump's archive and of ours, {place},"), &expected, &copy)
}

/// The dump of a database, without the version of its server; and without LOGGED, which pg_dump 18 says of sequences in unlogged tables of
/// servers before 15, where the word was not known.
fn script(server: &Server, database: &str) -> Vec<String> {
    let mut script = server.programs.script(database);
    script.retain(|l| !l.starts_with("-- Dumped from database version ") && l != "    LOGGED");
    script
}

/// Makes empty databases.
pub async fn create(server: &Server, names: &[&str]) {
    let client = server.connect("postgres").await;
    for name in names {
        client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await.unwrap();
    }
}

/// The newest server gets the roles of the areas: which area ran there before is not known.
async fn roles(server: &Server, newest: &Server) {
    let (from, to) = (server.connect("postgres").await, newest.connect("postgres").await);
    let _alone = newest.filling.lock().await;
    let query = "SELECT rolname::text, rolsuper FROM pg_roles WHERE rolname LIKE 'fidelity%' ORDER BY 1";
    let have: Vec<String> = to.query(query, &[]).await.unwrap().iter().map(|r| r.get(0)).collect();
    for row in from.query(query, &[]).await.unwrap() {
        let name: String = row.get(0);
        if !have.contains(&name) {
            let may = if row.get(1) { "SUPERUSER" } else { "" };
            to.batch_execute(&format!("CREATE ROLE {} {may}", ident(&name))).await.unwrap();
        }
    }
}

fn none(what: &str, found: &[String]) -> Result<(), String> {
    if found.is_empty() {
        return Ok(());
    }
    let shown: Vec<String> = found.iter().take(SHOWN).map(|f| short(f, 1500)).collect();
    Err(format!("{} {what}\n{}", found.len(), shown.join("\n")))
}

/// The numbers of entries are each archive's own.
fn plain(told: &[String]) -> Vec<String> {
    let word = |w: &str| {
        if w.trim_end_matches(';').bytes().all(|b| b.is_ascii_digit()) {
            "N".to_owned()
        } else {
            w.to_owned()
        }
    };
    let line = |l: &String| l.split(' ').map(word).collect::<Vec<_>>().join(" ");
    // With -j2 they come in any order.
    let mut lines: Vec<String> =
        told.iter().filter(|l| !l.to_lowercase().contains("toc entry")).map(line).collect();
    lines.sort();
    lines
}

/// Tells where two texts differ first.
fn same(what: &str, expected: &[String], got: &[String]) -> Result<(), String> {
    let differs = expected.iter().zip(got).position(|(a, b)| a != b);
    let Some(line) = differs.or((expected.len() != got.len()).then_some(expected.len().min(got.len())))
    else {
        return Ok(());
    };
    let part = |text: &[String]| -> String {
        let lines = text.iter().skip(line.saturating_sub(1)).take(SHOWN);
        lines.map(|l| format!("    {}\n", short(l, 300))).collect()
    };
    let at = line + 1;
    Err(format!("{what} differ from line {at} on\n  expected:\n{}  got:\n{}", part(expected), part(got)))
}

fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
