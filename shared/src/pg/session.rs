//! The settings that a session needs before it dumps or restores: text must mean the same whatever the server's, the database's or the
//! role's defaults are, and nothing may time out or be left out (pg_dump.c, `setup_connection`; pg_backup_archiver.c,
//! `_doSetFixedOutputState`).

use tokio_postgres::Client;

use crate::base::{Result, ResultExt as _};

use super::{failure::error, version::ServerVersion};

/// Settings of both, in the form that `SET` takes.
const TEXT: &[(&str, &str)] = &[
    ("DateStyle", "'ISO, MDY'"),
    ("IntervalStyle", "postgres"),
    ("TimeZone", "'UTC'"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    ("xmloption", "content"),
    ("standard_conforming_strings", "on"),
    ("quote_all_identifiers", "off"),
    // CVE-2018-1058: no name is found but by its schema.
    ("search_path", "''"),
];

/// Timeouts and the first major version that knows them.
const TIMEOUTS: &[(&str, u32)] = &[
    ("statement_timeout", 0),
    ("lock_timeout", 0),
    ("idle_in_transaction_session_timeout", 0),
    ("idle_session_timeout", 14),
    ("transaction_timeout", 17),
];

fn settings(version: ServerVersion, own: &[(&str, &str)]) -> String {
    let timeouts =
        TIMEOUTS.iter().filter(|(_, since)| version.major() >= *since).map(|(name, _)| (*name, "0"));
    let all = TEXT.iter().copied().chain(timeouts).chain(own.iter().copied());
    all.map(|(name, value)| format!("SET {name} = {value};")).collect()
}

/// Pins a session for reading. Before `BEGIN`: the settings then hold for every transaction of the session.
///
/// A database in SQL_ASCII is read without conversion (its bytes have no known encoding), every other one in UTF-8. Row-level security
/// becomes an error instead of leaving rows out.
///
/// # Errors
/// Those of the statements.
pub async fn pin_for_dump(client: &Client, version: ServerVersion) -> Result<()> {
    let own =
        [("row_security", "off"), ("synchronize_seqscans", "off"), ("default_transaction_read_only", "on")];
    // The `WHERE` is for minor versions before 12.20, 13.16, 14.13, 15.8, 16.4, which lack the setting (CVE-2024-7348).
    let sql = format!(
        "{}\
        SELECT pg_catalog.set_config('client_encoding', CASE pg_catalog.getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END, false);\
        SELECT pg_catalog.set_config(name, 'view, foreign-table', false) FROM pg_catalog.pg_settings WHERE name = 'restrict_nonsystem_relation_kind'",
        settings(version, &own)
    );
    client.batch_execute(&sql).await.map_err(error).context("pinning the session's settings for reading")
}

/// Pins a session for restoring: as pg_restore begins its output, with the text settings of [`pin_for_dump`]. The client's encoding is
/// UTF-8; an archive that says otherwise is the caller's to follow. Function bodies and triggers' names are not checked early, because
/// what they mention may come later. `session_replication_role` is left alone.
///
/// # Errors
/// Those of the statements.
pub async fn pin_for_restore(client: &Client, version: ServerVersion) -> Result<()> {
    let own = [
        ("client_encoding", "UTF8"),
        ("check_function_bodies", "off"),
        ("row_security", "off"),
        ("default_transaction_read_only", "off"),
        ("default_transaction_isolation", "'read committed'"),
        ("client_min_messages", "warning"),
    ];
    let sql = settings(version, &own);
    client.batch_execute(&sql).await.map_err(error).context("pinning the session's settings for restoring")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_follow_the_version() {
        let of = |num| settings(ServerVersion::from_num(num), &[]);
        assert!(!of(130_000).contains("idle_session_timeout"));
        assert!(
            of(150_000).contains("SET idle_session_timeout = 0;")
                && !of(150_000).contains("SET transaction_timeout")
        );
        assert!(of(180_000).contains("SET transaction_timeout = 0;"));
    }
}
