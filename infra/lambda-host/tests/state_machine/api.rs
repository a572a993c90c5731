//! The API's answers and error types.

use serde_json::{Value, json};

use crate::{
    definitions::machine,
    host::{Host, arn},
};

#[tokio::test]
async fn the_api_answers_as_step_functions() {
    let wait = machine(json!({"Type": "Wait", "SecondsPath": "$.seconds", "End": true}), &[]);
    let machines = [("wait", wait), ("other", machine(json!({"Type": "Succeed"}), &[]))];
    let host = Host::start("api", json!({}), &machines, json!([])).await;
    let start = |name: &str, input: &str| {
        let request = json!({"stateMachineArn": arn("wait"), "name": name, "input": input});
        host.call("StartExecution", request)
    };
    let (long, short) = (r#"{"seconds": 60}"#, r#"{"seconds": 0}"#);
    let first = start("night", long).await.unwrap();
    let execution = "arn:aws:states:us-east-1:123456789012:execution:wait:night";
    assert_eq!(first["executionArn"], execution);
    assert_eq!(start("night", long).await.unwrap(), first, "the same name and input is the same execution");
    assert_eq!(start("night", short).await.unwrap_err(), "ExecutionAlreadyExists");
    let running = host.describe(execution).await;
    assert_eq!((&running["status"], &running["name"]), (&json!("RUNNING"), &json!("night")));
    assert_eq!((&running["input"], running["startDate"].is_f64()), (&json!(long), true));
    host.call("StopExecution", json!({"executionArn": execution})).await.unwrap();
    assert_eq!(start("night", long).await.unwrap_err(), "ExecutionAlreadyExists", "it ended");

    for name in ["", "a b", "a/b", "a:b", &"x".repeat(81)] {
        assert_eq!(start(name, short).await.unwrap_err(), "InvalidName", "{name}");
    }
    let padded = |size: usize| format!("{}{}", short, " ".repeat(size - short.len()));
    for input in ["{no json", "", &padded(262_145)] {
        assert_eq!(start("other", input).await.unwrap_err(), "InvalidExecutionInput");
    }
    start("large", &padded(262_144)).await.unwrap();
    host.end("arn:aws:states:us-east-1:123456789012:execution:wait:large").await;

    let call = async |action, request: Value| host.call(action, request).await.unwrap_err();
    let nobody = "arn:aws:states:us-east-1:123456789012:execution:wait:nobody";
    assert_eq!(
        call("StartExecution", json!({"stateMachineArn": arn("no")})).await,
        "StateMachineDoesNotExist"
    );
    assert_eq!(call("StartExecution", json!({"stateMachineArn": "wait"})).await, "InvalidArn");
    for action in ["DescribeExecution", "StopExecution"] {
        assert_eq!(call(action, json!({"executionArn": nobody})).await, "ExecutionDoesNotExist");
    }
    assert_eq!(
        call("ListExecutions", json!({"stateMachineArn": arn("no")})).await,
        "StateMachineDoesNotExist"
    );
    assert_eq!(call("DescribeMapRun", json!({"mapRunArn": "x"})).await, "ResourceNotFound");
    assert_eq!(
        call("GetExecutionHistory", json!({"executionArn": nobody})).await,
        "UnknownOperationException"
    );

    let list = async |extra: Value| {
        let mut request = extra;
        request["stateMachineArn"] = arn("wait").into();
        host.call("ListExecutions", request).await.unwrap()
    };
    let names = |list: &Value| -> Vec<String> {
        list["executions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&list(json!({})).await), ["large", "night"]);
    assert_eq!(names(&list(json!({"statusFilter": "ABORTED"})).await), ["night"]);
    let page = list(json!({"maxResults": 1})).await;
    assert_eq!(names(&page), ["large"]);
    let last = list(json!({"maxResults": 1, "nextToken": page["nextToken"]})).await;
    assert_eq!((names(&last), &last["nextToken"]), (vec!["night".to_owned()], &Value::Null));
}
