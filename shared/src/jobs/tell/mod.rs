//! Telling people how runs end, and counting it: what the ledger put down with a run's end is made into events and metrics, told over the channels that
//! are configured, and then removed.
//!
//! ```text
//! a run's last write ─ record final + notice in the standing (one transaction)
//!        │
//!        ▼
//! the function that made it ──┐   takes notices (held for two minutes) ─ metrics ─ channels ─ removes them
//! the reaper, every 5 minutes ┘   what a channel did not take stays, for a day
//! ```
//!
//! A function killed between telling and removing has told; the next one tells again, under the same event id. Nothing here fails a run.

mod count;
mod event;
mod silence;

use std::{collections::BTreeSet, time::Duration};

use jiff::{SignedDuration, Timestamp};
pub use silence::{Watched, watch};
use tokio::time::Instant;

use super::{Platform, secrets};
use crate::{
    base::{
        Error, Kind, Result, ResultExt, clock,
        event::EventKind,
        id::DatabaseName,
        metrics::{self, Metric},
    },
    ledger::{Notice, Record, Told},
    notify::{Channel, Topic, Webhook},
};

/// How long a function has what it took to itself: longer than it may take to tell it.
const HOLD: Duration = Duration::from_secs(120);
/// Notices taken at once.
const MOST: usize = 20;
/// Time for telling at the end of a run.
const AT_THE_END: Duration = Duration::from_secs(12);
/// Time for telling all there is.
const ALL: Duration = Duration::from_secs(90);
/// Seconds between two looks of the reaper (template.yaml, `ReapTimer`).
const REAPING: i64 = 300;
/// After so long it is given up.
const GIVEN_UP: SignedDuration = SignedDuration::from_hours(24);

/// A channel, or why there is none although it is configured.
type Way = (&'static str, Result<Box<dyn Channel>>);

/// Tells what is to be told of a database, as far as `left`, the time of the function, allows. What remains the reaper tells.
pub(super) async fn at_the_end(platform: &Platform, database: &DatabaseName, left: Duration) {
    let limit = AT_THE_END.min(left / 2);
    if limit < Duration::from_millis(200) {
        return;
    }
    let mut channels = Channels::default();
    let telling = tell(platform, database, &mut channels, Instant::now() + limit);
    // Besides the channels there are calls to DynamoDB, which have limits of their own.
    match tokio::time::timeout(limit + limit / 2, telling).await {
        Ok(Ok(())) => {}
        Ok(Err(e)) => {
            tracing::error!(database = %database, error = %e, "telling how the run ended; the reaper will tell it");
        }
        Err(_) => {
            tracing::error!(database = %database, "telling how the run ended took too long; the reaper will tell it");
        }
    }
}

/// Tells what is to be told of any database.
///
/// # Errors
/// Those of the ledger; a channel's are logged.
pub(super) async fn all(platform: &Platform) -> Result<()> {
    let end = Instant::now() + ALL;
    let (mut failure, mut channels) = (None, Channels::default());
    let mut databases = platform.ledger.standings().await.context("looking for what is to be told")?;
    // Each time another one comes first: none waits for ever behind those that cannot be told.
    let turn = usize::try_from(clock::now().as_second() / REAPING).unwrap_or_default();
    let first = turn.checked_rem(databases.len()).unwrap_or_default();
    databases.rotate_left(first);
    for database in databases {
        if Instant::now() >= end {
            break;
        }
        if let Err(e) = tell(platform, &database, &mut channels, end)
            .await
            .with_context(|| format!("telling of database {database}"))
        {
            tracing::error!(database = %database, error = %e, "telling of a database");
            failure.get_or_insert(e);
        }
    }
    failure.map_or(Ok(()), Err)
}

/// Puts down that a backup failed its verification; it is told at the end of the run. `verification` names it: put down again by the same name, it is the same
/// event.
///
/// # Errors
/// Those of the ledger.
pub(super) async fn verification_failed(
    platform: &Platform,
    backup: &Record,
    verification: &str,
    message: &str,
) -> Result<()> {
    let kind = EventKind::VerificationFailed;
    let now = clock::now();
    let message: String = message.chars().take(1_000).collect();
    let posted = platform.ledger.change_standing(&backup.database, |standing| {
        standing.post(Notice {
            id: format!("{}/{}/{verification}", backup.id, kind.name()),
            event: Some(kind),
            run: Some(backup.id.clone()),
            at: now,
            failures: standing.failures,
            message: Some(message.clone()),
            to_count: true,
            told: Vec::new(),
            held_until: None,
        });
    });
    posted.await.with_context(|| format!("putting down that backup {} failed its verification", backup.id))
}

/// The channels, once they are needed, and those that failed: one that has just failed is not tried again with the next event, for there may be many.
#[derive(Default)]
struct Channels {
    ways: Option<Vec<Way>>,
    broken: BTreeSet<&'static str>,
}

async fn tell(
    platform: &Platform,
    database: &DatabaseName,
    channels: &mut Channels,
    end: Instant,
) -> Result<()> {
    let ledger = &platform.ledger;
    let taken = ledger.take_notices(database, clock::now(), HOLD, MOST).await?;
    if taken.is_empty() {
        return Ok(());
    }
    if channels.ways.is_none() && taken.iter().any(|n| n.event.is_some()) {
        channels.ways = Some(ways(platform).await);
    }
    let ways = channels.ways.as_deref().unwrap_or_default();
    let mut told = Vec::new();
    for notice in &taken {
        let one = tell_one(platform, database, notice, ways, &mut channels.broken, end).await;
        told.push(one.unwrap_or_else(|e| {
            tracing::error!(notice = notice.id, error = %e, "this could not be told; it will be tried again");
            Told { id: notice.id.clone(), counted: false, by: Vec::new(), done: false }
        }));
    }
    ledger.settle_notices(database, &told).await
}

async fn tell_one(
    platform: &Platform,
    database: &DatabaseName,
    notice: &Notice,
    ways: &[Way],
    broken: &mut BTreeSet<&'static str>,
    end: Instant,
) -> Result<Told> {
    let record = match &notice.run {
        Some(id) => platform.ledger.find(id).await?,
        None => None,
    };
    if notice.to_count {
        count::of(database, notice, record.as_ref());
    }
    let mut told = Told { id: notice.id.clone(), counted: true, by: Vec::new(), done: true };
    let Some(kind) = notice.event else { return Ok(told) };
    let standing = platform.ledger.standing(database).await?;
    let event = event::of(kind, database, notice, record.as_ref(), &standing);
    for (name, channel) in ways {
        if notice.told.iter().any(|by| by == name) {
            continue;
        }
        match send(name, channel, &event, broken, end).await {
            Ok(()) => {
                tracing::info!(event_id = event.id, channel = name, "told");
                told.by.push((*name).to_owned());
            }
            Err(e) => {
                metrics::emit(clock::now(), database, &[(Metric::NotificationFailed, 1.0)]);
                told.done = is_old(notice.at, clock::now());
                let next = if told.done { "it is given up" } else { "the reaper will try again" };
                tracing::error!(event_id = event.id, channel = name, error = %e, "an event could not be told; {next}");
            }
        }
    }
    Ok(told)
}

fn is_old(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) > GIVEN_UP
}

/// Sends over one channel that is not broken.
async fn send(
    name: &'static str,
    channel: &Result<Box<dyn Channel>>,
    event: &crate::notify::Event,
    broken: &mut BTreeSet<&'static str>,
    end: Instant,
) -> Result<()> {
    let channel = match channel {
        Ok(channel) => channel,
        Err(e) => return Err(Error::new(e.kind(), e.to_string())),
    };
    if broken.contains(name) {
        return Err(Error::new(Kind::Unreachable, "the channel has just failed to take another event"));
    }
    let sent = tokio::time::timeout_at(end, channel.send(event)).await;
    let sent = sent.unwrap_or_else(|_| Err(Error::new(Kind::Budget, "the time for telling is up")));
    if sent.is_err() {
        broken.insert(name);
    }
    sent
}

/// The channels that are configured.
async fn ways(platform: &Platform) -> Vec<Way> {
    let notify = &platform.config.notify;
    let mut all: Vec<Way> = Vec::new();
    if let Some(arn) = &notify.topic {
        let client = aws_sdk_sns::Client::new(&platform.sdk);
        all.push(("sns", Ok(Box::new(Topic::new(client, arn.as_str())))));
    }
    if let Some(endpoint) = &notify.webhook {
        let channel = async {
            let reference = notify.webhook_secret.as_deref().unwrap_or_default();
            let secret =
                secrets::read(reference, &platform.sdk).await.context("reading WEBHOOK_SECRET_ARN")?;
            Ok(Box::new(Webhook::new(endpoint.clone(), &secret)?) as Box<dyn Channel>)
        };
        all.push(("webhook", channel.await));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_tried_for_a_day() {
        let at = |text: &str| text.parse().unwrap();
        assert!(!is_old(at("2026-11-21T02:00:00Z"), at("2026-11-22T02:00:00Z")));
        assert!(is_old(at("2026-11-21T02:00:00Z"), at("2026-11-22T02:00:01Z")));
        assert!(!is_old(at("2026-11-21T02:00:00Z"), at("2026-11-20T02:00:00Z")), "a clock that is behind");
    }
}
