//! A backup's files for somebody without access to the bucket: a URL for each, and what to do with them.

use std::time::Duration;

use serde::Serialize;

use super::{Platform, request::stored_at, seals::SUFFIX};
use crate::{
    archive::{Algorithm, Manifest, manifest},
    base::{Encryption, Error, Format, Kind, Result},
    ledger::{Record, RunKind, Status},
    store::ObjectKey,
};

/// One file of the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct File {
    /// Its name in the archive's folder.
    pub file: String,
    /// Bytes.
    pub bytes: u64,
    /// Reads it, without credentials, until `expires_in` is over.
    pub url: String,
}

/// Files of one archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Download {
    /// The backup.
    pub id: String,
    /// Where the archive is.
    pub s3_url: String,
    /// Seconds that the URLs serve.
    pub expires_in: u64,
    /// A page of its files, by name.
    pub files: Vec<File>,
    /// For the next page; none when this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// What fetches the archive and what restores it, with tools that are not ours.
    pub commands: Vec<String>,
}

/// The command that gives a file's content.
fn reading(file: &str) -> String {
    match Algorithm::of_file(file).1 {
        Algorithm::None => format!("cat {file}"),
        Algorithm::Gzip => format!("gzip -dc {file}"),
        Algorithm::Zstd => format!("zstd -dc {file}"),
        Algorithm::Lz4 => format!("lz4 -dc {file}"),
    }
}

/// A page of URLs for the files of a completed backup. `cursor` is the name of the last file of the page before.
///
/// # Errors
/// [`Kind::Conflict`] for a backup that is not completed or is being removed; those of the store.
pub async fn download(
    platform: &Platform,
    record: &Record,
    valid: Duration,
    limit: usize,
    cursor: Option<&str>,
) -> Result<Download> {
    let id = &record.id;
    if record.kind != RunKind::Backup || record.status != Status::Completed || record.deleting_at.is_some() {
        let state = if record.deleting_at.is_some() { "being removed" } else { record.status.name() };
        return Err(Error::new(
            Kind::Conflict,
            format!("the backup {id} is {state}: there is no archive to fetch"),
        ));
    }
    let (store, folder) = stored_at(platform, record)?;
    let (mut files, mut more) = (Vec::new(), false);
    let mut listing = store.list(&folder);
    'pages: while let Some(page) = listing.page().await? {
        for object in page {
            let Some(name) = object.key.strip_prefix(&folder) else { continue };
            // S3 lists in the order of the keys' bytes.
            if cursor.is_some_and(|c| name <= c) {
                continue;
            }
            if files.len() == limit {
                more = true;
                break 'pages;
            }
            let url = store.presigned(&ObjectKey::parse(&object.key)?, valid).await?;
            files.push(File { file: name.to_owned(), bytes: object.bytes, url });
        }
    }
    if files.is_empty() && cursor.is_none() {
        return Err(Error::new(Kind::NotFound, format!("there is nothing in the folder of the backup {id}")));
    }
    let s3_url = format!("s3://{}/{folder}", store.bucket());
    let format = record.format.as_deref().map_or(Ok(Format::Archive), Format::parse).unwrap_or_default();
    let file = record.file_name.as_deref().and_then(|f| f.rsplit('/').next()).unwrap_or_default();
    let file = file.strip_suffix(SUFFIX).unwrap_or(file);
    let commands = match format {
        Format::Archive => vec![
            format!("aws s3 cp --recursive {s3_url} {id}"),
            format!("pg_restore --jobs 4 --no-owner --dbname \"$DATABASE_URL\" {id}"),
        ],
        Format::Sql => vec![
            format!("aws s3 cp {s3_url}{file} ."),
            format!("{} | psql --no-psqlrc --set ON_ERROR_STOP=1 --dbname \"$DATABASE_URL\"", reading(file)),
        ],
        Format::Json => vec![
            format!("aws s3 cp {s3_url}{file} ."),
            format!("{} | python3 -m json.tool --no-ensure-ascii", reading(file)),
        ],
        Format::Csv => vec![format!("aws s3 cp --recursive {s3_url} {id}")],
    };
    let mut commands = commands;
    if record.encrypted == Some(true) {
        let key = ObjectKey::within(&folder, manifest::FILE)?;
        let visible = Manifest::parse(&store.get_all(&key, manifest::MAX_BYTES as u64).await?)?;
        if let Some(Encryption::Kms { kms_key, .. }) = visible.encryption {
            let commands = vec![
                format!("aws s3 cp --recursive {s3_url} {id}"),
                format!(
                    "# each file has a key of its own, from a data key that {kms_key} has wrapped: restore it with POST /backup/restore"
                ),
            ];
            let next_cursor = files.last().filter(|_| more).map(|f| f.file.clone());
            return Ok(Download {
                id: id.to_string(),
                s3_url,
                expires_in: valid.as_secs(),
                files,
                next_cursor,
                commands,
            });
        }
        let all = format!(
            "for file in {id}/*.age; do age --decrypt --identity key.txt --output \"${{file%.age}}\" \"$file\"; done"
        );
        commands[0] = format!("aws s3 cp --recursive {s3_url} {id}");
        commands.insert(1, all);
        if format.is_one_file() {
            commands.insert(2, format!("cd {id}"));
        }
    }
    let next_cursor = files.last().filter(|_| more).map(|f| f.file.clone());
    Ok(Download { id: id.to_string(), s3_url, expires_in: valid.as_secs(), files, next_cursor, commands })
}
