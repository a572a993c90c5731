//! Map states: what the definition says of them, and the loop over their items, inline or as child executions of a Map Run.

use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinSet;

use super::{
    definition::Machine,
    execution::Run,
    failure::Failure,
    fields::{Fields, Number},
    interpret,
    items::{Child, Items},
    json_path::Data,
    map_run::{Limits, MapRun},
};

/// Children at once when MaxConcurrency says nothing or more (Step Functions quotas; developer guide, "Map state processing modes").
const DISTRIBUTED_AT_ONCE: usize = 10_000;
const INLINE_AT_ONCE: usize = 40;

/// A Map state.
#[derive(Debug)]
pub struct MapState {
    processor: Arc<Machine>,
    /// The label in ARNs, when the mode is DISTRIBUTED.
    distributed: Option<Label>,
    items: Items,
    concurrency: Option<Number>,
    tolerated_count: Option<Number>,
    tolerated_percentage: Option<Number>,
}

/// Label, or none: then each Map Run has a random one.
#[derive(Debug)]
struct Label(Option<String>);

impl MapState {
    /// Reads what is its own of a Map state.
    ///
    /// # Errors
    /// A refusal.
    pub fn parse(state: &mut Fields) -> Result<Self, String> {
        let mut processor =
            state.object("ItemProcessor")?.ok_or_else(|| state.wrong("ItemProcessor", "is missing"))?;
        let distributed = distributed(&mut processor)?;
        if !distributed {
            let only =
                ["ItemReader", "ItemBatcher", "Label", "ToleratedFailureCount", "ToleratedFailureCountPath"];
            for name in only.iter().chain(&["ToleratedFailurePercentage", "ToleratedFailurePercentagePath"]) {
                if state.take(name).is_some() {
                    return Err(state.wrong(name, "is there only in the mode DISTRIBUTED"));
                }
            }
        }
        let label = state.text("Label")?;
        if label.as_ref().is_some_and(|l| l.is_empty() || l.len() > 40 || !super::execution::is_name(l)) {
            return Err(state.wrong("Label", "is not a name of at most 40 characters"));
        }
        let count = 0.0..=99_999_999.0;
        Ok(Self {
            processor: Arc::new(Machine::of(processor)?),
            distributed: distributed.then_some(Label(label)),
            items: Items::parse(state)?,
            concurrency: state.number("MaxConcurrency", count.clone(), true)?,
            tolerated_count: state.number("ToleratedFailureCount", count, true)?,
            tolerated_percentage: state.number("ToleratedFailurePercentage", 0.0..=100.0, false)?,
        })
    }

    /// Runs the processor for every item; gives the array of their outputs, in the items' order.
    ///
    /// # Errors
    /// Inline that of the first item that fails; distributed `States.ExceedToleratedFailureThreshold`.
    pub async fn run(&self, run: &Arc<Run>, data: Data<'_>) -> Result<Value, Failure> {
        let number = |field: &Option<Number>| field.as_ref().map(|n| n.resolve(data)).transpose();
        // Whole and within the range of the field.
        let at_once = number(&self.concurrency)?.unwrap_or(0.0) as usize;
        let (count, percentage) = (number(&self.tolerated_count)?, number(&self.tolerated_percentage)?);
        let children = self.items.read(run, data).await?;
        let Some(Label(label)) = &self.distributed else {
            return self.inline(run, children, at_once).await;
        };
        let limits = Limits { at_once, count, percentage };
        let map_run = MapRun::start(run, label.as_deref(), limits, &children);
        let result = self.distribute(run, &map_run, children, at_once).await;
        map_run.end(if result.is_ok() { "SUCCEEDED" } else { "FAILED" });
        result
    }

    async fn inline(&self, run: &Arc<Run>, children: Vec<Child>, at_once: usize) -> Result<Value, Failure> {
        let mut results = vec![Value::Null; children.len()];
        let mut waiting = children.into_iter().enumerate();
        let mut running = JoinSet::new();
        loop {
            while running.len() < most(at_once, INLINE_AT_ONCE)
                && let Some((at, child)) = waiting.next()
            {
                let (run, processor) = (run.clone(), self.processor.clone());
                running.spawn(async move { (at, interpret::run(&run, &processor, child.input).await) });
            }
            let Some(ended) = running.join_next().await else { break };
            let (at, result) = ended.map_err(lost)?;
            place(&mut results, at, result?);
        }
        Ok(Value::Array(results))
    }

    async fn distribute(
        &self,
        run: &Arc<Run>,
        map_run: &MapRun,
        children: Vec<Child>,
        at_once: usize,
    ) -> Result<Value, Failure> {
        let mut results = vec![Value::Null; children.len()];
        let mut waiting = children.into_iter().enumerate();
        let mut running = JoinSet::new();
        loop {
            while running.len() < most(at_once, DISTRIBUTED_AT_ONCE)
                && let Some((at, child)) = waiting.next()
            {
                map_run.child_starts(child.items);
                let own = Arc::new(run.child(map_run.label(), child.input));
                let processor = self.processor.clone();
                running.spawn(async move {
                    let result = match Failure::if_too_large(&own.input, "The input of the child execution") {
                        Ok(()) => interpret::run(&own, &processor, own.input.clone()).await,
                        Err(failure) => Err(failure),
                    };
                    (at, child.items, own, result)
                });
            }
            let Some(ended) = running.join_next().await else { break };
            let (at, items, own, result) = ended.map_err(lost)?;
            let exceeded = map_run.child_ends(items, result.is_ok());
            if exceeded {
                let cause = "The specified tolerated failure threshold was exceeded";
                return Err(Failure::new("States.ExceedToleratedFailureThreshold", cause));
            }
            place(&mut results, at, result.unwrap_or_else(|failure| own.failed(&failure)));
        }
        Ok(Value::Array(results))
    }
}

fn distributed(processor: &mut Fields) -> Result<bool, String> {
    let Some(mut config) = processor.object("ProcessorConfig")? else { return Ok(false) };
    let distributed = match config.text("Mode")?.as_deref() {
        None | Some("INLINE") => false,
        Some("DISTRIBUTED") => true,
        Some(_) => return Err(config.wrong("Mode", "is neither INLINE nor DISTRIBUTED")),
    };
    if distributed {
        let kind = config.required("ExecutionType")?;
        if kind != "STANDARD" {
            return Err(config.wrong("ExecutionType", &format!("is {kind}; only STANDARD is supported")));
        }
    }
    config.end()?;
    Ok(distributed)
}

fn most(said: usize, ceiling: usize) -> usize {
    if said == 0 { ceiling } else { said.min(ceiling) }
}

fn place(results: &mut [Value], at: usize, result: Value) {
    if let Some(place) = results.get_mut(at) {
        *place = result;
    }
}

fn lost(e: tokio::task::JoinError) -> Failure {
    Failure::runtime(format!("an iteration was lost: {e}"))
}
