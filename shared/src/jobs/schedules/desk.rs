//! Making, changing, pausing and removing schedules.
//!
//! The record is written first and removed last, so that nothing fires that no record names. Between record and EventBridge everything can
//! break off: `in_effect` of the record is false then, and the next call on the schedule, or the reaper, makes it so ([`Desk::apply`] tells
//! EventBridge what the newest record says, whoever wrote it).

use aws_config::SdkConfig;
use jiff::{Timestamp, Unit};

use super::{
    eventbridge::EventBridge,
    expression::{Expression, Rate, zone},
};
use crate::{
    base::{Error, Kind, Result, ResultExt, clock, config::Config},
    jobs::{databases, request::ScheduleRequest},
    ledger::{Added, Ledger, Schedule, ScheduleId},
};

/// Schedules at most, so that a program gone wild makes no storm of backups.
pub const MOST: usize = 100;
/// Hours between backups of a default schedule that is started and never was there.
const HOURS: u32 = 6;
/// Rounds against others who change the same schedule at the same time.
const ROUNDS: usize = 8;

/// Where schedules are managed. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Desk {
    pub(super) ledger: Ledger,
    pub(super) config: Config,
    eventbridge: Option<EventBridge>,
}

impl Desk {
    /// Over the configuration and clients; asks nothing of AWS yet.
    pub fn new(config: &Config, sdk: &SdkConfig, ledger: Ledger) -> Self {
        Self { ledger, eventbridge: EventBridge::new(config, sdk), config: config.clone() }
    }

    /// Whether this deployment has a group for schedules.
    pub fn is_there(&self) -> bool {
        self.eventbridge.is_some()
    }

    pub(super) fn eventbridge(&self) -> Result<&EventBridge> {
        self.eventbridge.as_ref().ok_or_else(|| {
            Error::new(Kind::Config, "SCHEDULE_GROUP is not set, so this deployment has no schedules")
        })
    }

    /// All schedules, by id.
    ///
    /// # Errors
    /// Those of the ledger.
    pub async fn list(&self) -> Result<Vec<Schedule>> {
        self.ledger.schedules().await
    }

    /// One schedule.
    ///
    /// # Errors
    /// [`Kind::NotFound`] naming it.
    pub async fn get(&self, id: &ScheduleId) -> Result<Schedule> {
        self.ledger.schedule(id).await?.ok_or_else(|| missing(id))
    }

    /// Makes or changes a schedule; tells whether it is new. Again with the same request changes nothing.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] with the field; [`Kind::NotFound`] for an unknown database; [`Kind::Conflict`] when there are too many.
    pub async fn put(
        &self,
        id: &ScheduleId,
        request: &ScheduleRequest,
        by: &str,
    ) -> Result<(Schedule, bool)> {
        if let Some(options) = &request.options {
            databases::find(&self.ledger, &self.config, options.database.as_ref())
                .await
                .map_err(|e| Error::new(e.kind(), e.message().to_owned()).at_field("options.database"))?;
        }
        self.write(id, by, |there| self.asked(id, there, request)).await
    }

    /// Removes a schedule; its record goes last.
    ///
    /// # Errors
    /// [`Kind::NotFound`]; [`Kind::Conflict`] for the default one.
    pub async fn delete(&self, id: &ScheduleId, by: &str) -> Result<()> {
        self.eventbridge()?;
        if *id == ScheduleId::default_one() {
            let message = "the default schedule comes with the deployment (BACKUP_SCHEDULE) and cannot be removed: \
                           POST /backup/stop keeps it from firing";
            return Err(Error::new(Kind::Conflict, message));
        }
        let mut there = self.get(id).await?;
        while there.removing_at.is_none() {
            let now = clock::now();
            let next = Schedule { removing_at: Some(now), enabled: false, ..stamped(&there, by, now) };
            if self.ledger.change_schedule(&next).await? {
                break;
            }
            there = self.get(id).await?;
        }
        self.apply(id).await.with_context(|| format!("removing the schedule {id}")).map_err(unfinished)?;
        Ok(())
    }

    /// Lets the default schedule fire: every so many hours where they are named, otherwise as it stands, or every six hours where it never was
    /// there.
    ///
    /// # Errors
    /// As [`Desk::put`].
    pub async fn start(&self, hours: Option<u32>, by: &str) -> Result<Schedule> {
        let make = |there: Option<Schedule>| {
            // Before it was ever there, its interval is the one of start.
            let hours = hours.or_else(|| there.is_none().then_some(HOURS));
            let there = there.map_or_else(|| self.deployed(), Ok)?;
            let asked = hours.map_or_else(|| there.schedule.clone(), |hours| Rate::hours(hours).to_string());
            self.with_schedule(Schedule { enabled: true, ..there }, &asked)
        };
        Ok(self.write(&ScheduleId::default_one(), by, make).await?.0)
    }

    /// Keeps the default schedule from firing; running backups finish.
    ///
    /// # Errors
    /// As [`Desk::put`].
    pub async fn stop(&self, by: &str) -> Result<Schedule> {
        let make = |there: Option<Schedule>| {
            Ok(Schedule { enabled: false, ..there.map_or_else(|| self.deployed(), Ok)? })
        };
        Ok(self.write(&ScheduleId::default_one(), by, make).await?.0)
    }

    /// Writes what `make` makes of the schedule that is there, then tells EventBridge.
    pub(super) async fn write(
        &self,
        id: &ScheduleId,
        by: &str,
        make: impl Fn(Option<Schedule>) -> Result<Schedule>,
    ) -> Result<(Schedule, bool)> {
        self.eventbridge()?;
        for _ in 0..ROUNDS {
            let before = self.ledger.schedule(id).await?;
            if before.as_ref().is_some_and(|s| s.removing_at.is_some()) {
                self.apply(id).await?;
                continue;
            }
            let now = clock::now();
            let made = make(before.clone())?;
            let written = match &before {
                Some(there) if same(there, &made) => true,
                Some(there) => {
                    let next = Schedule { created_by: there.created_by.clone(), ..stamped(&made, by, now) };
                    self.ledger.change_schedule(&next).await?
                }
                None => {
                    let new = Schedule { created_by: by.to_owned(), ..stamped(&made, by, now) };
                    self.add(&new).await?
                }
            };
            if !written {
                continue;
            }
            match self.apply(id).await {
                Ok(Some(schedule)) => return Ok((schedule, before.is_none())),
                // Removed by somebody else meanwhile.
                Ok(None) => {}
                Err(refused) if refused.kind() == Kind::InvalidInput => {
                    self.take_back(id, before).await?;
                    return Err(refused.at_field("schedule"));
                }
                Err(e) => return Err(unfinished(e)),
            }
        }
        Err(Error::new(Kind::Busy, format!("others change the schedule {id} at the same time; try again")))
    }

    async fn add(&self, new: &Schedule) -> Result<bool> {
        // The default one has a place of its own.
        let limit = MOST + usize::from(new.id == ScheduleId::default_one());
        match self.ledger.add_schedule(new, limit).await? {
            Added::Yes => Ok(true),
            Added::Exists => Ok(false),
            Added::Full => Err(Error::new(
                Kind::Conflict,
                format!("there are {MOST} schedules, as many as there may be: remove one first"),
            )),
        }
    }

    /// After EventBridge refused what was written: what stood there before stands there again.
    async fn take_back(&self, id: &ScheduleId, before: Option<Schedule>) -> Result<()> {
        let Some(there) = self.ledger.schedule(id).await? else { return Ok(()) };
        let now = clock::now();
        let next = match before {
            Some(before) => Schedule { version: there.version + 1, ..before },
            None => Schedule { removing_at: Some(now), ..stamped(&there, &there.updated_by, now) },
        };
        if self.ledger.change_schedule(&next).await? {
            self.apply(id).await?;
        }
        Ok(())
    }

    /// Tells EventBridge what the newest record says, and notes that; the record, or none when there is none (any more).
    ///
    /// Whoever was overtaken between the two finds that its version is not the newest, and tells the newer one: the last word is always the newest.
    pub(super) async fn apply(&self, id: &ScheduleId) -> Result<Option<Schedule>> {
        let eventbridge = self.eventbridge()?;
        for _ in 0..ROUNDS {
            let Some(newest) = self.ledger.schedule(id).await? else {
                eventbridge.delete(id).await?;
                // One that was made meanwhile must not have lost its other half.
                match self.ledger.schedule(id).await? {
                    None => return Ok(None),
                    Some(_) => continue,
                }
            };
            let done = if newest.removing_at.is_some() {
                eventbridge.delete(id).await?;
                self.ledger.remove_schedule(&newest).await?.then_some(None)
            } else {
                eventbridge.put(&newest).await?;
                let still = self.ledger.schedule_applied(&newest).await?;
                still.then_some(Some(Schedule { applied: newest.version, ..newest }))
            };
            if let Some(done) = done {
                return Ok(done);
            }
        }
        Err(Error::new(Kind::Busy, format!("others change the schedule {id} at the same time; try again")))
    }

    /// The schedule that a request makes of the one that is there.
    fn asked(&self, id: &ScheduleId, there: Option<Schedule>, request: &ScheduleRequest) -> Result<Schedule> {
        let new = there.is_none();
        let mut schedule = there.unwrap_or_else(|| self.empty(id, clock::now()));
        if new && request.schedule.is_none() {
            let message = "a new schedule needs the field \"schedule\", such as 0 2 * * *";
            return Err(Error::new(Kind::InvalidInput, message).at_field("schedule"));
        }
        schedule.name = request.name.clone().unwrap_or(schedule.name);
        schedule.timezone = request.timezone.clone().unwrap_or(schedule.timezone);
        schedule.enabled = request.enabled.unwrap_or(schedule.enabled);
        schedule.options = request.stored_options().unwrap_or(schedule.options);
        if let Some(rules) = request.retention {
            schedule.retention = (rules != Default::default()).then_some(rules);
        }
        let text = request.schedule.clone().unwrap_or_else(|| schedule.schedule.clone());
        self.with_schedule(schedule, &text)
    }

    /// With another schedule, checked in its time zone. A rate counts from its own beginning. The one that is there is not checked again: one that
    /// has fired for the last time can still be paused.
    pub(super) fn with_schedule(&self, schedule: Schedule, text: &str) -> Result<Schedule> {
        if text == schedule.schedule && !schedule.expression.is_empty() {
            return Ok(schedule);
        }
        let now = clock::now();
        let (zone, _) = zone(&schedule.timezone)?;
        let expression =
            Expression::checked(text, &zone, now).map_err(|e| e.at_field("schedule"))?.to_string();
        let counts_from =
            if expression == schedule.expression { schedule.counts_from } else { whole_minute(now) };
        Ok(Schedule { schedule: text.to_owned(), expression, counts_from, ..schedule })
    }

    /// A schedule that says nothing yet.
    pub(super) fn empty(&self, id: &ScheduleId, now: Timestamp) -> Schedule {
        let zone = self.config.time_zone.iana_name().unwrap_or("UTC").to_owned();
        Schedule {
            id: id.clone(),
            name: id.to_string(),
            schedule: String::new(),
            expression: String::new(),
            timezone: zone,
            options: Default::default(),
            enabled: true,
            retention: None,
            counts_from: whole_minute(now),
            deployed: None,
            version: 0,
            applied: 0,
            removing_at: None,
            created_by: String::new(),
            created_at: now,
            updated_by: String::new(),
            updated_at: now,
        }
    }
}

/// The next version of a schedule.
fn stamped(schedule: &Schedule, by: &str, now: Timestamp) -> Schedule {
    Schedule { version: schedule.version + 1, updated_by: by.to_owned(), updated_at: now, ..schedule.clone() }
}

/// Whether two schedules differ in nothing that a caller says.
fn same(there: &Schedule, made: &Schedule) -> bool {
    *made == Schedule { updated_by: made.updated_by.clone(), updated_at: made.updated_at, ..there.clone() }
}

fn whole_minute(at: Timestamp) -> Timestamp {
    let rounding = jiff::TimestampRound::new().smallest(Unit::Minute).mode(jiff::RoundMode::Trunc);
    at.round(rounding).unwrap_or(at)
}

fn missing(id: &ScheduleId) -> Error {
    Error::new(Kind::NotFound, format!("there is no schedule with the id {id}"))
}

/// The record says it already; EventBridge does not know yet.
fn unfinished(error: Error) -> Error {
    error.note("what was asked for is on record and not in effect yet: the same call again, or the next clean-up, completes it")
}
