//! `toc.dat`: what is parsed is written and parsed again to the same, and takes memory as its bytes do.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgbaton_fuzz::{archive::Toc, ceiling};

fuzz_target!(|data: &[u8]| {
    let parsed = ceiling::within((64 << 10) + 32 * data.len(), || Toc::parse(data));
    let Ok(toc) = parsed else { return };
    let bytes = toc.to_bytes().expect("what was parsed is written");
    assert_eq!(Toc::parse(&bytes).expect("what was written is parsed"), toc);
});
