//! The codecs: round trips, concatenated frames, truncation, damage, bounded output.

use std::io::Write;

use proptest::prelude::*;

use super::*;

const CODECS: [Codec; 3] = [Codec::None, Codec::GZIP, Codec::ZSTD];

fn encode(codec: Codec, pieces: &[&[u8]]) -> Vec<u8> {
    let (mut encoder, mut out) = (Encoder::new(codec).unwrap(), Vec::new());
    for piece in pieces {
        encoder.push(piece, &mut out).unwrap();
    }
    encoder.finish(&mut out).unwrap();
    out
}

fn decode(algorithm: Algorithm, stored: &[u8], step: usize) -> Result<Vec<u8>> {
    let (mut decoder, mut out) = (Decoder::new(algorithm)?, Vec::new());
    for piece in stored.chunks(step.max(1)) {
        let mut rest = piece;
        while !rest.is_empty() {
            rest = decoder.push(rest, &mut out)?;
        }
    }
    decoder.finish(&mut out)?;
    Ok(out)
}

fn lz4(data: &[u8], linked: bool, block_checksums: bool) -> Vec<u8> {
    use lz4_flex::frame::{BlockMode, FrameEncoder, FrameInfo};
    let info = FrameInfo::new()
        .block_mode(if linked { BlockMode::Linked } else { BlockMode::Independent })
        .block_checksums(block_checksums)
        .content_checksum(true);
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// Text that compresses somewhat, of a length that fills several blocks and buffers.
fn text(bytes: usize) -> Vec<u8> {
    (0u64..)
        .flat_map(|n| format!("{n}\t{}\n", n.wrapping_mul(2_654_435_761) % 9973).into_bytes())
        .take(bytes)
        .collect()
}

#[test]
fn suffixes_are_those_of_pg_dump() {
    for algorithm in Algorithm::ALL {
        let stored = format!("4711.dat{}", algorithm.suffix());
        assert_eq!(Algorithm::of_file(&stored), ("4711.dat", algorithm));
    }
}

#[test]
fn levels_are_checked() {
    for codec in [
        Codec::Gzip { level: 0 },
        Codec::Gzip { level: 10 },
        Codec::Zstd { level: 0 },
        Codec::Zstd { level: 20 },
    ] {
        assert_eq!(Encoder::new(codec).err().map(|e| e.kind()), Some(Kind::InvalidInput));
    }
}

#[test]
fn large_streams_come_back_and_several_count_as_one() {
    let data = text(3 << 20);
    for codec in CODECS {
        let stored = encode(codec, &data.chunks(70_000).collect::<Vec<_>>());
        assert!(codec == Codec::None || stored.len() < data.len() / 2);
        for step in [1 << 20, 4096, 61] {
            assert!(decode(codec.algorithm(), &stored, step).unwrap() == data);
        }
        let twice = [stored.clone(), encode(codec, &[]), stored].concat();
        assert!(decode(codec.algorithm(), &twice, 5000).unwrap() == [&data[..], &data].concat());
    }
    for (linked, checks) in [(true, false), (false, true), (true, true)] {
        let stored = lz4(&data, linked, checks);
        let twice = [&stored[..], &lz4(b"x", !linked, checks)].concat();
        assert!(decode(Algorithm::Lz4, &twice, 777).unwrap() == [&data[..], b"x"].concat());
    }
}

#[test]
fn a_small_input_does_not_fill_the_memory() {
    let data = vec![0; 64 << 20];
    for codec in [Codec::GZIP, Codec::ZSTD] {
        let stored = encode(codec, &[&data]);
        let mut decoder = Decoder::new(codec.algorithm()).unwrap();
        let (mut rest, mut total, mut most) = (&stored[..], 0, 0);
        while !rest.is_empty() {
            let mut out = Vec::new();
            rest = decoder.push(rest, &mut out).unwrap();
            total += out.len();
            most = most.max(out.len());
        }
        let mut out = Vec::new();
        decoder.finish(&mut out).unwrap();
        assert_eq!(total + out.len(), data.len());
        assert!(most.max(out.len()) <= OUTPUT_STEP + (128 << 10), "{most}");
    }
}

#[test]
fn a_huge_window_is_refused() {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(28).unwrap();
    encoder.write_all(&text(100_000)).unwrap();
    let stored = encoder.finish().unwrap();
    assert_eq!(decode(Algorithm::Zstd, &stored, 4096).unwrap_err().kind(), Kind::Corrupt);
}

#[test]
fn truncation_anywhere_is_seen() {
    let data = text(3000);
    let files = [
        (Algorithm::Gzip, encode(Codec::GZIP, &[&data])),
        (Algorithm::Zstd, encode(Codec::ZSTD, &[&data])),
        (Algorithm::Lz4, lz4(&data, true, true)),
    ];
    for (algorithm, stored) in files {
        // pg_dump's lz4 or zstd file of an empty large object has no byte.
        for end in usize::from(algorithm != Algorithm::Gzip)..stored.len() {
            let e = decode(algorithm, &stored[..end], 100).expect_err("accepted a truncated stream");
            assert_eq!(e.kind(), Kind::Corrupt, "{algorithm:?} cut at {end}");
        }
    }
}

#[test]
fn an_empty_large_object_of_pg_dump_has_no_frame() {
    for algorithm in [Algorithm::Lz4, Algorithm::Zstd] {
        assert!(decode(algorithm, b"", 1).unwrap().is_empty());
    }
}

#[test]
fn a_flipped_bit_never_changes_the_data_unseen() {
    let data = text(2000);
    for (algorithm, header, stored) in [
        (Algorithm::Gzip, 10, encode(Codec::GZIP, &[&data])),
        (Algorithm::Zstd, 0, encode(Codec::ZSTD, &[&data])),
        (Algorithm::Lz4, 0, lz4(&data, true, true)),
    ] {
        for at in header..stored.len() {
            let mut bad = stored.clone();
            bad[at] ^= 0x10;
            // Padding bits and the like mean nothing: then the data must be whole.
            match decode(algorithm, &bad, 512) {
                Ok(out) => assert!(out == data, "{algorithm:?} at {at}"),
                Err(e) => assert_eq!(e.kind(), Kind::Corrupt),
            }
        }
    }
}

proptest! {
    #[test]
    fn round_trip(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..2000), 0..8), step in 1usize..3000) {
        let slices: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        for codec in CODECS {
            let stored = encode(codec, &slices);
            prop_assert_eq!(decode(codec.algorithm(), &stored, step).unwrap(), pieces.concat());
        }
        prop_assert_eq!(decode(Algorithm::Lz4, &lz4(&pieces.concat(), step % 2 == 0, step % 3 == 0), step).unwrap(), pieces.concat());
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..600), step in 1usize..700) {
        for algorithm in Algorithm::ALL {
            let _ = decode(algorithm, &bytes, step);
        }
    }

    #[test]
    fn damaged_streams_never_panic(at in 0usize..5000, bit in 0u8..8, step in 1usize..700) {
        let data = text(20_000);
        for (algorithm, mut stored) in [
            (Algorithm::Gzip, encode(Codec::GZIP, &[&data])),
            (Algorithm::Zstd, encode(Codec::ZSTD, &[&data])),
            (Algorithm::Lz4, lz4(&data, true, false)),
        ] {
            let at = at % stored.len();
            stored[at] ^= 1 << bit;
            let _ = decode(algorithm, &stored, step);
        }
    }
}
