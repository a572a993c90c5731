//! The state machines that the tests run.

use serde_json::{Value, json};

/// `base` with the fields of `extra`.
pub fn with(mut base: Value, extra: Value) -> Value {
    let Value::Object(extra) = extra else { panic!("{extra} is not an object") };
    base.as_object_mut().unwrap().extend(extra);
    base
}

/// A machine of one state, and `Succeed` states beside it.
pub fn machine(state: Value, others: &[&str]) -> Value {
    let mut machine = json!({"StartAt": "First", "States": {"First": state}});
    for name in others {
        machine["States"][name] = json!({"Type": "Succeed"});
    }
    machine
}

/// Invokes the function with the whole input.
pub fn task(extra: Value) -> Value {
    let base = json!({
        "Type": "Task", "End": true, "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "${Function}", "Payload.$": "$"}, "OutputPath": "$.Payload"
    });
    with(base, extra)
}

/// A Map over the input's `items`; each iteration is a task.
pub fn map(mode: &str, task: Value, extra: Value) -> Value {
    let mut processor =
        json!({"ProcessorConfig": {"Mode": mode}, "StartAt": "Work", "States": {"Work": task}});
    if mode == "DISTRIBUTED" {
        processor["ProcessorConfig"]["ExecutionType"] = "STANDARD".into();
    }
    let base = json!({"Type": "Map", "End": true, "ItemProcessor": processor});
    with(base, extra)
}

/// A retrier without growing pauses.
pub fn retry(errors: &[&str], attempts: u32) -> Value {
    json!([{"ErrorEquals": errors, "IntervalSeconds": 1, "BackoffRate": 1.0, "MaxAttempts": attempts}])
}
