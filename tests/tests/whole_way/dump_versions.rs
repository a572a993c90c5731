//! Archives of every pg_dump at hand (`PGBATON_TEST_PG_DUMPS`), each of a server of its own version where there is one
//! (`PGBATON_TEST_PG_SERVERS`), in every codec it knows, restored by the function; the judge is stock pg_restore of the same rows.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use pgbaton::ledger::Status;
use pgbaton_tests::{
    database::{Database, beside, successful},
    deployment::Deployment,
    roles::Roles,
};
use serde_json::json;

use super::{
    SHOP, fill,
    foreign::{LARGE_OBJECTS, folder},
    pg_restore, picture, same,
};

/// Versions before 16 know a level of gzip only, and refuse to know more.
const OLD_CODECS: [&str; 2] = ["-Z0", "-Z6"];
const CODECS: [&str; 4] = ["-Znone", "-Zgzip:1", "-Zlz4", "-Zzstd:3"];

/// For servers before 14, which know too little for the shop.
const OLD: [&str; 5] = [
    include_str!("../fidelity/areas/rows_text.sql"),
    include_str!("../fidelity/areas/rows_columns.sql"),
    include_str!("../fidelity/areas/rows_composites.sql"),
    include_str!("../fidelity/areas/rows_partitions.sql"),
    include_str!("../fidelity/areas/rows_foreign_keys.sql"),
];

/// A database on a server of `PGBATON_TEST_PG_SERVERS`.
struct Source {
    server: String,
    name: String,
}

impl Source {
    fn create(server: &str) -> Self {
        let source = Self { server: server.to_owned(), name: pgbaton_tests::unique("happy_versions") };
        let create = format!("CREATE DATABASE {} TEMPLATE template0", source.name);
        successful("psql", &["-qX", "-d", server, "-c", &create]);
        source
    }

    /// The same, for what databases of the common server are asked; this value drops it.
    fn database(&self) -> Database {
        Database { name: "happy_nothing".into(), url: self.url() }
    }

    fn url(&self) -> String {
        beside(&self.server, &self.name)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let _ = pgbaton_tests::database::program("psql", &["-qX", "-d", &self.server, "-c", &drop]);
    }
}

fn major_of(server: &str) -> u32 {
    let number = successful("psql", &["-qXAt", "-d", server, "-c", "SHOW server_version_num"]);
    number.trim().parse::<u32>().unwrap() / 10000
}

/// `13=/folder 15=/folder`.
fn dumps() -> Vec<(u32, PathBuf)> {
    let all = pgbaton_tests::variable("PGBATON_TEST_PG_DUMPS");
    let pairs = all.split_whitespace().filter_map(|pair| pair.split_once('='));
    pairs.map(|(major, folder)| (major.parse().unwrap(), Path::new(folder).join("pg_dump"))).collect()
}

/// False where the program was built without the codec.
fn dumped(program: &Path, codec: &str, files: &Path, url: &str) -> bool {
    let output =
        Command::new(program).args(["-Fd", "-j2", codec, "-f"]).arg(files).arg(url).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    if told.contains("does not support compression") {
        println!("{} {codec}: {}", program.display(), told.trim());
        return false;
    }
    assert!(output.status.success(), "{} {codec}: {told}", program.display());
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn archives_of_every_version_of_pg_dump_are_restored_in_every_codec() {
    let deployment = Deployment::start().await;
    let servers = pgbaton_tests::variable("PGBATON_TEST_PG_SERVERS");
    let servers: Vec<(u32, &str)> = servers.split_whitespace().map(|url| (major_of(url), url)).collect();
    let roles = Roles::create(&["_owner", "_reader"], "");
    // One list of many large objects is tested elsewhere; here each costs an upload for each codec.
    let few = LARGE_OBJECTS
        .replace("generate_series(1, 1100)", "generate_series(1, 20)")
        .replace("711100", "710020");
    let sql = roles.put_into(&few, &[("role_owner", "_owner"), ("role_reader", "_reader")]);
    let (owner, reader) = (roles.name("_owner"), roles.name("_reader"));
    // The shop's roles, for the target's server: making the shop makes them.
    let _shop = {
        let shop = Database::empty("happy_versions").await;
        fill(&shop, SHOP);
        shop
    };
    let mut restored = Vec::new();
    for (major, program) in dumps() {
        // pg_dump refuses servers newer than itself.
        let Some((of, server)) = servers.iter().filter(|(server, _)| *server <= major).max() else {
            continue;
        };
        let make = format!(
            "DO $$ BEGIN CREATE ROLE {owner}; CREATE ROLE {reader}; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        );
        let source = Source::create(server);
        let database = source.database();
        database.run(&make).await;
        if *of >= 14 {
            fill(&database, SHOP);
        } else {
            for sql in OLD {
                database.run(sql).await;
            }
        }
        database.run(&sql).await;
        let mut expected = None;
        for codec in if major < 16 { &OLD_CODECS[..] } else { &CODECS } {
            let (what, files) = (format!("pg_dump {major} of {of} {codec}"), folder());
            if !dumped(&program, codec, &files, &source.url()) {
                continue;
            }
            let path = format!("by/others/{}", files.file_name().unwrap().to_str().unwrap());
            deployment.upload(&files, &format!("{path}/")).await;
            let ours = Database::empty("happy_versions").await;
            let record = deployment
                .restore(&ours.url, json!({"filepath": path}))
                .await
                .unwrap_or_else(|e| panic!("{what}: {e}"));
            assert_eq!(record.status, Status::Completed, "{what}");
            assert!(record.warnings.is_empty(), "{what}: {:?}", record.warnings);
            // The first codec is one that every pg_restore reads.
            if expected.is_none() {
                let stock = Database::empty("happy_stock").await;
                pg_restore(&files, &stock, &[], false);
                expected = Some(picture(&stock).await);
            }
            same(&picture(&ours).await, expected.as_ref().unwrap(), &what);
            std::fs::remove_dir_all(&files).unwrap();
            restored.push(what);
        }
    }
    println!("restored: {restored:#?}");
    assert!(restored.len() >= 4, "{restored:?}");
}
