//! The SQL script: the same is found in whatever pieces it comes, within bounds of memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgbaton_fuzz::{
    Input, ceiling,
    format::{Found, sql::Reader},
    pieces::joined,
};

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Result<Vec<Found>, String> {
    let (mut reader, mut all) = (Reader::default(), Vec::new());
    for piece in pieces {
        all.extend(reader.push(piece).map_err(|e| e.to_string())?);
    }
    reader.finish().map_err(|e| e.to_string())?;
    Ok(joined(all))
}

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::of(data) else { return };
    let most = (1 << 20) + 512 * input.bytes.len();
    let whole = ceiling::within(most, || read([input.bytes].into_iter()));
    let pieces = ceiling::within(most, || read(input.pieces()));
    assert_eq!(whole, pieces);
});
