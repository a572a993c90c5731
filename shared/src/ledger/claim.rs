//! Leases: claiming a record, renewing, telling progress.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::{
    item,
    record::{Progress, Record, Status},
    table::{Ledger, missing},
};
use crate::base::{Error, Kind, Result, clock, id::RunId};

/// The right to write to one record, until another function closes or takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub(super) id: RunId,
    pub(super) fence: u64,
    pub(super) started_at: Option<Timestamp>,
    /// When it ran out unless renewed, at the time it was claimed.
    pub(super) until: i64,
}

impl Lease {
    /// The run.
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// The fencing number that goes with every write.
    pub fn fence(&self) -> u64 {
        self.fence
    }
}

impl Ledger {
    /// Takes the lease of a pending record for `ttl` and makes it `in_progress`. One of many concurrent claims wins.
    /// `owner` is for a person reading the table (say, the Lambda request id).
    ///
    /// # Errors
    /// [`Kind::NotFound`]; [`Kind::Busy`] while another claim's lease runs; [`Kind::Conflict`] when the run is final, also
    /// when it was in progress with a lease that ran out, which this call then closes as failed: the snapshot of such a run
    /// is gone, so it is never continued.
    pub async fn claim(&self, id: &RunId, owner: &str, ttl: Duration) -> Result<Lease> {
        let now = clock::now();
        let token = token(owner)?;
        let until = until(now, ttl);
        let values = [
            (":pending", item::text(Status::Pending.name())),
            (":in_progress", item::text(Status::InProgress.name())),
            (":now", item::text(clock::text(now))),
            (":owner", item::text(token.clone())),
            (":until", item::number(until)),
            (":zero", item::number(0)),
            (":one", item::number(1)),
        ];
        let update = "SET #status = :in_progress, started_at = :now, lease_owner = :owner, lease_until = :until, \
                      fence = if_not_exists(fence, :zero) + :one";
        let there = match self.update(id, update, "#status = :pending", values).await? {
            Ok(record) => return Ok(lease(record, until)),
            Err(there) => there.ok_or_else(|| missing(id))?,
        };
        // The SDK sends a claim again when its answer was lost: the token tells our own claim from another's.
        if there.status == Status::InProgress && there.lease_owner.as_deref() == Some(&token) {
            return Ok(lease(*there, until));
        }
        if there.status == Status::InProgress && !there.is_stuck(now) {
            return Err(Error::new(Kind::Busy, format!("the run {id} is in progress in another function")));
        }
        let there = self.close_if_stuck(*there, now).await?;
        let why = there.message.as_deref().unwrap_or("no reason recorded");
        Err(Error::new(Kind::Conflict, format!("the run {id} has {} already: {why}", there.status.name())))
    }

    /// Gives the lease to the function that goes on with the run, for `ttl` from now, and counts a hop: the caller may write nothing more. Done
    /// again after a lost answer, it is no error. The next function takes it with [`Ledger::receive`].
    ///
    /// # Errors
    /// As [`Ledger::renew`].
    pub async fn hand_over(&self, lease: &Lease, ttl: Duration) -> Result<()> {
        let values = [
            (":until", item::number(until(clock::now(), ttl))),
            (":owner", item::text(HANDED_OVER)),
            (":zero", item::number(0)),
            (":one", item::number(1)),
        ];
        let update = "SET lease_until = :until, lease_owner = :owner, fence = fence + :one, hops = if_not_exists(hops, :zero) + :one";
        match self.update(&lease.id, update, HOLDS, values.into_iter().chain(lease.terms())).await? {
            Ok(_) => Ok(()),
            Err(Some(there))
                if there.status == Status::InProgress
                    && there.fence == lease.fence + 1
                    && there.lease_owner.as_deref() == Some(HANDED_OVER) =>
            {
                Ok(())
            }
            Err(there) => Err(fenced(lease, there.as_deref())),
        }
    }

    /// Takes the lease that another function has handed over, for `ttl`; none while that function keeps it. `fence` is that function's.
    ///
    /// # Errors
    /// [`Kind::Fenced`] when the run has ended, or another function took the lease; [`Kind::NotFound`].
    pub async fn receive(&self, id: &RunId, fence: u64, owner: &str, ttl: Duration) -> Result<Option<Lease>> {
        let now = clock::now();
        let expected = Lease { id: id.clone(), fence: fence + 1, started_at: None, until: 0 };
        let token = token(owner)?;
        let until = until(now, ttl);
        let values = [
            (":until", item::number(until)),
            (":owner", item::text(token.clone())),
            (":given", item::text(HANDED_OVER)),
        ];
        let condition = format!("{HOLDS} AND lease_owner = :given");
        let update = "SET lease_until = :until, lease_owner = :owner";
        let there =
            match self.update(id, update, &condition, values.into_iter().chain(expected.terms())).await? {
                Ok(record) => return Ok(Some(lease(record, until))),
                Err(there) => there.ok_or_else(|| missing(id))?,
            };
        if there.status == Status::InProgress && there.fence == fence {
            return Ok(None);
        }
        // The SDK sends it again when its answer was lost.
        if there.fence == fence + 1 && there.lease_owner.as_deref() == Some(&token) {
            return Ok(Some(lease(*there, until)));
        }
        Err(fenced(&expected, Some(&there)))
    }

    /// Takes the lease of a run whose function was killed, to go on with it: only where what it has done so far outlives its function. None while that
    /// function lives, or when another one was faster.
    ///
    /// # Errors
    /// [`Kind::NotFound`]; otherwise as any call.
    pub async fn take_over(&self, record: &Record, owner: &str, ttl: Duration) -> Result<Option<Lease>> {
        let now = clock::now();
        if record.status != Status::InProgress || !record.is_stuck(now) {
            return Ok(None);
        }
        let token = token(owner)?;
        let until = until(now, ttl);
        let values = [
            (":until", item::number(until)),
            (":owner", item::text(token.clone())),
            (":ran_out", item::number(record.lease_until.unwrap_or_default())),
            (":zero", item::number(0)),
            (":one", item::number(1)),
        ];
        let held = Lease { id: record.id.clone(), fence: record.fence, started_at: None, until: 0 };
        // A renewal between our reading and this write changes lease_until and so wins.
        let condition = format!("{HOLDS} AND (attribute_not_exists(lease_until) OR lease_until = :ran_out)");
        let update = "SET lease_until = :until, lease_owner = :owner, fence = fence + :one, hops = if_not_exists(hops, :zero) + :one";
        match self.update(&record.id, update, &condition, values.into_iter().chain(held.terms())).await? {
            Ok(record) => Ok(Some(lease(record, until))),
            Err(Some(there)) if there.lease_owner.as_deref() == Some(&token) => {
                Ok(Some(lease(*there, until)))
            }
            Err(Some(_)) => Ok(None),
            Err(None) => Err(missing(&record.id)),
        }
    }

    /// Makes the lease last `ttl` from now.
    ///
    /// # Errors
    /// [`Kind::Fenced`] when the record was closed or taken over: stop and write nothing more.
    pub async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<()> {
        let values = [(":until", item::number(until(clock::now(), ttl)))];
        self.write(lease, "SET lease_until = :until", values).await.map(drop)
    }

    /// Tells how far the run has come.
    ///
    /// # Errors
    /// As [`Ledger::renew`].
    pub async fn progress(&self, lease: &Lease, progress: &Progress) -> Result<()> {
        let Some(value) = item::attribute(progress)? else { return Ok(()) };
        self.write(lease, "SET progress = :progress", [(":progress", value)]).await.map(drop)
    }

    /// Puts down whom the run talks to, once it knows: the server's version text.
    ///
    /// # Errors
    /// As [`Ledger::renew`].
    pub async fn describe(&self, lease: &Lease, database_version: &str) -> Result<()> {
        let values = [(":version", item::text(database_version))];
        self.write(lease, "SET database_version = :version", values).await.map(drop)
    }

    /// An update by the holder of a lease, who must still be in progress under the same fence.
    async fn write<const N: usize>(
        &self,
        lease: &Lease,
        update: &str,
        values: [(&str, AttributeValue); N],
    ) -> Result<Record> {
        self.update(&lease.id, update, HOLDS, values.into_iter().chain(lease.terms()))
            .await?
            .map_err(|there| fenced(lease, there.as_deref()))
    }
}

/// `lease_owner` between the function that let go and the one that goes on.
const HANDED_OVER: &str = "handed over";

/// The condition of every write of a run; its values are [`Lease::terms`].
pub(super) const HOLDS: &str = "fence = :fence AND #status = :in_progress";

impl Lease {
    /// The values that [`HOLDS`] names.
    pub(super) fn terms(&self) -> [(&'static str, AttributeValue); 2] {
        [(":fence", item::number(self.fence)), (":in_progress", item::text(Status::InProgress.name()))]
    }
}

/// The error of a writer that was overtaken.
pub(super) fn fenced(lease: &Lease, there: Option<&Record>) -> Error {
    let why = match there {
        None => "its record was removed".to_owned(),
        Some(r) if r.status == Status::InProgress => {
            format!("fence {} was taken by another function", r.fence)
        }
        Some(r) => format!(
            "its record is {}{}",
            r.status.name(),
            r.message.as_deref().map(|m| format!(": {m}")).unwrap_or_default()
        ),
    };
    Error::new(Kind::Fenced, format!("the run {} lost its lease (fence {}): {why}", lease.id, lease.fence))
}

fn lease(record: Record, until: i64) -> Lease {
    Lease { id: record.id, fence: record.fence, started_at: record.started_at, until }
}

fn until(now: Timestamp, ttl: Duration) -> i64 {
    now.as_millisecond().saturating_add(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX))
}

fn token(owner: &str) -> Result<String> {
    let mut bytes = [0u8; 8];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::new(Kind::Internal, format!("no randomness for a lease: {e}")))?;
    let owner: String = owner.chars().filter(|c| !c.is_control()).take(200).collect();
    Ok(format!("{owner}/{}", hex::encode(bytes)))
}
