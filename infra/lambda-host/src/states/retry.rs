//! Retry and Catch: which errors they take, and when the next attempt comes.

use std::{ops::RangeInclusive, time::Duration};

use super::{fields::Fields, json_path::Path};

/// Wildcards and names that begin with `States.`; other such names are reserved.
const PREDEFINED: &[&str] = &[
    "States.ALL",
    "States.DataLimitExceeded",
    "States.ExceedToleratedFailureThreshold",
    "States.HeartbeatTimeout",
    "States.IntrinsicFailure",
    "States.ItemReaderFailed",
    "States.NoChoiceMatched",
    "States.ParameterPathFailure",
    "States.Permissions",
    "States.ResultPathMatchFailure",
    "States.Runtime",
    "States.TaskFailed",
    "States.Timeout",
];

/// One element of Retry.
#[derive(Debug, Clone, PartialEq)]
pub struct Retrier {
    errors: Vec<String>,
    interval: f64,
    attempts: u32,
    backoff: f64,
    longest: Option<f64>,
    jitter: bool,
}

/// One element of Catch.
#[derive(Debug, Clone)]
pub struct Catcher {
    errors: Vec<String>,
    /// Where the error output goes in the state's input; `None` throws it away.
    pub result_path: Option<Path>,
    /// The state to go on with.
    pub next: String,
}

/// Reads Retry.
///
/// # Errors
/// A refusal.
pub fn retriers(state: &mut Fields) -> Result<Vec<Retrier>, String> {
    let items = state.objects("Retry")?;
    let count = items.len();
    items.into_iter().enumerate().map(|(i, item)| retrier(item, i + 1 == count)).collect()
}

fn retrier(mut item: Fields, last: bool) -> Result<Retrier, String> {
    let errors = errors(&mut item, last)?;
    let mut number = |name: &str, default: f64, range: RangeInclusive<f64>, whole: bool| match item.take(name)
    {
        None => Ok(default),
        Some(value) => {
            let n = value.as_f64().filter(|n| range.contains(n));
            n.filter(|n| !whole || n.fract() == 0.0).ok_or_else(|| item.wrong(name, "is out of range"))
        }
    };
    let interval = number("IntervalSeconds", 1.0, 1.0..=99_999_999.0, true)?;
    let attempts = number("MaxAttempts", 3.0, 0.0..=99_999_999.0, true)?;
    let backoff = number("BackoffRate", 2.0, 1.0..=f64::MAX, false)?;
    let longest = number("MaxDelaySeconds", 0.0, 1.0..=31_622_400.0, true)?;
    if longest != 0.0 && longest <= interval {
        return Err(item.wrong("MaxDelaySeconds", "must be greater than IntervalSeconds"));
    }
    let jitter = match item.text("JitterStrategy")?.as_deref() {
        None | Some("NONE") => false,
        Some("FULL") => true,
        Some(_) => return Err(item.wrong("JitterStrategy", "is neither FULL nor NONE")),
    };
    item.end()?;
    // Within the range above, a whole number fits.
    let attempts = attempts as u32;
    Ok(Retrier { errors, interval, attempts, backoff, longest: (longest > 0.0).then_some(longest), jitter })
}

/// Reads Catch.
///
/// # Errors
/// A refusal.
pub fn catchers(state: &mut Fields) -> Result<Vec<Catcher>, String> {
    let items = state.objects("Catch")?;
    let count = items.len();
    let one = |(i, mut item): (usize, Fields)| {
        let errors = errors(&mut item, i + 1 == count)?;
        let catcher =
            Catcher { errors, result_path: result_path(&mut item)?, next: item.required_text("Next")? };
        item.end()?;
        Ok(catcher)
    };
    items.into_iter().enumerate().map(one).collect()
}

/// Reads ResultPath: `$` when it is not there, none when it is `null`.
///
/// # Errors
/// A refusal.
pub fn result_path(fields: &mut Fields) -> Result<Option<Path>, String> {
    match fields.take("ResultPath") {
        Some(serde_json::Value::Null) => Ok(None),
        given => {
            let text = given.unwrap_or_else(|| "$".into());
            let path = text.as_str().ok_or("it is not a path".to_owned());
            let path = path.and_then(|t| Path::parse(t, super::json_path::Scope::State));
            match path {
                Ok(path) if path.is_context() => {
                    Err(fields.wrong("ResultPath", "must not name the context object"))
                }
                Ok(path) => Ok(Some(path)),
                Err(e) => Err(fields.wrong("ResultPath", &format!("is wrong: {e}"))),
            }
        }
    }
}

fn errors(item: &mut Fields, last: bool) -> Result<Vec<String>, String> {
    let value = item.required("ErrorEquals")?;
    let names: Option<Vec<String>> =
        value.as_array().and_then(|a| a.iter().map(|v| v.as_str().map(str::to_owned)).collect());
    let names =
        names.filter(|n| !n.is_empty()).ok_or_else(|| item.wrong("ErrorEquals", "is not a list of names"))?;
    if let Some(name) = names.iter().find(|n| n.starts_with("States.") && !PREDEFINED.contains(&n.as_str())) {
        return Err(item.wrong("ErrorEquals", &format!("holds {name}, which is no error of the language")));
    }
    if names.iter().any(|n| n == "States.ALL") && (names.len() > 1 || !last) {
        return Err(item.wrong("ErrorEquals", "has States.ALL, which must stand alone and last"));
    }
    Ok(names)
}

fn matches(names: &[String], error: &str) -> bool {
    if error == "States.Runtime" {
        return false;
    }
    names.iter().any(|name| match name.as_str() {
        "States.ALL" => error != "States.DataLimitExceeded",
        "States.TaskFailed" => error != "States.Timeout" && error != "States.DataLimitExceeded",
        name => name == error,
    })
}

/// The first that takes the error.
pub fn catcher<'a>(all: &'a [Catcher], error: &str) -> Option<&'a Catcher> {
    all.iter().find(|c| matches(&c.errors, error))
}

/// How often each retrier of one state was used.
pub struct Attempts<'a> {
    retriers: &'a [Retrier],
    used: Vec<u32>,
}

impl<'a> Attempts<'a> {
    /// None yet.
    pub fn new(retriers: &'a [Retrier]) -> Self {
        Self { retriers, used: vec![0; retriers.len()] }
    }

    /// How many there were.
    pub fn count(&self) -> u32 {
        self.used.iter().sum()
    }

    /// The pause before the next attempt; none when the first retrier that takes the error is used up, or none takes it.
    pub fn next(&mut self, error: &str) -> Option<Duration> {
        let at = self.retriers.iter().position(|r| matches(&r.errors, error))?;
        let (retrier, used) = (self.retriers.get(at)?, self.used.get_mut(at)?);
        if *used >= retrier.attempts {
            return None;
        }
        let mut seconds = retrier.interval * retrier.backoff.powf(f64::from(*used));
        *used += 1;
        seconds = seconds.min(retrier.longest.unwrap_or(99_999_999.0));
        if retrier.jitter {
            seconds *= fraction();
        }
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// A random number from 0 to 1.
fn fraction() -> f64 {
    let random = u32::from_str_radix(&crate::ids::hex(4), 16).unwrap_or(u32::MAX);
    f64::from(random) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(retry: Value) -> Result<Vec<Retrier>, String> {
        retriers(&mut Fields::of("state \"S\"", json!({"Retry": retry})).unwrap())
    }

    fn pauses(attempts: &mut Attempts<'_>, error: &str) -> Vec<f64> {
        std::iter::from_fn(|| attempts.next(error)).take(9).map(|d| d.as_secs_f64()).collect()
    }

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let all = read(json!([
            {"ErrorEquals": ["A", "B"], "IntervalSeconds": 2, "MaxAttempts": 5, "BackoffRate": 3, "MaxDelaySeconds": 20},
            {"ErrorEquals": ["C"], "MaxAttempts": 0},
            {"ErrorEquals": ["States.ALL"]}
        ]))
        .unwrap();
        let mut attempts = Attempts::new(&all);
        assert_eq!(pauses(&mut attempts, "A"), [2.0, 6.0, 18.0, 20.0, 20.0]);
        assert_eq!(attempts.next("B"), None, "A and B share their attempts, and no later retrier takes over");
        assert_eq!(attempts.next("C"), None);
        assert_eq!(pauses(&mut attempts, "anything"), [1.0, 2.0, 4.0]);
        assert_eq!(attempts.count(), 8);
    }

    #[test]
    fn jitter_shortens() {
        let all = read(json!([{"ErrorEquals": ["A"], "IntervalSeconds": 10, "MaxAttempts": 9, "BackoffRate": 1, "JitterStrategy": "FULL"}])).unwrap();
        let pauses = pauses(&mut Attempts::new(&all), "A");
        assert!(pauses.iter().all(|p| (0.0..=10.0).contains(p)), "{pauses:?}");
        assert!(pauses.iter().any(|p| *p != pauses[0]), "{pauses:?}");
    }

    #[test]
    fn wildcards() {
        let takes = |name: &str, error: &str| matches(&[name.to_owned()], error);
        assert!(takes("States.ALL", "Boom") && takes("States.ALL", "States.Timeout"));
        assert!(takes("States.TaskFailed", "Lambda.TooManyRequestsException"));
        assert!(!takes("States.TaskFailed", "States.Timeout"));
        assert!(takes("States.Timeout", "States.Timeout") && !takes("Boom", "boom"));
        assert!(!takes("States.ALL", "States.DataLimitExceeded"));
        assert!(!takes("States.ALL", "States.Runtime") && !takes("States.Runtime", "States.Runtime"));
    }

    #[test]
    fn wrong_retriers_are_refused() {
        for (item, part) in [
            (json!({"ErrorEquals": []}), "Retry[0].ErrorEquals"),
            (json!({"ErrorEquals": ["States.ALL", "A"]}), "alone"),
            (json!({"ErrorEquals": ["States.Odd"]}), "States.Odd"),
            (json!({"ErrorEquals": ["A"], "IntervalSeconds": 0}), "IntervalSeconds"),
            (json!({"ErrorEquals": ["A"], "MaxAttempts": 1.5}), "MaxAttempts"),
            (json!({"ErrorEquals": ["A"], "BackoffRate": 0.5}), "BackoffRate"),
            (json!({"ErrorEquals": ["A"], "MaxDelaySeconds": 1}), "MaxDelaySeconds"),
            (json!({"ErrorEquals": ["A"], "JitterStrategy": "SOME"}), "JitterStrategy"),
            (json!({"ErrorEquals": ["A"], "Speed": 1}), "Retry[0].Speed is not supported"),
        ] {
            let e = read(json!([item])).unwrap_err();
            assert!(e.starts_with("state \"S\": field ") && e.contains(part), "{e}");
        }
        assert!(read(json!([{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["A"]}])).is_err());
    }
}
