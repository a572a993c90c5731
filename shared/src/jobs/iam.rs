//! RDS IAM authentication: a token in place of a password, minted for each connect.
//!
//! A token is a request `connect` to the service `rds-db`, presigned (Amazon RDS User Guide, "Connecting to your DB instance using IAM authentication";
//! AWS Signature Version 4, "Authenticating requests: using query parameters") and sent without its scheme. It is valid for 900 s, for one user at one
//! host and port.

use std::{
    fmt::Write as _,
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_config::SdkConfig;
use aws_credential_types::{Credentials, provider::ProvideCredentials as _};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign},
    sign::v4,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    base::{Error, IamLogin, Kind, Result, ResultExt, Secret},
    pg::{ConnInfo, Passwords, conn_info::Host},
};

/// How long a token is valid.
const VALID: Duration = Duration::from_secs(900);

/// All but the unreserved characters (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Mints tokens for one login.
struct Tokens {
    login: IamLogin,
    sdk: SdkConfig,
}

impl Passwords for Tokens {
    fn password<'a>(&'a self, _: &'a Host) -> Pin<Box<dyn Future<Output = Result<Secret>> + Send + 'a>> {
        Box::pin(async {
            let doing = || format!("making an IAM token for {}", self.login.describe());
            self.mint().await.with_context(doing)
        })
    }
}

impl Tokens {
    async fn mint(&self) -> Result<Secret> {
        let provider = self
            .sdk
            .credentials_provider()
            .ok_or_else(|| Error::new(Kind::Config, "the function has no AWS credentials"))?;
        let credentials = provider
            .provide_credentials()
            .await
            .map_err(|e| Error::with_source(Kind::Aws, "the function's AWS credentials cannot be had", e))?;
        let own = self.sdk.region().map(AsRef::as_ref);
        let region = self.login.region.as_deref().or(own).ok_or_else(|| {
            Error::new(Kind::Config, "no AWS region is set; give \"region\" in the IAM login")
        })?;
        token(&self.login, region, credentials, SystemTime::now())
    }
}

/// The connection of a login: TLS is `verify-full` whatever the host is.
///
/// # Errors
/// [`Kind::InvalidInput`] for a login that no connection string can hold.
pub(super) fn connection(login: &IamLogin, sdk: &SdkConfig) -> Result<ConnInfo> {
    let mut text = format!("port={} sslmode=verify-full", login.port);
    for (name, value) in [("host", &login.host), ("dbname", &login.dbname), ("user", &login.user)] {
        let _ = write!(text, " {name}='{}'", value.replace('\\', "\\\\").replace('\'', "\\'"));
    }
    let info = ConnInfo::parse(&text).context("reading an IAM login")?;
    Ok(info.with_passwords(Arc::new(Tokens { login: login.clone(), sdk: sdk.clone() })))
}

fn token(login: &IamLogin, region: &str, credentials: Credentials, now: SystemTime) -> Result<Secret> {
    let failed = |e: Box<dyn std::error::Error + Send + Sync>| {
        Error::with_source(Kind::Internal, "the IAM token could not be signed", e)
    };
    let mut settings = SigningSettings::default();
    settings.expires_in = Some(VALID);
    settings.signature_location = SignatureLocation::QueryParams;
    let identity = credentials.into();
    let how = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("rds-db")
        .time(now)
        .settings(settings)
        .build()
        .map_err(|e| failed(e.into()))?
        .into();
    let user = utf8_percent_encode(&login.user, RESERVED);
    let place = format!("{}:{}/?Action=connect&DBUser={user}", login.host, login.port);
    let url = format!("https://{place}");
    let request = SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::Bytes(&[]))
        .map_err(|e| failed(e.into()))?;
    let (signed, _) = sign(request, &how).map_err(|e| failed(e.into()))?.into_parts();
    let mut token = place;
    for (name, value) in signed.params() {
        let _ = write!(token, "&{name}={}", utf8_percent_encode(value, RESERVED));
    }
    Ok(Secret::new(token))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aws_lc_rs::{digest, hmac};

    use super::*;

    fn login(host: &str, port: u16, user: &str) -> IamLogin {
        IamLogin::new(host, port, "d", user, None).unwrap()
    }

    fn at(text: &str) -> SystemTime {
        text.parse::<jiff::Timestamp>().unwrap().into()
    }

    /// Parameters of a token by name, their values as they stand in it.
    fn parts(token: &str) -> BTreeMap<&str, &str> {
        let (_, query) = token.split_once('?').unwrap();
        query.split('&').map(|p| p.split_once('=').unwrap()).collect()
    }

    /// The known answer of botocore's tests (tests/unit/test_signers.py, `generate_db_auth_token`).
    #[test]
    fn a_known_token() {
        let login = login("prod-instance.us-east-1.rds.amazonaws.com", 3306, "someusername");
        let credentials = Credentials::new("akid", "skid", None, None, "test");
        let token = token(&login, "us-east-1", credentials, at("2016-11-07T17:39:33Z")).unwrap();
        let text = token.expose();
        assert!(text.starts_with(
            "prod-instance.us-east-1.rds.amazonaws.com:3306/?Action=connect&DBUser=someusername&"
        ));
        let expected = [
            ("Action", "connect"),
            ("DBUser", "someusername"),
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", "akid%2F20161107%2Fus-east-1%2Frds-db%2Faws4_request"),
            ("X-Amz-Date", "20161107T173933Z"),
            ("X-Amz-Expires", "900"),
            ("X-Amz-Signature", "d1138cdbc0ca63eec012ec0fc6c2267e03642168f5884a7795320d4c18374c61"),
            ("X-Amz-SignedHeaders", "host"),
        ];
        assert_eq!(parts(text), BTreeMap::from(expected));
        assert_eq!(format!("{token:?}"), "[secret]");
    }

    /// Recomputed by hand from the published algorithm, with a session token and a name that needs encoding, as a function's role has them.
    #[test]
    fn a_token_of_a_role_recomputed() {
        let login = login("shop.abc.eu-central-1.rds.amazonaws.com", 5433, "back up@ä/+=&?");
        let credentials = Credentials::new("AKID", "secret/key+", Some("se/ss+ion==".into()), None, "test");
        let token = token(&login, "eu-central-1", credentials, at("2026-11-21T02:00:00Z")).unwrap();
        let mut query = parts(token.expose());
        assert_eq!(query["DBUser"], "back%20up%40%C3%A4%2F%2B%3D%26%3F");
        assert_eq!(query["X-Amz-Security-Token"], "se%2Fss%2Bion%3D%3D");
        let signature = query.remove("X-Amz-Signature").unwrap();
        let query: Vec<String> = query.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let empty = hex::encode(digest::digest(&digest::SHA256, b""));
        let canonical = format!(
            "GET\n/\n{}\nhost:shop.abc.eu-central-1.rds.amazonaws.com:5433\n\nhost\n{empty}",
            query.join("&")
        );
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n20261121T020000Z\n20261121/eu-central-1/rds-db/aws4_request\n{}",
            hex::encode(digest::digest(&digest::SHA256, canonical.as_bytes()))
        );
        let mac = |key: &[u8], text: &str| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
        };
        let key = ["20261121", "eu-central-1", "rds-db", "aws4_request"]
            .iter()
            .fold(b"AWS4secret/key+".to_vec(), |key, part| mac(&key, part));
        assert_eq!(signature, hex::encode(mac(&key, &to_sign)));
    }

    #[test]
    fn a_connection_verifies_in_full_even_to_this_machine() {
        let sdk = SdkConfig::builder().build();
        let info = connection(&login("localhost", 5433, "it's \\"), &sdk).unwrap();
        assert_eq!(info.ssl_mode().name(), "verify-full");
        assert_eq!((info.user(), info.describe().as_str()), ("it's \\", "it's \\@localhost:5433/d"));
    }

    #[tokio::test]
    async fn without_credentials_there_is_no_token() {
        let sdk = SdkConfig::builder().build();
        let e = Tokens { login: login("h", 5432, "u"), sdk }.mint().await.unwrap_err();
        assert_eq!(e.kind(), Kind::Config);
    }
}
