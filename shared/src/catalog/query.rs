//! Reading catalog rows: one place that turns the driver's errors into ours and takes columns without panicking.

use tokio_postgres::{
    Client, Row,
    types::{FromSql, ToSql},
};

use crate::base::{Error, Kind, Result, ResultExt};

/// Runs a catalog query; `doing` names what is being read, for the error.
pub(crate) async fn rows(
    client: &Client,
    doing: &'static str,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>> {
    client.query(sql, parameters).await.map_err(fault).context(doing)
}

/// A column of a row, by name.
pub(crate) fn field<'r, T: FromSql<'r>>(row: &'r Row, name: &'static str) -> Result<T> {
    row.try_get(name).map_err(|e| {
        Error::with_source(Kind::Internal, format!("catalog column {name} is not of the type expected"), e)
    })
}

/// A `"char"` column; NUL where the catalog has an empty one.
pub(crate) fn letter(row: &Row, name: &'static str) -> Result<char> {
    Ok(char::from(field::<i8>(row, name)?.cast_unsigned()))
}

fn fault(error: tokio_postgres::Error) -> Error {
    use tokio_postgres::error::SqlState;
    let (kind, message) = match error.as_db_error() {
        Some(db) if *db.code() == SqlState::INSUFFICIENT_PRIVILEGE => {
            (Kind::Permission, db.message().to_owned())
        }
        Some(db) if *db.code() == SqlState::ADMIN_SHUTDOWN || *db.code() == SqlState::CRASH_SHUTDOWN => {
            (Kind::ServerLost, db.message().to_owned())
        }
        Some(db) => (Kind::Database, format!("{} ({})", db.message(), db.code().code())),
        None if error.is_closed() => (Kind::ServerLost, "the connection was closed".to_owned()),
        None => (Kind::ServerLost, error.to_string()),
    };
    Error::with_source(kind, message, error)
}
