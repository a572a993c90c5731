//! The record that a request begins with.

use jiff::Timestamp;

use super::backup::BackupRequest;
use crate::{
    archive::Codec,
    base::{
        Error, Kind, Result,
        config::Config,
        id::{DatabaseName, RunId},
    },
    jobs::{Platform, convert, databases::Database, seals::SUFFIX},
    ledger::{PARTIAL, Record, RunKind},
    store::Store,
};

/// The folder of a backup's archive in the bucket: `<prefix><database>/<id>/`. The prefix ends with a slash.
pub fn archive_folder(prefix: &str, database: &DatabaseName, id: &RunId) -> String {
    format!("{prefix}{database}/{id}/")
}

/// Where the archive of a record is, from the record's own URL, so that a changed prefix or bucket loses no old backup.
///
/// # Errors
/// [`Kind::Corrupt`] for a URL that does not end in the folder of the record's database and id: what stands there is not this backup's.
pub fn stored_at(platform: &Platform, record: &Record) -> Result<(Store, String)> {
    let Some(url) = record.s3_url.as_deref() else {
        let folder = archive_folder(&platform.config.prefix, &record.database, &record.id);
        return Ok((platform.store.clone(), folder));
    };
    let (bucket, folder) = url.strip_prefix("s3://").and_then(|u| u.split_once('/')).unwrap_or_default();
    let own = archive_folder("", &record.database, &record.id);
    if bucket.is_empty() || !(folder == own || folder.ends_with(&format!("/{own}"))) {
        return Err(Error::new(
            Kind::Corrupt,
            format!("the record {} names {url}, which is not the folder of its archive", record.id),
        ));
    }
    Ok((platform.store.in_bucket(bucket), folder.to_owned()))
}

impl BackupRequest {
    /// The pending record of this request: the same whether the API or the function itself makes it. The request is that of
    /// [`Database::options`].
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] for encryption where the deployment has no key to encrypt for.
    pub fn pending(
        &self,
        id: RunId,
        of: &Database,
        config: &Config,
        region: Option<&str>,
        now: Timestamp,
    ) -> Result<Record> {
        let database = of.name.clone();
        let folder = archive_folder(&config.prefix, &database, &id);
        let mut file_name = archive_folder("", &database, &id);
        if self.format(config.format).is_one_file() {
            let codec = Codec::from(self.compression(config.compression));
            file_name += &convert::file_name(self.format(config.format), now, codec);
            if self.encrypt.unwrap_or(config.encryption.default) {
                file_name += SUFFIX;
            }
        }
        let mut record = Record::pending(id, RunKind::Backup, database, self.backup_type(), now);
        let mode = if self.selection().is_some() { PARTIAL } else { "full" };
        record.mode = Some(mode.into());
        let format = self.format(config.format);
        record.format = Some(format.name().into());
        record.compression = Some(self.compression(config.compression).name().into());
        let encrypted = self.encrypt.unwrap_or(config.encryption.default);
        if encrypted && !config.encryption.possible() {
            let why = "this deployment has nothing to encrypt with: set BACKUP_AGE_RECIPIENTS or BACKUP_ENCRYPTION_KMS_KEY";
            return Err(Error::new(Kind::InvalidInput, why).at_field("encrypt"));
        }
        record.encrypted = Some(encrypted);
        record.label = self.label.clone();
        record.file_name = Some(file_name);
        record.s3_url = Some(format!("s3://{}/{folder}", config.bucket));
        record.s3_bucket = Some(config.bucket.clone());
        record.s3_region = region.map(str::to_owned);
        record.created_by = self.created_by.clone();
        record.schedule_id = self.schedule_id.clone();
        record.event_id = self.event_id.clone();
        record.expires_at = of.expires_at(config, now);
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Status;

    fn config() -> Config {
        Config::from_lookup(|name| {
            let value = match name {
                "BACKUP_BUCKET" => "bucket",
                "BACKUP_TABLE" | "STATE_TABLE" => "t",
                _ => return None,
            };
            Some(value.to_owned())
        })
        .unwrap()
    }

    #[test]
    fn a_pending_record_says_where_the_archive_will_be() {
        let id = RunId::parse("20261121T020000Z-9f86d081").unwrap();
        let now = "2026-11-21T02:00:00Z".parse().unwrap();
        let name = DatabaseName::parse("main").unwrap();
        let of = Database { name, registration: None, configured: true };
        let r = BackupRequest::default().pending(id, &of, &config(), Some("eu-central-1"), now).unwrap();
        assert_eq!(r.status, Status::Pending);
        assert_eq!(r.s3_url.as_deref(), Some("s3://bucket/backups/main/20261121T020000Z-9f86d081/"));
        assert_eq!(r.file_name.as_deref(), Some("main/20261121T020000Z-9f86d081/"));
        assert_eq!(r.expires_at, Some("2026-12-21T02:00:00Z".parse().unwrap()));
        assert_eq!(r.compression.as_deref(), Some("zstd"));
    }
}
