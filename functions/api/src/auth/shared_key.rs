//! HS256 with a secret that the deployment shares with whoever makes the tokens.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use aws_config::SdkConfig;
use jsonwebtoken::{Algorithm, DecodingKey};
use pgbaton::{
    base::{Error, Kind, Result, Secret},
    jobs::secrets,
};
use tokio::sync::Mutex;

use super::keys::Key;

/// How long a key read from a secret is used before it is read again.
const AGE: Duration = Duration::from_secs(300);
/// HS256 needs a key of at least its hash's size (RFC 7518, section 3.2).
const BYTES: usize = 32;

/// Where the secret is.
pub(super) enum Place {
    Here(Secret),
    Reference(String),
}

/// The key, read when it is needed.
pub(super) struct SharedKey {
    place: Place,
    aws: SdkConfig,
    read: Mutex<Option<(Instant, Arc<Key>)>>,
}

impl SharedKey {
    pub(super) fn new(place: Place, aws: SdkConfig) -> Self {
        Self { place, aws, read: Mutex::new(None) }
    }

    /// The key.
    pub(super) async fn key(&self) -> Result<Arc<Key>> {
        let mut read = self.read.lock().await;
        if let Some((at, key)) = read.as_ref()
            && at.elapsed() < AGE
        {
            return Ok(Arc::clone(key));
        }
        let secret = match &self.place {
            Place::Here(secret) => secret.clone(),
            Place::Reference(reference) => secrets::read(reference, &self.aws).await?,
        };
        let bytes = secret.expose().trim().as_bytes();
        if bytes.len() < BYTES {
            let message =
                "the secret of JWT_SECRET or JWT_SECRET_ARN is shorter than 32 bytes (RFC 7518, section 3.2)";
            return Err(Error::new(Kind::Config, message));
        }
        let key = Key { algorithm: Algorithm::HS256, decoding: DecodingKey::from_secret(bytes) };
        let key = Arc::new(key);
        *read = Some((Instant::now(), Arc::clone(&key)));
        Ok(key)
    }
}
