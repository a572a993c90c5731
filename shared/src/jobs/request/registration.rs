//! What a registration of a database is asked for with: the body of `PUT /backup/databases/{name}`.

use serde_json::{Map, Value};

use super::{
    backup::BackupRequest,
    fields::{Fields, wrong},
};
use crate::{
    base::{Error, IamLogin, Kind, Result},
    jobs::secrets,
    ledger::{DatabaseSource, KeepRules, Registered},
};

/// A registration as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationRequest {
    /// What is said of the database. It takes the place of all that was said before.
    pub said: Registered,
    /// The version that the caller has read, 0 for none; none to replace whatever stands there.
    pub version: Option<u64>,
}

impl RegistrationRequest {
    /// From a body. For the `configured` database there is neither `main` nor `backup`: the deployment's settings have them; for every other one there must be
    /// a `main`.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] or [`Kind::NotAvailableYet`] with the field; a value that may be secret is not repeated.
    pub fn from_body(body: &[u8], configured: bool) -> Result<Self> {
        let mut fields = Fields::of_body(body)?;
        let main = source(&mut fields, "main")?;
        let backup = source(&mut fields, "backup")?;
        let retention = object(&mut fields, "retention")?
            .map(|rules| KeepRules::parse(&rules))
            .transpose()
            .map_err(|e| within("retention", e))?;
        let defaults = object(&mut fields, "defaults")?.unwrap_or_default();
        let defaults =
            BackupRequest::from_defaults(Value::Object(defaults)).map_err(|e| within("defaults", e))?;
        let version = fields.number("version", 0, u64::MAX)?;
        fields.end()?;
        if configured {
            let given = [("main", main.is_some()), ("backup", backup.is_some())];
            if let Some((name, _)) = given.iter().find(|(_, given)| *given) {
                let why = format!(
                    "\"{name}\" of this database is given by the deployment's settings (DATABASE_SECRET_ARN and its siblings)"
                );
                return Err(wrong(name, why));
            }
        } else if main.is_none() {
            let why = "the field \"main\" is missing: the ARN of a secret, the name of an SSM parameter, or an IAM login";
            return Err(wrong("main", why.into()));
        }
        let Value::Object(defaults) = defaults.to_event() else {
            return Err(Error::new(Kind::Internal, "options are not an object"));
        };
        Ok(Self { said: Registered { main, backup, retention, defaults }, version })
    }
}

/// A reference to a secret, or an IAM login.
fn source(fields: &mut Fields, name: &'static str) -> Result<Option<DatabaseSource>> {
    match fields.raw(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(reference)) => {
            check(&reference).map_err(|e| wrong(name, format!("\"{name}\" is wrong: {}", e.message())))?;
            Ok(Some(DatabaseSource::Secret(reference)))
        }
        Some(Value::Object(login)) => {
            IamLogin::parse(&login).map(|l| Some(DatabaseSource::Iam(l))).map_err(|e| within(name, e))
        }
        Some(_) => Err(wrong(
            name,
            format!("\"{name}\" must be a text (where the secret is) or an object (an IAM login)"),
        )),
    }
}

/// As [`secrets::check_reference`]; an ARN must be one of a service that keeps secrets.
fn check(reference: &str) -> Result<()> {
    secrets::check_reference(reference)?;
    let service = reference.strip_prefix("arn:").map(|rest| rest.split(':').nth(1).unwrap_or_default());
    match service {
        None | Some("secretsmanager" | "ssm") => Ok(()),
        Some(_) => Err(Error::new(
            Kind::InvalidInput,
            "the ARN is neither a Secrets Manager secret's nor an SSM parameter's",
        )),
    }
}

fn object(fields: &mut Fields, name: &'static str) -> Result<Option<Map<String, Value>>> {
    match fields.raw(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(wrong(name, format!("\"{name}\" must be an object"))),
    }
}

/// An error of a field within a field.
fn within(name: &str, e: Error) -> Error {
    let field = e.field().map_or_else(|| name.to_owned(), |inner| format!("{name}.{inner}"));
    Error::new(e.kind(), format!("\"{name}\" is wrong: {}", e.message())).at_field(field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn body(value: Value) -> Result<RegistrationRequest> {
        RegistrationRequest::from_body(value.to_string().as_bytes(), false)
    }

    #[test]
    fn a_whole_registration() {
        let r = body(json!({
            "main": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-AbCdEf",
            "backup": {"host": "h", "port": 5432, "dbname": "d", "user": "u", "sslmode": "verify-full"},
            "retention": {"days": 7, "monthly": 12}, "defaults": {"compression": "gzip", "tables": []}, "version": 3
        }))
        .unwrap();
        assert_eq!(r.version, Some(3));
        assert_eq!(Value::Object(r.said.defaults), json!({"compression": "gzip"}));
        assert_eq!(r.said.retention, Some(KeepRules { monthly: Some(12), ..KeepRules::of_days(7) }));
        assert!(matches!(r.said.backup, Some(DatabaseSource::Iam(l)) if l.describe() == "u@h:5432/d"));
    }

    #[test]
    fn what_is_wrong_or_planned_is_refused_with_its_field() {
        for (name, value, kind, field) in [
            ("main", json!("postgresql://u:hunter2@h/d"), Kind::InvalidInput, "main"),
            ("main", json!("password=hunter2"), Kind::InvalidInput, "main"),
            ("main", json!("arn:aws:s3:::bucket"), Kind::InvalidInput, "main"),
            ("main", json!(["hunter2"]), Kind::InvalidInput, "main"),
            ("main", json!({"host": "h", "password": "hunter2"}), Kind::InvalidInput, "main.password"),
            ("main", Value::Null, Kind::InvalidInput, "main"),
            ("backup", json!({"host": "h", "dbname": "d"}), Kind::InvalidInput, "backup.user"),
            ("retention", json!(30), Kind::InvalidInput, "retention"),
            ("retention", json!({"days": 0}), Kind::InvalidInput, "retention.days"),
            ("retention", json!({}), Kind::InvalidInput, "retention"),
            ("defaults", json!({"database": "other"}), Kind::InvalidInput, "defaults.database"),
            ("defaults", json!({"compression": "lzma"}), Kind::InvalidInput, "defaults.compression"),
            ("defaults", json!({"databaseSecret": "/x"}), Kind::InvalidInput, "defaults.databaseSecret"),
            ("defaults", json!({"incremental": true}), Kind::NotAvailableYet, "defaults.incremental"),
            ("defaults", json!([]), Kind::InvalidInput, "defaults"),
            ("version", json!(-1), Kind::InvalidInput, "version"),
            ("maine", json!("/x"), Kind::InvalidInput, "maine"),
        ] {
            let mut all = json!({"main": "/shop/url"});
            all[name] = value;
            let e = body(all).unwrap_err();
            assert_eq!((e.kind(), e.field()), (kind, Some(field)), "{e}");
            assert!(!format!("{e} {e:?}").contains("hunter2"), "{e}");
        }
    }

    #[test]
    fn the_configured_database_has_its_connection_from_the_settings() {
        let of = |value: Value| RegistrationRequest::from_body(value.to_string().as_bytes(), true);
        assert!(of(json!({})).is_ok() && of(json!({"retention": {"last": 3}})).is_ok());
        assert_eq!(of(json!({"main": "/x"})).unwrap_err().field(), Some("main"));
        assert_eq!(of(json!({"backup": "/x"})).unwrap_err().field(), Some("backup"));
    }

    proptest! {
        #[test]
        fn no_body_panics(text in ".{0,80}", name in "(main|backup|retention|defaults|version)", configured: bool) {
            let _ = RegistrationRequest::from_body(text.as_bytes(), configured);
            let _ = RegistrationRequest::from_body(json!({ name: text }).to_string().as_bytes(), configured);
        }
    }
}
