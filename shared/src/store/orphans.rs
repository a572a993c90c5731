//! Uploads in parts that nobody will finish: their parts cost money and show in no listing of objects.

use std::time::Duration;

use aws_sdk_s3::error::ProvideErrorMetadata;
use jiff::Timestamp;

use super::{ObjectKey, Store, object::time};
use crate::base::{Error, Kind, Result};

/// An upload that was aborted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aborted {
    /// Key of the object that it would have become.
    pub key: String,
    /// When it was begun.
    pub begun: Option<Timestamp>,
}

/// An upload in parts that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Underway {
    /// Key of the object that it will become.
    pub key: String,
    /// When it was begun, as S3 says; stand-ins may say anything.
    pub begun: Option<Timestamp>,
    id: String,
}

impl Store {
    /// Aborts the uploads under `prefix`: all of them, or those begun before `older_than`.
    ///
    /// # Errors
    /// As [`Store::check_bucket`], with `s3:ListBucketMultipartUploads` or `s3:AbortMultipartUpload`. What was aborted before the error stays aborted.
    pub async fn abort_uploads(&self, prefix: &str, older_than: Option<Timestamp>) -> Result<Vec<Aborted>> {
        let mut aborted = Vec::new();
        for upload in self.uploads(prefix).await? {
            if older_than.is_some_and(|limit| upload.begun.is_none_or(|begun| begun >= limit)) {
                continue;
            }
            self.abort_upload(&upload).await?;
            aborted.push(Aborted { key: upload.key, begun: upload.begun });
        }
        Ok(aborted)
    }

    /// Aborts one upload.
    ///
    /// # Errors
    /// As [`Store::abort_uploads`]; one that is gone is none.
    pub async fn abort_upload(&self, upload: &Underway) -> Result<()> {
        self.abort(&upload.key, &upload.id).await
    }

    /// Aborts one upload and makes sure that no part is left: a part that was on its way when the abort came may arrive after it (Amazon S3 API
    /// Reference, AbortMultipartUpload).
    pub(super) async fn abort(&self, key: &str, id: &str) -> Result<()> {
        for attempt in 0..5u32 {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
            }
            let sent =
                self.client.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(id).send().await;
            match sent {
                Err(e) if e.code() == Some("NoSuchUpload") => return Ok(()),
                Err(e) => {
                    return Err(self.failed(
                        "s3:AbortMultipartUpload",
                        ObjectKey::parse(key).ok().as_ref(),
                        e,
                    ));
                }
                Ok(_) => {}
            }
            if self.is_gone(key, id).await {
                return Ok(());
            }
        }
        Err(Error::new(
            Kind::Aws,
            format!("parts of the upload of s3://{}/{key} are left after its abort", self.bucket),
        ))
    }

    /// Whether no part of the upload is left. Where listing parts is not allowed, or the answer cannot be read, the list of uploads decides;
    /// where that cannot be had either, the abort's word is taken.
    async fn is_gone(&self, key: &str, id: &str) -> bool {
        let sent =
            self.client.list_parts().bucket(&self.bucket).key(key).upload_id(id).max_parts(1).send().await;
        match sent {
            Ok(parts) => parts.parts().is_empty(),
            Err(e) if e.code() == Some("NoSuchUpload") => true,
            Err(_) => match self.uploads(key).await {
                Ok(uploads) => uploads.iter().all(|u| u.id != id),
                Err(_) => true,
            },
        }
    }

    /// The uploads under `prefix` that were begun and neither completed nor aborted.
    ///
    /// # Errors
    /// As [`Store::check_bucket`], with `s3:ListBucketMultipartUploads`.
    pub async fn uploads(&self, prefix: &str) -> Result<Vec<Underway>> {
        let mut uploads = Vec::new();
        let mut marker: Option<(String, Option<String>)> = None;
        loop {
            let (key, id) = marker.take().map_or((None, None), |(key, id)| (Some(key), id));
            let sent = self
                .client
                .list_multipart_uploads()
                .bucket(&self.bucket)
                .prefix(prefix)
                .set_key_marker(key)
                .set_upload_id_marker(id)
                .send()
                .await;
            let page = sent.map_err(|e| self.failed("s3:ListBucketMultipartUploads", None, e))?;
            uploads.extend(page.uploads().iter().filter_map(|u| {
                Some(Underway {
                    key: u.key()?.to_owned(),
                    id: u.upload_id()?.to_owned(),
                    begun: u.initiated().and_then(time),
                })
            }));
            match (page.is_truncated(), page.next_key_marker()) {
                (Some(true), Some(key)) if !key.is_empty() => {
                    marker = Some((key.to_owned(), page.next_upload_id_marker().map(str::to_owned)));
                }
                _ => return Ok(uploads),
            }
        }
    }
}
