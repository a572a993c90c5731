//! Databases of every kind of object, on every version of server at hand, with pg_dump as the judge.
//!
//! Each file under `areas/` makes one database. A line `-- since N` at its head keeps it from servers older than N; `-- restored since N`
//! has it only compared, not restored, on those whose own syntax pg_dump 18 does not write; `-- alone: …` is a statement that takes no
//! company (CREATE TABLESPACE), run before the file, of an object of the server's that may be there already. What must hold for each:
//! our table of contents is pg_dump's entry by entry; stock pg_restore restores our archive without a complaint; `pg_dump` of the copy
//! is `pg_dump` of the source, rows included.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod withheld;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use pgbaton::catalog::Catalog;
use pgbaton_tests::{
    judge::{archive, compare, programs::Programs},
    unique, variable,
};
use tokio_postgres::{Client, NoTls, error::SqlState};

/// The servers at hand, oldest first: major version and URL without a database.
fn servers() -> Vec<Programs> {
    let bin: PathBuf = variable("PGBATON_TEST_PG_BIN").into();
    let mut all = vec![variable("PGBATON_TEST_PG_URL")];
    all.extend(env::var("PGBATON_TEST_PG_SERVERS").unwrap_or_default().split_whitespace().map(str::to_owned));
    let server = |url: &String| url.rsplit_once('/').expect("a database in the URL").0.to_owned();
    all.iter().map(|url| Programs { bin: bin.clone(), server: server(url) }).collect()
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("connect");
    tokio::spawn(connection);
    client
}

/// Makes the area's database on one server, judges it, and drops it.
async fn judge(area: &str, sql: &str, programs: &Programs) {
    let server = connect(&programs.url("postgres")).await;
    let major = archive::version(&server).await.major();
    let limit = |word: &str| {
        let found = sql.lines().take_while(|l| l.starts_with("--")).find_map(|l| l.strip_prefix(word));
        found.map_or(0, |n| n.trim().parse().unwrap())
    };
    if major < limit("-- since ") {
        return;
    }
    let place = format!("area {area} on PostgreSQL {major}");
    let name = unique("fidelity");
    let copy = format!("{name}_copy");
    for database in [&name, &copy] {
        server.batch_execute(&format!("CREATE DATABASE {database} TEMPLATE template0")).await.unwrap();
    }
    let source = connect(&programs.url(&name)).await;
    for statement in sql.lines().filter_map(|l| l.strip_prefix("-- alone: ")) {
        match source.batch_execute(statement).await {
            Err(e) if e.code() != Some(&SqlState::DUPLICATE_OBJECT) => panic!("{place}: {statement}: {e:?}"),
            _ => {}
        }
    }
    source.batch_execute(sql).await.unwrap_or_else(|e| panic!("{place}: {e:?}"));

    let catalog = archive::read(&source).await;
    assert_eq!(catalog.warnings, Vec::<String>::new(), "{place}: warnings");
    let folder = env::temp_dir().join(&name);
    let found = compare::differences(&archive::toc(&catalog), &programs.toc(&name, &folder.join("theirs")));
    assert!(
        found.is_empty(),
        "{place}: {} differences from pg_dump's archive\n{}",
        found.len(),
        found.join("\n")
    );

    if major >= limit("-- restored since ") {
        restore(&place, &source, &catalog, &folder, programs, [&name, &copy]).await;
    }
    fs::remove_dir_all(&folder).unwrap();
    drop(source);
    for database in [&name, &copy] {
        let last = connect(&programs.url(database)).await;
        last.batch_execute(DROP_SUBSCRIPTIONS).await.unwrap();
        drop(last);
        server.batch_execute(&format!("ALTER DATABASE {database} IS_TEMPLATE false")).await.unwrap();
        server.batch_execute(&format!("DROP DATABASE {database} WITH (FORCE)")).await.unwrap();
    }
}

/// A database with a subscription cannot be dropped.
const DROP_SUBSCRIPTIONS: &str = "DO $$ DECLARE s name; BEGIN \
    FOR s IN SELECT subname FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) LOOP \
        EXECUTE format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', s); \
        EXECUTE format('DROP SUBSCRIPTION %I', s); \
    END LOOP; END $$";

/// Restores our archive with stock pg_restore; the dumps of both databases must then be the same.
async fn restore(
    place: &str,
    source: &Client,
    catalog: &Catalog,
    folder: &Path,
    programs: &Programs,
    [name, copy]: [&str; 2],
) {
    archive::write(source, catalog, &folder.join("ours")).await;
    source.batch_execute("COMMIT").await.unwrap();
    let told = programs.restore(&folder.join("ours"), copy);
    assert!(told.is_empty(), "{place}: pg_restore\n{}", told.join("\n"));
    let (before, after) = (programs.script(name), programs.script(copy));
    if let Some((line, _)) = before.iter().zip(&after).enumerate().find(|(_, (a, b))| a != b) {
        panic!(
            "{place}: the dumps differ at line {}\nsource: {}\ncopy:   {}",
            line + 1,
            before[line],
            after[line]
        );
    }
    assert_eq!(before.len(), after.len(), "{place}: one dump is longer");
}

#[tokio::test]
async fn every_area_is_as_pg_dump_has_it_on_every_server() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fidelity/areas");
    let mut areas: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    areas.sort();
    assert!(!areas.is_empty());
    for programs in servers() {
        for file in &areas {
            let area = file.file_stem().unwrap().to_string_lossy().into_owned();
            judge(&area, &fs::read_to_string(file).unwrap(), &programs).await;
        }
    }
}
