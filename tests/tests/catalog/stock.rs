//! Stock `pg_restore -j4` on an archive of the entries.

use std::{env, fs, path::Path, process::Command};

use futures_util::StreamExt;
use pgbaton::{
    archive::{
        Codec, Toc,
        blobs::{self, Blob},
        data::TERMINATOR,
        toc::{self, Header},
    },
    catalog::{Catalog, DataSource, Entry, Section},
};
use tokio_postgres::Client;

use crate::{
    judge,
    pair::{Pair, connect, variable, version},
};

/// Restores into the copy, made anew, and compares.
pub async fn restores(pair: &Pair, source: &Client, catalog: &Catalog) {
    // pg_restore 18 sets transaction_timeout, which servers before 17 do not know.
    if version(source).await.major() < 17 {
        return;
    }
    let server = connect("postgres").await;
    server.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", pair.copy)).await.unwrap();
    server.batch_execute(&format!("CREATE DATABASE {} TEMPLATE template0", pair.copy)).await.unwrap();

    let folder = env::temp_dir().join(format!("pgbaton-{}-{}", pair.source, std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    write(&folder, source, catalog).await;
    let output = Command::new(format!("{}/pg_restore", variable("PGBATON_TEST_PG_BIN")))
        .args(["-j4", "-d", &judge::url(&pair.copy)])
        .arg(&folder)
        .output()
        .expect("pg_restore");
    assert!(output.status.success(), "pg_restore: {}", String::from_utf8_lossy(&output.stderr));
    fs::remove_dir_all(&folder).unwrap();

    judge::compare(pair);
    judge::compare_rows(source, &connect(&pair.copy).await, catalog).await;
}

async fn write(folder: &Path, source: &Client, catalog: &Catalog) {
    let header = Header::new(Codec::None, "2026-01-01T00:00:00Z".parse().unwrap(), "source", "18.0");
    let toc = Toc { header, entries: catalog.entries.iter().map(entry).collect() };
    fs::write(folder.join("toc.dat"), toc.to_bytes().unwrap()).unwrap();
    for entry in &catalog.entries {
        match &entry.data {
            Some(DataSource::Table(table)) => {
                let mut bytes = Vec::new();
                let mut rows = Box::pin(source.copy_out(&table.copy_out).await.unwrap());
                while let Some(chunk) = rows.next().await {
                    bytes.extend_from_slice(&chunk.unwrap());
                }
                bytes.extend_from_slice(TERMINATOR);
                fs::write(folder.join(format!("{}.dat", entry.dump_id)), bytes).unwrap();
            }
            Some(DataSource::LargeObjects(oids)) => {
                let list: Vec<Blob> = oids.iter().map(|oid| Blob::new(*oid)).collect();
                fs::write(folder.join("blobs.toc"), blobs::to_bytes(&list)).unwrap();
                for blob in &list {
                    let row = source.query_one("SELECT lo_get($1)", &[&blob.oid]).await.unwrap();
                    fs::write(folder.join(&blob.file), row.get::<_, Vec<u8>>(0)).unwrap();
                }
            }
            None => {}
        }
    }
}

fn entry(e: &Entry) -> toc::Entry {
    toc::Entry {
        dump_id: e.dump_id,
        had_dumper: e.data.is_some(),
        table_oid: e.catalog_id.class,
        oid: e.catalog_id.oid,
        tag: e.tag.clone(),
        desc: e.desc.to_owned(),
        section: match e.section {
            Section::None => toc::Section::None,
            Section::PreData => toc::Section::PreData,
            Section::Data => toc::Section::Data,
            Section::PostData => toc::Section::PostData,
        },
        defn: Some(e.definition.clone()),
        drop_stmt: Some(e.drop.clone()),
        copy_stmt: e.copy.clone(),
        namespace: e.namespace.clone(),
        tablespace: e.tablespace.clone(),
        table_am: e.table_am.clone(),
        relkind: e.relkind,
        owner: Some(e.owner.clone()),
        dependencies: e.dependencies.clone(),
        file: e.data.as_ref().map(|data| match data {
            DataSource::Table(_) => format!("{}.dat", e.dump_id),
            DataSource::LargeObjects(_) => "blobs.toc".to_owned(),
        }),
    }
}
