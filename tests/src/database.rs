//! Databases of one test's own on the test server.

use std::{
    path::PathBuf,
    process::{Command, Output},
};

use pgbaton::base::Secret;
use tokio_postgres::NoTls;

/// A database that is dropped with this value.
pub struct Database {
    /// Its name.
    pub name: String,
    /// Its URL, for superusers.
    pub url: String,
}

/// The URL of another database on the server of `url`.
pub fn beside(url: &str, name: &str) -> String {
    let (server, _) = url.rsplit_once('/').expect("a URL that ends in a database");
    format!("{server}/{name}")
}

/// Runs a program of the PostgreSQL client set (`PGBATON_TEST_PG_BIN`).
pub fn program(name: &str, arguments: &[&str]) -> Output {
    let path = PathBuf::from(crate::variable("PGBATON_TEST_PG_BIN")).join(name);
    Command::new(&path).args(arguments).output().unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// As [`program`], which must succeed; gives its standard output.
pub fn successful(name: &str, arguments: &[&str]) -> String {
    let output = program(name, arguments);
    assert!(output.status.success(), "{name} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

impl Database {
    /// A name and URL; nothing is created. Dropped with this value all the same, for targets that a restore creates.
    pub fn absent(prefix: &str) -> Self {
        let name = crate::unique(prefix);
        let url = beside(&crate::variable("PGBATON_TEST_PG_URL"), &name);
        Self { name, url }
    }

    /// A new empty database.
    pub async fn empty(prefix: &str) -> Self {
        let database = Self::absent(prefix);
        sql(
            &crate::variable("PGBATON_TEST_PG_URL"),
            &format!("CREATE DATABASE {} TEMPLATE template0", database.name),
        )
        .await;
        database
    }

    /// A new database filled by this SQL.
    pub async fn of(prefix: &str, statements: &str) -> Self {
        let database = Self::empty(prefix).await;
        database.run(statements).await;
        database
    }

    /// Runs statements in it.
    pub async fn run(&self, statements: &str) {
        sql(&self.url, statements).await;
    }

    /// Runs statements in it; what the server says when it refuses one.
    ///
    /// # Errors
    /// The server's message.
    pub async fn try_run(&self, statements: &str) -> Result<(), String> {
        let told = |e: tokio_postgres::Error| match e.as_db_error() {
            Some(db) => db.message().to_owned(),
            None => e.to_string(),
        };
        connect(&self.url).await.batch_execute(statements).await.map_err(told)
    }

    /// The first column of each row, as text.
    pub async fn column(&self, query: &str) -> Vec<String> {
        let client = connect(&self.url).await;
        let messages = client.simple_query(query).await.unwrap_or_else(|e| panic!("{query}: {e:?}"));
        messages
            .iter()
            .filter_map(|m| match m {
                tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("NULL").to_owned()),
                _ => None,
            })
            .collect()
    }

    /// For every table and materialized view: name, rows, and a hash of all rows that does not depend on their order; then every sequence with
    /// its value, and every large object with a hash.
    pub async fn contents(&self) -> Vec<String> {
        // Columns by name: a column that a child table got late stands elsewhere after any dump and restore.
        let queries = self
            .column(
                "SELECT format('SELECT %L || count(*) || '' '' || coalesce(sum((''x'' || substr(md5(ROW(%s)::text), 1, 15))::bit(60)::bigint::numeric), 0) FROM ONLY %I.%I', \
                   format('%I.%I ', n.nspname, c.relname), \
                   (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attname) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped), \
                   n.nspname, c.relname) \
                 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                 WHERE c.relkind IN ('r', 'm') AND c.relispopulated AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
                 ORDER BY n.nspname, c.relname",
            )
            .await;
        let mut all = Vec::new();
        for query in queries {
            all.extend(self.column(&query).await);
        }
        let sequences = self
            .column("SELECT format('%I.%I', schemaname, sequencename) || ' ' || coalesce(last_value::text, '') FROM pg_sequences ORDER BY 1")
            .await;
        let objects = self
            .column("SELECT oid || ' ' || md5(lo_get(oid)) FROM pg_largeobject_metadata ORDER BY oid")
            .await;
        all.extend(sequences);
        all.extend(objects);
        all
    }

    /// What `pg_dump --schema-only` says, without its random parts.
    pub fn schema(&self) -> String {
        let text = successful("pg_dump", &["--schema-only", "--encoding=UTF8", "-d", &self.url]);
        text.lines()
            .filter(|l| !l.starts_with("\\restrict") && !l.starts_with("\\unrestrict"))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// The URL as a secret.
    pub fn secret(&self) -> Secret {
        Secret::new(&self.url)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let server = beside(&self.url, "postgres");
        // A database with a subscription cannot be dropped.
        let none = "DO $$ DECLARE s name; BEGIN FOR s IN SELECT subname FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database() \
                    LOOP EXECUTE format('ALTER SUBSCRIPTION %I DISABLE', s); EXECUTE format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', s); \
                    EXECUTE format('DROP SUBSCRIPTION %I', s); END LOOP; END $$";
        let _ = program("psql", &["-qX", "-d", &self.url, "-c", none]);
        let ordinary = format!("ALTER DATABASE {} IS_TEMPLATE false", self.name);
        let _ = program("psql", &["-qX", "-d", &server, "-c", &ordinary]);
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let _ = program("psql", &["-qX", "-d", &server, "-c", &drop]);
    }
}

/// A session of its own.
pub async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) =
        tokio_postgres::connect(url, NoTls).await.unwrap_or_else(|e| panic!("connecting: {e:?}"));
    tokio::spawn(connection);
    client
}

async fn sql(url: &str, statements: &str) {
    connect(url).await.batch_execute(statements).await.unwrap_or_else(|e| panic!("{statements:.300}: {e:?}"));
}
