//! Who calls: JSON Web Tokens signed with HS256 (RFC 7519, RFC 8725) and what they allow.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use aws_config::SdkConfig;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use pgbaton::{
    base::{
        Error, Kind, Result,
        config::{Config, JwtKey},
    },
    jobs::secrets,
};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::{app::App, problem::Problem, trace::Audit};

/// How long a key read from a secret is used before it is read again.
const KEY_AGE: Duration = Duration::from_secs(300);
/// Longer tokens are not looked at.
const TOKEN_BYTES: usize = 8 << 10;
/// HS256 needs a key of at least its hash's size (RFC 7518, section 3.2).
const KEY_BYTES: usize = 32;
/// Clocks may differ by this many seconds.
const LEEWAY: u64 = 30;

/// Checks tokens.
pub(crate) struct Verifier {
    key: Option<JwtKey>,
    validation: Validation,
    aws: SdkConfig,
    read: Mutex<Option<(Instant, Arc<DecodingKey>)>>,
}

/// A caller whose token is right.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The token's `sub`.
    pub(crate) subject: String,
    admin: bool,
    scopes: Vec<String>,
}

/// The claims used here. Types are checked by hand: a claim of another type gives no permission.
#[derive(Deserialize)]
struct Claims {
    sub: Option<Value>,
    role: Option<Value>,
    scope: Option<Value>,
    scopes: Option<Value>,
    permissions: Option<Value>,
}

impl Verifier {
    pub(crate) fn new(config: &Config, aws: SdkConfig) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        let mut required = vec!["exp", "nbf"];
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
        Self { key: config.jwt.clone(), validation, aws, read: Mutex::new(None) }
    }

    /// The caller that the headers name.
    async fn caller(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        let Some(token) = bearer(headers) else { return Err(Problem::unauthorized()) };
        let Some(key) = &self.key else { return Err(Problem::unauthorized()) };
        let key = self.decoding_key(key).await.map_err(|error| {
            Problem::unavailable("the key that tokens are checked with cannot be read", &error)
        })?;
        let token = jsonwebtoken::decode::<Claims>(token, &key, &self.validation)
            .ok()
            // An extension that must be understood and is not (RFC 7515, section 4.1.11).
            .filter(|token| token.header.crit.is_none())
            .ok_or_else(Problem::unauthorized)?;
        Ok(Caller::of(token.claims))
    }

    async fn decoding_key(&self, key: &JwtKey) -> Result<Arc<DecodingKey>> {
        let mut read = self.read.lock().await;
        if let Some((at, key)) = read.as_ref()
            && at.elapsed() < KEY_AGE
        {
            return Ok(Arc::clone(key));
        }
        let secret = match key {
            JwtKey::Shared(secret) => secret.clone(),
            JwtKey::Reference(reference) => secrets::read(reference, &self.aws).await?,
        };
        let bytes = secret.expose().trim().as_bytes();
        if bytes.len() < KEY_BYTES {
            let message =
                "the secret of JWT_SECRET or JWT_SECRET_ARN is shorter than 32 bytes (RFC 7518, section 3.2)";
            return Err(Error::new(Kind::Config, message));
        }
        let key = Arc::new(DecodingKey::from_secret(bytes));
        *read = Some((Instant::now(), Arc::clone(&key)));
        Ok(key)
    }
}

/// The token of the one `Authorization: Bearer` header (RFC 6750, section 2.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(only), None) = (all.next(), all.next()) else { return None };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && token.len() <= TOKEN_BYTES).then(|| token.trim())
}

impl Caller {
    fn of(claims: Claims) -> Self {
        let text = |value: &Option<Value>| value.as_ref().and_then(Value::as_str).unwrap_or("").to_owned();
        let mut scopes: Vec<String> = text(&claims.scope).split(' ').map(str::to_owned).collect();
        for list in [claims.scopes, claims.permissions].into_iter().flatten() {
            let Value::Array(list) = list else { continue };
            scopes.extend(list.iter().filter_map(Value::as_str).map(str::to_owned));
        }
        let subject = text(&claims.sub).chars().filter(|c| !c.is_control()).take(200).collect::<String>();
        let subject = if subject.is_empty() { "unnamed".to_owned() } else { subject };
        Self { subject, admin: text(&claims.role) == "admin", scopes }
    }

    fn may(&self, scope: &str) -> bool {
        self.admin || self.scopes.iter().any(|s| s == scope)
    }

    /// For what the body decides: 403 naming the scope when the token does not allow it.
    pub(crate) fn needs(&self, scope: &str) -> Result<(), Problem> {
        if self.may(scope) {
            return Ok(());
        }
        let detail = format!("this call needs the scope {scope} or the role admin");
        Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail))
    }
}

async fn caller_with(scope: &'static str, parts: &Parts, app: &App) -> Result<Caller, Problem> {
    let caller = app.verifier.caller(&parts.headers).await?;
    if let Some(audit) = parts.extensions.get::<Audit>() {
        audit.caller(&caller.subject);
    }
    caller.needs(scope)?;
    if !app.config.enabled {
        let detail = "the backup service is switched off (ENABLE_BACKUP_SERVICE is false)";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "service_disabled", detail));
    }
    Ok(caller)
}

/// A caller that may read: `backup:read` or admin.
pub(crate) struct Reader;

impl FromRequestParts<App> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        caller_with("backup:read", parts, app).await.map(|_| Self)
    }
}

/// A caller that may change something: `backup:write` or admin.
pub(crate) struct Writer(pub(crate) Caller);

impl FromRequestParts<App> for Writer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        caller_with("backup:write", parts, app).await.map(Self)
    }
}

/// A caller that may change how the service works: `backup:admin` or admin.
pub(crate) struct Admin(pub(crate) Caller);

impl FromRequestParts<App> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        caller_with("backup:admin", parts, app).await.map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn caller(claims: Value) -> Caller {
        Caller::of(serde_json::from_value(claims).unwrap())
    }

    #[test]
    fn permissions_come_from_exact_words_of_the_right_type() {
        assert!(caller(json!({"role": "admin"})).may("backup:write"));
        assert!(caller(json!({"scope": "openid backup:read"})).may("backup:read"));
        assert!(caller(json!({"scopes": ["backup:write"]})).may("backup:write"));
        assert!(caller(json!({"permissions": ["backup:read"]})).may("backup:read"));
        for nothing in [
            json!({}),
            json!({"role": "administrator"}),
            json!({"role": ["admin"]}),
            json!({"role": true}),
            json!({"scope": "backup:readx xbackup:read backup:*"}),
            json!({"scope": ["backup:read"]}),
            json!({"scopes": "backup:read"}),
            json!({"scopes": {"backup:read": true}}),
            json!({"scope": "backup:write"}),
        ] {
            assert!(!caller(nothing.clone()).may("backup:read"), "{nothing}");
        }
    }

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
