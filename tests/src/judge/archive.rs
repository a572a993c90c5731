//! A directory archive written from a catalog, as simply as it can be: the way through S3 is tested elsewhere.

use std::{fs, path::Path};

use futures_util::StreamExt;
use pgbaton::{
    archive::{
        Codec, Toc,
        blobs::{self, Blob},
        data::TERMINATOR,
        toc::{self, Header},
    },
    catalog::{self, Catalog, DataSource, Entry, Section},
    pg::{ServerVersion, qualified, session},
};
use tokio_postgres::Client;

/// The server's version.
pub async fn version(client: &Client) -> ServerVersion {
    // No cast on the server: the databases under test have casts of their own.
    let number: String = client.query_one("SHOW server_version_num", &[]).await.expect("version").get(0);
    ServerVersion::from_num(number.parse().expect("a number"))
}

/// Reads the catalog as a backup does: session pinned, one snapshot, all tables locked. The transaction stays open.
pub async fn read(source: &Client) -> Catalog {
    let version = version(source).await;
    session::pin_for_dump(source, version).await.expect("settings");
    source.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.expect("begin");
    let targets = catalog::tables_to_lock(source, version, None).await.expect("tables to lock");
    let names: Vec<String> = targets.iter().map(|t| qualified(&t.schema, &t.name)).collect();
    for names in names.chunks(1000) {
        let lock = format!("LOCK TABLE {} IN ACCESS SHARE MODE", names.join(", "));
        source.batch_execute(&lock).await.expect("locks");
    }
    catalog::read(source, version, None).await.expect("the catalog")
}

/// The catalog's entries as a table of contents.
pub fn toc(catalog: &Catalog) -> Toc {
    let header = Header::new(Codec::None, "2026-01-01T00:00:00Z".parse().expect("a time"), "source", "18.0");
    Toc::new(header, catalog.entries.iter().map(entry).collect())
}

/// Writes the archive with its rows into a new folder.
pub async fn write(source: &Client, catalog: &Catalog, folder: &Path) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).expect("a folder");
    fs::write(folder.join("toc.dat"), toc(catalog).to_bytes().expect("toc.dat")).expect("toc.dat");
    for entry in &catalog.entries {
        match &entry.data {
            Some(DataSource::Table(table)) => {
                let mut bytes = Vec::new();
                let rows = source.copy_out(&table.copy_out()).await;
                let mut rows = Box::pin(rows.unwrap_or_else(|e| panic!("{}: {e:?}", table.copy_out())));
                while let Some(chunk) = rows.next().await {
                    bytes.extend_from_slice(&chunk.expect("rows"));
                }
                bytes.extend_from_slice(TERMINATOR);
                fs::write(folder.join(format!("{}.dat", entry.dump_id)), bytes).expect("rows");
            }
            Some(DataSource::LargeObjects(oids)) => {
                let list: Vec<Blob> = oids.iter().map(|oid| Blob::new(*oid)).collect();
                fs::write(folder.join("blobs.toc"), blobs::to_bytes(&list)).expect("blobs.toc");
                for blob in &list {
                    let row =
                        source.query_one("SELECT lo_get($1)", &[&blob.oid]).await.expect("large object");
                    fs::write(folder.join(&blob.file), row.get::<_, Vec<u8>>(0)).expect("large object");
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
