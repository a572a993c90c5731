//! The interpreter: one state after another, with Retry and Catch.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    choice,
    definition::{Kind, Machine, Selection, State},
    execution::Run,
    failure::Failure,
    json_path::Data,
    retry::{self, Attempts},
};

/// A state's output, and the state to go on with.
type Step<'a> = (Value, Option<&'a str>);

/// Runs a machine to its end; gives its output.
pub fn run<'a>(
    run: &'a Arc<Run>,
    machine: &'a Machine,
    input: Value,
) -> Pin<Box<dyn Future<Output = Result<Value, Failure>> + Send + 'a>> {
    Box::pin(async move {
        let (mut name, mut data) = (machine.start_at.as_str(), input);
        loop {
            let state =
                machine.state(name).ok_or_else(|| Failure::runtime(format!("there is no state {name}")))?;
            let (output, next) = step(run, state, &data).await?;
            match next {
                Some(next) => (name, data) = (next, output),
                None => return Ok(output),
            }
        }
    })
}

async fn step<'a>(run: &Arc<Run>, state: &'a State, data: &Value) -> Result<Step<'a>, Failure> {
    let entered = Timestamp::now();
    run.log(&format!("state {} entered", state.name));
    let mut attempts = Attempts::new(&state.retry);
    loop {
        let context = context(run, state, entered, attempts.count());
        let failure = match attempt(run, state, data, &context).await {
            Ok(done) => return Ok(done),
            Err(failure) => failure,
        };
        run.log(&format!("state {} failed: {}: {}", state.name, failure.error, failure.cause));
        if let Some(pause) = attempts.next(&failure.error) {
            run.log(&format!("state {} is retried in {:.1} s", state.name, pause.as_secs_f64()));
            tokio::time::sleep(pause).await;
            continue;
        }
        let Some(catcher) = retry::catcher(&state.catch, &failure.error) else { return Err(failure) };
        let output = match &catcher.result_path {
            None => data.clone(),
            Some(path) => path.put(data.clone(), failure.output()).map_err(unfit)?,
        };
        return Ok((output, Some(&catcher.next)));
    }
}

async fn attempt<'a>(
    run: &Arc<Run>,
    state: &'a State,
    raw: &Value,
    context: &Value,
) -> Result<Step<'a>, Failure> {
    let input = select(&state.input_path, Data { input: raw, context }, "InputPath")?;
    let data = Data { input: &input, context };
    let mut next = state.next.as_deref();
    let result = match &state.kind {
        Kind::Pass(None) | Kind::Succeed => input.clone(),
        Kind::Pass(Some(template)) => template.apply(data)?,
        Kind::Task(task) => task.run(run, data).await?,
        Kind::Map(map) => map.run(run, data).await?,
        Kind::Wait(seconds) => {
            tokio::time::sleep(Duration::from_secs_f64(seconds.resolve(data)?)).await;
            input.clone()
        }
        Kind::Choice(choices, default) => {
            next = choice::choose(choices, data)?.or(default.as_deref());
            if next.is_none() {
                return Err(Failure::new(
                    "States.NoChoiceMatched",
                    "No choice rule holds, and there is no Default",
                ));
            }
            input.clone()
        }
        Kind::Fail(error, cause) => {
            let text = |template: &Option<super::template::Template>| match template {
                None => Ok(String::new()),
                Some(t) => Ok(t.apply(data)?.as_str().unwrap_or_default().to_owned()),
            };
            return Err(Failure::new(text(error)?, text(cause)?));
        }
    };
    let result = match &state.result_selector {
        None => result,
        Some(template) => template.apply(Data { input: &result, context })?,
    };
    // Where nothing is placed anew, the input goes on as InputPath selected it.
    let output = match (&state.kind, &state.result_path) {
        (Kind::Choice(..) | Kind::Succeed | Kind::Wait(_) | Kind::Fail(..), _) => result,
        (_, None) => raw.clone(),
        (_, Some(path)) => path.put(raw.clone(), result).map_err(unfit)?,
    };
    let output = select(&state.output_path, Data { input: &output, context }, "OutputPath")?;
    Failure::if_too_large(&output, &format!("The output of the state '{}'", state.name))?;
    Ok((output, next))
}

fn unfit(why: String) -> Failure {
    Failure::new("States.ResultPathMatchFailure", why)
}

fn select(selection: &Selection, data: Data<'_>, field: &str) -> Result<Value, Failure> {
    match selection {
        Selection::Empty => Ok(json!({})),
        Selection::At(path) => path.get(data).cloned().ok_or_else(|| {
            Failure::runtime(format!(
                "Invalid path '{path}' of {field}: it names nothing in '{}'",
                data.input
            ))
        }),
    }
}

fn context(run: &Run, state: &State, entered: Timestamp, retries: u32) -> Value {
    json!({
        "Execution": {
            "Id": run.arn,
            "Name": run.name,
            "StartTime": time(run.started),
            "Input": run.input,
        },
        "State": {"Name": state.name, "EnteredTime": time(entered), "RetryCount": retries},
        "StateMachine": {"Id": run.machine_arn, "Name": run.machine},
    })
}

/// A time as the context object has it.
fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}
