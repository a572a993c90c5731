//! A published set of keys (JWKS; RFC 7517): which of them check tokens, and with which algorithm.
//!
//! The algorithm comes from the key: RSA means RS256, the curve P-256 ES256, Ed25519 EdDSA. A key that says of itself that it is for something else,
//! or is of another type, is passed over, so that a token can choose none of them (RFC 8725, section 3.1).

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use pgbaton::base::{Error, Kind, Result};
use serde::Deserialize;
use serde_json::Value;

/// Keys of a set that are looked at.
const MOST: usize = 100;
/// Bytes of an RSA modulus: 2,048 (RFC 7518, section 3.3) to 8,192 bits.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=1024;

/// A key and the one algorithm that it is for.
pub(super) struct Key {
    pub(super) algorithm: Algorithm,
    pub(super) decoding: DecodingKey,
}

/// The usable keys of a set.
pub(super) struct Keys(Vec<(Option<String>, Arc<Key>)>);

/// What a set has for a token.
pub(super) enum Choice {
    /// The key to check it with.
    One(Arc<Key>),
    /// The set has no key of that id: it may be newer than the set.
    UnknownId,
    /// Nothing, and a newer set would not change that.
    None,
}

/// One key as published (RFC 7517, section 4; RFC 7518, section 6; RFC 8037, section 2).
#[derive(Deserialize)]
struct Published {
    kty: String,
    crv: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Keys {
    /// Reads a set.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] when it is no set, or no key of it is usable.
    pub(super) fn parse(document: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let set: Set = serde_json::from_slice(document)
            .map_err(|e| Error::new(Kind::Corrupt, format!("what is published is no set of keys: {e}")))?;
        let keys: Vec<_> = set.keys.into_iter().take(MOST).filter_map(usable).collect();
        if keys.is_empty() {
            let message = "none of the published keys is for RS256, ES256 or EdDSA";
            return Err(Error::new(Kind::Corrupt, message));
        }
        Ok(Self(keys))
    }

    /// The key for a token with this key id and algorithm. Without an id there must be no choice.
    pub(super) fn choose(&self, id: Option<&str>, algorithm: Algorithm) -> Choice {
        let known = |key: &Option<String>| id.is_none() || key.as_deref() == id;
        let mut named = self.0.iter().filter(|(key, _)| known(key)).peekable();
        if named.peek().is_none() {
            return Choice::UnknownId;
        }
        if id.is_none() && self.0.len() > 1 {
            return Choice::None;
        }
        // Keys of different types may share an id (RFC 7517, section 4.5).
        let mut fitting = named.filter(|(_, key)| key.algorithm == algorithm);
        match (fitting.next(), fitting.next()) {
            (Some((_, key)), None) => Choice::One(Arc::clone(key)),
            _ => Choice::None,
        }
    }
}

fn usable(key: Value) -> Option<(Option<String>, Arc<Key>)> {
    let key: Published = serde_json::from_value(key).ok()?;
    let signs = key.r#use.as_deref().is_none_or(|u| u == "sig")
        && key.key_ops.as_ref().is_none_or(|all| all.iter().any(|operation| operation == "verify"));
    if !signs {
        return None;
    }
    let (algorithm, names): (_, &[&str]) = match (key.kty.as_str(), key.crv.as_deref()) {
        ("RSA", None) => (Algorithm::RS256, &["RS256"]),
        ("EC", Some("P-256")) => (Algorithm::ES256, &["ES256"]),
        // RFC 9864 gives EdDSA with this curve a name of its own.
        ("OKP", Some("Ed25519")) => (Algorithm::EdDSA, &["EdDSA", "Ed25519"]),
        _ => return None,
    };
    if key.alg.as_deref().is_some_and(|alg| !names.contains(&alg)) {
        return None;
    }
    let decoding = match algorithm {
        Algorithm::RS256 => {
            let (n, e) = (key.n.as_deref()?, key.e.as_deref()?);
            let modulus = URL_SAFE_NO_PAD.decode(n).ok()?;
            if !MODULUS.contains(&modulus.iter().skip_while(|b| **b == 0).count()) {
                return None;
            }
            DecodingKey::from_rsa_components(n, e)
        }
        Algorithm::ES256 => DecodingKey::from_ec_components(key.x.as_deref()?, key.y.as_deref()?),
        _ => DecodingKey::from_ed_components(key.x.as_deref()?),
    };
    Some((key.kid, Arc::new(Key { algorithm, decoding: decoding.ok()? })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rsa(kid: &str) -> Value {
        json!({"kty": "RSA", "kid": kid, "n": URL_SAFE_NO_PAD.encode([0xabu8; 256]), "e": "AQAB"})
    }

    fn ed(kid: &str) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": URL_SAFE_NO_PAD.encode([7u8; 32])})
    }

    fn with(mut key: Value, more: Value) -> Value {
        key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        key
    }

    fn set(keys: &[Value]) -> Result<Keys> {
        Keys::parse(json!({"keys": keys}).to_string().as_bytes())
    }

    fn chosen(keys: &Keys, id: Option<&str>, algorithm: Algorithm) -> &'static str {
        match keys.choose(id, algorithm) {
            Choice::One(key) => {
                assert_eq!(key.algorithm, algorithm);
                "one"
            }
            Choice::UnknownId => "unknown",
            Choice::None => "none",
        }
    }

    #[test]
    fn the_key_decides_the_algorithm() {
        let keys = set(&[rsa("r"), ed("e")]).unwrap();
        assert_eq!(chosen(&keys, Some("r"), Algorithm::RS256), "one");
        assert_eq!(chosen(&keys, Some("e"), Algorithm::EdDSA), "one");
        for wrong in
            [Algorithm::HS256, Algorithm::PS256, Algorithm::RS512, Algorithm::ES256, Algorithm::EdDSA]
        {
            assert_eq!(chosen(&keys, Some("r"), wrong), "none", "{wrong:?}");
        }
        assert_eq!(chosen(&keys, Some("x"), Algorithm::RS256), "unknown");
        assert_eq!(chosen(&keys, None, Algorithm::RS256), "none", "several keys and no id");
        assert_eq!(chosen(&set(&[rsa("r")]).unwrap(), None, Algorithm::RS256), "one");
        let same = set(&[rsa("a"), ed("a")]).unwrap();
        assert_eq!(chosen(&same, Some("a"), Algorithm::EdDSA), "one");
        assert_eq!(chosen(&set(&[ed("a"), ed("a")]).unwrap(), Some("a"), Algorithm::EdDSA), "none");
    }

    #[test]
    fn keys_for_something_else_are_passed_over() {
        for bad in [
            json!({"kty": "oct", "kid": "a", "k": "AAAA", "alg": "HS256"}),
            with(rsa("a"), json!({"alg": "HS256"})),
            with(rsa("a"), json!({"alg": "PS256"})),
            with(rsa("a"), json!({"alg": "none"})),
            with(rsa("a"), json!({"use": "enc"})),
            with(rsa("a"), json!({"key_ops": ["encrypt"]})),
            with(rsa("a"), json!({"n": URL_SAFE_NO_PAD.encode([0xabu8; 128])})),
            with(rsa("a"), json!({"n": "*"})),
            with(rsa("a"), json!({"kid": 1})),
            with(ed("a"), json!({"crv": "X25519"})),
            with(ed("a"), json!({"crv": "Ed448"})),
            with(ed("a"), json!({"alg": "RS256"})),
            json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}),
            json!({"kty": "EC", "crv": "P-256", "x": "AA"}),
            json!({}),
            json!(null),
            json!([]),
        ] {
            assert!(set(std::slice::from_ref(&bad)).is_err(), "{bad}");
            assert!(set(&[bad, ed("good")]).is_ok());
        }
        for none in ["", "{}", "[]", r#"{"keys": {}}"#, r#"{"keys": []}"#] {
            assert_eq!(Keys::parse(none.as_bytes()).err().unwrap().kind(), Kind::Corrupt);
        }
        assert!(set(&[with(ed("a"), json!({"alg": "EdDSA", "use": "sig", "key_ops": ["verify"]}))]).is_ok());
    }
}
