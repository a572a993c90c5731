//! The scratch database of level `restore`: made, marked as ours, and dropped, also after a crash.
//!
//! Its name and its mark, the comment on it, tell the run. The name stands on the run's record before the database is made. Nothing is dropped but
//! what bears the mark of the very run that its name tells of; one that a crash left between its making and its mark is found by its own run alone.

use crate::{
    archive::Manifest,
    base::{Error, Kind, Result, ResultExt, id::RunId},
    jobs::restore::target,
    ledger::{Ledger, RunKind},
    pg::{ConnInfo, Session, ident, literal},
};

/// What names of scratch databases begin with.
const PREFIX: &str = "pgbaton_verify_";

/// What begins the comment on a scratch database; the run's id follows.
const MARK: &str = "pgbaton: scratch database of verification ";

/// The name of a run's scratch database.
pub(super) fn name(run: &RunId) -> String {
    format!("{PREFIX}{}", run.as_str().to_ascii_lowercase().replace('-', "_"))
}

fn mark(run: &RunId) -> String {
    format!("{MARK}{run}")
}

/// The run whose mark this comment is, if the database bears the name of that run.
fn owner(database: &str, comment: Option<&str>) -> Option<RunId> {
    let run = RunId::parse(comment?.strip_prefix(MARK)?).ok()?;
    (name(&run) == database).then_some(run)
}

/// How a database of this name stands there.
#[derive(Debug, PartialEq, Eq)]
enum There {
    No,
    /// With our mark.
    Ours,
    /// Without any comment.
    Bare,
    /// With another comment.
    Strange,
}

async fn look(session: &Session, run: &RunId) -> Result<There> {
    let sql = "SELECT pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database WHERE datname = $1";
    let rows = session
        .query(sql, &[&name(run)])
        .await
        .map_err(|e| session.error(e))
        .context("looking for the scratch database")?;
    let Some(row) = rows.first() else { return Ok(There::No) };
    let comment: Option<String> = row.get(0);
    Ok(match comment {
        Some(c) if c == mark(run) => There::Ours,
        None => There::Bare,
        Some(_) => There::Strange,
    })
}

/// Makes the scratch database, like the one that was backed up, unless an earlier function of the run has. `begun` is whether that one had put its
/// name on the record, and `restoring` whether the restore has begun; `put_down` puts the name there.
///
/// # Errors
/// [`Kind::Conflict`] for a database of this name that is not ours; [`Kind::ServerLost`] where one is gone that was restored into; those of the statements.
pub(super) async fn make<F>(
    info: &ConnInfo,
    manifest: &Manifest,
    run: &RunId,
    (begun, restoring): (bool, bool),
    put_down: impl FnOnce() -> F,
) -> Result<()>
where
    F: Future<Output = Result<()>>,
{
    let name = name(run);
    let session = target::maintenance(info).await?;
    match look(&session, run).await? {
        There::Ours => return Ok(()),
        // It was not there when the name was put down, and nobody else makes up this name.
        There::Bare if begun => {}
        There::No if restoring => {
            return Err(Error::new(
                Kind::ServerLost,
                format!("the scratch database {name} is gone, which the backup was being restored into"),
            ));
        }
        There::No => {
            put_down().await?;
            target::create_database(&info.with_database(&name), Some(manifest)).await?;
        }
        There::Bare | There::Strange => {
            return Err(Error::new(
                Kind::Conflict,
                format!("there is a database {name} already that this verification has not made"),
            ));
        }
    }
    let sql = format!("COMMENT ON DATABASE {} IS {}", ident(&name), literal(&mark(run)));
    session
        .batch_execute(&sql)
        .await
        .map_err(|e| session.error(e))
        .with_context(|| format!("marking the scratch database {name}"))
}

/// Drops a run's scratch database; tells whether one was there and was ours. One that bears no mark of ours stays, unless the run has `put_down` its name,
/// which it does only where there was none of that name: then the mark was about to be made.
///
/// # Errors
/// Those of connecting and of the statements.
pub(super) async fn drop(info: &ConnInfo, run: &RunId, put_down: bool) -> Result<bool> {
    let session = target::maintenance(info).await?;
    match look(&session, run).await? {
        There::Ours => drop_marked(&session, &name(run)).await.map(|()| true),
        There::Bare if put_down => drop_marked(&session, &name(run)).await.map(|()| true),
        There::No => Ok(false),
        There::Bare | There::Strange => {
            tracing::warn!(
                database = name(run),
                "it has the name of a scratch database and not its mark: it is left alone"
            );
            Ok(false)
        }
    }
}

async fn drop_marked(session: &Session, name: &str) -> Result<()> {
    let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", ident(name));
    let dropped = session.batch_execute(&sql).await;
    dropped.map_err(|e| session.error(e)).with_context(|| format!("dropping the scratch database {name}"))?;
    tracing::info!(database = name, "dropped a scratch database");
    Ok(())
}

/// Drops the scratch databases that other verifications left on this server: those with a mark whose run stands in this ledger and has ended.
///
/// # Errors
/// As [`drop`].
pub(super) async fn drop_leftovers(info: &ConnInfo, ledger: &Ledger) -> Result<()> {
    let session = target::maintenance(info).await?;
    let sql = "SELECT datname::pg_catalog.text, pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database \
               WHERE pg_catalog.starts_with(datname::pg_catalog.text, $1)";
    let rows = session.query(sql, &[&PREFIX]).await.map_err(|e| session.error(e))?;
    for row in rows {
        let (database, comment): (String, Option<String>) = (row.get(0), row.get(1));
        let Some(run) = owner(&database, comment.as_deref()) else { continue };
        // A run that this ledger does not know may be another deployment's.
        let record = ledger.find(&run).await?;
        if record.is_some_and(|r| r.kind == RunKind::Verify && r.status.is_final()) {
            drop_marked(&session, &database).await?;
            ledger.scratch_dropped(&run).await?;
        }
    }
    Ok(())
}

/// Whether the session's role may make databases, and whether it is a superuser.
///
/// # Errors
/// Those of the statement.
pub(super) async fn rights(session: &Session) -> Result<(bool, bool)> {
    let sql =
        "SELECT rolcreatedb OR rolsuper, rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER";
    let row =
        session.query_one(sql, &[]).await.map_err(|e| session.error(e)).context("looking at the role")?;
    Ok((row.get(0), row.get(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_counts_with_the_name_of_its_run_only() {
        let run = RunId::parse("20261121T020000Z-9f86d081").unwrap();
        let other = RunId::parse("20261121T020000Z-00000000").unwrap();
        let own = name(&run);
        assert_eq!(own, "pgbaton_verify_20261121t020000z_9f86d081");
        assert_eq!(owner(&own, Some(&mark(&run))), Some(run));
        for comment in [None, Some(""), Some("mine"), Some(mark(&other).as_str()), Some(MARK)] {
            assert_eq!(owner(&own, comment), None, "{comment:?}");
        }
    }
}
