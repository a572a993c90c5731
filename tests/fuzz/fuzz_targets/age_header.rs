//! Sealed files: whatever stands there, it opens or fails the same in whatever pieces it comes, and `can_open` says beforehand which.
#![no_main]

use std::{slice::from_ref, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use pgbaton_fuzz::{
    Input, ceiling,
    seal::{HEADER_LIMIT, Identity, Opener, can_open},
};

static IDENTITY: LazyLock<Identity> = LazyLock::new(|| {
    let key = "AGE-SECRET-KEY-19NU03WEWD8DS8UKRKKPMY6XQ2Y60Z3QCDHKJGRK7GRNWCTUSGT0QGNDPEW";
    key.parse().expect("a key of nobody's")
});

/// What came out, and how it ended.
fn open<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<u8>, Result<(), String>) {
    let mut opener = Opener::new(from_ref(&IDENTITY)).expect("there is an identity");
    let mut out = Vec::new();
    for piece in pieces {
        if let Err(e) = opener.push(piece, &mut out) {
            return (out, Err(e.to_string()));
        }
    }
    let ended = opener.finish(&mut out).map_err(|e| e.to_string());
    (out, ended)
}

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::of(data) else { return };
    let most = (1 << 20) + 16 * input.bytes.len();
    let (out, ended) = ceiling::within(most, || open([input.bytes].into_iter()));
    assert_eq!(ceiling::within(most, || open(input.pieces())), (out.clone(), ended.clone()));
    assert!(out.is_empty() || out.len() < input.bytes.len(), "a header and tags take room");
    let first = &input.bytes[..input.bytes.len().min(HEADER_LIMIT)];
    match can_open(first, from_ref(&IDENTITY)) {
        Ok(()) => {}
        Err(e) => assert_eq!((Vec::new(), Err(e.to_string())), (out, ended)),
    }
});
