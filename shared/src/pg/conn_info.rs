//! Where a database is and how to connect to it: a connection string, parsed once.
//!
//! The parameters are libpq's (PostgreSQL manual, "Parameter Key Words"), with these differences:
//!
//! * without `sslmode`, a host on a network is connected with `verify-full` and one on this machine (loopback, Unix socket) with
//!   `prefer`; libpq has `prefer` for both, which protects against nobody;
//! * without `connect_timeout`, 30 seconds for each address instead of no limit (an Aurora that is paused takes about 15 to wake);
//! * `user` and `host` must be given: what libpq takes from the operating system means nothing in a function;
//! * certificates and keys may stand inline as PEM text as well as in files; password and service files are refused.

use std::{fmt, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use crate::base::{Result, Secret};

use super::{
    conn_params, conn_syntax, conn_write,
    passwords::{Minted, Passwords},
};

/// How far the connection is encrypted and the server's certificate checked (PostgreSQL manual, "SSL Support").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslMode {
    /// No TLS.
    Disable,
    /// Without TLS, and with it if the server insists.
    Allow,
    /// With TLS if the server has it, without checking the certificate.
    Prefer,
    /// With TLS, without checking the certificate; with `sslrootcert` as `verify-ca`, as libpq has it.
    Require,
    /// With TLS and a certificate from a trusted issuer.
    VerifyCa,
    /// As `verify-ca`, and the certificate names the host.
    VerifyFull,
}

impl SslMode {
    /// As `sslmode` spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Allow => "allow",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

/// What the server must be for the session to count (PostgreSQL manual, `target_session_attrs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetSession {
    /// Any server.
    Any,
    /// One whose transactions may write.
    ReadWrite,
    /// One whose transactions cannot write.
    ReadOnly,
    /// One that is not in recovery.
    Primary,
    /// One that is in recovery.
    Standby,
    /// One in recovery if any of the hosts is, else any.
    PreferStandby,
}

/// Whether SCRAM binds the login to the TLS channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelBinding {
    /// Never.
    Disable,
    /// When the server offers it.
    Prefer,
    /// The login fails without it.
    Require,
}

/// The address of one server of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A host name, or the text of an IP address.
    Name(String),
    /// The folder of a Unix socket.
    Socket(PathBuf),
}

/// One server of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// What the certificate must name, and what is looked up unless `addr` is given.
    pub place: Place,
    /// The address to use instead of looking the name up (`hostaddr`).
    pub addr: Option<IpAddr>,
    /// The port.
    pub port: u16,
}

impl Host {
    /// Whether the server is on this machine, so that nobody can listen in between.
    pub fn is_local(&self) -> bool {
        match (&self.addr, &self.place) {
            (_, Place::Socket(_)) => true,
            (Some(addr), _) => addr.is_loopback(),
            (None, Place::Name(name)) => {
                name == "localhost" || name.parse::<IpAddr>().is_ok_and(|a| a.is_loopback())
            }
        }
    }
}

impl fmt::Display for Host {
    /// `db.example.com:5432`, `[::1]:5432`, `/run/postgresql:5432`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Name(name) if name.contains(':') => write!(f, "[{name}]:{}", self.port),
            Place::Name(name) => write!(f, "{name}:{}", self.port),
            Place::Socket(folder) => write!(f, "{}:{}", folder.display(), self.port),
        }
    }
}

/// One of a connection string's servers, by its name and the address that was found for it; no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerPlace {
    /// As [`Host`] is shown.
    pub host: String,
    /// None for sockets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
}

/// Where the issuers that are trusted come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootCert {
    /// The platform's roots and Amazon RDS's.
    Default,
    /// `sslrootcert=system`: the platform's roots only.
    System,
    /// Only those of this file or PEM text.
    Given(Pem),
}

/// Certificates or a key, as `-----BEGIN …` text or the path of a file with it.
#[derive(Clone, PartialEq, Eq)]
pub enum Pem {
    /// A file on this machine, such as one of the deployment package or a layer.
    Path(PathBuf),
    /// The text itself.
    Inline(Secret),
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Inline(_) => f.write_str("[inline PEM]"),
        }
    }
}

/// TCP keepalive, as the `keepalives*` parameters and `tcp_user_timeout` give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepAlive {
    /// Whether probes are sent (`keepalives`, default yes).
    pub on: bool,
    /// Silence before the first probe; without it 60 s, so that gateways that drop idle flows after 350 s do not.
    pub idle: Option<Duration>,
    /// Time between probes.
    pub interval: Option<Duration>,
    /// Probes before the connection counts as lost.
    pub count: Option<u32>,
    /// How long sent data may stay unacknowledged.
    pub user_timeout: Option<Duration>,
}

/// TLS as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// How far the server is checked.
    pub mode: SslMode,
    /// Whether the string said so, or the default was taken.
    pub mode_given: bool,
    /// `sslnegotiation=direct`: the handshake begins at once (PostgreSQL 17 and later).
    pub direct: bool,
    /// Whom to trust.
    pub root: RootCert,
    /// The client's certificate chain and its key.
    pub client: Option<(Pem, Pem)>,
    /// Whether the host's name is sent in the clear (`sslsni`); proxies such as Neon's need it.
    pub sni: bool,
    /// The least and the greatest version: `(true, …)` leaves TLS 1.2 out, `(…, true)` leaves 1.3 out.
    pub versions: (bool, bool),
}

/// A parsed connection string. Made once at the edge; `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnInfo {
    pub(super) hosts: Vec<Host>,
    pub(super) user: String,
    pub(super) password: Option<Secret>,
    pub(super) minted: Option<Minted>,
    pub(super) database: String,
    pub(super) application_name: String,
    pub(super) options: Option<String>,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) keepalive: KeepAlive,
    pub(super) tls: Tls,
    pub(super) channel_binding: ChannelBinding,
    pub(super) target: TargetSession,
    pub(super) shuffle: bool,
    pub(super) ignored: Vec<String>,
}

impl ConnInfo {
    /// Parses a libpq URL or key=value string.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`](crate::base::Kind::InvalidInput) naming the parameter at fault, never its value;
    /// [`Kind::Pooler`](crate::base::Kind::Pooler) for `pgbouncer=true`.
    pub fn parse(text: &str) -> Result<Self> {
        conn_params::understand(conn_syntax::split(text)?)
    }

    /// Parses what a secret holds: a URL, a key=value string, or the JSON object that RDS keeps in Secrets Manager.
    ///
    /// # Errors
    /// As [`ConnInfo::parse`].
    pub fn parse_secret(secret: &Secret) -> Result<Self> {
        Self::parse(secret.expose())
    }

    /// The database's name on the server.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The user's name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The servers, in the order given.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// How far TLS is asked for.
    pub fn ssl_mode(&self) -> SslMode {
        self.tls.mode
    }

    /// Only the server that another session was connected to; all of them when it is none of this string's (which has changed since).
    #[must_use]
    pub fn only(&self, place: &ServerPlace) -> Self {
        match self.hosts.iter().find(|h| h.to_string() == place.host) {
            Some(host) => {
                let host = Host { addr: place.address.or(host.addr), ..host.clone() };
                Self { hosts: vec![host], target: TargetSession::Any, ..self.clone() }
            }
            None => self.clone(),
        }
    }

    /// The same server, another database.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Self {
        Self { database: name.to_owned(), ..self.clone() }
    }

    /// The same with another `application_name`, as `pg_stat_activity` shows it.
    #[must_use]
    pub fn with_application_name(&self, name: &str) -> Self {
        Self { application_name: name.to_owned(), ..self.clone() }
    }

    /// The same with another password.
    #[must_use]
    pub fn with_password(&self, password: Secret) -> Self {
        Self { password: Some(password), ..self.clone() }
    }

    /// The same with a new password for each connect, such as an RDS IAM token, which lives 900 s.
    #[must_use]
    pub fn with_passwords(&self, passwords: Arc<dyn Passwords>) -> Self {
        Self { minted: Some(Minted(passwords)), ..self.clone() }
    }

    /// `user@host:port/database`, without secrets, for messages and records.
    pub fn describe(&self) -> String {
        format!("{}@{}/{}", self.user, self.describe_hosts(), self.database)
    }

    pub(super) fn describe_hosts(&self) -> String {
        self.hosts.iter().map(Host::to_string).collect::<Vec<_>>().join(",")
    }

    /// What a careful reader should know about this connection, a sentence each; a record carries them.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let mode = match self.tls.mode {
            SslMode::Disable => Some(("disable", "sends everything unencrypted")),
            SslMode::Allow => Some(("allow", "may send everything unencrypted")),
            SslMode::Prefer => Some((
                "prefer",
                "may send everything unencrypted and does not check the server's certificate",
            )),
            SslMode::Require if !self.verifies_ca() => {
                Some(("require", "does not check the server's certificate"))
            }
            _ => None,
        };
        if let Some((name, harm)) = mode
            && let Some(host) = self.hosts.iter().find(|h| !h.is_local())
        {
            warnings.push(format!("sslmode={name} to {host} {harm}; use verify-full"));
        }
        warnings.extend(
            self.ignored.iter().map(|name| format!("the connection parameter {name} has no effect here")),
        );
        warnings
    }

    /// Whether the issuer of the server's certificate is checked.
    pub(super) fn verifies_ca(&self) -> bool {
        match self.tls.mode {
            SslMode::VerifyCa | SslMode::VerifyFull => true,
            SslMode::Require => matches!(self.tls.root, RootCert::Given(_)),
            SslMode::Disable | SslMode::Allow | SslMode::Prefer => false,
        }
    }

    /// The string that [`ConnInfo::parse`] reads back to the same, as key=value; it holds the password.
    pub fn to_secret(&self) -> Secret {
        conn_write::write(self)
    }
}

impl fmt::Debug for ConnInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnInfo")
            .field("at", &self.describe())
            .field("password", &self.password)
            .field("tls", &self.tls)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

impl TryFrom<&Secret> for ConnInfo {
    type Error = crate::base::Error;
    fn try_from(secret: &Secret) -> Result<Self> {
        Self::parse_secret(secret)
    }
}

#[cfg(test)]
mod tests {
    use crate::base::Kind;

    use super::*;

    #[test]
    fn defaults() {
        let c = ConnInfo::parse("postgresql://u:p@db.example.com/shop").unwrap();
        assert_eq!(c.ssl_mode(), SslMode::VerifyFull);
        assert_eq!(c.describe(), "u@db.example.com:5432/shop");
        assert!(c.warnings().is_empty());
        assert_eq!(c.connect_timeout, Some(Duration::from_secs(30)));
        let c = ConnInfo::parse("host=h user=u").unwrap();
        assert_eq!(c.database(), "u");
        for local in ["localhost", "127.0.0.1", "[::1]", "%2Frun%2Fpostgresql"] {
            let c = ConnInfo::parse(&format!("postgresql://u@{local}/d")).unwrap();
            assert_eq!(c.ssl_mode(), SslMode::Prefer, "{local}");
            assert!(c.warnings().is_empty());
        }
        let mixed = ConnInfo::parse("postgresql://u@localhost,far/d").unwrap();
        assert_eq!(mixed.ssl_mode(), SslMode::VerifyFull);
    }

    #[test]
    fn weak_tls_over_a_network_warns() {
        for mode in ["disable", "allow", "prefer", "require"] {
            let c = ConnInfo::parse(&format!("postgresql://u@h/d?sslmode={mode}")).unwrap();
            assert_eq!(c.warnings().len(), 1, "{mode}");
            assert!(c.warnings()[0].contains("h:5432") && c.warnings()[0].contains(mode));
            let c = ConnInfo::parse(&format!("postgresql://u@localhost/d?sslmode={mode}")).unwrap();
            assert!(c.warnings().is_empty());
        }
        let c = ConnInfo::parse("postgresql://u@h/d?sslmode=require&sslrootcert=/a.pem").unwrap();
        assert!(c.verifies_ca() && c.warnings().is_empty());
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = "-----BEGIN PRIVATE KEY-----x";
        let c = ConnInfo::parse(&format!("host=h user=u password=hunter2 sslcert='{key}' sslkey='{key}'"))
            .unwrap();
        let shown = format!("{c:?} {} {:?}", c.describe(), c.to_secret());
        assert!(!shown.contains("hunter2") && !shown.contains("BEGIN"), "{shown}");
    }

    #[test]
    fn copies_change_one_thing() {
        let c = ConnInfo::parse("postgresql://u:p@h1:1,[::1]:2/d").unwrap();
        assert_eq!(c.with_database("x").describe(), "u@h1:1,[::1]:2/x");
        assert_eq!(c.with_application_name("a").application_name, "a");
        assert_eq!(c.with_password(Secret::new("q")).password, Some(Secret::new("q")));
        assert_eq!(Kind::InvalidInput, ConnInfo::parse("host=h").unwrap_err().kind());
    }
}
