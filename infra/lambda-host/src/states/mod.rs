//! Step Functions on this machine: STANDARD state machines in the Amazon States Language (JSONPath), their executions, and the API to
//! start and watch them. Nothing is remembered when the host ends, and there are no execution histories.

mod api;
mod choice;
mod definition;
mod execution;
mod failure;
mod fields;
mod interpret;
mod items;
mod json_path;
mod map;
mod map_run;
mod platform;
mod retry;
mod task;
mod template;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use api::router;

use self::{definition::Machine, execution::Execution, platform::Platform};
use crate::{
    config::{Config, StateMachineConfig},
    function::Function,
    logbook::LogBook,
};

/// The state machines of the host and their executions.
pub struct StateMachines {
    machines: Vec<StateMachine>,
    platform: Arc<Platform>,
    executions: Mutex<Vec<Arc<Execution>>>,
}

struct StateMachine {
    name: String,
    arn: String,
    definition: Arc<Machine>,
}

impl StateMachines {
    /// Reads all definitions.
    ///
    /// # Errors
    /// A sentence naming state machine, state and field.
    pub fn new(
        config: &Config,
        functions: BTreeMap<String, Arc<Function>>,
        book: Arc<LogBook>,
    ) -> Result<Self, String> {
        let mut machines: Vec<StateMachine> = Vec::new();
        for own in &config.state_machines {
            let wrong = |why: String| format!("state machine {}: {why}", own.name);
            if !execution::is_name(&own.name) {
                return Err(wrong("this is no name for a state machine".into()));
            }
            let arn = own.arn.clone().unwrap_or_else(|| config.state_machine_arn(&own.name));
            if !arn.contains(":stateMachine:") {
                return Err(wrong(format!("{arn} is not the ARN of a state machine")));
            }
            if machines.iter().any(|m| m.arn == arn) {
                return Err(wrong("it is there twice".into()));
            }
            let definition = Arc::new(read(own).map_err(wrong)?);
            machines.push(StateMachine { name: own.name.clone(), arn, definition });
        }
        let platform = Arc::new(Platform::new(functions, book, config.aws_endpoint.clone()));
        Ok(Self { machines, platform, executions: Mutex::default() })
    }

    fn machine(&self, arn: &str) -> Option<&StateMachine> {
        self.machines.iter().find(|m| m.arn == arn)
    }

    /// A lock whose holder panicked still holds whole values here.
    fn executions(&self) -> MutexGuard<'_, Vec<Arc<Execution>>> {
        self.executions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(own: &StateMachineConfig) -> Result<Machine, String> {
    let file = own.definition_file.display();
    let mut text =
        std::fs::read_to_string(&own.definition_file).map_err(|e| format!("cannot read {file}: {e}"))?;
    for (name, value) in &own.substitutions {
        text = text.replace(&format!("${{{name}}}"), value);
    }
    if let Some((_, after)) = text.split_once("${") {
        let name = after.split('}').next().unwrap_or_default();
        return Err(format!("{file} uses ${{{name}}}, for which there is no substitution"));
    }
    Machine::parse(serde_json::from_str(&text).map_err(|e| format!("{file} is not JSON: {e}"))?)
}

#[cfg(test)]
#[path = "definition_tests.rs"]
mod tests;
