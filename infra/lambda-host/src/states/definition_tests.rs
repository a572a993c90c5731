//! What definitions are taken, and what is refused and how.

use serde_json::{Value, json};

use super::definition::Machine;

fn map(extra: Value) -> Value {
    let mut map = json!({
        "Type": "Map", "End": true,
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket.$": "$.bucket", "Key": "items.json"}
        },
        "ItemSelector": {"item.$": "$$.Map.Item.Value", "at.$": "$$.Map.Item.Index"},
        "ItemBatcher": {"MaxItemsPerBatchPath": "$.batch", "BatchInput": {"run.$": "$$.Execution.Name"}},
        "MaxConcurrencyPath": "$.atOnce",
        "ToleratedFailurePercentage": 0,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Work",
            "States": {"Work": task(json!({}))}
        },
        "ResultPath": null
    });
    map.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    map
}

fn task(extra: Value) -> Value {
    let mut task = json!({
        "Type": "Task", "End": true, "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "f", "Payload.$": "$"}, "OutputPath": "$.Payload",
        "Retry": [{"ErrorEquals": ["Lambda.TooManyRequestsException"], "JitterStrategy": "FULL"}]
    });
    task.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    task
}

fn parse(state: Value) -> Result<Machine, String> {
    Machine::parse(json!({"StartAt": "Copy", "States": {"Copy": state}}))
}

#[test]
fn a_distributed_map_is_taken() {
    parse(map(json!({}))).unwrap();
    parse(task(json!({"TimeoutSecondsPath": "$.limit", "ResultSelector": {"a.$": "$.Payload"}}))).unwrap();
}

#[test]
fn what_is_not_supported_is_named() {
    let processor = |config: Value| {
        map(
            json!({"ItemProcessor": {"ProcessorConfig": config, "StartAt": "W", "States": {"W": {"Type": "Succeed"}}}}),
        )
    };
    let reader = |extra: Value| {
        let mut reader = map(json!({}))["ItemReader"].clone();
        reader.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        map(json!({"ItemReader": reader}))
    };
    for (state, part) in [
        (map(json!({"ResultWriter": {}})), "field ResultWriter is not supported"),
        (map(json!({"Iterator": {}})), "field Iterator "),
        (map(json!({"ItemsPath": "$.items"})), "field ItemsPath "),
        (map(json!({"MaxConcurrency": 3})), "field MaxConcurrency must not stand beside"),
        (
            map(json!({"ItemBatcher": {"MaxItemsPerBatch": 2, "MaxInputBytesPerBatch": 9}})),
            "field ItemBatcher.MaxInputBytesPerBatch ",
        ),
        (map(json!({"ItemSelector": {"a.$": "$$.Map.Item.Key"}})), "field ItemSelector is wrong"),
        (map(json!({"ToleratedFailurePercentage": 101})), "field ToleratedFailurePercentage "),
        (reader(json!({"ReaderConfig": {"InputType": "CSV"}})), "field ItemReader.ReaderConfig.InputType "),
        (reader(json!({"Resource": "arn:aws:states:::s3:listObjectsV2"})), "field ItemReader.Resource "),
        (processor(json!({"Mode": "DISTRIBUTED"})), "field ItemProcessor.ProcessorConfig.ExecutionType "),
        (processor(json!({"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"})), "only STANDARD"),
        (processor(json!({"Mode": "INLINE"})), "only in the mode DISTRIBUTED"),
        (task(json!({"HeartbeatSeconds": 5})), "field HeartbeatSeconds is not supported"),
        (task(json!({"Resource": "arn:aws:states:::sqs:sendMessage"})), "field Resource "),
        (
            task(json!({"Parameters": {"FunctionName": "f", "InvocationType": "Event"}})),
            "field Parameters.InvocationType ",
        ),
        (
            task(json!({"Parameters": {"FunctionName": "f", "Payload": {"id.$": "States.UUID()"}}})),
            "intrinsic",
        ),
        (task(json!({"Assign": {}})), "field Assign "),
        (task(json!({"QueryLanguage": "JSONata"})), "field QueryLanguage "),
        (task(json!({"Next": "Copy"})), "field Next "),
        (task(json!({"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Gone"}]})), "names no state: Gone"),
        (json!({"Type": "Parallel", "Branches": [], "End": true}), "field Type is Parallel"),
        (
            json!({"Type": "Wait", "Timestamp": "2026-01-01T00:00:00Z", "End": true}),
            "field Seconds is missing",
        ),
        (json!({"Type": "Pass", "End": true, "Retry": []}), "field Retry "),
        (json!({"Type": "Succeed", "End": true}), "field End "),
    ] {
        let e = parse(state).unwrap_err();
        assert!(e.starts_with("state \"Copy\": ") && e.contains(part), "{e} has not: {part}");
    }
    let pass = json!({"Type": "Pass", "End": true});
    for (machine, part) in [
        (json!({"StartAt": "A", "States": {"A": pass}, "QueryLanguage": "JSONata"}), "QueryLanguage"),
        (json!({"StartAt": "B", "States": {"A": pass}}), "StartAt names no state: B"),
        (json!({"StartAt": "A", "States": {"A": pass, "B": pass}}), "state \"B\": nothing leads to it"),
        (
            json!({"StartAt": "A", "States": {"A": pass}, "Speed": 1}),
            "the definition: field Speed is not supported",
        ),
    ] {
        let e = Machine::parse(machine).unwrap_err();
        assert!(e.contains(part), "{e} has not: {part}");
    }
}
