//! Errors: retried, beyond their retries, tolerated, caught, and time-outs.

use serde_json::{Value, json};

use crate::{
    definitions::{machine, map, retry, task, with},
    host::{Host, refused},
};

fn output(ended: &Value) -> Value {
    serde_json::from_str(ended["output"].as_str().unwrap_or_else(|| panic!("{ended}"))).unwrap()
}

#[tokio::test]
async fn a_failing_item_is_retried_and_succeeds() {
    let work = task(json!({"Retry": retry(&["Boom"], 2)}));
    let machine = machine(map("DISTRIBUTED", work, json!({})), &[]);
    let host = Host::start("retried", json!({}), &[("m", machine)], json!([])).await;
    let ended = host.execute("m", json!([{"number": 0}, {"number": 1, "fail": 2}, {"number": 2}])).await;
    assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
    assert_eq!(output(&ended)[1], json!({"did": {"number": 1, "fail": 2}}));
    let begun = host.begun();
    let times: Vec<f64> = begun.iter().filter(|(_, e)| e["number"] == 1).map(|(at, _)| *at).collect();
    assert_eq!((begun.len(), times.len()), (5, 3));
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 1.0), "{times:?}");
}

#[tokio::test]
async fn an_item_beyond_its_retries_fails_the_execution() {
    let work = || task(json!({"Retry": retry(&["States.TaskFailed"], 1)}));
    let caught = json!({
        "Catch": [{"ErrorEquals": ["States.ExceedToleratedFailureThreshold"], "ResultPath": "$.error", "Next": "Sorry"}],
        "ItemsPath": "$.items"
    });
    let machines = [
        ("inline", machine(map("INLINE", work(), json!({})), &[])),
        ("distributed", machine(map("DISTRIBUTED", work(), json!({"MaxConcurrency": 1})), &[])),
        ("tolerant", machine(map("DISTRIBUTED", work(), json!({"ToleratedFailurePercentage": 50})), &[])),
        ("caught", machine(map("DISTRIBUTED", work(), caught), &["Sorry"])),
    ];
    let host = Host::start("failed", json!({}), &machines, json!([])).await;
    let items = |machine: &str| json!([{"fail": 9, "of": machine}, {"number": 1, "of": machine}]);

    let ended = host.execute("inline", items("inline")).await;
    assert_eq!((&ended["status"], &ended["error"]), (&json!("FAILED"), &json!("Boom")));
    let cause: Value = serde_json::from_str(ended["cause"].as_str().unwrap()).unwrap();
    assert_eq!(cause, json!({"errorType": "Boom", "errorMessage": "attempt 2"}));

    let ended = host.execute("distributed", items("distributed")).await;
    assert_eq!(ended["error"], "States.ExceedToleratedFailureThreshold");
    assert_eq!(ended["cause"], "The specified tolerated failure threshold was exceeded");
    assert!(!host.begun().iter().any(|(_, e)| *e == json!({"number": 1, "of": "distributed"})));
    let run = host.map_run(ended["executionArn"].as_str().unwrap()).await;
    assert_eq!((&run["status"], &run["itemCounts"]["failed"]), (&json!("FAILED"), &json!(1)));
    assert_eq!(run["itemCounts"]["aborted"], 1);
    assert!(host.log("distributed").contains("state Work failed: Boom: "), "{}", host.log("distributed"));

    let ended = host.execute("tolerant", items("tolerant")).await;
    let output_ = output(&ended);
    assert_eq!((&output_[0]["Status"], &output_[0]["Error"]), (&json!("FAILED"), &json!("Boom")));
    assert_eq!(output_[1]["did"]["number"], 1);

    let ended = host.execute("caught", json!({"items": items("caught")})).await;
    assert_eq!(output(&ended)["error"]["Error"], "States.ExceedToleratedFailureThreshold");
    assert_eq!(output(&ended)["items"], items("caught"));
}

#[tokio::test]
async fn what_is_late_fails_by_its_own_name() {
    let late = json!({"sleep": 4});
    let long = json!([{"Variable": "$.long", "BooleanEquals": true, "Next": "Wait"}]);
    let choosing = json!({"StartAt": "Which", "TimeoutSeconds": 1, "States": {
        "Which": {"Type": "Choice", "Choices": long, "Default": "Short"},
        "Wait": {"Type": "Wait", "Seconds": 30, "Next": "Short"},
        "Short": {"Type": "Pass", "Parameters": {"was.$": "$.long"}, "ResultPath": "$.seen", "End": true}
    }});
    let machines = [
        ("function", machine(task(json!({})), &[])),
        ("task", machine(task(json!({"TimeoutSeconds": 1})), &[])),
        ("whole", choosing),
    ];
    let host = Host::start("late", json!({"timeout": 2}), &machines, json!([])).await;
    let ended = host.execute("function", late.clone()).await;
    assert_eq!((&ended["status"], &ended["error"]), (&json!("FAILED"), &json!("Sandbox.Timedout")));
    assert!(ended["cause"].as_str().unwrap().contains("Task timed out after 2.00 seconds"), "{ended}");
    assert_eq!(host.execute("task", late).await["error"], "States.Timeout");
    let ended = host.execute("whole", json!({"long": true})).await;
    assert_eq!((&ended["status"], &ended["error"]), (&json!("TIMED_OUT"), &json!("States.Timeout")));
    let ended = host.execute("whole", json!({"long": false})).await;
    assert_eq!(output(&ended), json!({"long": false, "seen": {"was": false}}));
}

#[test]
fn a_definition_with_what_is_not_supported_stops_the_host() {
    let reader = json!({"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "CSV"}});
    for (test, state, part) in [
        (
            "writer",
            map("DISTRIBUTED", task(json!({})), json!({"ResultWriter": {}})),
            "field ResultWriter is not supported",
        ),
        (
            "csv",
            map("DISTRIBUTED", task(json!({})), json!({"ItemReader": reader})),
            "field ItemReader.ReaderConfig.InputType",
        ),
        (
            "unknown",
            with(task(json!({})), json!({"Comment": "${Missing}"})),
            "${Missing}, for which there is no substitution",
        ),
    ] {
        let output = refused(test, machine(state, &[]));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{said}");
        assert!(said.contains("state machine m: ") && said.contains(part), "{said}");
        assert!(test == "unknown" || said.contains("state \"First\": "), "{said}");
    }
}
