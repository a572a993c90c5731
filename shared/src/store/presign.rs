//! URLs that let whoever has them read one object for a while, without credentials.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;

use super::{ObjectKey, Store};
use crate::base::{Error, Kind, Result};

impl Store {
    /// A URL that reads the object until `valid` is over, or until the credentials that sign it end, if that is sooner. Asks nothing of S3.
    ///
    /// # Errors
    /// [`Kind::Internal`] when it cannot be signed: without credentials, or for longer than seven days.
    pub async fn presigned(&self, key: &ObjectKey, valid: Duration) -> Result<String> {
        let cannot =
            |e| Error::with_source(Kind::Internal, format!("no URL can be signed for {}", self.url(key)), e);
        let config = PresigningConfig::expires_in(valid)
            .map_err(|e| Error::with_source(Kind::Internal, "no URL can be signed for that long", e))?;
        let get = self.client.get_object().bucket(&self.bucket).key(key.as_str());
        Ok(get.presigned(config).await.map_err(cannot)?.uri().to_owned())
    }
}
