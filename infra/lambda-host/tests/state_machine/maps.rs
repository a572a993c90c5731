//! Maps that go well, and one that is stopped.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    definitions::{machine, map, retry, task},
    host::{Host, KEY},
};

/// The most events that were between their begin and their end at once.
fn most_at_once(notes: &[(String, f64, Value)]) -> i32 {
    let mut times: Vec<_> =
        notes.iter().map(|(what, at, _)| (*at, if what == "begin" { 1 } else { -1 })).collect();
    times.sort_by(|a, b| a.partial_cmp(b).unwrap());
    let running = times.iter().scan(0, |running, (_, change)| {
        *running += change;
        Some(*running)
    });
    running.max().unwrap_or(0)
}

#[tokio::test]
async fn fifty_items_of_an_object_run_four_at_once_and_each_once() {
    let (_, bucket_and_key) = KEY.split_at(1);
    let (bucket, key) = bucket_and_key.split_once('/').unwrap();
    let extra = json!({
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket.$": "$.bucket", "Key.$": "$.key"}
        },
        "ItemSelector": {
            "item.$": "$$.Map.Item.Value", "at.$": "$$.Map.Item.Index", "run.$": "$$.Execution.Name",
            "bucket.$": "$.bucket"
        },
        "MaxConcurrencyPath": "$.atOnce",
        "Label": "Tables",
        "ResultPath": "$.done"
    });
    let items: Value = (0..50).map(|i| json!({"number": i, "sleep": 0.1})).collect();
    // The function's own cap is above four.
    let machine = machine(map("DISTRIBUTED", task(json!({})), extra), &[]);
    let host = Host::start("fifty", json!({"concurrency": 20}), &[("copy", machine)], items.clone()).await;
    let ended = host.execute("copy", json!({"bucket": bucket, "key": key, "atOnce": 4})).await;
    assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
    let output: Value = serde_json::from_str(ended["output"].as_str().unwrap()).unwrap();
    assert_eq!((&output["atOnce"], output["done"].as_array().unwrap().len()), (&json!(4), 50));
    for (i, done) in output["done"].as_array().unwrap().iter().enumerate() {
        let event = json!({"item": items[i], "at": i, "run": ended["name"], "bucket": bucket});
        assert_eq!(done["did"], event);
    }
    let mut numbers: Vec<_> =
        host.begun().iter().map(|(_, e)| e["item"]["number"].as_u64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..50).collect::<Vec<_>>());
    assert_eq!(most_at_once(&host.notes()), 4);

    let run = host.map_run(ended["executionArn"].as_str().unwrap()).await;
    assert_eq!((&run["status"], &run["maxConcurrency"]), (&json!("SUCCEEDED"), &json!(4)));
    assert_eq!((&run["itemCounts"]["succeeded"], &run["itemCounts"]["total"]), (&json!(50), &json!(50)));
    assert!(run["mapRunArn"].as_str().unwrap().contains(":mapRun:copy/Tables:"), "{run}");
    assert_eq!(host.log("copy").matches("state Work entered").count(), 50);
}

#[tokio::test]
async fn batches_hold_what_they_may() {
    let extra = json!({
        "ItemsPath": "$.items",
        "ItemSelector": {"value.$": "$$.Map.Item.Value"},
        "ItemBatcher": {"MaxItemsPerBatch": 4, "BatchInput": {"of.$": "$.of"}}
    });
    let machine = machine(map("DISTRIBUTED", task(json!({})), extra), &[]);
    let host = Host::start("batches", json!({}), &[("batch", machine)], json!([])).await;
    let ended = host.execute("batch", json!({"items": (0..10).collect::<Vec<_>>(), "of": "x"})).await;
    let output: Value = serde_json::from_str(ended["output"].as_str().unwrap()).unwrap();
    let batch = |numbers: std::ops::Range<u32>| {
        let items: Value = numbers.map(|n| json!({"value": n})).collect();
        json!({"did": {"Items": items, "BatchInput": {"of": "x"}}})
    };
    assert_eq!(output, json!([batch(0..4), batch(4..8), batch(8..10)]));
    let run = host.map_run(ended["executionArn"].as_str().unwrap()).await;
    assert_eq!((&run["itemCounts"]["total"], &run["executionCounts"]["total"]), (&json!(10), &json!(3)));
}

#[tokio::test]
async fn throttled_invokes_are_retried() {
    let work = task(json!({"Retry": retry(&["Lambda.TooManyRequestsException"], 20)}));
    let machine = machine(map("INLINE", work, json!({"MaxConcurrency": 3})), &[]);
    let host = Host::start("throttled", json!({"concurrency": 1}), &[("m", machine)], json!([])).await;
    let items: Value = (0..4).map(|i| json!({"number": i, "sleep": 0.3})).collect();
    let ended = host.execute("m", items).await;
    assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
    assert_eq!((host.begun().len(), most_at_once(&host.notes())), (4, 1));
    assert!(
        host.log("m").contains("failed: Lambda.TooManyRequestsException: Rate Exceeded"),
        "{}",
        host.log("m")
    );
}

#[tokio::test]
async fn a_stopped_execution_starts_no_more_items() {
    let machine = machine(map("DISTRIBUTED", task(json!({})), json!({"MaxConcurrency": 2})), &[]);
    let host = Host::start("stop", json!({}), &[("m", machine)], json!([])).await;
    let items: Value = (0..20).map(|i| json!({"number": i, "sleep": 1.5})).collect();
    let execution = host.begin("m", items).await;
    while host.begun().len() < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(host.map_run(&execution).await["itemCounts"]["running"], 2);
    let stop = json!({"executionArn": execution, "error": "Enough", "cause": "it was asked for"});
    host.call("StopExecution", stop.clone()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let told = host.describe(&execution).await;
    assert_eq!((&told["status"], &told["error"]), (&json!("ABORTED"), &json!("Enough")));
    let notes = host.notes();
    assert_eq!(notes.iter().filter(|n| n.0 == "begin").count(), 2, "more items were started");
    assert_eq!(notes.iter().filter(|n| n.0 == "end").count(), 2, "a function that runs goes on");
    let run = host.map_run(&execution).await;
    assert_eq!((&run["status"], &run["itemCounts"]["aborted"]), (&json!("ABORTED"), &json!(20)));
    assert!(host.call("StopExecution", stop).await.is_ok(), "to stop again does no harm");
}
