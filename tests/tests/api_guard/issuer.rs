//! An identity provider on loopback: it publishes keys, and signs whatever a test wants with whatever header, as nobody should.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
        KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
    },
};
use axum::{Json, Router, extract::State, routing::get};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// A key pair.
pub enum Pair {
    Rsa(Box<RsaKeyPair>),
    P256(EcdsaKeyPair, Vec<u8>),
    Ed25519(Ed25519KeyPair),
}

pub fn part(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Pair {
    pub fn rsa() -> Self {
        Self::Rsa(Box::new(RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap()))
    }

    pub fn p256() -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref()).unwrap();
        Self::P256(pair, document.as_ref().to_vec())
    }

    pub fn ed25519() -> Self {
        Self::Ed25519(Ed25519KeyPair::generate().unwrap())
    }

    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::P256(..) => "ES256",
            Self::Ed25519(_) => "EdDSA",
        }
    }

    /// As published (RFC 7517).
    pub fn jwk(&self, kid: &str) -> Value {
        let mut key = match self {
            Self::Rsa(pair) => {
                let public = pair.public_key();
                let (n, e) = (public.modulus(), public.exponent());
                json!({"kty": "RSA", "n": part(n.big_endian_without_leading_zero()), "e": part(e.big_endian_without_leading_zero())})
            }
            // An uncompressed point: 4, x, y.
            Self::P256(pair, _) => {
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "x": part(&point[1..33]), "y": part(&point[33..])})
            }
            Self::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": part(pair.public_key().as_ref())})
            }
        };
        key["kid"] = kid.into();
        key["use"] = "sig".into();
        key
    }

    /// The public key in the forms that a library might take for a shared secret.
    pub fn public_forms(&self) -> Vec<Vec<u8>> {
        let der = match self {
            Self::Rsa(pair) => {
                AsDer::<aws_lc_rs::encoding::PublicKeyX509Der>::as_der(pair.public_key()).unwrap()
            }
            Self::P256(pair, _) => pair.public_key().as_der().unwrap(),
            Self::Ed25519(pair) => pair.public_key().as_der().unwrap(),
        };
        let body = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
        let lines: Vec<&str> = body.as_bytes().chunks(64).map(|l| std::str::from_utf8(l).unwrap()).collect();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"));
        vec![
            der.as_ref().to_vec(),
            pem.trim().as_bytes().to_vec(),
            pem.into_bytes(),
            self.jwk("k").to_string().into_bytes(),
        ]
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            Self::P256(pair, _) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// A token with exactly this header.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", part(header.to_string()), part(claims.to_string()));
        format!("{message}.{}", part(self.signature(message.as_bytes())))
    }

    /// A token as a provider makes them.
    pub fn token(&self, kid: &str, claims: &Value) -> String {
        self.sign(&json!({"alg": self.algorithm(), "typ": "JWT", "kid": kid}), claims)
    }

    /// The right key in a scheme that it is not published for: PSS, or ASN.1 in the place of the fixed form.
    pub fn sign_otherwise(&self, algorithm: &str, kid: &str, claims: &Value) -> String {
        let header = json!({"alg": algorithm, "kid": kid});
        let message = format!("{}.{}", part(header.to_string()), part(claims.to_string()));
        let random = SystemRandom::new();
        let signature = match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PSS_SHA256, &random, message.as_bytes(), &mut signature).unwrap();
                signature
            }
            Self::P256(_, document) => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document).unwrap();
                pair.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec()
            }
            Self::Ed25519(_) => panic!("there is one scheme only"),
        };
        format!("{message}.{}", part(signature))
    }
}

/// The provider's server.
#[derive(Default)]
pub struct Issuer {
    keys: Mutex<Vec<Value>>,
    asked: AtomicUsize,
    broken: Mutex<bool>,
}

impl Issuer {
    /// Starts it; gives the URL of its keys.
    pub async fn start(keys: Vec<Value>) -> (Arc<Self>, String) {
        let issuer = Arc::new(Self { keys: Mutex::new(keys), ..Self::default() });
        let app = Router::new().route("/keys", get(published)).with_state(Arc::clone(&issuer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (issuer, url)
    }

    pub fn publishes(&self, keys: Vec<Value>) {
        *self.keys.lock().unwrap() = keys;
    }

    pub fn breaks(&self) {
        *self.broken.lock().unwrap() = true;
    }

    /// How often the keys were fetched.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn published(State(issuer): State<Arc<Issuer>>) -> Result<Json<Value>, axum::http::StatusCode> {
    issuer.asked.fetch_add(1, Ordering::SeqCst);
    if *issuer.broken.lock().unwrap() {
        return Err(axum::http::StatusCode::INTERNAL_SERVER_ERROR);
    }
    Ok(Json(json!({"keys": *issuer.keys.lock().unwrap()})))
}
