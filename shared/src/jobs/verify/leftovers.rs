//! Scratch databases of verifications that did not live to drop them: the reaper, which reaches no database, asks the function `verify` to do it.

use jiff::{Timestamp, ToSpan};

use super::{copy::Copy, scratch};
use crate::{
    base::{Error, Kind, Result, id::RunId},
    jobs::{Platform, request::Asked, successor},
    ledger::{ListQuery, Record, RunKind},
};

/// How far back verifications are looked through, hours: the notes that tell of their server go after two weeks.
const HOURS: i64 = 13 * 24;

/// Asks for each ended verification that has left a scratch database to have it dropped. Asked again at every reaping until it is.
///
/// # Errors
/// Those of the ledger and of the call.
pub(in crate::jobs) async fn tell(platform: &Platform, now: Timestamp) -> Result<()> {
    let Some(function) = &platform.config.verify_function else { return Ok(()) };
    let since = now.checked_sub(HOURS.hours()).ok();
    let mut query = ListQuery { since, limit: 500, ..ListQuery::of(RunKind::Verify) };
    loop {
        let page = platform.ledger.list(&query).await?;
        for record in page.records.iter().filter(|r| r.status.is_final() && r.scratch_database.is_some()) {
            tracing::info!(id = %record.id, database = record.scratch_database, "asking for a scratch database to be dropped");
            let event = Asked::CleanUp(record.id.clone()).to_event();
            successor::start(platform, function, &event).await?;
        }
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return Ok(()),
        }
    }
}

/// Drops the scratch database that an ended verification left, if it bears its mark.
///
/// # Errors
/// [`Kind::NotFound`]; [`Kind::Conflict`] while the verification goes on; those of reaching the server.
pub async fn clean_up(platform: &Platform, id: &RunId) -> Result<Record> {
    platform.require_enabled()?;
    let record = platform.ledger.get_closing_stuck(id).await?;
    if record.kind != RunKind::Verify || !record.status.is_final() {
        let what = format!("the {} {id} is {}", record.kind.name(), record.status.name());
        return Err(Error::new(
            Kind::Conflict,
            format!("{what}; only what an ended verification left is dropped"),
        ));
    }
    if let Some(copy) = Copy::load(platform, id).await? {
        scratch::drop(&copy.server(platform).await?, id, record.scratch_database.is_some()).await?;
    }
    platform.ledger.scratch_dropped(id).await?;
    platform.ledger.get(id).await
}
