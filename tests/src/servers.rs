//! The servers of all versions at hand.

use std::{env, path::PathBuf, sync::Arc};

use tokio::sync::{Mutex, OnceCell};
use tokio_postgres::Client;

use crate::{
    database,
    judge::{archive, programs::Programs},
    variable,
};

/// One server.
pub struct Server {
    /// pg_dump and pg_restore for it.
    pub programs: Programs,
    /// Its major version.
    pub major: u32,
    /// Held while an area is filled: two sessions must not change one role at the same time.
    pub filling: Mutex<()>,
}

impl Server {
    /// A superuser's session.
    pub async fn connect(&self, database: &str) -> Client {
        database::connect(&self.programs.url(database)).await
    }
}

/// All of `PGBATON_TEST_PG_SERVERS`, oldest first; without that variable the one of `PGBATON_TEST_PG_URL`. Each has the tablespace
/// `fidelity_space`.
pub async fn all() -> &'static [Arc<Server>] {
    static ALL: OnceCell<Vec<Arc<Server>>> = OnceCell::const_new();
    ALL.get_or_init(look).await
}

async fn look() -> Vec<Arc<Server>> {
    let bin: PathBuf = variable("PGBATON_TEST_PG_BIN").into();
    let urls = env::var("PGBATON_TEST_PG_SERVERS").unwrap_or_else(|_| variable("PGBATON_TEST_PG_URL"));
    let mut servers = Vec::new();
    for url in urls.split_whitespace() {
        let (server, _) = url.rsplit_once('/').expect("a database in the URL");
        let programs = Programs { bin: bin.clone(), server: server.to_owned(), major: 0 };
        let mut server = Server { programs, major: 0, filling: Mutex::default() };
        let client = server.connect("postgres").await;
        server.major = archive::version(&client).await.major();
        server.programs.major = server.major;
        tablespace(&client, server.major).await;
        servers.push(Arc::new(server));
    }
    servers.sort_by_key(|s| s.major);
    servers
}

/// Makes the tablespace of the areas. Servers before 15 want a folder for it, and the only one that surely is theirs is the data directory:
/// they warn, and do it.
async fn tablespace(server: &Client, major: u32) {
    let known = "SELECT 1 FROM pg_tablespace WHERE spcname = 'fidelity_space'";
    if !server.query(known, &[]).await.unwrap().is_empty() {
        return;
    }
    if major >= 15 {
        server.batch_execute("SET allow_in_place_tablespaces = on").await.unwrap();
        server.batch_execute("CREATE TABLESPACE fidelity_space LOCATION ''").await.unwrap();
        return;
    }
    let row = server
        .query_one("SELECT setting || '/fidelity_space' FROM pg_settings WHERE name = 'data_directory'", &[])
        .await;
    let folder: String = row.unwrap().get(0);
    server
        .batch_execute(&format!("COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; mkdir -p \"{folder}\"'"))
        .await
        .unwrap();
    server.batch_execute(&format!("CREATE TABLESPACE fidelity_space LOCATION '{folder}'")).await.unwrap();
}
