//! Connecting: hosts in turn, TLS as asked for, what the server must be, and the session that comes of it.

use std::{
    net::{IpAddr, SocketAddr},
    ops::Deref,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::StreamExt as _;
use tokio::{task::JoinHandle, time};
use tokio_postgres::{
    AsyncMessage, CancelToken, Client, Config, SimpleQueryMessage, error::SqlState, tls::MakeTlsConnect,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::base::{Error, Kind, Result};

use super::{
    conn_info::{ChannelBinding, ConnInfo, Host, Place, ServerPlace, SslMode, TargetSession},
    dial::{Socket, dial},
    failure::{self, connect_error},
    tls,
    tls_layer::Layered,
    version::ServerVersion,
    wire::{Copied, Wire},
};

/// The oldest major version that is served.
pub const OLDEST_SERVER: u32 = 13;

/// What makes TLS of a socket.
type TlsClient = <MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect;

/// How a session is protected on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protection {
    /// What was asked for.
    pub mode: SslMode,
    /// Whether TLS is used.
    pub encrypted: bool,
    /// Whether the server's certificate was found to come from a trusted issuer.
    pub certificate_verified: bool,
    /// Whether it was found to name the host, too.
    pub host_verified: bool,
}

/// An open session. Dereferences to the client; closes when dropped, in the middle of a statement too.
pub struct Session {
    client: Client,
    version: ServerVersion,
    info: ConnInfo,
    host: Host,
    address: Option<IpAddr>,
    tls: MakeRustlsConnect,
    encrypted: bool,
    copied: Copied,
    task: AbortOnDrop,
    /// The last error that the server sent without being asked, such as that it shuts down.
    farewell: Arc<OnceLock<String>>,
}

impl Session {
    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The server's version.
    pub fn version(&self) -> ServerVersion {
        self.version
    }

    /// What this session was connected with.
    pub fn info(&self) -> &ConnInfo {
        &self.info
    }

    /// The one of the hosts that was taken.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Whether TLS is used, and what of the server was verified.
    pub fn protection(&self) -> Protection {
        let encrypted = self.encrypted;
        Protection {
            mode: self.info.tls.mode,
            encrypted,
            certificate_verified: encrypted && self.info.verifies_ca(),
            host_verified: encrypted && self.info.tls.mode == SslMode::VerifyFull,
        }
    }

    /// The same connection string with only the host and the address that were taken, so that further sessions reach the same server
    /// even where a name stands for several: a snapshot exists on one server only.
    pub fn same_server(&self) -> ConnInfo {
        let host = Host { addr: self.address, ..self.host.clone() };
        ConnInfo { hosts: vec![host], target: TargetSession::Any, ..self.info.clone() }
    }

    /// Which of the connection string's servers this is, for [`ConnInfo::only`] in another process.
    pub fn place(&self) -> ServerPlace {
        ServerPlace { host: self.host.to_string(), address: self.address }
    }

    /// Asks the server to break off the statement that runs in this session. Whether it did shows in that statement's outcome.
    ///
    /// # Errors
    /// [`Kind::Unreachable`] when the server cannot be asked.
    pub async fn cancel(&self) -> Result<()> {
        let token: CancelToken = self.client.cancel_token();
        let at = self.host.to_string();
        let limit = self.info.connect_timeout.unwrap_or(Duration::from_secs(60));
        let cancel = async {
            let socket = dial(&self.host, self.address, &self.info.keepalive)
                .await
                .map_err(|e| failure::unreachable(&e, &at))?;
            let tls = named(&self.tls, &self.host);
            let told = token.cancel_query_raw(socket, tls).await;
            told.map_err(|e| connect_error(&e, &at, &self.info.user, &self.info.database))
        };
        time::timeout(limit, cancel).await.unwrap_or_else(|_| Err(no_answer(&at, limit)))
    }

    /// Rows of the session's COPY, as the server counted them.
    pub(super) fn copied(&self) -> &Copied {
        &self.copied
    }

    /// [`failure::error`], with the server's last words when the connection was lost.
    pub fn error(&self, e: tokio_postgres::Error) -> Error {
        self.explain(failure::error(e))
    }

    /// Adds the server's last words and its address to an error that says the connection was lost.
    pub fn explain(&self, e: Error) -> Error {
        if e.kind() != Kind::ServerLost {
            return e;
        }
        let why = self.farewell.get().map_or("", |w| w.strip_prefix(failure::LOST).unwrap_or(w));
        let why = why.trim_start_matches(": ");
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        Error::new(Kind::ServerLost, format!("the connection to {} was lost{why}", self.host))
    }

    /// Takes leave of the server and waits until the connection is closed, a second at most.
    pub async fn close(self) {
        let Self { client, mut task, .. } = self;
        drop(client);
        let _ = time::timeout(Duration::from_secs(1), &mut task.0).await;
    }
}

impl Deref for Session {
    type Target = Client;
    fn deref(&self) -> &Client {
        &self.client
    }
}

/// Closes the socket with the session, also when a statement is still running.
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({}@{}/{}, {})", self.info.user, self.host, self.info.database, self.version)
    }
}

/// Connects to the first host that answers and is what `target_session_attrs` asks for.
///
/// As libpq: a host that cannot be reached or is not what is wanted makes way for the next; a refused login or certificate ends the search.
///
/// # Errors
/// [`Kind::Unreachable`], [`Kind::Authentication`], [`Kind::Tls`], [`Kind::NotFound`] (the database), [`Kind::Unsupported`] (a server
/// older than 13), each naming the host; with several hosts, what became of each.
pub async fn connect(info: &ConnInfo) -> Result<Session> {
    let tls = tls::connector(info)?;
    let mut hosts = info.hosts.clone();
    if info.shuffle {
        shuffle(&mut hosts);
    }
    let passes: &[TargetSession] = match info.target {
        TargetSession::PreferStandby => &[TargetSession::Standby, TargetSession::Any],
        ref other => std::slice::from_ref(other),
    };
    let mut failures: Vec<Error> = Vec::new();
    for target in passes {
        failures.clear();
        for host in &hosts {
            match connect_host(info, host, *target, &tls).await {
                Ok(session) => return Ok(session),
                Err(e) if e.kind() == Kind::Unreachable => failures.push(e),
                Err(e) => return Err(e),
            }
        }
    }
    let only = failures.len() == 1;
    match failures.pop() {
        Some(e) if only => Err(e),
        Some(last) => {
            failures.push(last);
            let all: Vec<String> = failures.iter().map(Error::to_string).collect();
            Err(Error::new(Kind::Unreachable, all.join("; ")))
        }
        None => Err(Error::new(Kind::Internal, "a connection string without hosts")),
    }
}

/// Random enough to spread load: Fisher–Yates with the system's randomness; without any the order stays.
fn shuffle<T>(items: &mut [T]) {
    for i in (1..items.len()).rev() {
        let mut byte = [0u8; 8];
        if getrandom::fill(&mut byte).is_ok() {
            items.swap(i, (u64::from_le_bytes(byte) % (i as u64 + 1)) as usize);
        }
    }
}

fn no_answer(at: &str, limit: Duration) -> Error {
    Error::new(Kind::Unreachable, format!("cannot reach {at}: no answer within {} s", limit.as_secs()))
}

async fn connect_host(
    info: &ConnInfo,
    host: &Host,
    target: TargetSession,
    tls: &MakeRustlsConnect,
) -> Result<Session> {
    let at = host.to_string();
    let minted;
    let info = match &info.minted {
        Some(passwords) => {
            minted = info.with_password(passwords.0.password(host).await?);
            &minted
        }
        None => info,
    };
    let mut addresses = addresses(info, host).await?;
    if info.shuffle {
        shuffle(&mut addresses);
    }
    let mut failure = None;
    for address in addresses {
        let mut last = None;
        for mode in attempts(info.tls.mode, host) {
            let config = config(info, mode);
            let limit = info.connect_timeout.unwrap_or(Duration::MAX);
            match time::timeout(limit, open(info, host, address, &config, tls)).await {
                Ok(Ok(session)) => return check(session, target).await,
                Ok(Err(e)) => last = Some(e),
                Err(_) => last = Some((no_answer(&at, limit), false)),
            }
            // libpq tries the other way only where the server answered and did not want this one.
            if !last.as_ref().is_some_and(|(_, other_way)| *other_way) {
                break;
            }
        }
        match last {
            Some((e, _)) if e.kind() == Kind::Unreachable => failure = Some(e),
            Some((e, _)) => return Err(e),
            None => {}
        }
    }
    Err(failure.unwrap_or_else(|| {
        Error::new(Kind::Unreachable, format!("cannot reach {at}: its name has no address"))
    }))
}

/// With TLS and without, in the order of the sslmode.
fn attempts(mode: SslMode, host: &Host) -> Vec<tokio_postgres::config::SslMode> {
    use tokio_postgres::config::SslMode as Wire;
    match mode {
        _ if matches!(host.place, Place::Socket(_)) => vec![Wire::Disable],
        SslMode::Disable => vec![Wire::Disable],
        SslMode::Allow => vec![Wire::Disable, Wire::Require],
        SslMode::Prefer => vec![Wire::Prefer, Wire::Disable],
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => vec![Wire::Require],
    }
}

/// `None` stands for a Unix socket.
async fn addresses(info: &ConnInfo, host: &Host) -> Result<Vec<Option<IpAddr>>> {
    let name = match (&host.place, host.addr) {
        (Place::Socket(_), _) => return Ok(vec![None]),
        (_, Some(addr)) => return Ok(vec![Some(addr)]),
        (Place::Name(name), None) => name.as_str(),
    };
    let limit = info.connect_timeout.unwrap_or(Duration::MAX);
    match time::timeout(limit, tokio::net::lookup_host((name, host.port))).await {
        Ok(Ok(found)) => Ok(found.map(|a: SocketAddr| Some(a.ip())).collect()),
        Ok(Err(e)) => {
            tracing::debug!(host = name, error = %e, "name lookup failed");
            Err(Error::new(
                Kind::Unreachable,
                format!("cannot reach {host}: the name \"{name}\" cannot be resolved"),
            ))
        }
        Err(_) => Err(no_answer(&host.to_string(), limit)),
    }
}

/// What is asked of the server over the socket.
fn config(info: &ConnInfo, mode: tokio_postgres::config::SslMode) -> Config {
    use tokio_postgres::config;
    let mut c = Config::new();
    c.user(&info.user).dbname(&info.database).application_name(&info.application_name);
    if let Some(password) = &info.password {
        c.password(password.expose());
    }
    if let Some(options) = &info.options {
        c.options(options);
    }
    c.ssl_mode(mode);
    if info.tls.direct && mode == config::SslMode::Require {
        c.ssl_negotiation(config::SslNegotiation::Direct);
    }
    c.channel_binding(match info.channel_binding {
        ChannelBinding::Disable => config::ChannelBinding::Disable,
        ChannelBinding::Prefer => config::ChannelBinding::Prefer,
        ChannelBinding::Require => config::ChannelBinding::Require,
    });
    c
}

/// One attempt. The error says whether the same server may want it the other way, with or without TLS.
async fn open(
    info: &ConnInfo,
    host: &Host,
    address: Option<IpAddr>,
    config: &Config,
    tls: &MakeRustlsConnect,
) -> std::result::Result<Session, (Error, bool)> {
    let at = host.to_string();
    let socket =
        dial(host, address, &info.keepalive).await.map_err(|e| (failure::unreachable(&e, &at), false))?;
    let copied = Copied::default();
    let encrypted = Arc::new(AtomicBool::new(false));
    let layered =
        Layered { tls: named(tls, host), copied: copied.clone(), encrypted: Arc::clone(&encrypted) };
    let wire = Wire::socket(socket, copied.clone());
    let (client, mut connection) = config.connect_raw(wire, layered).await.map_err(|e| {
        let error = connect_error(&e, &at, &info.user, &info.database);
        let unwanted =
            e.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION) || error.kind() == Kind::Tls;
        (error, unwanted)
    })?;
    let farewell = Arc::new(OnceLock::new());
    let last_words = Arc::clone(&farewell);
    let task = tokio::spawn(async move {
        let mut messages = futures_util::stream::poll_fn(move |cx| connection.poll_message(cx));
        while let Some(message) = messages.next().await {
            match message {
                Ok(AsyncMessage::Notice(n)) => {
                    tracing::debug!(severity = n.severity(), code = n.code().code(), "{}", n.message());
                }
                Ok(_) => {}
                Err(e) => {
                    let words = failure::error(e);
                    tracing::debug!(error = %words, "the connection ended");
                    let _ = last_words.set(words.message().to_owned());
                    break;
                }
            }
        }
    });
    let mut session = Session {
        client,
        version: ServerVersion::from_num(0),
        info: info.clone(),
        host: host.clone(),
        address,
        tls: tls.clone(),
        encrypted: encrypted.load(Relaxed),
        copied,
        task: AbortOnDrop(task),
        farewell,
    };
    // By the simple protocol: a pooler in transaction mode may lose a prepared statement before it is refused properly.
    let number = single_value(&session, "SHOW server_version_num").await.map_err(|e| (e, false))?;
    session.version = ServerVersion::from_num(number.parse().unwrap_or(0));
    if session.version.major() < OLDEST_SERVER {
        let message = format!(
            "{at} runs PostgreSQL {}; the oldest version that is supported is {OLDEST_SERVER}",
            session.version
        );
        return Err((Error::new(Kind::Unsupported, message), false));
    }
    Ok(session)
}

/// The TLS client for one host, whose name the certificate is held against.
fn named(tls: &MakeRustlsConnect, host: &Host) -> TlsClient {
    let name = match &host.place {
        Place::Name(name) => name.as_str(),
        Place::Socket(_) => "",
    };
    let Ok(client) = MakeTlsConnect::<Socket>::make_tls_connect(&mut tls.clone(), name);
    client
}

/// The first column of the first row, by the simple query protocol; NULL and no row are empty.
pub(super) async fn single_value(session: &Session, sql: &str) -> Result<String> {
    let messages = session.simple_query(sql).await.map_err(|e| session.error(e))?;
    let row = messages.iter().find_map(|m| match m {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    Ok(row.unwrap_or_default().to_owned())
}

/// Gives the session back if the server is what is wanted, else [`Kind::Unreachable`] so that the next host is tried.
async fn check(session: Session, target: TargetSession) -> Result<Session> {
    let (question, wanted, wish) = match target {
        TargetSession::Any | TargetSession::PreferStandby => return Ok(session),
        TargetSession::ReadWrite => ("SHOW transaction_read_only", "off", "it does not allow writes"),
        TargetSession::ReadOnly => ("SHOW transaction_read_only", "on", "it allows writes"),
        TargetSession::Primary => ("SELECT pg_catalog.pg_is_in_recovery()", "f", "it is a standby"),
        TargetSession::Standby => ("SELECT pg_catalog.pg_is_in_recovery()", "t", "it is no standby"),
    };
    if single_value(&session, question).await? == wanted {
        Ok(session)
    } else {
        let message = format!("{} is not what target_session_attrs asks for: {wish}", session.host);
        Err(Error::new(Kind::Unreachable, message))
    }
}
