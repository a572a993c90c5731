//! The silence check: a database whose backups stopped says nothing by itself.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::super::{
    Platform,
    schedules::{self, Paces},
};
use crate::{
    base::{
        Result, ResultExt, clock,
        event::EventKind,
        id::DatabaseName,
        metrics::{self, Metric},
    },
    ledger::{Notice, Standing, Status},
};

/// After so long silence is told again: a day, less half an hour, because the check runs hourly and not to the second.
const AGAIN: SignedDuration = SignedDuration::from_mins(23 * 60 + 30);

/// How long a backup may take from when its schedule fires until it is good.
const SLACK: SignedDuration = SignedDuration::from_hours(2);

/// What was seen of one database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Watched {
    /// Its registered name.
    pub database: String,
    /// Seconds since its last good backup, or since one is expected.
    pub age_seconds: i64,
    /// Whether that is too long.
    pub silent: bool,
    /// Backups that failed since.
    pub consecutive_failures: u64,
}

/// Looks at every database that has schedules, and at the deployment's own: puts down what is silent, and writes the metrics of age and failures.
///
/// # Errors
/// Those of the ledger; one database's do not keep the others from being looked at.
pub async fn watch(platform: &Platform) -> Result<Vec<Watched>> {
    let hours = platform.config.notify.expected_hours;
    let least = (hours > 0).then(|| SignedDuration::from_hours(hours.into()));
    let schedules = platform.ledger.schedules().await.context("looking for schedules")?;
    let paces = schedules::paces(&schedules, &platform.config, clock::now());
    let mut names: BTreeSet<&DatabaseName> = paces.keys().collect();
    if platform.config.configured {
        names.insert(&platform.config.database);
    }
    let (mut all, mut failure) = (Vec::new(), None);
    for database in names {
        match look(platform, database, expected(&paces, database, least)).await {
            Ok(seen) => all.extend(seen),
            Err(e) => {
                tracing::error!(database = %database, error = %e, "looking at a database's backups");
                failure.get_or_insert(e);
            }
        }
    }
    failure.map_or(Ok(all), Err)
}

/// The time between two good backups at most; none where silence is not to be told of. A database whose schedules fire more rarely has theirs.
fn expected(paces: &Paces, database: &DatabaseName, least: Option<SignedDuration>) -> Option<SignedDuration> {
    let pace = paces.get(database).copied().flatten();
    least.map(|least| pace.map_or(least, |pace| least.max(pace.saturating_add(SLACK))))
}

async fn look(
    platform: &Platform,
    database: &DatabaseName,
    expected: Option<SignedDuration>,
) -> Result<Option<Watched>> {
    let ledger = &platform.ledger;
    // Of records older than the first standing.
    let before = match ledger.standing(database).await?.last_good_at {
        Some(_) => None,
        None => ledger.latest(Some(database), Status::Completed).await?,
    };
    let now = clock::now();
    let seen = ledger.change_standing(database, |standing| {
        if let (None, Some(record)) = (standing.last_good_at, &before) {
            standing.last_good = Some(record.id.clone());
            standing.last_good_at = record.finished_at.or(Some(record.created_at));
        }
        if standing.last_good_at.is_none() {
            standing.expected_since.get_or_insert(now);
        }
        judge(standing, database, now, expected)
    });
    let seen = seen.await.with_context(|| format!("looking at the backups of database {database}"))?;
    if let Some(seen) = &seen {
        #[expect(clippy::cast_precision_loss, reason = "CloudWatch's values are doubles")]
        let values = [
            (Metric::BackupAgeSeconds, seen.age_seconds as f64),
            (Metric::BackupSilent, f64::from(u8::from(seen.silent))),
            (Metric::ConsecutiveFailures, seen.consecutive_failures as f64),
        ];
        metrics::emit(now, database, &values);
    }
    Ok(seen)
}

/// None for a database of which no backup is expected.
fn judge(
    standing: &mut Standing,
    database: &DatabaseName,
    now: Timestamp,
    expected: Option<SignedDuration>,
) -> Option<Watched> {
    let since = standing.last_good_at.or(standing.expected_since)?;
    // A clock that is behind makes nothing old.
    let age = now.duration_since(since).max(SignedDuration::ZERO);
    let silent = expected.is_some_and(|expected| age > expected);
    if silent && standing.silence_told_at.is_none_or(|told| now.duration_since(told) >= AGAIN) {
        standing.silence_told_at = Some(now);
        let kind = EventKind::BackupSilent;
        let hours = expected.unwrap_or_default().as_hours();
        let message = match &standing.last_good {
            Some(id) => format!(
                "The last good backup of database {database}, {id}, completed at {}; one is expected every {hours} hours",
                clock::text(since)
            ),
            None => format!(
                "There is no good backup of database {database}, and one is expected since {}, every {hours} hours",
                clock::text(since)
            ),
        };
        standing.post(Notice {
            id: format!("{database}/{}/{}", kind.name(), clock::compact(now)),
            event: Some(kind),
            run: None,
            at: now,
            failures: standing.failures,
            message: Some(message),
            to_count: false,
            told: Vec::new(),
            held_until: None,
        });
    }
    Some(Watched {
        database: database.to_string(),
        age_seconds: age.as_secs(),
        silent,
        consecutive_failures: standing.failures,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::RunId;

    fn database() -> DatabaseName {
        DatabaseName::parse("shop").unwrap()
    }

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hours * 3_600).unwrap()
    }

    fn good(hour: i64) -> Standing {
        Standing {
            last_good: Some(RunId::parse("20261121T020000Z-9f86d081").unwrap()),
            last_good_at: Some(at(hour)),
            ..Standing::default()
        }
    }

    #[test]
    fn a_weekly_database_is_not_silent_on_the_second_day() {
        let weekly = SignedDuration::from_hours(7 * 24);
        let other = DatabaseName::parse("other").unwrap();
        let paces = Paces::from([(database(), Some(weekly)), (other.clone(), None)]);
        assert_eq!(expected(&paces, &database(), DAY), Some(weekly + SLACK));
        assert_eq!(expected(&paces, &other, DAY), DAY, "its schedules are switched off");
        assert_eq!(expected(&Paces::new(), &database(), DAY), DAY);
        assert_eq!(expected(&paces, &database(), None), None);
        let often = Paces::from([(database(), Some(SignedDuration::from_hours(1)))]);
        assert_eq!(expected(&often, &database(), DAY), DAY);
    }

    const DAY: Option<SignedDuration> = Some(SignedDuration::from_hours(26));

    #[test]
    fn silence_is_told_once_and_again_each_day() {
        let mut s = good(0);
        let told: Vec<i64> = (0..120)
            .filter(|hour| {
                judge(&mut s, &database(), at(*hour), DAY).unwrap();
                !std::mem::take(&mut s.outbox).is_empty()
            })
            .collect();
        assert_eq!(told, [27, 51, 75, 99]);
    }

    #[test]
    fn age_counts_from_the_last_good_or_from_when_one_is_expected() {
        let mut s = good(0);
        let seen = judge(&mut s, &database(), at(26), DAY).unwrap();
        assert_eq!((seen.age_seconds, seen.silent), (26 * 3_600, false));
        assert!(judge(&mut s, &database(), at(1_000), None).is_some_and(|seen| !seen.silent), "0 is never");
        assert!(s.outbox.is_empty());
        assert_eq!(judge(&mut s, &database(), at(-5), DAY).unwrap().age_seconds, 0);
        assert_eq!(judge(&mut Standing::default(), &database(), at(99), DAY), None);

        let mut none = Standing { expected_since: Some(at(0)), failures: 4, ..Standing::default() };
        let seen = judge(&mut none, &database(), at(27), DAY).unwrap();
        assert_eq!((seen.silent, seen.consecutive_failures), (true, 4));
        assert!(none.outbox[0].message.as_deref().unwrap().contains("There is no good backup"));
    }
}
