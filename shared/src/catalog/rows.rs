//! Asking the catalogs: rows with typed columns, and errors that say what was being read.

use tokio_postgres::{
    Client, Row,
    error::SqlState,
    types::{FromSql, ToSql},
};

use super::draft::Context;
use crate::base::{Error, Kind, Result};

/// All rows of a query; `what` names the objects in an error: "types", "functions".
///
/// # Errors
/// [`Kind::Permission`], [`Kind::ServerLost`] or [`Kind::Database`], with the server's message.
pub(crate) async fn rows(
    client: &Client,
    what: &str,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>> {
    client
        .query(sql, parameters)
        .await
        .map_err(|e| failed(e).context(format!("reading {what} from the catalogs")))
}

impl Context<'_> {
    /// As [`rows`], on the context's session.
    pub(crate) async fn rows(
        &self,
        what: &str,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        rows(self.client, what, sql, parameters).await
    }
}

/// What a failed query comes to, with the server's message.
pub(crate) fn failed(error: tokio_postgres::Error) -> Error {
    let (kind, message) = match error.as_db_error() {
        Some(db) if *db.code() == SqlState::INSUFFICIENT_PRIVILEGE => {
            (Kind::Permission, db.message().to_owned())
        }
        Some(db) => (Kind::Database, format!("{} (SQLSTATE {})", db.message(), db.code().code())),
        None if error.is_closed() => (Kind::ServerLost, "the connection was closed".to_owned()),
        None => (Kind::ServerLost, error.to_string()),
    };
    Error::with_source(kind, message, error)
}

/// One column of a row.
///
/// # Errors
/// [`Kind::Internal`] when the column is absent, NULL where `T` has no room for it, or of another type: the query and its reader disagree.
pub(crate) fn field<'r, T: FromSql<'r>>(row: &'r Row, column: &str) -> Result<T> {
    row.try_get(column).map_err(|e| {
        Error::with_source(Kind::Internal, format!("catalog query: column {column} is not as expected"), e)
    })
}

/// A column of type `"char"`; NUL where it is empty.
///
/// # Errors
/// As [`field`].
pub(crate) fn letter(row: &Row, column: &str) -> Result<char> {
    Ok(char::from(field::<i8>(row, column)?.cast_unsigned()))
}
