//! Compressed files: each step gives a bounded piece and goes on, and pieces do not matter.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgbaton_fuzz::{
    Input,
    archive::{Algorithm, Decoder, codec::OUTPUT_STEP},
};

/// Where a bomb is left alone.
const ENOUGH: usize = 1 << 20;

#[derive(Debug, PartialEq)]
enum Ended {
    Whole(Vec<u8>),
    Enough,
    Damaged,
}

fn decoded<'a>(algorithm: Algorithm, pieces: impl Iterator<Item = &'a [u8]>) -> Ended {
    // Its output goes on when a step is over, so it holds as much as a step may give. Space for it grows by doubling.
    let most = if algorithm == Algorithm::Lz4 { 4 << 20 } else { 4 * OUTPUT_STEP };
    let mut decoder = Decoder::new(algorithm).expect("a decoder");
    let (mut all, mut out) = (Vec::new(), Vec::new());
    for mut rest in pieces {
        while !rest.is_empty() {
            let before = rest.len();
            let Ok(left) = decoder.push(rest, &mut out) else { return Ended::Damaged };
            assert!(left.len() < before || !out.is_empty(), "it does not go on");
            assert!(out.len() <= most, "{} bytes of output in one step", out.len());
            all.append(&mut out);
            rest = left;
            if all.len() > ENOUGH {
                return Ended::Enough;
            }
        }
    }
    match decoder.finish(&mut out) {
        Ok(()) => {
            assert!(out.len() <= most, "{} bytes of output at the end", out.len());
            all.append(&mut out);
            Ended::Whole(all)
        }
        Err(_) => Ended::Damaged,
    }
}

// The choice: the algorithm.
fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::of(data) else { return };
    let algorithm = [Algorithm::Gzip, Algorithm::Lz4, Algorithm::Zstd][usize::from(input.choice % 3)];
    let whole = decoded(algorithm, [input.bytes].into_iter());
    let pieces = decoded(algorithm, input.pieces());
    // Damage behind the point where enough was seen may be met by one of them only.
    if whole != Ended::Enough && pieces != Ended::Enough {
        assert!(whole == pieces, "pieces matter");
    }
});
