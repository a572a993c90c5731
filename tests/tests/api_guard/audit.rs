//! Every changing call leaves one audit line, refused ones too.

use std::{cell::RefCell, io::Write, sync::Once};

use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::deployment::{Deployment, admin, token};

thread_local! {
    /// What was logged by this thread, which is a test's.
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What this test has logged. One subscriber serves the process: one for each thread, set while other threads register callsites, may be taken for none.
struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.extend(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

impl Log {
    fn begin() -> Self {
        static BEGUN: Once = Once::new();
        BEGUN.call_once(|| {
            let subscriber =
                tracing_subscriber::fmt().json().with_max_level(tracing::Level::INFO).with_writer(|| Log);
            tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
        });
        LINES.take();
        Self
    }

    /// The audit lines since the last look.
    fn take(&self) -> Vec<Value> {
        let text = String::from_utf8(LINES.take()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.map(|line| line["fields"].clone()).filter(|fields| fields["audit"] == true).collect()
    }
}

#[tokio::test]
async fn every_changing_call_is_told_whoever_asks() {
    let d = Deployment::start().await;
    let calls = d.described().await;
    let log = Log::begin();
    let (reader, admin) = (token(json!({"scope": "backup:read"})), admin());
    for (method, path, scope) in calls.iter().filter(|(.., scope)| scope.is_some()) {
        let hands_out = matches!(scope.as_deref(), Some("backup:restore" | "backup:admin"));
        for (who, token) in [("unknown", "x.y.z"), ("ann", reader.as_str()), ("ann", admin.as_str())] {
            let answer = d.call(token, method, path, "").await;
            let lines = log.take();
            let told = method != "GET" || (hands_out && who != "unknown");
            assert_eq!(lines.len(), usize::from(told), "{method} {path} as {who}: {lines:?}");
            if let [line] = &lines[..] {
                assert_eq!((&line["who"], &line["status"]), (&json!(who), &json!(answer.status)));
                assert_eq!(line["what"], json!(format!("{method} {path}")));
                assert!(line["source_ip"].is_string() && line["request_id"].is_string(), "{line}");
                let run = (answer.status == 202).then(|| answer.body["id"].clone());
                if let Some(run) = run {
                    assert_eq!(line["run"], run);
                }
            }
        }
    }
    // Nowhere, in a wrong way, too large.
    for (method, path, body) in [
        ("POST", "/nowhere", String::new()),
        ("PATCH", "/backup", String::new()),
        ("DELETE", "/backup/../x", String::new()),
        ("POST", "/backup", "x".repeat(2 << 20)),
        ("POST", "/backup", "{".into()),
    ] {
        let answer = d.call(&admin, method, path, &body).await;
        let lines = log.take();
        assert_eq!((lines.len(), &lines[0]["status"]), (1, &json!(answer.status)), "{method} {path}");
    }
}
