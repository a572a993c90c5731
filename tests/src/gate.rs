//! A gate before the AWS stand-in, that stops chosen requests: so a test can hold a run at one place, whatever the machine's speed.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What becomes of a request that a rule names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It waits until [`Gate::open`].
    Hold,
    /// It is answered 403 `AccessDenied`, as S3 does.
    Deny,
    /// Its connection is closed without an answer.
    Cut,
    /// It goes on after so many milliseconds.
    Delay(u64),
}

#[derive(Debug, Clone, Copy)]
struct Rule {
    method: &'static str,
    text: &'static str,
    what: What,
}

/// The gate; everything passes until a rule is set.
pub struct Gate {
    /// `http://…` to give to functions as the endpoint of AWS.
    pub url: String,
    state: Arc<State>,
}

struct State {
    rule: Mutex<Option<Rule>>,
    met: watch::Sender<usize>,
    open: watch::Sender<bool>,
}

impl Gate {
    /// A gate before the stand-in of `PGBATON_TEST_AWS_ENDPOINT`.
    pub async fn start() -> Self {
        let endpoint = crate::variable("PGBATON_TEST_AWS_ENDPOINT");
        let target = endpoint.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State {
            rule: Mutex::default(),
            met: watch::Sender::new(0),
            open: watch::Sender::new(false),
        });
        let gate = Self { url, state: Arc::clone(&state) };
        tokio::spawn(async move {
            while let Ok((inner, _)) = listener.accept().await {
                let Ok(outer) = TcpStream::connect(&target).await else { continue };
                tokio::spawn(pass(inner, outer, Arc::clone(&state)));
            }
        });
        gate
    }

    /// From now on, requests of this method with this text in their first line are stopped.
    pub fn stop(&self, method: &'static str, text: &'static str, what: What) {
        *self.state.rule.lock().unwrap() = Some(Rule { method, text, what });
    }

    /// Later requests pass; those that are held stay held.
    pub fn forget(&self) {
        *self.state.rule.lock().unwrap() = None;
    }

    /// All requests pass, those that are held too.
    pub fn open(&self) {
        self.forget();
        self.state.open.send_replace(true);
    }

    /// Waits until a request met the rule.
    pub async fn met(&self) {
        let mut met = self.state.met.subscribe();
        let wait = met.wait_for(|n| *n > 0);
        let waited = tokio::time::timeout(std::time::Duration::from_secs(60), wait).await;
        assert!(waited.is_ok(), "no request came to the gate within a minute");
    }

    /// How many requests met a rule.
    pub fn count(&self) -> usize {
        *self.state.met.borrow()
    }
}

/// Passes bytes both ways until one side is gone or a rule ends the connection. Lambda's functions send one request at a time on a connection.
async fn pass(inner: TcpStream, outer: TcpStream, state: Arc<State>) {
    let ((mut asks, mut reply), (mut answers, mut request)) = (inner.into_split(), outer.into_split());
    let (mut up, mut down) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    loop {
        tokio::select! {
            read = asks.read(&mut up) => {
                let Ok(n @ 1..) = read else { return };
                match state.rule_for(&up[..n]) {
                    None => {}
                    Some(What::Hold) => { let _ = state.open.subscribe().wait_for(|open| *open).await; }
                    Some(What::Cut) => return,
                    Some(What::Delay(ms)) => tokio::time::sleep(std::time::Duration::from_millis(ms)).await,
                    Some(What::Deny) => {
                        let _ = reply.write_all(DENIED.as_bytes()).await;
                        // Closing before the client has sent all could lose the answer.
                        while let Ok(1..) = asks.read(&mut up).await {}
                        return;
                    }
                }
                if request.write_all(&up[..n]).await.is_err() {
                    return;
                }
            }
            read = answers.read(&mut down) => {
                let Ok(n @ 1..) = read else { return };
                if reply.write_all(&down[..n]).await.is_err() {
                    return;
                }
            }
        }
    }
}

const DENIED: &str = "HTTP/1.1 403 Forbidden\r\ncontent-type: application/xml\r\nconnection: close\r\ncontent-length: 100\r\n\r\n\
    <?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Access Denied (gate)</Message></Error>";

impl State {
    /// What the rule says of a request that begins with these bytes.
    fn rule_for(&self, bytes: &[u8]) -> Option<What> {
        let rule = (*self.rule.lock().unwrap())?;
        let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        (line.starts_with(rule.method) && line.contains(rule.text)).then(|| {
            self.met.send_modify(|n| *n += 1);
            rule.what
        })
    }
}
