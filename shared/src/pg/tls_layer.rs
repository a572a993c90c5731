//! TLS as tokio-postgres asks for it, with the [wire](super::wire) above it.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use tokio_postgres::tls::TlsConnect;

use super::wire::{Copied, Wire};

/// A TLS client whose decrypted stream merges messages.
pub(super) struct Layered<T> {
    pub tls: T,
    pub copied: Copied,
    /// Set once the handshake is done.
    pub encrypted: Arc<AtomicBool>,
}

impl<S, T> TlsConnect<S> for Layered<T>
where
    T: TlsConnect<S>,
    T::Stream: Unpin,
    T::Future: Send + 'static,
{
    type Stream = Wire<T::Stream>;
    type Error = T::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, T::Error>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let Self { tls, copied, encrypted } = self;
        let connecting = tls.connect(stream);
        Box::pin(async move {
            let stream = connecting.await?;
            encrypted.store(true, Relaxed);
            Ok(Wire::decrypted(stream, copied))
        })
    }
}
