//! The databases and files of one area on one server, which go when it has been judged, whatever came of it.

use std::{env, fs, path::PathBuf};

use pgbaton_tests::{servers::Server, unique};

/// Names for databases, each free on every server, and for a folder.
#[derive(Clone)]
pub struct Names {
    /// The area's database.
    pub source: String,
    /// Restored from our archive.
    pub copy: String,
    /// Restored from pg_dump's own archive.
    pub theirs: String,
    pub folder: PathBuf,
}

pub struct Scratch {
    pub names: Names,
}

impl Scratch {
    pub fn new() -> Self {
        let source = unique("fidelity");
        let (copy, theirs) = (format!("{source}_copy"), format!("{source}_theirs"));
        Self { names: Names { folder: env::temp_dir().join(&source), source, copy, theirs } }
    }

    pub async fn remove(self, servers: [&Server; 2]) {
        let _ = fs::remove_dir_all(&self.names.folder);
        for server in servers {
            let client = server.connect("postgres").await;
            for database in [&self.names.source, &self.names.copy, &self.names.theirs] {
                let there =
                    client.query("SELECT 1 FROM pg_database WHERE datname = $1", &[database]).await.unwrap();
                if !there.is_empty() {
                    unsubscribe(server, database).await;
                    client
                        .batch_execute(&format!("ALTER DATABASE {database} IS_TEMPLATE false"))
                        .await
                        .unwrap();
                    client.batch_execute(&format!("DROP DATABASE {database} WITH (FORCE)")).await.unwrap();
                }
            }
        }
    }
}

/// A database that subscribes cannot be dropped.
async fn unsubscribe(server: &Server, database: &str) {
    let client = server.connect(database).await;
    let query = "SELECT quote_ident(subname) FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())";
    for row in client.query(query, &[]).await.unwrap() {
        let name: String = row.get(0);
        client.batch_execute(&format!("ALTER SUBSCRIPTION {name} DISABLE")).await.unwrap();
        client.batch_execute(&format!("ALTER SUBSCRIPTION {name} SET (slot_name = NONE)")).await.unwrap();
        client.batch_execute(&format!("DROP SUBSCRIPTION {name}")).await.unwrap();
    }
}
