//! A login without a password: what RDS IAM authentication needs to know, and nothing secret.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::{Error, Kind, Result};

/// Where a database is and as whom to log in, by a token that is minted for each connection (Amazon RDS User Guide, "IAM database
/// authentication"). TLS is always `verify-full`: the token goes over the wire as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value")]
pub struct IamLogin {
    /// The endpoint's name: the token is valid for it alone, so no alias of one's own.
    pub host: String,
    /// The port; 5432 when absent.
    pub port: u16,
    /// The database.
    pub dbname: String,
    /// The role, which must have been granted `rds_iam`.
    pub user: String,
    /// The region of the instance, where it is not the functions' own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

impl IamLogin {
    /// Checks a login's parts.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] with the part at fault as its field.
    pub fn new(host: &str, port: u16, dbname: &str, user: &str, region: Option<&str>) -> Result<Self> {
        let wrong = |part: &'static str, why: &str| {
            Error::new(Kind::InvalidInput, format!("\"{part}\" {why}")).at_field(part)
        };
        let is_host = (1..=253).contains(&host.len())
            && host.starts_with(|c: char| c.is_ascii_alphanumeric())
            && host.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-'));
        if !is_host {
            return Err(wrong(
                "host",
                "must be one host name, such as shop.abc.eu-central-1.rds.amazonaws.com",
            ));
        }
        if port == 0 {
            return Err(wrong("port", "must be a number from 1 to 65535"));
        }
        for (part, text) in [("dbname", dbname), ("user", user)] {
            if !(1..=63).contains(&text.len()) || text.chars().any(char::is_control) {
                return Err(wrong(part, "must be a text of 1 to 63 bytes without control characters"));
            }
        }
        let is_region = |r: &str| {
            (1..=32).contains(&r.len())
                && r.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
        };
        if region.is_some_and(|r| !is_region(r)) {
            return Err(wrong("region", "must be an AWS region such as eu-central-1"));
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            dbname: dbname.to_owned(),
            user: user.to_owned(),
            region: region.map(str::to_owned),
        })
    }

    /// From `{"host", "port", "dbname", "user", "region", "sslmode"}`; `port`, `region` and `sslmode` may be absent, and `sslmode` can only be verify-full.
    /// No value is repeated in an error: it may be a password in the wrong place.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] with the field at fault.
    pub fn parse(fields: &Map<String, Value>) -> Result<Self> {
        let wrong = |field: &str, why: String| Error::new(Kind::InvalidInput, why).at_field(field.to_owned());
        const KNOWN: [&str; 6] = ["host", "port", "dbname", "user", "region", "sslmode"];
        if let Some(name) = fields.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            let shown: String = name.chars().take(64).flat_map(char::escape_debug).collect();
            let why = match name.as_str() {
                "password" => {
                    "there is no \"password\" in an IAM login: keep it in a secret and name that".into()
                }
                _ => format!("the field \"{shown}\" is not known; an IAM login has {}", KNOWN.join(", ")),
            };
            return Err(wrong(&shown, why));
        }
        let text = |name: &'static str| match fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(wrong(name, format!("\"{name}\" must be a text"))),
        };
        let need = |name: &'static str| {
            text(name)?.ok_or_else(|| wrong(name, format!("\"{name}\" is missing in the IAM login")))
        };
        let port = match fields.get("port") {
            None | Some(Value::Null) => 5432,
            Some(port) => port.as_u64().and_then(|p| u16::try_from(p).ok()).unwrap_or(0),
        };
        if text("sslmode")?.is_some_and(|mode| mode != "verify-full") {
            return Err(wrong(
                "sslmode",
                "\"sslmode\" can only be verify-full with IAM authentication".into(),
            ));
        }
        Self::new(need("host")?, port, need("dbname")?, need("user")?, text("region")?)
    }

    /// `user@host:port/dbname`, for messages.
    pub fn describe(&self) -> String {
        format!("{}@{}:{}/{}", self.user, self.host, self.port, self.dbname)
    }
}

impl TryFrom<Value> for IamLogin {
    type Error = Error;
    fn try_from(value: Value) -> Result<Self> {
        match value {
            Value::Object(fields) => Self::parse(&fields),
            _ => Err(Error::new(Kind::InvalidInput, "an IAM login is a JSON object")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(value: Value) -> Result<IamLogin> {
        IamLogin::try_from(value)
    }

    #[test]
    fn a_login_comes_back() {
        let login = of(
            json!({"host": "db.example.com", "dbname": "shop", "user": "back up", "sslmode": "verify-full"}),
        );
        let login = login.unwrap();
        assert_eq!((login.port, login.region.as_deref()), (5432, None));
        assert_eq!(login.describe(), "back up@db.example.com:5432/shop");
        let stored = serde_json::to_value(&login).unwrap();
        assert_eq!(serde_json::from_value::<IamLogin>(stored).unwrap(), login);
    }

    #[test]
    fn what_is_wrong_is_named_and_never_repeated() {
        let whole = json!({"host": "h", "port": 5432, "dbname": "d", "user": "u", "region": "eu-central-1"});
        for (field, value) in [
            ("host", json!("")),
            ("host", json!("/run/hunter2")),
            ("host", json!("h,hunter2")),
            ("host", json!("u:hunter2@h")),
            ("host", Value::Null),
            ("port", json!(0)),
            ("port", json!(65_536)),
            ("port", json!("hunter2")),
            ("dbname", json!(7)),
            ("user", json!("")),
            ("user", json!("a\nhunter2")),
            ("region", json!("hunter2!")),
            ("sslmode", json!("require")),
            ("password", json!("hunter2")),
            ("pasword", json!("hunter2")),
        ] {
            let mut login = whole.clone();
            login[field] = value;
            let e = of(login).unwrap_err();
            assert_eq!((e.kind(), e.field()), (Kind::InvalidInput, Some(field)));
            assert!(!format!("{e} {e:?}").contains("hunter2"), "{e}");
        }
        assert!(of(json!("postgresql://u:hunter2@h/d")).is_err_and(|e| !e.to_string().contains("hunter2")));
    }
}
