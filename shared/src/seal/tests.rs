//! Sealing and opening: round trips, the stock format, wrong keys, damage of every kind. Those of keys stand with them.

use std::slice::from_ref;

use proptest::prelude::*;

use super::{identity::tests::KEYS, *};
use crate::base::{Kind, Result, id::RunId};

const CHUNK: usize = 64 << 10;
const SEALED_CHUNK: usize = CHUNK + 16;

fn seal(recipients: &[Recipient], data: &[u8], step: usize) -> Vec<u8> {
    let (mut sealer, mut out) = (Sealer::new(recipients).unwrap(), Vec::new());
    for piece in data.chunks(step) {
        sealer.push(piece, &mut out).unwrap();
    }
    sealer.finish(&mut out).unwrap();
    out
}

/// What came out, and how it ended.
fn run(mut opener: Opener, stored: &[u8], step: usize) -> (Vec<u8>, Result<()>) {
    let mut out = Vec::new();
    for piece in stored.chunks(step) {
        if let Err(e) = opener.push(piece, &mut out) {
            return (out, Err(e));
        }
    }
    let ended = opener.finish(&mut out);
    (out, ended)
}

fn open(identities: &[Identity], stored: &[u8], step: usize) -> Result<Vec<u8>> {
    let (out, ended) = run(Opener::new(identities).unwrap(), stored, step);
    ended.map(|()| out)
}

/// No two chunks of it are alike.
fn data(bytes: usize) -> Vec<u8> {
    (0u32..).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).take(bytes).collect()
}

fn pair() -> (Identity, Vec<Recipient>) {
    let identity = Identity::generate();
    let recipients = vec![identity.recipient()];
    (identity, recipients)
}

/// Where the header with its nonce ends: with the line that begins with `---`, and 16 bytes.
fn payload_at(stored: &[u8]) -> usize {
    let mac = stored.windows(5).position(|w| w == b"\n--- ").unwrap() + 1;
    mac + 48 + 16
}

/// It is damage, and nothing but the beginning of the content came out, in whole chunks.
fn refuses(identity: &Identity, stored: &[u8], content: &[u8], what: &str) {
    for step in [1 << 20, SEALED_CHUNK, 1000] {
        let (out, ended) = run(Opener::new(from_ref(identity)).unwrap(), stored, step);
        assert_eq!(ended.map_err(|e| e.kind()), Err(Kind::Corrupt), "{what}, step {step}");
        assert!(content.starts_with(&out), "{what}, step {step}: {} bytes came out", out.len());
        assert!(out.len() % CHUNK == 0 || out.len() == content.len(), "{what}: {} bytes came out", out.len());
    }
}

#[test]
fn sealers_and_openers_go_where_their_stream_goes() {
    fn goes<T: Send + Sync + 'static>() {}
    goes::<Sealer>();
    goes::<Opener>();
    goes::<ObjectKeys>();
    goes::<Kms>();
}

#[test]
fn every_size_comes_back_in_every_step() {
    let (identity, recipients) = pair();
    let around = |n: usize| [n - 17, n - 16, n - 1, n, n + 1, n + 15, n + 16];
    let sizes = [
        vec![0, 1, 15, 16, 17],
        around(CHUNK).to_vec(),
        around(2 * CHUNK).to_vec(),
        vec![3 * CHUNK, 1_000_003],
    ];
    for size in sizes.concat() {
        let plain = data(size);
        let stored = seal(&recipients, &plain, 1 << 20);
        let chunks = size.div_ceil(CHUNK).max(1);
        assert_eq!(stored.len() - payload_at(&stored), size + 16 * chunks, "{size}");
        for step in [1, 16, 4096, CHUNK - 1, CHUNK, CHUNK + 1, SEALED_CHUNK, 8 << 20] {
            if step < 16 && size > 3 * CHUNK {
                continue;
            }
            assert!(
                open(from_ref(&identity), &seal(&recipients, &plain, step), 1 << 20).unwrap() == plain,
                "{size} {step}"
            );
            assert!(open(from_ref(&identity), &stored, step).unwrap() == plain, "{size} {step}");
        }
    }
}

#[test]
fn a_chunk_comes_out_as_soon_as_it_is_whole() {
    let (identity, recipients) = pair();
    let (mut sealer, mut stored) = (Sealer::new(&recipients).unwrap(), Vec::new());
    sealer.push(&data(CHUNK), &mut stored).unwrap();
    assert_eq!(stored.len(), payload_at(&stored), "one chunk may be the last");
    sealer.push(b"x", &mut stored).unwrap();
    assert_eq!(stored.len(), payload_at(&stored) + SEALED_CHUNK);

    let (mut opener, mut out) = (Opener::new(&[identity]).unwrap(), Vec::new());
    let (begin, last) = stored.split_at(stored.len() - 1);
    opener.push(begin, &mut out).unwrap();
    assert!(out.is_empty(), "not before its tag");
    opener.push(last, &mut out).unwrap();
    assert!(out == data(CHUNK));
    opener.push(&[], &mut out).unwrap();
    assert_eq!(out.len(), CHUNK);
}

#[test]
fn the_crate_opens_ours_and_we_open_its() {
    let (identity, recipients) = pair();
    for size in [0, 1, CHUNK, 3 * CHUNK - 5] {
        let plain = data(size);
        let key: age::x25519::Identity = identity.text().expose().parse().unwrap();
        assert!(age::decrypt(&key, &seal(&recipients, &plain, 1000)).unwrap() == plain);
        assert!(
            open(from_ref(&identity), &age::encrypt(&key.to_public(), &plain).unwrap(), 1000).unwrap()
                == plain
        );
    }
}

#[test]
fn a_file_of_the_stock_program_opens() {
    // age 1.1.1: two recipients, of which the first is that of KEYS.
    let stored = hex::decode(concat!(
        "6167652d656e6372797074696f6e2e6f72672f76310a2d3e2058323535313920336b5a59387079636352384d71716247486a",
        "716f6e6e34544b4e6b67475779706e6d4a36302f467431446f0a42674c476a6f782f70547172653939366e77623277333034",
        "49534c666a76745868374936624e302f6764550a2d3e2058323535313920637232646c732b523233675370764f4648726e78",
        "5138776c6a7a79317168452b6b37776f765a57656f676f0a3772546748764e4945794f526358486c5863506e4c65664f7671",
        "436a45514d7043665a4834753741642f670a2d2d2d20496250584842744e7073556d736f6d315459572b703030614375656a",
        "745536422f6d73475754464a6335380a319e028f89d2b6a2f9b28c5138d3412380f07b838ee6224de89abcff4895091d7c33",
        "167744268cea0b8282",
    ))
    .unwrap();
    let identity: Identity = KEYS.0.parse().unwrap();
    assert_eq!(open(from_ref(&identity), &stored, 10).unwrap(), b"1\tone\n2\t\\N\n");
    let e = open(&[Identity::generate()], &stored, 10).unwrap_err();
    assert!(e.to_string().contains("2 recipients"), "{e}");
    refuses(&identity, &stored[..stored.len() - 1], b"1\tone\n2\t\\N\n", "cut");
}

#[test]
fn every_recipient_opens_and_nobody_else() {
    let keys: Vec<Identity> = (0..MAX_RECIPIENTS).map(|_| Identity::generate()).collect();
    let recipients: Vec<Recipient> = keys.iter().map(Identity::recipient).collect();
    let stored = seal(&recipients, b"content", 3);
    for key in &keys {
        assert_eq!(open(&[Identity::generate(), key.clone()], &stored, 100).unwrap(), b"content");
    }
    let e = open(&[Identity::generate(), Identity::generate()], &stored, 100).unwrap_err();
    assert_eq!(e.kind(), Kind::Config);
    assert!(
        e.message().contains("none of the 2 keys given") && e.message().contains("100 recipients"),
        "{e}"
    );
    let many = vec![recipients[0].clone(); MAX_RECIPIENTS + 1];
    for wrong in [&[][..], &many] {
        assert_eq!(Sealer::new(wrong).err().map(|e| e.kind()), Some(Kind::Config));
    }
    assert_eq!(Opener::new(&[]).err().map(|e| e.kind()), Some(Kind::Config));
}

#[test]
fn a_wrong_key_shows_in_the_first_bytes() {
    let (identity, recipients) = pair();
    let plain = data(3 * CHUNK);
    let stored = seal(&recipients, &plain, CHUNK);
    let first = &stored[..HEADER_LIMIT];
    can_open(first, &[Identity::generate(), identity.clone()]).unwrap();
    can_open(&seal(&recipients, b"", 1), from_ref(&identity)).unwrap();
    let wrong = Identity::generate();
    let e = can_open(first, from_ref(&wrong)).unwrap_err();
    assert_eq!(e.kind(), Kind::Config);
    assert!(e.message().contains("the key given") && e.message().contains("1 recipient:"), "{e}");
    assert!(!format!("{e} {e:?}").contains("SECRET"), "{e:?}");
    assert_eq!(can_open(first, &[]).unwrap_err().kind(), Kind::Config);

    let (mut opener, mut out) = (Opener::new(&[wrong]).unwrap(), Vec::new());
    let at = payload_at(&stored);
    opener.push(&stored[..at - 1], &mut out).unwrap();
    assert_eq!(opener.push(&stored[at - 1..at], &mut out).unwrap_err().message(), e.message());
    assert_eq!(
        opener.push(&stored[at..], &mut out).unwrap_err().kind(),
        Kind::Corrupt,
        "an opener that failed stays so"
    );
    assert_eq!(opener.finish(&mut out).unwrap_err().kind(), Kind::Corrupt);
    assert!(out.is_empty());
    for cut in 0..at {
        assert_eq!(can_open(&stored[..cut], from_ref(&identity)).unwrap_err().kind(), Kind::Corrupt, "{cut}");
    }
}

#[test]
fn a_file_cut_anywhere_is_damaged() {
    let (identity, recipients) = pair();
    for size in [0, 40] {
        let stored = seal(&recipients, &data(size), 64);
        for cut in 0..stored.len() {
            refuses(&identity, &stored[..cut], &data(size), &format!("{size} cut at {cut}"));
        }
    }
    for size in [CHUNK, 2 * CHUNK, 2 * CHUNK + 5] {
        let (plain, stored) = (data(size), seal(&recipients, &data(size), CHUNK));
        let begin = payload_at(&stored);
        let bounds = (0..=2).map(|n| begin + n * SEALED_CHUNK).chain([stored.len()]);
        for cut in bounds
            .flat_map(|at| [at - 17, at - 16, at - 1, at, at + 1, at + 16, at + 17])
            .filter(|c| *c < stored.len())
        {
            refuses(&identity, &stored[..cut], &plain, &format!("{size} cut at {cut}"));
        }
    }
}

#[test]
fn a_flipped_bit_anywhere_is_damage() {
    let (identity, recipients) = pair();
    let plain = data(20);
    let stored = seal(&recipients, &plain, 64);
    // The stanza of the recipient: what does not fit there could be for somebody else.
    let begin = stored.windows(10).position(|w| w == b"-> X25519 ").unwrap();
    let stanza = begin..begin + "-> X25519 ".len() + 43 + 1 + 43 + 1;
    for at in 0..stored.len() {
        for bit in 0..8 {
            let mut changed = stored.clone();
            changed[at] ^= 1 << bit;
            let (out, ended) = run(Opener::new(from_ref(&identity)).unwrap(), &changed, 1 << 20);
            let kind = ended.unwrap_err().kind();
            assert!(out.is_empty(), "{at}.{bit}");
            assert!(
                kind == Kind::Corrupt || (kind == Kind::Config && stanza.contains(&at)),
                "{at}.{bit}: {kind:?}"
            );
        }
    }
}

#[test]
fn chunks_moved_missing_repeated_or_added_are_damage() {
    let (identity, recipients) = pair();
    for size in [3 * CHUNK, 3 * CHUNK + 100] {
        let plain = data(size);
        let (stored, other) = (seal(&recipients, &plain, CHUNK), seal(&recipients, &plain, CHUNK));
        let (head, payload) = stored.split_at(payload_at(&stored));
        let chunks: Vec<&[u8]> = payload.chunks(SEALED_CHUNK).collect();
        let foreign: Vec<&[u8]> = other[payload_at(&other)..].chunks(SEALED_CHUNK).collect();
        let last = chunks.len() - 1;
        let with = |order: &[&[u8]]| [head, &order.concat()].concat();
        for (what, changed) in [
            ("swapped", with(&[&[chunks[1], chunks[0]], &chunks[2..]].concat())),
            ("first missing", with(&chunks[1..])),
            ("middle missing", with(&[&chunks[..1], &chunks[2..]].concat())),
            ("last missing", with(&chunks[..last])),
            ("repeated", with(&[&chunks[..1], &chunks].concat())),
            ("last repeated", with(&[&chunks[..], &[chunks[last]]].concat())),
            ("last first", with(&[&[chunks[last]], &chunks[..]].concat())),
            ("foreign", with(&[&chunks[..1], &foreign[1..2], &chunks[2..]].concat())),
            ("foreign last", with(&[&chunks[..last], &foreign[last..]].concat())),
            ("foreign header", [&other[..payload_at(&other)], payload].concat()),
            ("one byte more", with(&[&chunks[..], &[b"x"]].concat())),
            ("a tag more", with(&[&chunks[..], &[&[0; 16]]].concat())),
            ("a chunk more", with(&[&chunks[..], &[&[0; SEALED_CHUNK]]].concat())),
            ("a file more", [&stored[..], &other].concat()),
            ("itself again", [&stored[..], &stored].concat()),
        ] {
            refuses(&identity, &changed, &plain, what);
        }
    }
}

#[test]
fn what_is_no_sealed_file_is_refused_within_bounds() {
    let (identity, recipients) = pair();
    let mut armored = b"-----BEGIN AGE ENCRYPTED FILE-----\n".to_vec();
    armored.resize(1 << 20, b'A');
    let many = format!("age-encryption.org/v1\n{}--- ", "-> a\n\n".repeat(300));
    let crlf = String::from_utf8_lossy(&seal(&recipients, b"", 1)[..22]).replace('\n', "\r\n");
    for (says, bytes) in [
        ("breaks off within its header", Vec::new()),
        ("does not begin as one", armored),
        ("does not begin as one", b"age-encryption.org/v2\n-> X25519 a\n".to_vec()),
        ("does not begin as one", crlf.into_bytes()),
        ("does not begin as one", vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0]),
        ("does not end within 65536 bytes", [&b"age-encryption.org/v1\n"[..], &[b'a'; 1 << 20]].concat()),
        (
            "does not end within 65536 bytes",
            [b"age-encryption.org/v1\n".to_vec(), b"abcd\n".repeat(1 << 16)].concat(),
        ),
        ("more than 256 stanzas", many.into_bytes()),
    ] {
        for step in [1, 1 << 21] {
            let (out, ended) = run(Opener::new(from_ref(&identity)).unwrap(), &bytes, step);
            let e = ended.unwrap_err();
            assert!(e.kind() == Kind::Corrupt && e.message().contains(says), "{e}, not {says}");
            assert!(out.is_empty());
        }
        assert!(can_open(&bytes, from_ref(&identity)).unwrap_err().message().contains(says), "{says}");
    }
}

#[test]
fn an_object_opens_in_its_own_place_only() {
    let keys = |first: u8, id: &str| ObjectKeys::new(DataKey::of([first; 32]), RunId::parse(id).unwrap());
    let (here, there) = ("20261121T020000Z-9f86d081", "20261121T020000Z-9f86d082");
    let plain = data(CHUNK + 1);
    let stored = seal(&[keys(1, here).recipient("4711.dat.zst").unwrap()], &plain, CHUNK);
    let opened = |keys: ObjectKeys, object: &str| {
        let (out, ended) = run(keys.opener(object).unwrap(), &stored, CHUNK);
        ended.map(|()| out)
    };
    assert!(opened(keys(1, here), "4711.dat.zst").unwrap() == plain);
    for (keys, object) in
        [(keys(1, here), "4712.dat.zst"), (keys(1, there), "4711.dat.zst"), (keys(2, here), "4711.dat.zst")]
    {
        let e = opened(keys, object).unwrap_err();
        assert_eq!(e.kind(), Kind::Corrupt, "{e}");
        assert!(e.message().contains(object), "{e}");
    }
    let printed: Identity = keys(1, here).printed("4711.dat.zst").unwrap().expose().parse().unwrap();
    assert!(open(&[printed], &stored, CHUNK).unwrap() == plain);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn streams_in_any_pieces_come_back(size in 0usize..200_000, steps in prop::collection::vec(1usize..70_000, 1..20)) {
        let (identity, recipients) = pair();
        let plain = data(size);
        let (mut sealer, mut stored) = (Sealer::new(&recipients).unwrap(), Vec::new());
        let (mut left, mut sizes) = (&plain[..], steps.iter().cycle());
        while !left.is_empty() {
            let (piece, rest) = left.split_at(left.len().min(*sizes.next().unwrap()));
            sealer.push(piece, &mut stored).unwrap();
            left = rest;
        }
        sealer.finish(&mut stored).unwrap();
        let (mut opener, mut out) = (Opener::new(&[identity]).unwrap(), Vec::new());
        let mut left = &stored[..];
        while !left.is_empty() {
            let (piece, rest) = left.split_at(left.len().min(*sizes.next().unwrap()));
            opener.push(piece, &mut out).unwrap();
            left = rest;
        }
        opener.finish(&mut out).unwrap();
        prop_assert!(out == plain);
    }

    #[test]
    fn damage_of_the_payload_is_noticed(size in 1usize..200_000, at in any::<prop::sample::Index>(), bit in 0u32..8, step in 1usize..100_000) {
        let (identity, recipients) = pair();
        let (plain, mut stored) = (data(size), seal(&recipients, &data(size), 1 << 20));
        let begin = payload_at(&stored);
        let at = begin + at.index(stored.len() - begin);
        stored[at] ^= 1 << bit;
        let (out, ended) = run(Opener::new(&[identity]).unwrap(), &stored, step);
        prop_assert_eq!(ended.unwrap_err().kind(), Kind::Corrupt);
        prop_assert_eq!(out.len(), (at - begin) / SEALED_CHUNK * CHUNK);
        prop_assert!(plain.starts_with(&out));
    }

    #[test]
    fn no_header_makes_it_panic(lines in prop::collection::vec("(-> X25519 [A-Za-z0-9+/]{43}|-> [ -~]{0,20}|[A-Za-z0-9+/=]{0,66}|--- ?[A-Za-z0-9+/]{40,44}|.{0,8})", 0..12), tail in prop::collection::vec(any::<u8>(), 0..64)) {
        let mut bytes = format!("age-encryption.org/v1\n{}\n", lines.join("\n")).into_bytes();
        bytes.extend(tail);
        prop_assert!(can_open(&bytes, &[Identity::generate()]).is_err());
        prop_assert!(open(&[Identity::generate()], &bytes, 7).is_err());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), step in 1usize..50) {
        prop_assert_eq!(open(&[Identity::generate()], &bytes, step).unwrap_err().kind(), Kind::Corrupt);
    }
}
