//! Which rules hold for which backups: those of its schedule, else of its database, else of the configuration.

use std::collections::BTreeMap;

use super::plan::{Rules, RulesOf};
use crate::{
    base::{Result, ResultExt, id::DatabaseName},
    jobs::Platform,
    ledger::{KeepRules, Record},
};

/// All that were registered.
#[derive(Debug, Clone, Default)]
pub(super) struct Registered {
    default: Rules,
    databases: BTreeMap<DatabaseName, Rules>,
    schedules: BTreeMap<String, Rules>,
}

impl Registered {
    /// Reads them. A rule that cannot be read must not make way for one that keeps less, so any fault ends it.
    ///
    /// # Errors
    /// Those of the ledger.
    pub(super) async fn read(platform: &Platform) -> Result<Self> {
        let ledger = &platform.ledger;
        let names = ledger.registered_names().await.context("reading the rules of databases")?;
        let registrations = ledger.registrations(&names).await.context("reading the rules of databases")?;
        let schedules = ledger.schedules().await.context("reading the rules of schedules")?;
        Ok(Self {
            default: Rules::days(platform.config.retention_days),
            databases: registrations
                .into_iter()
                .filter_map(|r| Some((r.name, r.said.retention.map(Rules::from)?)))
                .collect(),
            schedules: schedules
                .into_iter()
                .filter_map(|s| Some((s.id.to_string(), s.retention.map(Rules::from)?)))
                .collect(),
        })
    }
}

impl RulesOf for Registered {
    fn of(&self, record: &Record) -> Rules {
        let schedule = record.schedule_id.as_ref().and_then(|id| self.schedules.get(id));
        *schedule.or_else(|| self.databases.get(&record.database)).unwrap_or(&self.default)
    }

    fn schedule<'r>(&self, record: &'r Record) -> Option<&'r str> {
        record.schedule_id.as_deref().filter(|id| self.schedules.contains_key(*id))
    }
}

impl From<KeepRules> for Rules {
    fn from(rules: KeepRules) -> Self {
        let KeepRules { days, last, daily, weekly, monthly, yearly } = rules;
        let count = |n: Option<u32>| n.unwrap_or(0);
        Self {
            days,
            last: count(last),
            daily: count(daily),
            weekly: count(weekly),
            monthly: count(monthly),
            yearly: count(yearly),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::id::RunId,
        ledger::{BackupType, RunKind},
    };

    #[test]
    fn the_nearest_rules_hold() {
        let name = |text: &str| DatabaseName::parse(text).unwrap();
        let rules = Registered {
            default: Rules::days(30),
            databases: BTreeMap::from([(name("shop"), Rules::days(7))]),
            schedules: BTreeMap::from([("weekly".to_owned(), Rules { weekly: 8, ..Rules::default() })]),
        };
        let of = |database: &str, schedule: Option<&str>| {
            let id = RunId::parse("20261121T020000Z-9f86d081").unwrap();
            let at = "2026-11-21T02:00:00Z".parse().unwrap();
            let mut r = Record::pending(id, RunKind::Backup, name(database), BackupType::Scheduled, at);
            r.schedule_id = schedule.map(str::to_owned);
            (rules.of(&r), rules.schedule(&r).map(str::to_owned))
        };
        assert_eq!(of("main", None), (Rules::days(30), None));
        assert_eq!(of("shop", Some("nightly")), (Rules::days(7), None));
        let weekly = (Rules { weekly: 8, ..Rules::default() }, Some("weekly".to_owned()));
        assert_eq!(of("shop", Some("weekly")), weekly);
    }
}
