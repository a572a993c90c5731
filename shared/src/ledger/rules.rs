//! Keep-rules: what retention keeps of a database's completed backups. A backup that any of the rules keeps stays.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::base::{Error, Kind, Result};

/// Most days.
const DAYS: u32 = 36_500;
/// Most of a count.
const COUNT: u32 = 10_000;

/// The rules of one database or schedule; at least one is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value")]
pub struct KeepRules {
    /// All of this many days, 1 to 36,500.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// The newest ones, 0 to 10,000, as the counts that follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<u32>,
    /// The newest of each of so many days that have any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily: Option<u32>,
    /// The newest of each of so many weeks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weekly: Option<u32>,
    /// The newest of each of so many months.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monthly: Option<u32>,
    /// The newest of each of so many years.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub yearly: Option<u32>,
}

impl KeepRules {
    /// The rule that `BACKUP_RETENTION_DAYS` stands for.
    pub fn of_days(days: u32) -> Self {
        Self { days: Some(days), ..Self::default() }
    }

    /// From a JSON object. The rules' names are spelt the same in camelCase and snake_case; in any other way they are refused.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] with the field at fault; none for an object without any rule.
    pub fn parse(fields: &Map<String, Value>) -> Result<Self> {
        let mut rules = Self::default();
        for (name, value) in fields {
            let (rule, least, most) = match name.as_str() {
                "days" => (&mut rules.days, 1, DAYS),
                "last" => (&mut rules.last, 0, COUNT),
                "daily" => (&mut rules.daily, 0, COUNT),
                "weekly" => (&mut rules.weekly, 0, COUNT),
                "monthly" => (&mut rules.monthly, 0, COUNT),
                "yearly" => (&mut rules.yearly, 0, COUNT),
                other => {
                    let shown: String = other.chars().take(64).flat_map(char::escape_debug).collect();
                    let why = format!(
                        "the rule \"{shown}\" is not known; there are days, last, daily, weekly, monthly and yearly"
                    );
                    return Err(Error::new(Kind::InvalidInput, why).at_field(shown));
                }
            };
            if value.is_null() {
                continue;
            }
            let number = value.as_u64().and_then(|n| u32::try_from(n).ok());
            *rule = Some(number.filter(|n| (least..=most).contains(n)).ok_or_else(|| {
                let why = format!("the rule \"{name}\" must be a whole number from {least} to {most}");
                Error::new(Kind::InvalidInput, why).at_field(name.clone())
            })?);
        }
        if rules == Self::default() {
            let why = "at least one rule must be given: days, last, daily, weekly, monthly or yearly";
            return Err(Error::new(Kind::InvalidInput, why));
        }
        Ok(rules)
    }
}

impl TryFrom<Value> for KeepRules {
    type Error = Error;
    fn try_from(value: Value) -> Result<Self> {
        match value {
            Value::Object(fields) => Self::parse(&fields),
            _ => Err(Error::new(Kind::InvalidInput, "rules are a JSON object such as {\"days\": 30}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_wrong_is_named() {
        for (rules, field) in [
            (json!({"days": 0}), Some("days")),
            (json!({"days": 36_501}), Some("days")),
            (json!({"days": 1.5}), Some("days")),
            (json!({"days": "30"}), Some("days")),
            (json!({"last": -1}), Some("last")),
            (json!({"weekly": 10_001}), Some("weekly")),
            (json!({"Days": 30}), Some("Days")),
            (json!({"hourly": 1, "days": 30}), Some("hourly")),
            (json!({}), None),
            (json!({"days": null}), None),
            (json!(30), None),
            (json!([]), None),
        ] {
            let e = KeepRules::try_from(rules.clone()).unwrap_err();
            assert_eq!((e.kind(), e.field()), (Kind::InvalidInput, field), "{rules}");
        }
        let read: std::result::Result<KeepRules, _> = serde_json::from_value(json!({"hourly": 1}));
        assert!(read.unwrap_err().to_string().contains("\"hourly\""));
    }

    proptest! {
        #[test]
        fn rules_come_back(days in 1u32..=DAYS, last in proptest::option::of(0u32..=COUNT), yearly in proptest::option::of(0u32..=COUNT)) {
            let rules = KeepRules { last, yearly, ..KeepRules::of_days(days) };
            let text = serde_json::to_string(&rules).unwrap();
            prop_assert_eq!(serde_json::from_str::<KeepRules>(&text).unwrap(), rules);
        }
    }
}
