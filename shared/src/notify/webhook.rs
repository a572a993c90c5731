//! The channel webhook: a signed POST. Redirects are not followed: they could lead a signed message to somebody else.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, StatusCode, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use jiff::Timestamp;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};

use super::{
    Channel, Event,
    signature::{self, EVENT_ID, SIGNATURE, TIMESTAMP},
};
use crate::base::{Error, Kind, Result, Secret, endpoint::Endpoint};

/// Time for all attempts.
const LIMIT: Duration = Duration::from_secs(8);
/// Time for one attempt.
const ATTEMPT: Duration = Duration::from_secs(3);
/// Before the second attempt and those that follow.
const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(1_200)];
/// Bytes of an answer that are read, for the connection's sake; nothing in them counts.
const ANSWER: usize = 64 << 10;

/// A receiver over HTTP.
pub struct Webhook {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    endpoint: Endpoint,
    secret: Secret,
}

impl Webhook {
    /// A receiver at `endpoint`, with the secret it shares with us; spaces and line ends around the secret do not count. TLS is verified in full, against
    /// the roots of this machine.
    ///
    /// # Errors
    /// [`Kind::Tls`] when TLS cannot be set up at all.
    pub fn new(endpoint: Endpoint, secret: &Secret) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|e| Error::with_source(Kind::Tls, "TLS cannot be set up for the webhook", e))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        // Which of them is used the endpoint decides, which takes http for this machine itself only.
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Ok(Self { client, endpoint, secret: Secret::new(secret.expose().trim()) })
    }

    /// Tries until it is taken, cannot be, or the time is up.
    async fn deliver(&self, event: &Event) -> Result<()> {
        let body = Bytes::from(event.json());
        let end = tokio::time::Instant::now() + LIMIT;
        let mut pauses = PAUSES.into_iter();
        loop {
            let attempt = tokio::time::timeout(ATTEMPT, self.post(event, body.clone()));
            let error = match attempt
                .await
                .unwrap_or_else(|_| Err(Fault::Passing("it did not answer in time".into())))
            {
                Ok(()) => return Ok(()),
                Err(Fault::Final(why)) => return Err(self.error(Kind::InvalidInput, &why)),
                Err(Fault::Passing(why)) => self.error(Kind::Unreachable, &why),
            };
            match pauses.next() {
                Some(pause) if tokio::time::Instant::now() + pause < end => tokio::time::sleep(pause).await,
                _ => return Err(error),
            }
        }
    }

    async fn post(&self, event: &Event, body: Bytes) -> Result<(), Fault> {
        let timestamp = Timestamp::now().as_second();
        let mut request = Request::post(self.endpoint.uri())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("pgbaton/", env!("CARGO_PKG_VERSION")))
            .header(EVENT_ID, &event.id)
            .header(TIMESTAMP, timestamp)
            .header(SIGNATURE, signature::sign(&self.secret, timestamp, &body));
        if let Some(authorization) = self.endpoint.authorization() {
            request = request.header(header::AUTHORIZATION, authorization.expose());
        }
        let request = request.body(Full::new(body)).map_err(|e| Fault::Final(e.to_string()))?;
        let answer = self.client.request(request).await.map_err(|e| Fault::Passing(cause(&e)))?;
        let status = answer.status();
        let _ = Limited::new(answer.into_body(), ANSWER).collect().await;
        match status {
            s if s.is_success() => Ok(()),
            s if s.is_redirection() => {
                Err(Fault::Final(format!("it answered {s}; redirects are not followed")))
            }
            s if s.is_server_error()
                || s == StatusCode::TOO_MANY_REQUESTS
                || s == StatusCode::REQUEST_TIMEOUT =>
            {
                Err(Fault::Passing(format!("it answered {s}")))
            }
            s => Err(Fault::Final(format!("it answered {s}"))),
        }
    }

    fn error(&self, kind: Kind, why: &str) -> Error {
        Error::new(kind, format!("the webhook {} did not take it: {why}", self.endpoint))
    }
}

impl Channel for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn send<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Result<()>> {
        Box::pin(async {
            tokio::time::timeout(LIMIT, self.deliver(event))
                .await
                .unwrap_or_else(|_| Err(self.error(Kind::Unreachable, "the time for it is up")))
        })
    }
}

/// Why one attempt did not succeed.
enum Fault {
    /// It may be taken in a moment.
    Passing(String),
    /// It would not be taken in a moment either.
    Final(String),
}

/// The causes of an error of the client, whose own text says nothing. They name addresses at most.
fn cause(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(e) = next {
        text = format!("{text}: {e}");
        next = e.source();
    }
    text
}
