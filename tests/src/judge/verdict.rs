//! The whole judgement of one database: our archive against pg_dump's, and what both restore to.

use std::path::Path;

use tokio_postgres::{Client, NoTls};

use super::{archive, compare, programs::Programs};

/// All that is wrong, one line each; nothing when our backup of the database is as good as pg_dump's.
///
/// pg_dump's own round trip is the yardstick: where its copy differs from the source (columns of tables that inherit may come back in
/// another order), or its pg_restore complains, ours may do the same.
pub async fn of(programs: &Programs, source: &str, folder: &Path) -> Vec<String> {
    let client = connect(&programs.url(source)).await;
    let catalog = archive::read(&client).await;
    let (ours, theirs) = (folder.join("ours"), folder.join("theirs"));
    let mut wrong: Vec<String> = catalog.warnings.iter().map(|w| format!("warning: {w}")).collect();
    wrong.extend(catalog.census.iter().filter(|c| c.archived != c.objects).map(|c| format!("census: {c:?}")));
    wrong.extend(compare::differences(&archive::toc(&catalog), &programs.archive(source, &theirs)));
    archive::write(&client, &catalog, &ours).await;
    client.batch_execute("COMMIT").await.expect("commit");
    drop(client);

    let (told, script) = copy(programs, source, "ours", &ours).await;
    let (told_of_theirs, their_script) = copy(programs, source, "theirs", &theirs).await;
    if told.len() != told_of_theirs.len() {
        wrong.extend(told.into_iter().map(|line| format!("pg_restore of ours: {line}")));
        wrong.extend(told_of_theirs.into_iter().map(|line| format!("pg_restore of pg_dump's: {line}")));
    }
    if let Some((line, (our, their))) =
        script.iter().zip(&their_script).enumerate().find(|(_, (our, their))| our != their)
    {
        wrong.push(format!(
            "the copies differ at line {}\n  from ours: {our}\n  from pg_dump's: {their}",
            line + 1
        ));
    } else if script.len() != their_script.len() {
        wrong.push("the copies differ in length".to_owned());
    }
    let _ = std::fs::remove_dir_all(folder);
    wrong
}

/// Restores an archive into a database of its own, which is dropped again: what pg_restore said, and the copy's dump.
async fn copy(programs: &Programs, source: &str, whose: &str, archive: &Path) -> (Vec<String>, Vec<String>) {
    let server = connect(&programs.url("postgres")).await;
    let name = format!("{source}_{whose}");
    drop_database(&server, &name).await;
    let create = format!("CREATE DATABASE {name} TEMPLATE template0");
    server.batch_execute(&create).await.expect("a database for the copy");
    let told = programs.restore(archive, &name);
    let script = programs.script(&name);
    drop_database(&server, &name).await;
    (told, script)
}

/// Drops a database that may not be there, with the publications and subscriptions in it.
pub async fn drop_database(server: &Client, name: &str) {
    let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    server.batch_execute(&sql).await.expect("dropping a database");
}

/// A session without TLS.
pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("connect");
    tokio::spawn(connection);
    client
}
