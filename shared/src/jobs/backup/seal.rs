//! The end of a backup: the manifest, which alone makes the archive valid, and what the record says.

use std::collections::HashMap;

use super::{places::Places, work::Work};
use crate::{
    archive::{
        Manifest,
        manifest::{self, Contained, Object},
    },
    base::{Result, ResultExt, clock},
    jobs::Platform,
    ledger::{Completion, Lease, Record, TableLine},
    store::{ObjectKey, Put},
};

/// What sealing needs.
pub(super) struct Seal<'a> {
    pub platform: &'a Platform,
    pub lease: &'a Lease,
    pub record: &'a Record,
    pub places: &'a Places,
    /// Hand-overs of the snapshot.
    pub hops: u64,
}

impl Seal<'_> {
    /// The manifest of what was written.
    pub(super) fn manifest(
        &self,
        work: &Work,
        objects: Vec<Object>,
        contents: Vec<Contained>,
        warnings: Vec<String>,
    ) -> Manifest {
        Manifest {
            backup_id: self.record.id.clone(),
            database: work.database.clone(),
            server_version: work.server_version.clone(),
            pgbaton_version: env!("CARGO_PKG_VERSION").to_owned(),
            created_at: self.record.created_at,
            finished_at: clock::now(),
            snapshot_at: work.snapshot_at,
            codec: self.places.backup.codec.algorithm(),
            format: self.places.format,
            encryption: self.places.encryption.clone(),
            objects,
            contents,
            census: work.census.clone(),
            selection: work.selection.clone(),
            warnings,
        }
    }

    /// Writes the manifest, the last object of a backup, and only if this run is still the one that may.
    ///
    /// # Errors
    /// Those of store and ledger.
    pub(super) async fn run(
        &self,
        work: &Work,
        objects: Vec<Object>,
        contents: Vec<Contained>,
        warnings: Vec<String>,
    ) -> Result<Completion> {
        let manifest = self.manifest(work, objects, contents, warnings.clone());
        let completion = self.completion(work, &manifest, warnings);
        let place = &self.places.backup;
        let visible = match &self.places.encryption {
            None => manifest,
            Some(_) => {
                let full = place
                    .put(manifest::FULL, manifest.to_bytes()?)
                    .await
                    .context("writing the whole manifest")?;
                manifest.public(full)
            }
        };
        self.platform.ledger.renew(self.lease, self.platform.config.lease).await?;
        let key = ObjectKey::within(&place.folder, manifest::FILE)?;
        let put = place.store.put(&key, visible.to_bytes()?, Put::IfAbsent).await;
        let stored = put.context("sealing the backup")?;
        Ok(Completion { checksum: Some(stored.sha256), ..completion })
    }

    fn completion(&self, work: &Work, manifest: &Manifest, warnings: Vec<String>) -> Completion {
        let tables = lines(manifest);
        let count = tables.len() as u64;
        let counted = manifest.census.values();
        let (objects, archived) =
            counted.fold((0, 0), |(all, saved), c| (all + c.objects, saved + c.archived));
        // Only what was selected is counted.
        let (of, selected) = match work.selection {
            None => ("objects of its catalogs", ""),
            Some(_) => ("objects that were selected", ". Only a selection of the database was asked for"),
        };
        let census = if archived == objects {
            format!("all {objects} {of} are in the backup")
        } else {
            format!("{archived} of {objects} {of} are in the backup, the warnings name the others")
        };
        let message = format!(
            "{count} tables with {} rows and {} other objects saved from PostgreSQL {}; {census}{selected}",
            manifest.rows(),
            work.other_objects,
            work.server_version,
        );
        Completion {
            file_size: Some(manifest.bytes()),
            raw_size: Some(manifest.raw_bytes()),
            record_count: Some(manifest.rows()),
            table_count: Some(count),
            database_version: Some(work.server_version.clone()),
            message: Some(message),
            hops: Some(self.hops),
            warnings,
            tables,
            ..Completion::default()
        }
    }
}

/// Tables with their rows and bytes of COPY text, slices added up.
fn lines(manifest: &Manifest) -> Vec<TableLine> {
    let mut lines: Vec<TableLine> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for saved in manifest.saved() {
        let place = *places.entry(saved.table).or_insert_with(|| {
            lines.push(TableLine { name: saved.table.to_owned(), rows: 0, bytes: 0 });
            lines.len() - 1
        });
        lines[place].rows += saved.rows;
        lines[place].bytes += saved.bytes;
    }
    lines
}
