//! Fetching a published set of keys: one GET within bounds of time and size; redirects are not followed.

use std::time::Duration;

use axum::{
    body::Bytes,
    http::{HeaderMap, Request, StatusCode, Uri, header},
};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use pgbaton::base::{Error, Kind, Result};
use rustls::{ClientConfig, crypto::aws_lc_rs};

/// Bytes of a set that are read.
const BODY: usize = 256 << 10;
/// From the first packet to the last byte.
const TIME: Duration = Duration::from_secs(5);
/// To a connection.
const CONNECT: Duration = Duration::from_secs(2);

/// Whence keys are fetched.
pub(super) struct Source {
    url: String,
}

/// What was fetched.
pub(super) struct Fetched {
    pub(super) document: Bytes,
    /// `max-age` of Cache-Control; zero where it says not to store (RFC 9111, section 5.2.2).
    pub(super) max_age: Option<Duration>,
}

impl Source {
    pub(super) fn new(url: &str) -> Self {
        Self { url: url.to_owned() }
    }

    /// Fetches the set.
    ///
    /// # Errors
    /// [`Kind::Unreachable`] or [`Kind::Config`], naming the URL.
    pub(super) async fn fetch(&self) -> Result<Fetched> {
        let wrong = |kind, why: String| Error::new(kind, format!("JWT_JWKS_URL {}: {why}", self.url));
        let uri: Uri =
            self.url.parse().map_err(|e| wrong(Kind::Config, format!("it cannot be read: {e}")))?;
        let request = Request::get(uri)
            .header(header::ACCEPT, "application/jwk-set+json, application/json")
            .header(header::USER_AGENT, "pgbaton")
            .body(Empty::new())
            .map_err(|e| wrong(Kind::Config, e.to_string()))?;
        let client = self.client().map_err(|e| wrong(Kind::Config, e))?;
        let asked = async {
            let answer = client.request(request).await.map_err(|e| {
                Error::with_source(Kind::Unreachable, format!("JWT_JWKS_URL {}: no answer", self.url), e)
            })?;
            if answer.status() != StatusCode::OK {
                return Err(wrong(Kind::Unreachable, format!("the answer is {}", answer.status())));
            }
            let max_age = max_age(answer.headers());
            let body = Limited::new(answer.into_body(), BODY).collect().await;
            let body = body.map_err(|e| wrong(Kind::Unreachable, format!("the body: {e}")))?;
            Ok(Fetched { document: body.to_bytes(), max_age })
        };
        let within = tokio::time::timeout(TIME, asked).await;
        within.unwrap_or_else(|_| Err(wrong(Kind::Unreachable, format!("no answer within {TIME:?}"))))
    }

    /// A client for one request: a function that was frozen in between finds its connections closed.
    fn client(&self) -> Result<Client<HttpsConnector<HttpConnector>, Empty<Bytes>>, String> {
        let tls = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(|e| e.to_string())?
            .with_native_roots()
            .map_err(|e| format!("there are no roots for TLS: {e}"))?
            .with_no_client_auth();
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        connector.enforce_http(false);
        // The configuration has plain HTTP for this machine's own addresses only.
        let schemes = HttpsConnectorBuilder::new().with_tls_config(tls);
        let schemes =
            if self.url.starts_with("https:") { schemes.https_only() } else { schemes.https_or_http() };
        let connector = schemes.enable_http1().wrap_connector(connector);
        Ok(Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector))
    }
}

fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let all = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let directives: Vec<String> =
        all.flat_map(|value| value.split(',')).map(|d| d.trim().to_ascii_lowercase()).collect();
    if directives.iter().any(|d| d == "no-store" || d == "no-cache") {
        return Some(Duration::ZERO);
    }
    let seconds = directives.iter().find_map(|d| d.strip_prefix("max-age="))?;
    seconds.trim_matches('"').parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_an_answer_may_be_kept() {
        let of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CACHE_CONTROL, value.parse().unwrap());
            max_age(&headers).map(|age| age.as_secs())
        };
        assert_eq!(of("public, max-age=3600"), Some(3600));
        assert_eq!(of("Max-Age=\"60\""), Some(60));
        assert_eq!(of("no-store, max-age=60"), Some(0));
        assert_eq!(of("max-age=-1"), None);
        assert_eq!(of("public"), None);
        assert_eq!(max_age(&HeaderMap::new()), None);
    }
}
