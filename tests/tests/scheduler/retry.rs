//! The retries of the state `Work`, as infra/workers.asl.json says them (Step Functions developer guide, "Handling errors in Step Functions workflows").

use serde_json::Value;

use crate::clock::Dice;

/// The state `Work`.
pub struct Work {
    /// `TimeoutSeconds`.
    pub patience: f64,
    retriers: Vec<Retrier>,
}

struct Retrier {
    errors: Vec<String>,
    interval: f64,
    backoff: f64,
    longest: f64,
    attempts: u32,
}

impl Work {
    /// Reads the state machine of the deployment.
    pub fn read() -> Self {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/workers.asl.json");
        let machine: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let map = &machine["States"]["Items"];
        assert_eq!(
            map["ToleratedFailurePercentage"], 0,
            "the model ends the run with the first item that fails"
        );
        let work = &map["ItemProcessor"]["States"]["Work"];
        let retriers = work["Retry"].as_array().unwrap().iter().map(|r| {
            assert_eq!(r["JitterStrategy"], "FULL");
            let names = r["ErrorEquals"].as_array().unwrap().iter().map(|n| n.as_str().unwrap().to_owned());
            let errors: Vec<String> = names.collect();
            assert!(errors.iter().all(|n| n != "States.ALL" && n != "States.TaskFailed"), "a wildcard");
            let number = |name: &str| r[name].as_f64().unwrap();
            Retrier {
                errors,
                interval: number("IntervalSeconds"),
                backoff: number("BackoffRate"),
                longest: number("MaxDelaySeconds"),
                attempts: number("MaxAttempts") as u32,
            }
        });
        Self { patience: work["TimeoutSeconds"].as_f64().unwrap(), retriers: retriers.collect() }
    }

    /// The counters of one execution of the state.
    pub fn attempts(&self) -> Attempts<'_> {
        Attempts { work: self, used: vec![0; self.retriers.len()] }
    }
}

/// How often each retrier was used.
pub struct Attempts<'a> {
    work: &'a Work,
    used: Vec<u32>,
}

impl Attempts<'_> {
    /// Seconds until the next attempt; none when there is none.
    pub fn pause(&mut self, error: &str, dice: &mut Dice) -> Option<f64> {
        let n = self.work.retriers.iter().position(|r| r.errors.iter().any(|e| e == error))?;
        let (retrier, used) = (&self.work.retriers[n], &mut self.used[n]);
        if *used == retrier.attempts {
            return None;
        }
        let whole = retrier.interval * retrier.backoff.powf(f64::from(*used));
        *used += 1;
        Some(whole.min(retrier.longest) * dice.fraction())
    }
}

#[test]
fn every_passing_fault_is_tried_again_and_no_other() {
    let (work, mut dice) = (Work::read(), Dice::new(1));
    let faults = crate::lambda::KILLED.iter().chain(crate::lambda::REFUSED).chain(crate::lambda::OTHERS);
    for error in faults {
        assert!(work.attempts().pause(error, &mut dice).is_some(), "{error} is not tried again");
    }
    assert!(work.attempts().pause("Final", &mut dice).is_none());
    let mut attempts = work.attempts();
    let pauses: Vec<f64> = std::iter::from_fn(|| attempts.pause("Retry", &mut dice)).collect();
    assert_eq!(pauses.len(), 10);
    for (n, pause) in pauses.iter().enumerate() {
        assert!(*pause <= 2.0 * 2f64.powi(n as i32), "{pauses:?}");
    }
}
