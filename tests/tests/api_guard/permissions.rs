//! Who may do what: what the document says is what the handlers ask for.

use serde_json::json;

use crate::deployment::{Deployment, token};

const SCOPES: [&str; 4] = ["backup:read", "backup:write", "backup:restore", "backup:admin"];

fn includes(has: &str, needed: &str) -> bool {
    has == needed || has == "backup:admin" || needed == "backup:read"
}

#[tokio::test]
async fn every_call_needs_the_scope_that_its_description_names() {
    let d = Deployment::start().await;
    let mut seen = 0;
    for (method, path, scope) in d.described().await {
        let Some(scope) = scope else { continue };
        seen += 1;
        assert_eq!(d.send(&method, &path, &[], b"").await.status, 401, "{method} {path}");
        d.call(&token(json!({})), &method, &path, "").await.problem(403, "forbidden");
        for has in SCOPES {
            let answer = d.call(&token(json!({ "scope": has })), &method, &path, "").await;
            if includes(has, &scope) {
                assert!(![401, 403].contains(&answer.status), "{method} {path} as {has}: {}", answer.body);
            } else {
                answer.problem(403, "forbidden");
                assert!(answer.body["detail"].as_str().unwrap().contains(&scope), "{}", answer.body);
            }
        }
    }
    assert!(seen > 30, "{seen}");
}

#[tokio::test]
async fn what_is_open_is_open_and_nothing_else() {
    let d = Deployment::start().await;
    let open: Vec<_> = d.described().await.into_iter().filter(|(.., scope)| scope.is_none()).collect();
    let paths: Vec<_> = open.iter().map(|(_, path, _)| path.as_str()).collect();
    assert_eq!(paths, ["/backup/health", "/docs", "/docs/file", "/openapi.json"]);
    for mount in ["", "/api", "/api/admin"] {
        assert_eq!(d.send("GET", &format!("{mount}/openapi.json"), &[], b"").await.status, 200);
        let page = d.send("GET", &format!("{mount}/docs"), &[], b"").await;
        assert_eq!(
            (page.status, page.headers["content-type"].to_str().unwrap()),
            (200, "text/html; charset=utf-8")
        );
        assert!(page.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
        let script = d
            .send("GET", &format!("{mount}/docs/swagger-ui-bundle.js"), &[("accept-encoding", "gzip")], b"")
            .await;
        assert_eq!((script.status, &script.headers["content-encoding"]), (200, &"gzip".parse().unwrap()));
        d.send("GET", &format!("{mount}/docs/other.js"), &[], b"").await.problem(404, "not_found");
    }
}
