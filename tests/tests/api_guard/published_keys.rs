//! Tokens of an identity provider (`JWT_JWKS_URL`): the right ones, rotation, outages, and forgeries.

use hmac_of::hs256;
use serde_json::{Value, json};

use crate::{
    deployment::{Deployment, claims},
    issuer::{Issuer, Pair, part},
};

const ISSUER: &str = "https://issuer.example";

async fn trusting(url: &str) -> Deployment {
    Deployment::with(&[
        ("JWT_SECRET", ""),
        ("JWT_JWKS_URL", url),
        ("JWT_ISSUER", ISSUER),
        ("JWT_AUDIENCE", "pgbaton"),
    ])
    .await
}

/// Claims as the provider makes them, with changes.
fn with(changes: Value) -> Value {
    let mut all = claims(json!({"iss": ISSUER, "aud": ["other", "pgbaton"], "scope": "backup:admin"}));
    all["iat"] = all["nbf"].clone();
    for (name, value) in changes.as_object().unwrap() {
        all[name] = value.clone();
        if value == "absent" {
            all.as_object_mut().unwrap().remove(name);
        }
    }
    all
}

async fn status(d: &Deployment, token: &str) -> u16 {
    d.call(token, "GET", "/backup", "").await.status
}

#[tokio::test]
async fn tokens_of_every_kind_of_key_are_taken() {
    let pairs = [("r", Pair::rsa()), ("p", Pair::p256()), ("e", Pair::ed25519())];
    let (issuer, url) = Issuer::start(pairs.iter().map(|(kid, pair)| pair.jwk(kid)).collect()).await;
    let d = trusting(&url).await;
    for (kid, pair) in &pairs {
        assert_eq!(status(&d, &pair.token(kid, &with(json!({})))).await, 200, "{kid}");
        // Providers leave nbf and iat out.
        let bare = with(json!({"nbf": "absent", "iat": "absent", "aud": "pgbaton"}));
        assert_eq!(status(&d, &pair.token(kid, &bare)).await, 200, "{kid}");
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn one_key_needs_no_id_and_several_do() {
    let (rsa, other) = (Pair::rsa(), Pair::ed25519());
    let without_id = rsa.sign(&json!({"alg": "RS256"}), &with(json!({})));
    let (_, url) = Issuer::start(vec![rsa.jwk("a")]).await;
    assert_eq!(status(&trusting(&url).await, &without_id).await, 200);
    let (_, url) = Issuer::start(vec![rsa.jwk("a"), other.jwk("b")]).await;
    assert_eq!(status(&trusting(&url).await, &without_id).await, 401);
}

#[tokio::test]
async fn rotation_is_followed_once_a_minute_and_outages_are_lived_through() {
    let (old, new, newer) = (Pair::p256(), Pair::p256(), Pair::p256());
    let (issuer, url) = Issuer::start(vec![old.jwk("old")]).await;
    let d = trusting(&url).await;
    let token = |pair: &Pair, kid: &str| pair.token(kid, &with(json!({})));
    assert_eq!(status(&d, &token(&old, "old")).await, 200);
    issuer.publishes(vec![old.jwk("old"), new.jwk("new")]);
    assert_eq!(status(&d, &token(&new, "new")).await, 200, "fetched anew for an unknown id");
    assert_eq!((status(&d, &token(&old, "old")).await, issuer.asked()), (200, 2));
    issuer.publishes(vec![newer.jwk("newer")]);
    for n in 0..30 {
        assert_eq!(status(&d, &token(&newer, &format!("newer{n}"))).await, 401);
    }
    assert_eq!(status(&d, &token(&newer, "newer")).await, 401, "the next minute");
    assert_eq!(issuer.asked(), 2, "unknown ids do not make it ask more than once a minute");
    issuer.breaks();
    assert_eq!(status(&d, &token(&old, "old")).await, 200, "what is kept goes on");

    let cold = trusting(&url).await;
    let asked = issuer.asked();
    for _ in 0..5 {
        let answer = cold.call(&token(&new, "new"), "GET", "/backup", "").await;
        answer.problem(503, "unreachable");
        assert!(!answer.body.to_string().contains("127.0.0.1"), "{}", answer.body);
    }
    assert_eq!(issuer.asked(), asked + 1, "an outage is not asked about with every call");
    assert_eq!(status(&cold, "x.y.z").await, 401, "what is no token needs no keys");
}

#[tokio::test]
async fn every_forgery_gets_the_same_answer() {
    let (rsa, p256, ed, stranger) = (Pair::rsa(), Pair::p256(), Pair::ed25519(), Pair::ed25519());
    let (issuer, url) = Issuer::start(vec![rsa.jwk("r"), p256.jwk("p"), ed.jwk("e")]).await;
    let d = trusting(&url).await;
    let good = with(json!({}));
    let header = |more: Value| {
        let mut header = json!({"alg": "EdDSA", "kid": "e"});
        header.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        header
    };
    assert_eq!(status(&d, &ed.sign(&header(json!({})), &good)).await, 200, "the forger itself works");

    let mut bad = Vec::new();
    for kid in ["r", "p", "e"] {
        for none in ["none", "None", "NONE", "nOnE", ""] {
            bad.push(format!(
                "{}.{}.",
                part(json!({"alg": none, "kid": kid}).to_string()),
                part(good.to_string())
            ));
        }
    }
    // The public key as a shared secret.
    for (pair, kid) in [(&rsa, "r"), (&p256, "p"), (&ed, "e")] {
        for key in pair.public_forms() {
            for alg in ["HS256", pair.algorithm()] {
                bad.push(hs256(&key, &json!({"alg": alg, "kid": kid}), &good));
            }
        }
    }
    // Another algorithm than the key's, though the signature is right.
    bad.push(rsa.sign_otherwise("PS256", "r", &good));
    bad.push(rsa.sign_otherwise("RS256", "r", &good));
    bad.push(p256.sign_otherwise("ES256", "p", &good));
    bad.push(rsa.sign(&json!({"alg": "RS512", "kid": "r"}), &good));
    bad.push(rsa.sign(&json!({"alg": "RS256", "kid": "p"}), &good));
    bad.push(ed.sign(&json!({"alg": "EdDSA", "kid": "r"}), &good));
    // A signature of zeros (CVE-2022-21449).
    let zeros =
        format!("{}.{}", part(json!({"alg": "ES256", "kid": "p"}).to_string()), part(good.to_string()));
    bad.push(format!("{zeros}.{}", part([0u8; 64])));
    bad.push(format!("{zeros}."));
    // Keys that the token brings along.
    for brought in [
        json!({"jwk": stranger.jwk("e")}),
        json!({"jwk": stranger.jwk("s"), "kid": "s"}),
        json!({"jku": url}),
        json!({"x5u": url, "kid": "s"}),
    ] {
        bad.push(stranger.sign(&header(brought), &good));
    }
    for kid in [
        json!("unknown"),
        json!("../../../dev/null"),
        json!("e' OR '1'='1"),
        json!(""),
        json!(1),
        json!(["e"]),
        json!("e\u{0}"),
        json!("k".repeat(4_000)),
    ] {
        bad.push(stranger.sign(&header(json!({ "kid": kid })), &good));
    }
    bad.push(ed.sign(&json!({"alg": "EdDSA"}), &good));
    bad.push(ed.sign(&header(json!({"crit": ["b64"], "b64": false})), &good));
    bad.push(ed.sign(&header(json!({"crit": ["exp"]})), &good));
    for claim in ["exp", "nbf", "iat"] {
        for value in [json!(null), json!("9999999999"), json!([1]), json!({}), json!(-1), json!(true)] {
            bad.push(ed.token("e", &with(json!({ claim: value }))));
        }
    }
    for changes in [
        json!({"exp": "absent"}),
        json!({"exp": 1}),
        json!({"nbf": 99_999_999_999_u64}),
        json!({"iss": "absent"}),
        json!({"iss": "https://issuer.example.org"}),
        json!({"iss": [1]}),
        json!({"aud": "absent"}),
        json!({"aud": "pgbaton2"}),
        json!({"aud": []}),
        json!({"aud": {"pgbaton": true}}),
    ] {
        bad.push(ed.token("e", &with(changes)));
    }
    let token = ed.token("e", &good);
    bad.push(ed.token("e", &with(json!({"padding": "x".repeat(9_000)}))));
    bad.extend([format!("{token}."), format!(".{token}"), format!("{token}.{token}"), format!("{token}, x")]);
    bad.extend([token.replace('.', ".."), token[..token.len() - 3].to_owned(), "..".into(), ".".into()]);
    let mut answers = std::collections::BTreeSet::new();
    for token in &bad {
        let answer = d.call(token, "POST", "/backup", "").await;
        assert_eq!(answer.status, 401, "{token}");
        answer.problem(401, "unauthorized");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        answers.insert(answer.body["detail"].to_string());
    }
    assert_eq!(answers.len(), 1, "no detail on what was wrong: {answers:?}");
    assert!(issuer.asked() <= 2, "{}", issuer.asked());
    assert!(d.invoked().is_empty());
}

#[tokio::test]
async fn a_token_comes_in_one_header() {
    let pair = Pair::ed25519();
    let (_, url) = Issuer::start(vec![pair.jwk("e")]).await;
    let d = trusting(&url).await;
    let token = pair.token("e", &with(json!({})));
    let bearer = format!("Bearer {token}");
    let ask = async |path: &str, headers: &[(&str, &str)]| d.send("GET", path, headers, b"").await.status;
    assert_eq!(ask("/backup", &[("authorization", &bearer)]).await, 200);
    assert_eq!(ask("/backup", &[("authorization", &bearer), ("authorization", &bearer)]).await, 401);
    // As API Gateway joins them.
    assert_eq!(ask("/backup", &[("authorization", &format!("{bearer},{bearer}"))]).await, 401);
    assert_eq!(ask("/backup", &[("x-authorization", &bearer)]).await, 401);
    assert_eq!(ask(&format!("/backup?access_token={token}"), &[]).await, 401);
    assert_eq!(ask("/backup", &[("cookie", &format!("token={token}"))]).await, 401);
    assert_eq!(ask("/backup", &[("authorization", &format!("Basic {token}"))]).await, 401);
}

/// HS256 by hand: a library would refuse to sign with such a header.
mod hmac_of {
    use aws_lc_rs::hmac;
    use serde_json::Value;

    use crate::issuer::part;

    pub fn hs256(key: &[u8], header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", part(header.to_string()), part(claims.to_string()));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes());
        format!("{message}.{}", part(tag))
    }
}
