//! What the reaper does for schedules: it makes the default one of a new deployment, completes what broke off, and undoes what was changed behind
//! the records' back.

use serde::Serialize;

use super::{desk::Desk, expression::Expression};
use crate::{
    base::{Error, Kind, Result, ResultExt, clock, config::Config},
    ledger::{Schedule, ScheduleId},
};

/// Who is named on records that the deployment writes.
const DEPLOYMENT: &str = "deployment";

/// What was done.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Repaired {
    /// Ids of schedules that EventBridge was told anew.
    pub applied: Vec<String>,
    /// Names of schedules in the group that no record names, removed there.
    pub orphans: Vec<String>,
}

/// Refuses a configuration whose `BACKUP_SCHEDULE` is none.
///
/// # Errors
/// [`Kind::Config`] with the variable and what is wrong.
pub fn checked(config: Config) -> Result<Config> {
    match Expression::checked(&config.backup_schedule, &config.time_zone, clock::now()) {
        Ok(_) => Ok(config),
        Err(e) => {
            let message = format!("environment variable BACKUP_SCHEDULE is wrong: {}", e.message());
            Err(Error::new(Kind::Config, message))
        }
    }
}

impl Desk {
    /// Makes records and EventBridge agree. What fails for one schedule does not keep the others from it; the first failure is the error. While the
    /// service is switched off, every schedule is disabled in EventBridge, whatever its record says, until it is switched on again.
    ///
    /// # Errors
    /// Those of the ledger and of EventBridge.
    pub async fn repair(&self) -> Result<Repaired> {
        let mut done = Repaired::default();
        if !self.is_there() {
            return Ok(done);
        }
        // Before the records: what is listed here had a record by now, or has lost it.
        let listed = self.eventbridge()?.names().await.context("listing the schedules in EventBridge")?;
        let mut failure = self.deploy().await.context("making the default schedule").err();
        let records = self.list().await.context("listing the schedules")?;
        for record in &records {
            let repaired = self.repair_one(record).await;
            match repaired.with_context(|| format!("repairing the schedule {}", record.id)) {
                Ok(false) => {}
                Ok(true) => done.applied.push(record.id.to_string()),
                Err(e) => {
                    tracing::error!(schedule = %record.id, error = %e, "repairing a schedule");
                    failure.get_or_insert(e);
                }
            }
        }
        let known = |name: &str| records.iter().any(|r| r.id.as_str() == name);
        for name in listed.iter().filter(|name| !known(name)) {
            // A name that is no id was never ours.
            let Ok(id) = ScheduleId::parse(name) else { continue };
            match self
                .apply(&id)
                .await
                .with_context(|| format!("removing the schedule {id}, which has no record"))
            {
                Ok(_) => done.orphans.push(name.clone()),
                Err(e) => {
                    tracing::error!(schedule = %id, error = %e, "removing a schedule without a record");
                    failure.get_or_insert(e);
                }
            }
        }
        failure.map_or(Ok(done), Err)
    }

    async fn repair_one(&self, record: &Schedule) -> Result<bool> {
        if record.in_effect() && self.eventbridge()?.agrees(record).await? {
            return Ok(false);
        }
        self.apply(&record.id).await.map(|_| true)
    }

    /// The default schedule as the deployment says, where it never was there, or where `BACKUP_SCHEDULE` or `TZ` are others than when it was last
    /// set: a later deployment has the last word on when, and callers on whether.
    async fn deploy(&self) -> Result<()> {
        let id = ScheduleId::default_one();
        let deployed = self.deployment();
        if self.ledger.schedule(&id).await?.is_some_and(|s| s.deployed.as_ref() == Some(&deployed)) {
            return Ok(());
        }
        let made = self.write(&id, DEPLOYMENT, |there| {
            let new = self.deployed()?;
            match there {
                Some(there) if there.deployed.as_ref() == Some(&deployed) => Ok(there),
                Some(there) => {
                    let there = Schedule { timezone: new.timezone, deployed: new.deployed, ..there };
                    self.with_schedule(there, &new.schedule)
                }
                None => Ok(new),
            }
        });
        made.await.map(drop)
    }

    /// The default schedule of this deployment.
    pub(super) fn deployed(&self) -> Result<Schedule> {
        let empty = self.empty(&ScheduleId::default_one(), clock::now());
        let empty = Schedule { deployed: Some(self.deployment()), ..empty };
        self.with_schedule(empty, &self.config.backup_schedule)
    }

    fn deployment(&self) -> String {
        let zone = self.config.time_zone.iana_name().unwrap_or("UTC");
        format!("{} {zone}", self.config.backup_schedule)
    }
}
