//! Databases of every kind of object, on every version of server at hand, with pg_dump as the judge.
//!
//! Each file under `areas/` makes one database. A first line `-- since N` keeps it from servers older than N. What must hold for each:
//! our table of contents is pg_dump's entry by entry; stock pg_restore restores our archive without a complaint; `pg_dump` of the copy
//! is `pg_dump` of the source, rows included.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod generated;
mod statements;

use std::{env, fs, path::PathBuf};

use pgbaton_tests::{
    judge::{archive, compare, programs::Programs},
    unique, variable,
};
use tokio_postgres::{Client, NoTls};

/// The servers at hand.
async fn servers() -> Vec<Programs> {
    let bin: PathBuf = variable("PGBATON_TEST_PG_BIN").into();
    let mut all = vec![variable("PGBATON_TEST_PG_URL")];
    all.extend(env::var("PGBATON_TEST_PG_SERVERS").unwrap_or_default().split_whitespace().map(str::to_owned));
    let server = |url: &String| url.rsplit_once('/').expect("a database in the URL").0.to_owned();
    let mut servers = Vec::new();
    for url in &all {
        let major = archive::version(&connect(url).await).await.major();
        servers.push(Programs { bin: bin.clone(), server: server(url), major });
    }
    servers
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("connect");
    tokio::spawn(connection);
    client
}

/// Makes the area's database on one server, judges it, and drops it.
async fn judge(area: &str, sql: &str, programs: &Programs) {
    let server = connect(&programs.url("postgres")).await;
    let major = programs.major;
    let since =
        sql.lines().next().and_then(|l| l.strip_prefix("-- since ")).map_or(0, |n| n.trim().parse().unwrap());
    if major < since {
        return;
    }
    let place = format!("area {area} on PostgreSQL {major}");
    let name = unique("fidelity");
    let copy = format!("{name}_copy");
    for database in [&name, &copy] {
        server.batch_execute(&format!("CREATE DATABASE {database} TEMPLATE template0")).await.unwrap();
    }
    let source = connect(&programs.url(&name)).await;
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

    archive::write(&source, &catalog, &folder.join("ours")).await;
    source.batch_execute("COMMIT").await.unwrap();
    let told = programs.restore(&folder.join("ours"), &copy);
    assert!(told.is_empty(), "{place}: pg_restore\n{}", told.join("\n"));
    let (before, after) = (programs.script(&name), programs.script(&copy));
    if let Some((line, _)) = before.iter().zip(&after).enumerate().find(|(_, (a, b))| a != b) {
        panic!(
            "{place}: the dumps differ at line {}\nsource: {}\ncopy:   {}",
            line + 1,
            before[line],
            after[line]
        );
    }
    assert_eq!(before.len(), after.len(), "{place}: one dump is longer");

    fs::remove_dir_all(&folder).unwrap();
    drop(source);
    for database in [&name, &copy] {
        server.batch_execute(&format!("DROP DATABASE {database} WITH (FORCE)")).await.unwrap();
    }
}

#[tokio::test]
async fn every_area_is_as_pg_dump_has_it_on_every_server() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fidelity/areas");
    let mut areas: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    areas.sort();
    assert!(!areas.is_empty());
    for programs in servers().await {
        for file in &areas {
            let area = file.file_stem().unwrap().to_string_lossy().into_owned();
            judge(&area, &fs::read_to_string(file).unwrap(), &programs).await;
        }
    }
}

#[test]
fn generated_databases_are_as_pg_dump_has_them() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for programs in runtime.block_on(servers()) {
        generated::run(&programs);
    }
}
