//! Validation: whether the rows of a live database keep what its definitions promise, read in one snapshot that changes nothing.
//!
//! ```text
//! invalid indexes ─ sequences ─ foreign keys ─ CHECK constraints not validated ─ domains ─ every row, for NOT NULL and for being readable at all
//! ```
//!
//! What costs least comes first; what the time does not reach is said. Statements run functions: those of roles that are no superusers are not
//! called with the rights of another role, which would hand these rights to whoever owns the function ([`strangers`]).

mod checks;
mod domains;
mod foreign_keys;
mod indexes;
mod looker;
mod report;
mod rows;
mod sequences;
mod strangers;
mod table;

use std::time::Duration;

use looker::Looker;
pub use report::{Finding, NotChecked, Report};
use strangers::Strangers;

use super::{
    Invocation, Platform, backup, databases,
    request::ValidateRequest,
    run::{self, Ask, Begun, Outcome},
};
use crate::{
    base::{Error, Kind, Result},
    ledger::{Completion, Record},
    pg::{self, ConnInfo, pooler, session},
};

/// Share of a run's time that a validation beside its own work may take.
const SHARE: u32 = 6;

/// Runs the validation that an event asks for, or finds that another delivery of the event did. What was found stands in the record's `validation`.
///
/// # Errors
/// Those of connecting; the record tells the same. A database that is not valid is none.
pub async fn run(platform: &Platform, invocation: &Invocation, request: &ValidateRequest) -> Result<Record> {
    platform.require_enabled()?;
    let ask = Ask { id: request.id.clone(), event_id: request.event_id.clone() };
    let of = databases::of_backup(&platform.ledger, &platform.config, &request.as_backup()).await?;
    let pending = |id, now| Ok(request.pending(id, of.name.clone(), now));
    let (record, lease) = match run::begin(platform, invocation, &ask, pending).await? {
        Begun::Claimed { record, lease, .. } => (record, lease),
        Begun::Elsewhere(record) => return run::elsewhere(*record),
    };
    let work = async {
        let info = backup::connection(platform, &of.pinned(request.as_backup())).await?;
        let info = info.with_application_name(&format!("pgbaton validate {}", record.id));
        // A tenth for writing down what was found.
        let limit = invocation.budget.work_left() / 10 * 9;
        let (report, version) = look(&info, limit, None).await?;
        let value = serde_json::to_value(&report)
            .map_err(|e| Error::with_source(Kind::Internal, "the report cannot be written as JSON", e))?;
        Ok(Outcome::Completed(Box::new(Completion {
            database_version: Some(version),
            table_count: Some(report.checked.tables),
            message: Some(report.told()),
            warnings: report.warnings(),
            validation: Some(value),
            ..Completion::default()
        })))
    };
    run::conduct(platform, invocation, &record, &lease, work, |_| async { Ok(None) }).await
}

/// What a run that has `left` finds in a database beside its own work, as warnings. They name tables and constraints and hold no keys. That it cannot
/// look is a warning, too.
pub(super) async fn warnings(info: &ConnInfo, left: Duration) -> Vec<String> {
    told(look(info, left / SHARE, None).await)
}

/// As [`warnings`], for nothing but the foreign keys of the relations with these oids.
pub(super) async fn orphans(info: &ConnInfo, left: Duration, of: &[u32]) -> Vec<String> {
    told(look(info, left / SHARE, Some(of)).await)
}

fn told(looked: Result<(Report, String)>) -> Vec<String> {
    match looked {
        Ok((report, _)) => report.warnings(),
        Err(e) => vec![format!("the database could not be validated: {e}")],
    }
}

/// Looks through the database for at most `limit`; what was found, and the server's version.
async fn look(info: &ConnInfo, limit: Duration, only: Option<&[u32]>) -> Result<(Report, String)> {
    let session = pg::connect(info).await?;
    pooler::refuse_transaction_pooling(&session).await?;
    session::pin_for_dump(session.client(), session.version()).await?;
    let version = session.version().to_string();
    let mut looker = Looker::begin(&session, limit).await?;
    let tables = table::all(&session).await?;
    let strangers = Strangers::list(&mut looker).await?;
    if only.is_some() {
        foreign_keys::look(&mut looker, &tables, &strangers, only).await?;
        let report = looker.end().await;
        session.close().await;
        return Ok((report, version));
    }
    indexes::look(&mut looker, &tables).await?;
    sequences::look(&mut looker, &tables, &strangers).await?;
    foreign_keys::look(&mut looker, &tables, &strangers, None).await?;
    checks::look(&mut looker, &tables, &strangers).await?;
    domains::look(&mut looker, &tables, &strangers).await?;
    rows::look(&mut looker, &tables, &strangers).await?;
    let report = looker.end().await;
    session.close().await;
    Ok((report, version))
}
