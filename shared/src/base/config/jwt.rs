//! How callers of the API prove who they are: `JWT_SECRET`, `JWT_SECRET_ARN` or `JWT_JWKS_URL`, one of them.

use super::wrong;
use crate::base::{error::Result, secret::Secret};

/// Where the keys come from that tokens are checked with.
#[derive(Debug, Clone)]
pub enum JwtKey {
    /// HS256 with this shared secret (`JWT_SECRET`).
    Shared(Secret),
    /// HS256 with the shared secret kept at this ARN or SSM name (`JWT_SECRET_ARN`).
    Reference(String),
    /// RS256, ES256 or EdDSA with the public keys that an identity provider publishes at this URL (`JWT_JWKS_URL`; RFC 7517, section 5).
    Published(String),
}

/// The one way that is configured, if any. Published keys belong to everybody that the provider knows, so issuer and audience are needed with them.
pub(super) fn key(get: &impl Fn(&str) -> Option<String>) -> Result<Option<JwtKey>> {
    let ways = ["JWT_SECRET", "JWT_SECRET_ARN", "JWT_JWKS_URL"];
    let mut set = ways.iter().filter_map(|name| Some((*name, get(name)?)));
    let Some((name, value)) = set.next() else { return Ok(None) };
    if let Some((other, _)) = set.next() {
        return Err(wrong(name, &format!("{other} is set as well; set one")));
    }
    match name {
        "JWT_SECRET" => Ok(Some(JwtKey::Shared(Secret::new(value)))),
        "JWT_SECRET_ARN" => Ok(Some(JwtKey::Reference(value))),
        _ => {
            for needed in ["JWT_ISSUER", "JWT_AUDIENCE"] {
                if get(needed).is_none() {
                    return Err(wrong(needed, &format!("it is not set, and {name} needs it")));
                }
            }
            check_url(&value).map_err(|why| wrong(name, why))?;
            Ok(Some(JwtKey::Published(value)))
        }
    }
}

/// `https://host/path`, or `http://` to this machine itself.
fn check_url(url: &str) -> Result<(), &'static str> {
    if url.bytes().any(|c| !c.is_ascii_graphic() || matches!(c, b'@' | b'#' | b'\\')) {
        return Err("it must be a URL without spaces, user names and fragments");
    }
    let (rest, plain) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (rest, false),
        (_, Some(rest)) => (rest, true),
        _ => return Err("it must begin with https://"),
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let loopback =
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match (host.is_empty(), plain && !loopback) {
        (true, _) => Err("it names no host"),
        (_, true) => Err("it must begin with https://; http:// is for this machine's own addresses"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Option<JwtKey>> {
        key(&|name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    fn published(url: &str) -> Result<Option<JwtKey>> {
        read(&[("JWT_JWKS_URL", url), ("JWT_ISSUER", "https://i"), ("JWT_AUDIENCE", "pgbaton")])
    }

    #[test]
    fn one_way_at_a_time() {
        assert!(read(&[]).unwrap().is_none());
        let ways = ["JWT_SECRET", "JWT_SECRET_ARN", "JWT_JWKS_URL"];
        for (first, second) in [(0, 1), (0, 2), (1, 2)] {
            let e = read(&[(ways[first], "https://a"), (ways[second], "https://b")]).unwrap_err().to_string();
            assert!(e.contains(ways[first]) && e.contains(ways[second]), "{e}");
        }
    }

    #[test]
    fn published_keys_need_issuer_and_audience() {
        for missing in ["JWT_ISSUER", "JWT_AUDIENCE"] {
            let all = [("JWT_JWKS_URL", "https://i/keys"), ("JWT_ISSUER", "i"), ("JWT_AUDIENCE", "a")];
            let some: Vec<_> = all.into_iter().filter(|(name, _)| *name != missing).collect();
            let e = read(&some).unwrap_err().to_string();
            assert!(e.contains(missing) && e.contains("JWT_JWKS_URL"), "{e}");
        }
    }

    #[test]
    fn keys_come_over_tls_or_from_this_machine() {
        for good in [
            "https://issuer.example/.well-known/jwks.json",
            "https://issuer.example:8443/keys?v=1",
            "http://127.0.0.1:9/keys",
            "http://localhost/keys",
            "http://[::1]:9/keys",
        ] {
            assert!(published(good).is_ok(), "{good}");
        }
        for bad in [
            "http://issuer.example/keys",
            "http://127.0.0.1@issuer.example/keys",
            "http://127.0.0.1.issuer.example/keys",
            "http://localhost.issuer.example/keys",
            "https://",
            "https:///keys",
            "https://user:secret@issuer.example/keys",
            "file:///etc/passwd",
            "issuer.example/keys",
            "https://issuer.example/a b",
            "https://issuer.example/\n",
        ] {
            let e = published(bad).unwrap_err().to_string();
            assert!(e.contains("JWT_JWKS_URL") && !e.contains("secret"), "{bad}: {e}");
        }
    }
}
