//! One error for the whole of pgbaton: a [`Kind`] that says what to do about it, a sentence that says what happened,
//! and a chain of verbs that says what was being done.
//!
//! An error is made where the fault is seen (`Error::new`), gains a context at each boundary on its way up
//! (`ResultExt::context`, in the form "reading table public.orders"), and is logged once, where it is handled.
//! No message may hold a secret: connection strings are never put into one.

use std::{borrow::Cow, fmt};

/// Shorthand for a result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync + 'static>;

/// What kind of fault an [`Error`] is. The kind decides whether a retry helps, the HTTP status of an answer, and the advice shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An environment variable or parameter of the deployment is missing or wrong.
    Config,
    /// The request, event or id handed in is malformed.
    InvalidInput,
    /// The caller is not known or not allowed.
    Unauthorized,
    /// The record, object, bucket, secret or database named does not exist.
    NotFound,
    /// The thing asked for collides with what stands there: a target that is not empty, a record that is final.
    Conflict,
    /// Another run holds the lease.
    Busy,
    /// A newer run took over: this writer must stop and write nothing more.
    Fenced,
    /// A server cannot be reached or does not answer.
    Unreachable,
    /// The server refused the user name, password or certificate.
    Authentication,
    /// TLS could not be set up as asked for.
    Tls,
    /// A pooler in transaction mode stands before the server.
    Pooler,
    /// The database or storage role lacks a privilege.
    Permission,
    /// Row-level security would leave rows out.
    RowSecurity,
    /// The server answered a statement with an error that has no kind of its own here.
    Database,
    /// The connection to the server was lost in the middle of work.
    ServerLost,
    /// A table or the snapshot changed or vanished while it was being read.
    SnapshotBroken,
    /// S3, DynamoDB or another AWS service failed.
    Aws,
    /// Stored bytes are not what was written: truncated, tampered or not an archive.
    Corrupt,
    /// The archive, server or codec is of a version that this build cannot handle.
    Unsupported,
    /// The time or memory left does not suffice.
    Budget,
    /// The run became more of a burden to the server that it reads than it may be.
    SourceLimit,
    /// Planned, documented, not there yet.
    NotAvailableYet,
    /// A fault of pgbaton itself.
    Internal,
}

const ALL: &[Kind] = &[
    Kind::Config,
    Kind::InvalidInput,
    Kind::Unauthorized,
    Kind::NotFound,
    Kind::Conflict,
    Kind::Busy,
    Kind::Fenced,
    Kind::Unreachable,
    Kind::Authentication,
    Kind::Tls,
    Kind::Pooler,
    Kind::Permission,
    Kind::RowSecurity,
    Kind::Database,
    Kind::ServerLost,
    Kind::SnapshotBroken,
    Kind::Aws,
    Kind::Corrupt,
    Kind::Unsupported,
    Kind::Budget,
    Kind::SourceLimit,
    Kind::NotAvailableYet,
    Kind::Internal,
];

/// Faults that pass: of the network, of a server that is restarted, of a table that was locked or changed at the wrong moment.
const RETRYABLE: &[Kind] =
    &[Kind::Unreachable, Kind::ServerLost, Kind::Aws, Kind::Busy, Kind::SnapshotBroken];

impl Kind {
    /// Stable machine-readable name, as in records and problem documents.
    pub fn code(self) -> &'static str {
        match self {
            Kind::Config => "config",
            Kind::InvalidInput => "invalid_input",
            Kind::Unauthorized => "unauthorized",
            Kind::NotFound => "not_found",
            Kind::Conflict => "conflict",
            Kind::Busy => "busy",
            Kind::Fenced => "fenced",
            Kind::Unreachable => "unreachable",
            Kind::Authentication => "authentication",
            Kind::Tls => "tls",
            Kind::Pooler => "pooler",
            Kind::Permission => "permission",
            Kind::RowSecurity => "row_security",
            Kind::Database => "database",
            Kind::ServerLost => "server_lost",
            Kind::SnapshotBroken => "snapshot_broken",
            Kind::Aws => "aws",
            Kind::Corrupt => "corrupt",
            Kind::Unsupported => "unsupported",
            Kind::Budget => "budget",
            Kind::SourceLimit => "source_limit",
            Kind::NotAvailableYet => "not_available_yet",
            Kind::Internal => "internal",
        }
    }

    /// The kind with this code.
    pub fn parse(code: &str) -> Option<Self> {
        ALL.iter().copied().find(|kind| kind.code() == code)
    }

    /// Whether the same work may succeed when it is simply tried again.
    pub fn retryable(self) -> bool {
        RETRYABLE.contains(&self)
    }

    /// [`Kind::retryable`] of the kind with this code, as a record holds it.
    pub fn retryable_code(code: &str) -> bool {
        Self::parse(code).is_some_and(Self::retryable)
    }

    /// What a person can do about it; empty where the message says all.
    pub fn advice(self) -> &'static str {
        match self {
            Kind::Unreachable => "check host, port, security groups and the function's VPC settings",
            Kind::Authentication => "check the user and password in the secret",
            Kind::Tls => {
                "check sslmode and sslrootcert of the connection string, and the server's certificate"
            }
            Kind::Pooler => "use the host that reaches PostgreSQL directly, or a pooler in session mode",
            Kind::RowSecurity => "back up as the table's owner, a superuser or a role with BYPASSRLS",
            Kind::Corrupt => "use another backup; this one must not be trusted",
            _ => "",
        }
    }
}

/// An error with its kind, its message, the chain of what was being done, and where it came from.
pub struct Error {
    kind: Kind,
    message: Cow<'static, str>,
    /// Innermost first.
    context: Vec<Cow<'static, str>>,
    field: Option<Cow<'static, str>>,
    source: Option<Source>,
}

impl Error {
    /// A new error: `message` is one sentence that names the object at fault, without a full stop.
    pub fn new(kind: Kind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into(), context: Vec::new(), field: None, source: None }
    }

    /// As [`Error::new`], keeping the error it came from (its text is not part of the message).
    pub fn with_source(kind: Kind, message: impl Into<Cow<'static, str>>, source: impl Into<Source>) -> Self {
        Self { kind, message: message.into(), context: Vec::new(), field: None, source: Some(source.into()) }
    }

    /// Adds what was being done, in the form "reading table public.orders".
    #[must_use]
    pub fn context(mut self, doing: impl Into<Cow<'static, str>>) -> Self {
        self.context.push(doing.into());
        self
    }

    /// Adds to the message what else a person must know, such as what is left behind.
    #[must_use]
    pub fn note(mut self, what: &str) -> Self {
        self.message = format!("{}; {what}", self.message).into();
        self
    }

    /// Names the field of a request that is at fault, as the caller spelt it.
    #[must_use]
    pub fn at_field(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The field of a request that is at fault, where one is.
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// The kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The message without its context.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    /// Outermost context first: `backing up database shop: reading table public.orders: permission denied for table orders`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for doing in self.context.iter().rev() {
            write!(f, "{doing}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} [{}]", self.kind.code())?;
        let mut source = self.source.as_deref().map(|s| s as &dyn std::error::Error);
        while let Some(cause) = source {
            write!(f, "; caused by: {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|s| s as &(dyn std::error::Error + 'static))
    }
}

/// Adds context to the error of a [`Result`].
pub trait ResultExt<T> {
    /// See [`Error::context`].
    fn context(self, doing: impl Into<Cow<'static, str>>) -> Result<T>;
    /// As `context`, with the text made only when there is an error.
    fn with_context<S: Into<Cow<'static, str>>>(self, doing: impl FnOnce() -> S) -> Result<T>;
}

impl<T> ResultExt<T> for Result<T> {
    fn context(self, doing: impl Into<Cow<'static, str>>) -> Result<T> {
        self.map_err(|e| e.context(doing))
    }

    fn with_context<S: Into<Cow<'static, str>>>(self, doing: impl FnOnce() -> S) -> Result<T> {
        self.map_err(|e| e.context(doing()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_can_be_told_from_a_record() {
        assert!(Kind::Unreachable.retryable() && Kind::retryable_code("server_lost"));
        assert!(
            !Kind::Permission.retryable() && !Kind::retryable_code("permission") && !Kind::retryable_code("")
        );
    }

    #[test]
    fn display_reads_as_a_chain_of_verbs() {
        let e = Error::new(Kind::Permission, "permission denied for table orders")
            .context("reading table public.orders")
            .context("backing up database shop");
        assert_eq!(
            e.to_string(),
            "backing up database shop: reading table public.orders: permission denied for table orders"
        );
        assert_eq!(e.kind(), Kind::Permission);
    }
}
