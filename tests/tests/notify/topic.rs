//! An SNS topic in the stand-in, and a queue that subscribes to it, to read what was published.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use pgbaton_tests::tables;
use serde_json::{Value, json};

/// A topic of one test's own.
pub struct Topic {
    /// Its ARN.
    pub arn: String,
    queue: String,
}

impl Topic {
    /// A topic with a queue behind it.
    pub async fn create() -> Self {
        let name = pgbaton_tests::unique("notify");
        let client = aws_sdk_sns::Client::new(&tables::aws().await);
        let arn = client.create_topic().name(&name).send().await.unwrap().topic_arn.unwrap();
        let made = sqs("CreateQueue", json!({"QueueName": name})).await;
        let queue = made["QueueUrl"].as_str().unwrap().to_owned();
        let endpoint = format!("arn:aws:sqs:us-east-1:123456789012:{name}");
        client.subscribe().topic_arn(&arn).protocol("sqs").endpoint(endpoint).send().await.unwrap();
        Self { arn, queue }
    }

    /// What was published since the last call, in the form for programs, each beside its subject.
    pub async fn read(&self) -> Vec<(String, Value)> {
        let mut all = Vec::new();
        loop {
            let asked =
                json!({"QueueUrl": self.queue, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]});
            let answer = sqs("ReceiveMessage", asked).await;
            let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
            if messages.is_empty() {
                return all;
            }
            for message in messages {
                let envelope: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
                let event: Value = serde_json::from_str(envelope["Message"].as_str().unwrap()).unwrap();
                let attribute = |name: &str| envelope["MessageAttributes"][name]["Value"].clone();
                assert_eq!(attribute("event"), event["event"], "{envelope}");
                assert_eq!(attribute("event_id"), event["id"], "{envelope}");
                all.push((envelope["Subject"].as_str().unwrap().to_owned(), event));
                let handle = &message["ReceiptHandle"];
                sqs("DeleteMessage", json!({"QueueUrl": self.queue, "ReceiptHandle": handle})).await;
            }
        }
    }
}

/// One call of SQS's JSON protocol; the stand-in looks at the region of the signature only.
async fn sqs(action: &str, body: Value) -> Value {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let request = Request::post(pgbaton_tests::variable("PGBATON_TEST_AWS_ENDPOINT"))
        .header("x-amz-target", format!("AmazonSQS.{action}"))
        .header("content-type", "application/x-amz-json-1.0")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0",
        )
        .body(Full::new(Bytes::from(body.to_string())))
        .unwrap();
    let answer = client.request(request).await.unwrap();
    let status = answer.status();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(status.is_success(), "{action}: {status} {bytes:?}");
    if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() }
}
