//! Every area that tests/fidelity judges by stock pg_restore, by way of the functions: our backup, our restore, and `pg_dump` of both.

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use pgbaton::ledger::Status;
use pgbaton_tests::{
    database::{Database, beside},
    deployment::Deployment,
    servers,
};
use serde_json::{Value, json};

/// Labels need a provider, which no test server loads.
const NOT_HERE: &[&str] = &["security_labels"];

/// A subscription with a slot cannot be dropped in a transaction; an operator that others only name is in no archive.
const NOT_OVER: &[&str] = &["subscriptions", "operators"];

/// The number behind a word in the first comments of an area.
fn limit(sql: &str, word: &str) -> u32 {
    let found = sql.lines().take_while(|l| l.starts_with("--")).find_map(|l| l.strip_prefix(word));
    found.map_or(0, |n| n.trim().parse().expect("a version"))
}

/// `pg_dump` of a database, without what differs in every dump, and in any order: tables that inherit may come back with their columns in
/// another, as from pg_dump's own archive.
fn lines(database: &Database) -> BTreeSet<String> {
    database.schema().lines().filter(|l| !l.starts_with("-- Dumped")).map(str::to_owned).collect()
}

async fn judge(
    deployment: &Deployment,
    server: &Database,
    major: u32,
    name: &str,
    sql: &str,
    request: Value,
) -> Result<(), String> {
    let elsewhere = |prefix: &str| {
        let name = pgbaton_tests::unique(prefix);
        Database { url: beside(&server.url, &name), name }
    };
    let (source, copy) = (elsewhere("area"), elsewhere("area_copy"));
    for database in [&source, &copy] {
        server.run(&format!("CREATE DATABASE {} TEMPLATE template0", database.name)).await;
    }
    for statement in sql.lines().filter_map(|l| l.strip_prefix("-- alone: ")) {
        // The object may be there: it is the server's.
        let _ = source.try_run(statement).await;
    }
    let outcome = async {
        source.try_run(sql).await.map_err(|e| format!("filling it: {e}"))?;
        let backup = deployment.backup(&source.url, request).await?;
        let warns = sql.lines().any(|l| l.starts_with("-- warns: "));
        if backup.status != Status::Completed || backup.warnings.is_empty() == warns {
            return Err(format!("{:?}, warnings {:?}", backup.status, backup.warnings));
        }
        let restored = deployment.restore(&copy.url, json!({"backupId": backup.id})).await?;
        if !restored.warnings.is_empty() && major >= 18 {
            return Err(format!("restored with warnings {:?}", restored.warnings));
        }
        let (before, after) = (lines(&source), lines(&copy));
        let lost: Vec<&String> = before.difference(&after).take(5).collect();
        let more: Vec<&String> = after.difference(&before).take(5).collect();
        if !(lost.is_empty() && more.is_empty()) {
            return Err(format!("in the source {lost:#?}, in the copy {more:#?}"));
        }
        // What the archive made, its drops take away.
        let over = deployment.restore(&copy.url, json!({"backupId": backup.id, "dropExisting": true})).await;
        if NOT_OVER.iter().any(|area| name.starts_with(area)) {
            return match over {
                Err(why) if why.contains("nothing was dropped") => Ok(()),
                other => Err(format!("dropExisting: {other:?}")),
            };
        }
        over.map_err(|why| format!("dropExisting: {why}"))?;
        match lines(&copy) == after {
            true => Ok(()),
            false => Err("dropExisting made something else of it".to_owned()),
        }
    };
    outcome.await
}

/// On the oldest and the newest server at hand.
#[tokio::test(flavor = "multi_thread")]
async fn every_area_comes_back_by_way_of_the_functions() {
    let all = servers::all().await;
    let wanted = env::var("PGBATON_TEST_AREAS").unwrap_or_default();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fidelity/areas");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    let deployment = Deployment::start().await;
    let (mut judged, mut failures) = (0, Vec::new());
    let forms: Vec<Value> = super::formats::forms().into_iter().map(|(request, _)| request).collect();
    let mut others = forms.iter().cycle().cloned();
    let newest = all[all.len() - 1].major;
    let ends = if all.len() > 1 { vec![&all[0], &all[all.len() - 1]] } else { all.iter().collect() };
    for end in ends {
        let (major, url) = (end.major, end.programs.url("postgres"));
        let server = Database { name: "pgbaton_none".to_owned(), url };
        for file in &files {
            let area = file.file_stem().unwrap().to_string_lossy().into_owned();
            let sql = fs::read_to_string(file).unwrap();
            let known = major >= limit(&sql, "-- since ");
            if !known || NOT_HERE.contains(&area.as_str()) || !wanted.split(',').any(|w| area.contains(w)) {
                continue;
            }
            // On the newest server as an archive, and in one of the other formats by turns.
            let mut requests = vec![json!({})];
            if end.major == newest {
                requests.push(others.next().unwrap_or_default());
            }
            for request in requests {
                judged += 1;
                if let Err(why) = judge(&deployment, &server, major, &area, &sql, request.clone()).await {
                    failures.push(format!("== area {area} on PostgreSQL {major}, {request}: {why}"));
                }
            }
        }
    }
    println!("{judged} databases");
    assert!(failures.is_empty(), "{} of {judged} failed\n\n{}", failures.len(), failures.join("\n\n"));
}
