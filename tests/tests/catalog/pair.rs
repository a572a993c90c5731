//! A database and its copy, made from the entries as pg_restore would.

use std::env;

use futures_util::{SinkExt, StreamExt};
use pgbaton::{
    catalog::{self, Catalog, DataSource, Entry, Section},
    pg::{ServerVersion, ident, qualified},
};
use tokio_postgres::{Client, Config, NoTls};

use crate::{judge, stock};

pub fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: start the stack with infra/local test"))
}

pub async fn connect(database: &str) -> Client {
    let mut config: Config = variable("PGBATON_TEST_PG_URL").parse().expect("PGBATON_TEST_PG_URL");
    config.dbname(database);
    let (client, connection) = config.connect(NoTls).await.expect("connect");
    tokio::spawn(connection);
    client
}

/// Two databases of their own for one test, dropped at its end.
pub struct Pair {
    pub source: String,
    pub copy: String,
}

impl Pair {
    pub async fn new(name: &str) -> Self {
        let pair = Self { source: format!("catalog_{name}_source"), copy: format!("catalog_{name}_copy") };
        pair.drop().await;
        let server = connect("postgres").await;
        for database in [&pair.source, &pair.copy] {
            server.batch_execute(&format!("CREATE DATABASE {database} TEMPLATE template0")).await.unwrap();
        }
        pair
    }

    pub async fn drop(&self) {
        let server = connect("postgres").await;
        for database in [&self.source, &self.copy] {
            server.batch_execute(&format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)")).await.unwrap();
        }
    }

    /// Fills the source, makes the copy from the catalog's entries, and compares. Returns the catalog for what else a test looks at.
    pub async fn copies(name: &str, sql: &str) -> Catalog {
        let pair = Self::new(name).await;
        let source = connect(&pair.source).await;
        roles().await;
        source.batch_execute(sql).await.unwrap_or_else(|e| panic!("filling the source: {e:?}"));
        let catalog = read(&source).await;
        let copy = connect(&pair.copy).await;
        restore(&source, &copy, &catalog).await;
        judge::compare(&pair);
        judge::compare_listing(&pair, &catalog);
        judge::compare_rows(&source, &copy, &catalog).await;
        drop(copy);
        stock::restores(&pair, &source, &catalog).await;
        drop(source);
        pair.drop().await;
        catalog
    }
}

/// Roles are the server's, not the database's.
pub async fn roles() {
    let server = connect("postgres").await;
    for role in ["catalog_owner", "catalog_reader", "\"Catalog \"\"Odd\"\" Role\""] {
        // Tests run side by side: another may have made it in the meantime.
        let _ = server.batch_execute(&format!("CREATE ROLE {role}")).await;
    }
}

pub async fn version(client: &Client) -> ServerVersion {
    let row = client.query_one("SELECT current_setting('server_version_num')::int4", &[]).await.unwrap();
    ServerVersion::from_num(row.get::<_, i32>(0).unsigned_abs())
}

pub async fn read(source: &Client) -> Catalog {
    source
        .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = ''")
        .await
        .unwrap();
    let version = version(source).await;
    let targets = catalog::tables_to_lock(source, version).await.unwrap();
    for target in targets {
        let table = qualified(&target.schema, &target.name);
        source.batch_execute(&format!("LOCK TABLE {table} IN ACCESS SHARE MODE")).await.unwrap();
    }
    let catalog = catalog::read(source, version).await.unwrap();
    source.batch_execute("COMMIT").await.unwrap();
    check_numbers(&catalog.entries);
    catalog
}

/// Numbers run from 1 without gaps, nothing needs what comes later, and no section comes back.
pub fn check_numbers(entries: &[Entry]) {
    let mut last = Section::PreData;
    for (position, entry) in entries.iter().enumerate() {
        assert_eq!(entry.dump_id, i32::try_from(position + 1).unwrap());
        for needed in &entry.dependencies {
            assert!(*needed < entry.dump_id, "{} {} needs {needed}", entry.desc, entry.tag);
        }
        if entry.section != Section::None {
            assert!(entry.section >= last, "{} {} is out of its section", entry.desc, entry.tag);
            last = entry.section;
        }
    }
}

/// As pg_restore does: settings, definition, owner; rows by COPY.
pub async fn restore(source: &Client, copy: &Client, catalog: &Catalog) {
    copy.batch_execute("SET check_function_bodies = false").await.unwrap();
    let of_database = |e: &&Entry| e.desc.starts_with("DATABASE") || e.tag.starts_with("DATABASE ");
    for entry in catalog.entries.iter().filter(|e| !of_database(e)) {
        let what = format!("{} {}", entry.desc, entry.tag);
        match &entry.data {
            Some(DataSource::Table(table)) => {
                let into = entry.copy.clone().expect("copy");
                let rows = source.copy_out(&table.copy_out).await.unwrap_or_else(|e| panic!("{what}: {e:?}"));
                let sink = copy.copy_in(&into).await.unwrap_or_else(|e| panic!("{what}: {e:?}"));
                let (mut rows, mut sink) = (Box::pin(rows), Box::pin(sink));
                while let Some(bytes) = rows.next().await {
                    sink.send(bytes.unwrap()).await.unwrap();
                }
                sink.close().await.unwrap_or_else(|e| panic!("{what}: {e:?}"));
            }
            Some(DataSource::LargeObjects(_)) => {}
            None => {
                storage(copy, entry).await;
                let sql = &entry.definition;
                copy.batch_execute(sql).await.unwrap_or_else(|e| panic!("{what}: {e:?}\n{sql}"));
                if let Some(sql) = owner_statement(entry) {
                    copy.batch_execute(&sql).await.unwrap_or_else(|e| panic!("{what}: {e:?}\n{sql}"));
                }
            }
        }
    }
}

/// Tablespace and access method are settings while the definition runs, as in pg_restore.
pub async fn storage(copy: &Client, entry: &Entry) {
    let set =
        |name: &str, value: &str| format!("SET {name} = {}", if value.is_empty() { "''" } else { value });
    if let Some(tablespace) = &entry.tablespace {
        let tablespace = if tablespace.is_empty() { String::new() } else { ident(tablespace) };
        copy.batch_execute(&set("default_tablespace", &tablespace)).await.unwrap();
    }
    if let Some(method) = &entry.table_am {
        copy.batch_execute(&set("default_table_access_method", &ident(method))).await.unwrap();
    }
}

pub fn owner_statement(entry: &Entry) -> Option<String> {
    if entry.owner.is_empty() {
        return None;
    }
    let object = match entry.desc {
        "SEQUENCE" if entry.drop.is_empty() => return None,
        "TABLE" | "VIEW" | "MATERIALIZED VIEW" | "SEQUENCE" | "TYPE" | "DOMAIN" => {
            qualified(entry.namespace.as_deref()?, &entry.tag)
        }
        "SCHEMA" => ident(&entry.tag),
        // The statement that drops it names it as ALTER wants it.
        "FUNCTION" | "PROCEDURE" | "AGGREGATE" => {
            let drop = entry.drop.strip_prefix("DROP ")?.strip_prefix(entry.desc)?;
            drop.trim().trim_end_matches(';').to_owned()
        }
        "BLOB" => return Some(format!("ALTER LARGE OBJECT {} OWNER TO {}", entry.tag, ident(&entry.owner))),
        _ => return None,
    };
    Some(format!("ALTER {} {object} OWNER TO {}", entry.desc, ident(&entry.owner)))
}
