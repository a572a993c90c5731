//! The JSON document: the same is found in whatever pieces it comes, within bounds of memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgbaton_fuzz::{
    Input,
    base::Result,
    ceiling,
    format::{Found, json::Reader},
    pieces::joined,
};

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Result<Vec<Found>> {
    let (mut reader, mut all) = (Reader::default(), Vec::new());
    for piece in pieces {
        all.extend(reader.push(piece)?);
    }
    reader.finish()?;
    Ok(joined(all))
}

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::of(data) else { return };
    let most = (1 << 20) + 512 * input.bytes.len();
    let whole = ceiling::within(most, || read([input.bytes].into_iter()));
    let pieces = ceiling::within(most, || read(input.pieces()));
    match (whole, pieces) {
        (Ok(whole), Ok(pieces)) => assert_eq!(whole, pieces),
        // What is no UTF-8 is told of a piece before anything else in it.
        (Err(whole), Err(pieces)) => {
            let (whole, pieces) = (whole.to_string(), pieces.to_string());
            assert!(whole == pieces || whole.contains("UTF-8"), "{whole}\n{pieces}");
        }
        (whole, pieces) => panic!("{whole:?}\n{pieces:?}"),
    }
});
