//! `manifest.json`: what is parsed is written and parsed again to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgbaton_fuzz::{archive::Manifest, ceiling};

fuzz_target!(|data: &[u8]| {
    let parsed = ceiling::within((1 << 20) + 512 * data.len(), || Manifest::parse(data));
    let Ok(manifest) = parsed else { return };
    let bytes = manifest.to_bytes().expect("what was parsed is written");
    assert_eq!(Manifest::parse(&bytes).expect("what was written is parsed"), manifest);
});
