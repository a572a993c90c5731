//! Who a token names, and what it allows.

use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Characters of a subject that are kept.
const SUBJECT: usize = 200;
/// In the place of a subject that a token lacks.
const UNNAMED: &str = "unnamed";

/// What a caller may do. Admin means all; write and restore include read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Look at records and settings.
    Read,
    /// Begin backups, checks and runs of schedules.
    Write,
    /// Put rows somewhere: restores, exports, downloads.
    Restore,
    /// Remove things and change settings.
    Admin,
}

impl Scope {
    /// The word in a token.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "backup:read",
            Self::Write => "backup:write",
            Self::Restore => "backup:restore",
            Self::Admin => "backup:admin",
        }
    }

    /// The scope of a word.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Read, Self::Write, Self::Restore, Self::Admin].into_iter().find(|s| s.name() == word)
    }

    /// Whether who has this scope has the other one, too.
    fn includes(self, other: Self) -> bool {
        self == other || self == Self::Admin || other == Self::Read
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A caller whose token is right.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The token's `sub`, fit to be shown.
    pub(crate) subject: String,
    /// The same as it stands there; empty where there is none.
    pub(crate) identity: String,
    scopes: Vec<Scope>,
}

/// The claims used here. Types are checked by hand: a claim of another type gives no permission.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    sub: Option<Value>,
    role: Option<Value>,
    roles: Option<Value>,
    scope: Option<Value>,
    scopes: Option<Value>,
    scp: Option<Value>,
    permissions: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    iat: Option<Value>,
}

/// Null is a value here, and a wrong one.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

impl Claims {
    /// Whether the times that a token may leave out are times where they stand (RFC 7519, section 2, "NumericDate").
    pub(super) fn times_are_numbers(&self) -> bool {
        let time =
            |value: &Option<Value>| value.as_ref().is_none_or(|v| v.as_f64().is_some_and(|t| t >= 0.0));
        time(&self.nbf) && time(&self.iat)
    }
}

impl From<Claims> for Caller {
    fn from(claims: Claims) -> Self {
        let mut scopes = Vec::new();
        // A text of words (RFC 8693, section 4.2), or a list of them, under the names that providers use.
        for claim in [&claims.scope, &claims.scp] {
            let words = claim.as_ref().and_then(Value::as_str).unwrap_or("");
            scopes.extend(words.split(' ').filter_map(Scope::parse));
        }
        for claim in [&claims.scopes, &claims.scp, &claims.roles, &claims.permissions] {
            let words = claim.as_ref().and_then(Value::as_array).into_iter().flatten();
            scopes.extend(words.filter_map(Value::as_str).filter_map(Scope::parse));
        }
        match claims.role.as_ref().and_then(Value::as_str) {
            Some("admin") => scopes.push(Scope::Admin),
            role => scopes.extend(role.and_then(Scope::parse)),
        }
        let identity = claims.sub.as_ref().and_then(Value::as_str).unwrap_or("").to_owned();
        let subject: String = identity.chars().filter(|c| !c.is_control()).take(SUBJECT).collect();
        let subject = if subject.is_empty() { UNNAMED.to_owned() } else { subject };
        Self { subject, identity, scopes }
    }
}

impl Caller {
    /// Whether the token says nothing of whose it is: such callers cannot be told apart.
    pub(crate) fn is_unnamed(&self) -> bool {
        self.identity.is_empty()
    }

    /// Whether the token allows this.
    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|s| s.includes(scope))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ALL: [Scope; 4] = [Scope::Read, Scope::Write, Scope::Restore, Scope::Admin];

    fn may(claims: Value) -> Vec<Scope> {
        let caller = Caller::from(serde_json::from_value::<Claims>(claims).unwrap());
        ALL.into_iter().filter(|s| caller.may(*s)).collect()
    }

    #[test]
    fn a_scope_includes_what_it_needs() {
        assert_eq!(may(json!({"scope": "openid backup:read"})), [Scope::Read]);
        assert_eq!(may(json!({"scopes": ["backup:write"]})), [Scope::Read, Scope::Write]);
        assert_eq!(may(json!({"permissions": ["backup:restore"]})), [Scope::Read, Scope::Restore]);
        assert_eq!(may(json!({"scp": "backup:write backup:restore"})), ALL[..3]);
        assert_eq!(may(json!({"scp": ["backup:admin"]})), ALL);
        assert_eq!(may(json!({"roles": ["backup:admin"]})), ALL);
        assert_eq!(may(json!({"role": "backup:write"})), [Scope::Read, Scope::Write]);
        assert_eq!(may(json!({"role": "admin"})), ALL);
    }

    #[test]
    fn permissions_come_from_exact_words_of_the_right_type() {
        for nothing in [
            json!({}),
            json!({"role": "administrator"}),
            json!({"role": ["admin"]}),
            json!({"roles": ["admin"]}),
            json!({"roles": "backup:admin"}),
            json!({"role": true}),
            json!({"scope": "backup:readx xbackup:read backup:* BACKUP:READ admin"}),
            json!({"scope": ["backup:read"]}),
            json!({"scopes": "backup:read"}),
            json!({"scopes": {"backup:read": true}}),
            json!({"scopes": [["backup:read"]]}),
        ] {
            assert!(may(nothing.clone()).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn times_are_numbers_or_absent() {
        let right = |claims| serde_json::from_value::<Claims>(claims).unwrap().times_are_numbers();
        assert!(right(json!({})) && right(json!({"nbf": 1.5, "iat": 1})));
        for bad in [json!("1"), json!(null), json!([1]), json!({}), json!(true), json!(-1)] {
            assert!(!right(json!({"nbf": bad})) && !right(json!({"iat": bad})), "{bad}");
        }
        assert!(serde_json::from_str::<Claims>(r#"{"role": "x", "role": "admin"}"#).is_err(), "told twice");
    }
}
