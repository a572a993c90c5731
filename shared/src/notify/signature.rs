//! How a webhook proves that it comes from us, and now: HMAC-SHA256 (RFC 2104) over `timestamp.body`.
//!
//! ```text
//! pgbaton-event-id:  20261121T020000Z-9f86d081/backup.failed      the same each time the event is told
//! pgbaton-timestamp: 1795226405                                   epoch seconds of this attempt
//! pgbaton-signature: v1=5257a869e7ec…                              hex of HMAC-SHA256(secret, "1795226405." + body)
//! ```
//!
//! A receiver computes the signature over the bytes it got, compares in constant time, refuses timestamps that are minutes away, and keeps the ids of
//! the last two days.

use aws_lc_rs::hmac;

use crate::base::Secret;

/// Header with the event's id.
pub const EVENT_ID: &str = "pgbaton-event-id";
/// Header with the epoch seconds of the attempt.
pub const TIMESTAMP: &str = "pgbaton-timestamp";
/// Header with the signature.
pub const SIGNATURE: &str = "pgbaton-signature";

/// The value of [`SIGNATURE`].
pub fn sign(secret: &Secret, timestamp: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(timestamp.to_string().as_bytes());
    context.update(b".");
    context.update(body);
    format!("v1={}", hex::encode(context.sign()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_another_implementation() {
        // python3 -c 'import hmac; print(hmac.new(b"Jefe", b"1795226405.{\"a\":1}", "sha256").hexdigest())'
        let signature = sign(&Secret::new("Jefe"), 1_795_226_405, br#"{"a":1}"#);
        assert_eq!(signature, "v1=2daa1215a70995759843ee30f6fa6a62a7456e7ddc641fe4431be8ecdcd2b99c");
    }

    #[test]
    fn time_body_and_secret_all_count() {
        let of = |secret: &str, time, body: &[u8]| sign(&Secret::new(secret), time, body);
        let one = of("s", 1, b"x");
        assert_eq!(one, of("s", 1, b"x"));
        for other in [of("t", 1, b"x"), of("s", 2, b"x"), of("s", 1, b"y"), of("s", 11, b"")] {
            assert_ne!(one, other);
        }
    }
}
