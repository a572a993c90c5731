//! Who calls, and what they may: JSON Web Tokens (RFC 7519, RFC 8725), checked with a shared secret or with published keys.
//!
//! A wrong token is answered with 401 and nothing on what is wrong with it. What could not be checked, because the keys cannot be read, is 503.

mod caller;
mod fetch;
mod keys;
mod permit;
mod published;
mod shared_key;

use std::sync::Arc;

use aws_config::SdkConfig;
use axum::http::{HeaderMap, header};
use jsonwebtoken::{Algorithm, Validation};
use pgbaton::base::{
    Result,
    config::{Config, JwtKey},
};

use crate::problem::Problem;
use caller::Claims;
pub(crate) use caller::{Caller, Scope};
use keys::Key;
pub(crate) use permit::{Admin, Reader, Restorer, Writer, known};
use published::PublishedKeys;
use shared_key::{Place, SharedKey};

/// Longer tokens are not looked at.
const TOKEN_BYTES: usize = 8 << 10;
/// Clocks may differ by this many seconds.
const LEEWAY: u64 = 30;

/// Checks tokens.
pub(crate) struct Verifier {
    way: Option<Way>,
    validation: Validation,
}

enum Way {
    Shared(Box<SharedKey>),
    Published(Box<PublishedKeys>),
}

impl Verifier {
    pub(crate) fn new(config: &Config, aws: SdkConfig) -> Self {
        let way = match config.jwt.clone() {
            None => None,
            Some(JwtKey::Shared(secret)) => {
                Some(Way::Shared(Box::new(SharedKey::new(Place::Here(secret), aws))))
            }
            Some(JwtKey::Reference(at)) => {
                Some(Way::Shared(Box::new(SharedKey::new(Place::Reference(at), aws))))
            }
            Some(JwtKey::Published(url)) => Some(Way::Published(Box::new(PublishedKeys::new(&url)))),
        };
        let mut validation = Validation::new(Algorithm::HS256);
        let mut required = vec!["exp"];
        // Identity providers leave it out; whoever makes tokens for this service alone can put it in.
        if !matches!(way, Some(Way::Published(_))) {
            required.push("nbf");
        }
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.validate_aud = config.jwt_audience.is_some();
        if let Some(audience) = &config.jwt_audience {
            validation.set_audience(&[audience]);
            required.push("aud");
        }
        if let Some(issuer) = &config.jwt_issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        validation.set_required_spec_claims(&required);
        Self { way, validation }
    }

    /// The caller that the headers name.
    async fn caller(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        let (Some(token), Some(way)) = (bearer(headers), &self.way) else {
            return Err(Problem::unauthorized());
        };
        let key = way.key(token).await.map_err(|error| {
            Problem::unavailable("the key that tokens are checked with cannot be read", &error)
        })?;
        key.and_then(|key| self.claims(token, &key)).map(Caller::from).ok_or_else(Problem::unauthorized)
    }

    /// The claims of a token that is signed with this key and all right.
    fn claims(&self, token: &str, key: &Key) -> Option<Claims> {
        let validation = Validation { algorithms: vec![key.algorithm], ..self.validation.clone() };
        let token = jsonwebtoken::decode::<Claims>(token, &key.decoding, &validation).ok()?;
        // An extension that must be understood and is not (RFC 7515, section 4.1.11).
        (token.header.crit.is_none() && token.claims.times_are_numbers()).then_some(token.claims)
    }
}

impl Way {
    /// The key to check this token with.
    async fn key(&self, token: &str) -> Result<Option<Arc<Key>>> {
        match self {
            Self::Shared(key) => key.key().await.map(Some),
            Self::Published(keys) => match jsonwebtoken::decode_header(token) {
                Ok(header) => keys.key(header.kid.as_deref(), header.alg).await,
                Err(_) => Ok(None),
            },
        }
    }
}

/// The token of the one `Authorization: Bearer` header (RFC 6750, section 2.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(only), None) = (all.next(), all.next()) else { return None };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && token.len() <= TOKEN_BYTES).then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_is_one_header_of_bounded_size() {
        let of = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, value.parse().unwrap());
            }
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(of(&["Bearer x"]).as_deref(), Some("x"));
        assert_eq!(of(&["bearer x"]).as_deref(), Some("x"));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&["Basic x"]), None);
        assert_eq!(of(&["Bearer"]), None);
        assert_eq!(of(&["Bearer x", "Bearer y"]), None);
        assert_eq!(of(&[&format!("Bearer {}", "x".repeat(9_000))]), None);
    }
}
