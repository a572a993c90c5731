//! What tokio-postgres reports, as this crate's errors: a kind, and a sentence that holds no row's values.
//!
//! The codes are of PostgreSQL's manual, appendix "PostgreSQL Error Codes". Decisions rest on the code, or on the name of the server's
//! routine where a code is shared, because messages are translated by `lc_messages`.

use std::{error::Error as StdError, io};

use tokio_postgres::error::{DbError, SqlState};

use crate::base::{Error, Kind};

/// How a lost connection is told when the server said nothing.
pub(super) const LOST: &str = "the connection to the server was lost";

/// An error of a statement.
///
/// DETAIL, HINT and CONTEXT may quote rows, so they are left out except for class 42 (syntax and access rules) and the codes 2BP01 and
/// 2B000 (dependent objects), which name objects; of a COPY's CONTEXT the line and column are kept.
pub fn error(e: tokio_postgres::Error) -> Error {
    let kind = match e.as_db_error() {
        Some(db) => database_kind(db),
        None if e.is_closed() || is_io(&e) => Kind::ServerLost,
        None => Kind::Internal,
    };
    let message = match e.as_db_error() {
        Some(db) => database_message(db),
        None if kind == Kind::ServerLost => match io_cause(&e) {
            Some(cause) => format!("{LOST}: {}", cause.kind()),
            None => LOST.to_owned(),
        },
        None => with_causes(&e),
    };
    Error::with_source(kind, message, Plain(kind))
}

/// As [`error`], for a read under a snapshot: an object that is missing was dropped after the snapshot was taken, which is
/// [`Kind::SnapshotBroken`].
pub fn read_error(e: tokio_postgres::Error) -> Error {
    // By XX000 `could not open relation with OID` the server tells of a table dropped between planning and opening.
    let gone = e.as_db_error().filter(|db| {
        let code = db.code();
        [
            SqlState::UNDEFINED_TABLE,
            SqlState::UNDEFINED_COLUMN,
            SqlState::UNDEFINED_OBJECT,
            SqlState::INVALID_SCHEMA_NAME,
        ]
        .contains(code)
            || (*code == SqlState::INTERNAL_ERROR
                && db.routine().is_some_and(|r| r.starts_with("relation_open")))
    });
    match gone {
        Some(db) => Error::new(
            Kind::SnapshotBroken,
            format!("{}: it was dropped or changed after the snapshot was taken", db.message()),
        ),
        None => error(e),
    }
}

/// Stands in as the source: the original would print DETAIL with its rows.
#[derive(Debug)]
struct Plain(Kind);

impl std::fmt::Display for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PostgreSQL connection ({})", self.0.code())
    }
}

impl StdError for Plain {}

fn database_kind(db: &DbError) -> Kind {
    let code = db.code();
    match code.code() {
        // rls.c, check_enable_rls: `query would be affected by row-level security policy for table "…"`.
        "42501"
            if db.routine() == Some("check_enable_rls") || db.message().contains("row-level security") =>
        {
            Kind::RowSecurity
        }
        "42501" => Kind::Permission,
        "57P01" | "57P02" | "57P05" => Kind::ServerLost,
        "57P03" | "53300" => Kind::Unreachable,
        "28000" | "28P01" => Kind::Authentication,
        "3D000" => Kind::NotFound,
        // PgBouncer's own refusals.
        "08P01" if db.message().starts_with("unsupported startup parameter") => Kind::Pooler,
        "08P01" if db.message().contains("statement pooling mode") => Kind::Pooler,
        c if c.starts_with("08") => Kind::ServerLost,
        _ => Kind::Database,
    }
}

fn database_message(db: &DbError) -> String {
    let code = db.code().code();
    let mut message = format!("{} (SQLSTATE {code})", one_line(db.message()));
    if code.starts_with("42") || code == "2BP01" || code == "2B000" {
        for extra in [db.detail(), db.hint()].into_iter().flatten() {
            message.push_str("; ");
            message.push_str(&one_line(extra));
        }
    }
    // `COPY orders, line 3, column price: "abc"`: the value stays out.
    if let Some(place) = db.where_().and_then(|w| w.lines().find(|l| l.starts_with("COPY "))) {
        let place = place.find(": \"").map_or(place, |end| &place[..end]);
        message.push_str(&format!("; at {place}"));
    }
    message
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every cause that can be told from outside, innermost last; `io::Error` hides the error it wraps from `source`.
fn causes<'a>(e: &'a (dyn StdError + 'static)) -> Vec<&'a (dyn StdError + 'static)> {
    let mut all = vec![e];
    let mut last: &'a (dyn StdError + 'static) = e;
    loop {
        let wrapped = last
            .downcast_ref::<io::Error>()
            .and_then(|io| io.get_ref())
            .map(|inner| inner as &'a (dyn StdError + 'static));
        match wrapped.or_else(|| last.source()) {
            Some(next) => {
                all.push(next);
                last = next;
            }
            None => return all,
        }
    }
}

fn io_cause(e: &tokio_postgres::Error) -> Option<&io::Error> {
    causes(e).into_iter().find_map(|c| c.downcast_ref::<io::Error>())
}

fn is_io(e: &tokio_postgres::Error) -> bool {
    io_cause(e).is_some()
}

fn with_causes(e: &tokio_postgres::Error) -> String {
    causes(e).iter().map(|c| c.to_string()).collect::<Vec<_>>().join(": ")
}

/// An error of an attempt to connect to `at` (`host:port`), for `user` and `database`.
pub(super) fn connect_error(e: &tokio_postgres::Error, at: &str, user: &str, database: &str) -> Error {
    if let Some(db) = e.as_db_error() {
        return refused_login(db, at, user, database);
    }
    let causes = causes(e);
    if let Some(tls) = causes.iter().find_map(|c| c.downcast_ref::<rustls::Error>()) {
        return Error::new(Kind::Tls, format!("TLS with {at} failed: {}", tls_sentence(tls)));
    }
    let text = with_causes(e);
    if text.contains("server does not support TLS") {
        return Error::new(Kind::Tls, format!("{at} does not offer TLS, which sslmode demands"));
    }
    if text.contains("channel binding") {
        return Error::new(
            Kind::Authentication,
            format!("{at} does not offer channel binding, which channel_binding=require demands"),
        );
    }
    if text.contains("password missing") {
        return Error::new(
            Kind::Authentication,
            format!("{at} asks for a password of user \"{user}\", and none is given"),
        );
    }
    if text.starts_with("authentication error") {
        return Error::new(
            Kind::Authentication,
            format!("logging in to {at} as user \"{user}\" failed: {text}"),
        );
    }
    if text.starts_with("error performing TLS handshake") {
        return Error::new(Kind::Tls, format!("TLS with {at} failed: {text}"));
    }
    let why = match io_cause(e) {
        Some(io) => io_sentence(io),
        None if e.is_closed() => "the server closed the connection at once".to_owned(),
        None => text,
    };
    Error::new(Kind::Unreachable, format!("cannot reach {at}: {why}"))
}

/// A socket that could not be opened to `at`.
pub(super) fn unreachable(e: &io::Error, at: &str) -> Error {
    Error::new(Kind::Unreachable, format!("cannot reach {at}: {}", io_sentence(e)))
}

pub(super) fn io_sentence(e: &io::Error) -> String {
    match e.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".into(),
        io::ErrorKind::TimedOut => "no answer in time".into(),
        io::ErrorKind::NotFound => "there is no such socket".into(),
        io::ErrorKind::UnexpectedEof => "the server closed the connection at once".into(),
        kind => kind.to_string(),
    }
}

fn refused_login(db: &DbError, at: &str, user: &str, database: &str) -> Error {
    let said = one_line(db.message());
    let missing = || Error::new(Kind::NotFound, format!("database \"{database}\" does not exist on {at}"));
    match db.code().code() {
        "3D000" => missing(),
        "08P01" if said.starts_with("no such database") => missing(),
        "28P01" => Error::new(Kind::Authentication, format!("{at} refused the password of user \"{user}\"")),
        "28000" => Error::new(Kind::Authentication, format!("{at} refused user \"{user}\": {said}")),
        "08P01" if said.starts_with("no such user") => {
            Error::new(Kind::Authentication, format!("{at} refused user \"{user}\": {said}"))
        }
        "53300" => Error::new(Kind::Unreachable, format!("{at} has no connection to spare: {said}")),
        "57P03" => Error::new(Kind::Unreachable, format!("{at} is not ready: {said}")),
        "42501" => Error::new(Kind::Permission, format!("{at} refused user \"{user}\": {said}")),
        _ => {
            let kind = match database_kind(db) {
                Kind::ServerLost => Kind::Unreachable,
                other => other,
            };
            Error::new(kind, format!("{at} refused the connection: {}", database_message(db)))
        }
    }
}

/// rustls writes names as `DnsName("db.example.com")` and `IpAddress(10.0.0.1)`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').map_or(name, |(_, rest)| rest.trim_end_matches(')'));
    inner.trim_matches('"')
}

/// A TLS failure as a sentence that says what to look at.
pub(super) fn tls_sentence(e: &rustls::Error) -> String {
    use rustls::{AlertDescription as Alert, CertificateError as Cert, Error as Tls};
    match e {
        Tls::InvalidCertificate(Cert::UnknownIssuer) => {
            "the issuer of the server's certificate is not trusted (sslrootcert names the certificate to trust)".into()
        }
        Tls::InvalidCertificate(Cert::NotValidForName) => "the server's certificate is for another name".into(),
        Tls::InvalidCertificate(Cert::NotValidForNameContext { expected, presented }) => {
            let names = if presented.is_empty() {
                "no name in its subjectAltName".to_owned()
            } else {
                presented.iter().map(|name| bare(name)).collect::<Vec<_>>().join(", ")
            };
            format!("the server's certificate is for another name: it has {names}, not {}", expected.to_str())
        }
        Tls::InvalidCertificate(Cert::Expired | Cert::ExpiredContext { .. }) => "the server's certificate has expired".into(),
        Tls::InvalidCertificate(Cert::NotValidYet | Cert::NotValidYetContext { .. }) => {
            "the server's certificate is not valid yet".into()
        }
        Tls::InvalidCertificate(Cert::Other(why)) if format!("{why:?}").contains("CaUsedAsEndEntity") => {
            "the server shows the certificate of an authority; it must be the one in sslrootcert itself".into()
        }
        Tls::InvalidCertificate(Cert::Other(why)) if format!("{why:?}").contains("UnsupportedCertVersion") => {
            "the server's certificate is of X.509 version 1; it must be of version 3 and name the host in subjectAltName".into()
        }
        Tls::InvalidCertificate(other) => format!("the server's certificate is not acceptable: {other:?}"),
        Tls::AlertReceived(Alert::CertificateRequired | Alert::HandshakeFailure) => {
            "the server demands a client certificate (sslcert and sslkey)".into()
        }
        Tls::AlertReceived(Alert::UnknownCA | Alert::BadCertificate | Alert::CertificateUnknown | Alert::DecryptError) => {
            "the server does not accept the client certificate in sslcert".into()
        }
        Tls::AlertReceived(alert) => format!("the server broke off with the alert {alert:?}"),
        other => other.to_string(),
    }
}
