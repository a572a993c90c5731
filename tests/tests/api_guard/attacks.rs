//! Bad input, as an attacker and as a tired admin would send it: each with its status and code.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::deployment::{Deployment, admin};

#[tokio::test]
async fn bodies() {
    let d = Deployment::start().await;
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let field = |name: &str, value: &str| format!("{{\"{name}\": {value}}}");
    for (body, status, code) in [
        ("{".to_owned(), 400, "invalid_input"),
        ("{\"label\": \"x\"".into(), 400, "invalid_input"),
        ("{} {}".into(), 400, "invalid_input"),
        ("{\"label\": NaN}".into(), 400, "invalid_input"),
        ("{'label': 'x'}".into(), 400, "invalid_input"),
        ("label=x".into(), 400, "invalid_input"),
        ("\u{feff}{}".into(), 400, "invalid_input"),
        ("[]".into(), 400, "invalid_input"),
        ("0".into(), 400, "invalid_input"),
        (nested(100_000), 400, "invalid_input"),
        (field("tables", &nested(100_000)), 400, "invalid_input"),
        (field("label", &"{\"a\":".repeat(50_000)), 400, "invalid_input"),
        (field("__proto__", "{\"admin\": true}"), 400, "invalid_input"),
        (field("constructor", "{}"), 400, "invalid_input"),
        (field("id", "\"20261121T020000Z-9f86d081\""), 400, "invalid_input"),
        (field("eventId", "\"x\""), 400, "invalid_input"),
        (field("createdBy", "\"root\""), 400, "invalid_input"),
        (field("planOnly", "true"), 400, "invalid_input"),
        (field("hop", "{}"), 400, "invalid_input"),
        (field("databaseSecret", "\"arn:aws:secretsmanager:x:1:secret:y\""), 400, "invalid_input"),
        (field("compress", "\"true\""), 400, "invalid_input"),
        (field("compress", "1"), 400, "invalid_input"),
        (field("label", "5"), 400, "invalid_input"),
        (field("label", "[\"x\"]"), 400, "invalid_input"),
        (field("label", "\"a\\u0000b\""), 400, "invalid_input"),
        (field("label", "\"a\\r\\nx-injected: 1\""), 400, "invalid_input"),
        (field("label", "\"\\ud800\""), 400, "invalid_input"),
        (field("label", &format!("\"{}\"", "x".repeat(201))), 400, "invalid_input"),
        (field("database", "\"main'; DROP TABLE t; --\""), 400, "invalid_input"),
        (field("database", "\"..\""), 400, "invalid_input"),
        (field("database", "\"main\\u0000\""), 400, "invalid_input"),
        (field("database", "{\"$ne\": null}"), 400, "invalid_input"),
        (field("database", "\"other\""), 404, "not_found"),
        (field("compression", "\"zstd --ultra\""), 400, "invalid_input"),
        (field("tables", "[1e400]"), 400, "invalid_input"),
        (field("label", &format!("\"{}\"", "x".repeat(10 << 20))), 413, "too_large"),
        ("x".repeat(10 << 20), 413, "too_large"),
    ] {
        for path in ["/backup", "/api/admin/backup/trigger"] {
            let answer = d.call(&admin(), "POST", path, &body).await;
            answer.problem(status, code);
            assert!(answer.headers.get("x-injected").is_none());
            assert!(answer.body["detail"].as_str().unwrap().len() < 500, "input is not echoed at length");
        }
    }
    // Bytes that are no text.
    let bearer = format!("Bearer {}", admin());
    d.send("POST", "/backup", &[("authorization", &bearer)], b"{\"label\": \"\xff\"}")
        .await
        .problem(400, "invalid_input");
    assert!(d.invoked().is_empty(), "nothing was begun");
    assert!(d.tables.ledger.open().await.unwrap().is_empty(), "no record of what was refused");
}

/// What no call takes, whichever it is.
#[tokio::test]
async fn every_call_refuses_nonsense_with_the_same_words() {
    let d = Deployment::start().await;
    let (mut bodies, mut queries, mut ids) = (0, 0, 0);
    for (method, path, scope) in d.described().await {
        let planned = path.contains("/conflicts");
        if scope.is_none() || planned {
            continue;
        }
        let ask = async |path: &str, body: &str| d.call(&admin(), &method, path, body).await;
        if method == "POST" || method == "PUT" {
            bodies += 1;
            for body in ["{", "[]", "7", "\"x\"", "{} {}", "{\"a\": NaN}"] {
                ask(&path, body).await.problem(400, "invalid_input");
            }
            let unknown = ask(&path, "{\"frobnicate\": 1}").await;
            // Of a restore what is missing is told first.
            let field = if path.ends_with("/restore") || path == "/backup" && method == "PUT" {
                "target"
            } else {
                "frobnicate"
            };
            assert_eq!(unknown.problem(400, "invalid_input").body["field"], field, "{method} {path}");
            let twice = ask(&path, "{\"label\": \"a\", \"label\": \"b\"}").await;
            twice.problem(400, "invalid_input");
            ask(&path, &"x".repeat(10 << 20)).await.problem(413, "too_large");
        }
        queries += 1;
        let unknown = ask(&format!("{path}?frobnicate=1"), "").await;
        assert_eq!(unknown.problem(400, "invalid_input").body["field"], "frobnicate", "{method} {path}");
        for wrong in ["limit=-1", "limit=1e3", "cursor=%00", "%ff=1", "limit=1&limit=2"] {
            ask(&format!("{path}?{wrong}"), "").await.problem(400, "invalid_input");
        }
        for given in ["20261121T020000Z-9f86d081", "crm", "/schedules/id"] {
            let end = given.strip_prefix("/schedules").unwrap_or(given);
            if !path.contains(given) {
                continue;
            }
            ids += 1;
            for bad in
                ["%00", "a%2Fb", "..%2fx", "%2e%2e", "a%0d%0ab", "%c0%ae", "-1", "a%20b", &"x".repeat(2_000)]
            {
                let with = if end == "/id" {
                    path.replace(given, &format!("/schedules/{bad}"))
                } else {
                    path.replace(given, bad)
                };
                let answer = ask(&with, "").await;
                answer.problem(400, "invalid_input");
                assert!(answer.body["detail"].as_str().unwrap().len() < 500, "{method} {with}");
            }
        }
    }
    assert!(bodies > 12 && queries > 28 && ids > 9, "{bodies} {queries} {ids}");
    assert!(d.invoked().is_empty(), "nothing was begun");
    assert!(d.tables.ledger.open().await.unwrap().is_empty());
    assert!(d.state().await.is_empty(), "nothing was registered");
}

#[tokio::test]
async fn names_that_are_statements_are_never_run() {
    let d = Deployment::start().await;
    for name in
        ["t; DROP TABLE t", "t\" CASCADE; --", "\\! id", "$(id)", "a\u{0}b", "../../etc/passwd", "pg_shadow'"]
    {
        for field in ["tables", "excludeTables", "excludeData"] {
            let answer = d.call(&admin(), "POST", "/backup", &json!({ field: [name] }).to_string()).await;
            // What is a pattern travels as a text and is matched against names; nothing else gets anywhere.
            match answer.status {
                202 => assert_eq!(d.invoked().last().unwrap()[field], json!([name])),
                status => assert_eq!((status, &answer.body["field"]), (400, &json!(format!("{field}[0]")))),
            }
        }
    }
    // A label is a label, whatever it looks like.
    let label = "'; DROP TABLE t; -- <script>alert(1)</script> ${jndi:ldap://x} %s";
    let answer = d.call(&admin(), "POST", "/backup", &json!({ "label": label }).to_string()).await;
    assert_eq!((answer.status, &answer.body["label"]), (202, &json!(label)));
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn paths() {
    let d = Deployment::start().await;
    for (path, status, code) in [
        ("/backup/..%2f..%2fetc%2fpasswd", 400, "invalid_input"),
        ("/backup/%2e%2e/x", 400, "invalid_input"),
        ("/backup/%252e%252e%252fx", 400, "invalid_input"),
        ("/backup/a%2Fb", 400, "invalid_input"),
        ("/backup/%00", 400, "invalid_input"),
        ("/backup/20261121T020000Z-9f86d081%00", 400, "invalid_input"),
        ("/backup/20261121T020000Z-9f86d081%0d%0ax-injected:1", 400, "invalid_input"),
        ("/backup/%c0%ae%c0%ae", 400, "invalid_input"),
        ("/backup/20261121T020000Z-9F86D081", 400, "invalid_input"),
        ("/backup/%20", 400, "invalid_input"),
        ("/backup/-1", 400, "invalid_input"),
        ("/backup/20261121T020000Z-9f86d081", 404, "not_found"),
        ("/backup/20261121T020000Z-9f86d081/", 404, "not_found"),
        ("/backup/", 404, "not_found"),
        ("//backup", 404, "not_found"),
        ("/backup//latest", 404, "not_found"),
        ("/BACKUP", 404, "not_found"),
        ("/backup;x=1", 404, "not_found"),
        ("/api/admin/admin/backup", 404, "not_found"),
        ("/api/api/backup", 404, "not_found"),
    ] {
        let answer = d.call(&admin(), "GET", path, "").await;
        answer.problem(status, code);
        assert!(answer.headers.get("x-injected").is_none(), "{path}");
    }
    let long = format!("/backup/{}", "x".repeat(60_000));
    let answer = d.call(&admin(), "GET", &long, "").await;
    answer.problem(400, "invalid_input");
    assert!(answer.body["detail"].as_str().unwrap().len() < 300);
}

#[tokio::test]
async fn queries() {
    let d = Deployment::start().await;
    let cursor = |text: &str| format!("cursor={}", URL_SAFE_NO_PAD.encode(text));
    let mut all: Vec<(String, &str)> = Vec::new();
    for limit in [
        "0",
        "-1",
        "501",
        "1e3",
        "0x10",
        "1.5",
        "%2B5",
        "%EF%BC%95",
        "%20%205",
        "null",
        "99999999999999999999999",
    ] {
        all.push((format!("limit={limit}"), "limit"));
    }
    for forged in [
        "1",
        "1 2026-11-21T02:00:00.000Z ../../x",
        "1 2026-11-21T02:00:00.000Z 20261121T020000Z-9f86d081 x",
        "2 2026-11-21T02:00:00.000Z 20261121T020000Z-9f86d081",
        "1 9999-99-99T02:00:00.000Z 20261121T020000Z-9f86d081",
        "1 2026-11-21T02:00:00Z 20261121T020000Z-9f86d081",
        "{\"id\": {\"S\": \"x\"}}",
        "\0\0\0",
    ] {
        all.push((cursor(forged), "cursor"));
    }
    all.extend([
        ("cursor=%2e%2e".into(), "cursor"),
        (format!("cursor={}", "A".repeat(20_000)), "cursor"),
        (
            format!("since=2026-11-22&{}", cursor("1 2026-11-21T02:00:00.000Z 20261121T020000Z-9f86d081")),
            "cursor",
        ),
        ("limit=5&limit=6".into(), "limit"),
        ("status=completed&status=failed".into(), "status"),
        ("status=completed'%20OR%201=1".into(), "status"),
        ("backup_type=manual&backupType=manual".into(), "backup_type"),
        ("since=-271821-04-20".into(), "since"),
        ("until=99999-01-01".into(), "until"),
        ("until=now()".into(), "until"),
        ("database=main%00".into(), "database"),
        ("database[]=main".into(), "database[]"),
        ("LIMIT=5".into(), "LIMIT"),
        ("__proto__=1".into(), "__proto__"),
        ("x-injected%0d%0a:1=1".into(), "x-injected\\r\\n:1"),
    ]);
    for (query, field) in all {
        let answer = d.call(&admin(), "GET", &format!("/backup?{query}"), "").await;
        answer.problem(400, "invalid_input");
        assert_eq!(answer.body["field"], json!(field), "{query}");
    }
    // A forged cursor that is well formed reads on from there, and shows nothing that the list would not.
    let fine = d
        .call(
            &admin(),
            "GET",
            &format!("/backup?{}", cursor("1 2026-11-21T02:00:00.000Z 20261121T020000Z-9f86d081")),
            "",
        )
        .await;
    assert_eq!((fine.status, &fine.body["backups"]), (200, &json!([])));
}

#[tokio::test]
async fn methods_and_headers() {
    let d = Deployment::start().await;
    for method in ["PATCH", "TRACE", "OPTIONS", "PROPFIND", "FOO", "get"] {
        for path in ["/backup", "/backup/latest", "/openapi.json"] {
            let answer = d.call(&admin(), method, path, "").await;
            answer.problem(405, "method_not_allowed");
            assert!(answer.headers["allow"].to_str().unwrap().contains("GET"), "{method} {path}");
        }
    }
    // Headers that proxies and frameworks obey elsewhere change nothing here.
    let bearer = format!("Bearer {}", admin());
    for (name, value) in [
        ("x-http-method-override", "DELETE"),
        ("x-original-url", "/backup/health"),
        ("x-forwarded-for", "127.0.0.1"),
        ("content-type", "application/xml"),
        ("content-encoding", "gzip"),
        ("accept", "text/html"),
        ("x-request-id", "forged"),
    ] {
        let answer = d.send("GET", "/backup", &[("authorization", &bearer), (name, value)], b"").await;
        assert_eq!(answer.status, 200, "{name}");
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_ne!(answer.headers["x-request-id"], "forged");
        assert_eq!(d.send("GET", "/backup", &[(name, value)], b"").await.status, 401, "{name}");
    }
    // What cannot stand in a header never becomes one.
    for value in ["a\r\nb: c", "a\nb", "a\0b"] {
        assert!(axum::http::HeaderValue::from_str(value).is_err());
    }
    let head = d.call(&admin(), "HEAD", "/backup", "").await;
    assert_eq!((head.status, head.body), (200, Value::Null));
    for header in ["cache-control", "x-content-type-options", "x-request-id"] {
        assert!(head.headers.contains_key(header), "{header}");
    }
}
