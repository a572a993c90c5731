//! Poolers in transaction mode: each transaction may land on another server process, so that settings, prepared statements and exported
//! snapshots do not hold. They are told by their names where a provider has a scheme, else by their behaviour.
//!
//! The behaviour: a direct session keeps its server process, and no other session has the same one. A pooler in transaction mode gives
//! the process of a session that rests to a second session, and the first gets another one when it wakes.

use crate::base::{Error, Kind, Result};

use super::{
    conn_info::{Host, Place},
    connect::{Session, connect, single_value},
};

const PID: &str = "SELECT pg_catalog.pg_backend_pid()";

/// Rounds of the trial: a pooler that hands its server connections out in turn needs more than one to show itself.
const ROUNDS: usize = 3;

/// Refuses a pooler in transaction mode. Opens a second session for a moment; if the server has none to spare, only the first one's
/// behaviour is judged.
///
/// # Errors
/// [`Kind::Pooler`] with the advice which host to use; those of connecting otherwise.
pub async fn refuse_transaction_pooling(session: &Session) -> Result<()> {
    if let Some(advice) = known_scheme(session.host()) {
        return Err(refusal(session.host(), &advice));
    }
    if shares_processes(session).await? {
        return Err(refusal(
            session.host(),
            "give the address of the PostgreSQL server itself, or a pooler in session mode",
        ));
    }
    Ok(())
}

fn refusal(host: &Host, advice: &str) -> Error {
    Error::new(
        Kind::Pooler,
        format!("{host} is a pooler in transaction mode, through which no snapshot can be shared: {advice}"),
    )
}

/// The advice where the host's name or port alone says that it is a pooler in transaction mode.
fn known_scheme(host: &Host) -> Option<String> {
    let Place::Name(name) = &host.place else { return None };
    let name = name.to_ascii_lowercase();
    let (first, rest) = name.split_once('.')?;
    // Neon: ep-cool-darkness-123456-pooler.eu-central-1.aws.neon.tech.
    if let Some(direct) = first.strip_suffix("-pooler")
        && (name.ends_with(".neon.tech") || name.ends_with(".neon.build"))
    {
        return Some(format!("use the host {direct}.{rest}, the same without -pooler"));
    }
    // Supabase: port 6543 of the shared and of the dedicated pooler; port 5432 is session mode, or the server itself.
    let supabase = name.ends_with(".pooler.supabase.com") || name.ends_with(".supabase.co");
    (supabase && host.port == 6543).then(|| format!("use port 5432 of {name}"))
}

async fn shares_processes(session: &Session) -> Result<bool> {
    let own = single_value(session, PID).await?;
    let other = match connect(&session.same_server()).await {
        Ok(other) => other,
        Err(e) => {
            tracing::debug!(error = %e, "no second session for the trial of a pooler");
            return Ok(single_value(session, PID).await? != own);
        }
    };
    let mut shared = false;
    for _ in 0..ROUNDS {
        // Inside a transaction the pooler must leave the second session its process, so the first one needs another.
        other.batch_execute("BEGIN READ ONLY").await.map_err(|e| other.error(e))?;
        let second = single_value(&other, PID).await?;
        shared = second == own || single_value(session, PID).await? != own;
        other.batch_execute("ROLLBACK").await.map_err(|e| other.error(e))?;
        if shared {
            break;
        }
    }
    other.close().await;
    Ok(shared)
}

#[cfg(test)]
mod tests {
    use super::{super::ConnInfo, *};

    #[test]
    fn names_of_providers() {
        let advice =
            |at: &str| known_scheme(&ConnInfo::parse(&format!("postgresql://u@{at}/d")).unwrap().hosts()[0]);
        let neon = advice("ep-cool-darkness-1-pooler.eu-central-1.aws.neon.tech").unwrap();
        assert!(neon.contains("ep-cool-darkness-1.eu-central-1.aws.neon.tech"), "{neon}");
        assert!(advice("aws-0-eu.pooler.supabase.com:6543").unwrap().contains("5432"));
        assert!(advice("db.abc.supabase.co:6543").is_some());
        for direct in [
            "ep-cool-1.eu.aws.neon.tech",
            "aws-0-eu.pooler.supabase.com:5432",
            "db.example.com:6543",
            "localhost",
        ] {
            assert_eq!(advice(direct), None, "{direct}");
        }
    }
}
