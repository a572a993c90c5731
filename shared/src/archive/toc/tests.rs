//! toc.dat: fixtures of three pg_dumps written again byte for byte, truncation, damage, versions.

use proptest::prelude::*;

use super::*;
use crate::base::Kind;

fn entry(dump_id: i32) -> Entry {
    Entry {
        dump_id,
        had_dumper: true,
        table_oid: 1259,
        oid: u32::MAX,
        tag: "orders".into(),
        desc: "TABLE DATA".into(),
        section: Section::Data,
        defn: Some(String::new()),
        drop_stmt: None,
        copy_stmt: Some("COPY shop.orders (id) FROM stdin;\n".into()),
        namespace: Some("shop".into()),
        tablespace: Some(String::new()),
        table_am: Some("heap".into()),
        relkind: Some('r'),
        owner: Some("überowner".into()),
        dependencies: vec![3, 1],
        file: Some(format!("{dump_id}.dat")),
    }
}

fn toc(codec: Codec) -> Toc {
    let at = "2026-11-21T02:03:04Z".parse().unwrap();
    Toc {
        header: Header::new(codec, at, "shop", "18.4"),
        entries: vec![entry(7), Entry { file: None, ..entry(8) }],
    }
}

/// What a version that lacks them leaves out.
fn as_stored(mut toc: Toc) -> Toc {
    for e in &mut toc.entries {
        if toc.header.version < Version::V1_16 {
            e.relkind = None;
        }
        if toc.header.version < Version::V1_14 {
            e.table_am = None;
        }
    }
    toc
}

#[test]
fn the_oldest_version_that_serves_is_written() {
    for (codec, minor, begin) in [
        (Codec::None, 14, &b"PGDMP\x01\x0e\0\x04\x08\x03\0\0\0\0\0"[..]),
        (Codec::GZIP, 14, b"PGDMP\x01\x0e\0\x04\x08\x03\0\x06\0\0\0"),
        (Codec::ZSTD, 15, b"PGDMP\x01\x0f\0\x04\x08\x03\x03"),
    ] {
        let toc = toc(codec);
        assert_eq!(toc.header.version.minor, minor);
        let bytes = toc.to_bytes().unwrap();
        assert!(bytes.starts_with(begin), "{:?}", &bytes[..16]);
        assert_eq!(Toc::parse(&bytes).unwrap(), as_stored(toc));
    }
    let created = toc(Codec::None).header.created;
    assert_eq!((created.year, created.month, created.day, created.hour), (126, 10, 21, 2));
}

#[test]
fn a_partitioned_tables_access_method_takes_the_version_that_knows_relkinds() {
    let Toc { header, mut entries } = toc(Codec::None);
    entries[0].table_am = Some("heap".into());
    entries[0].relkind = Some('r');
    assert_eq!(Toc::new(header.clone(), entries.clone()).header.version, Version::V1_14);
    entries[0].relkind = Some('p');
    let toc = Toc::new(header, entries);
    assert_eq!(toc.header.version, Version::V1_16);
    assert_eq!(Toc::parse(&toc.to_bytes().unwrap()).unwrap(), toc);
}

#[test]
fn every_version_and_int_size_round_trips() {
    for minor in 12..=16 {
        for int_size in [4, 8, 32] {
            let mut toc = toc(Codec::GZIP);
            toc.header.version = Version::new(minor);
            toc.header.int_size = int_size;
            toc.header.gzip_level = -1;
            let bytes = toc.to_bytes().unwrap();
            let parsed = Toc::parse(&bytes).unwrap();
            assert_eq!(parsed, as_stored(toc));
            assert_eq!(parsed.to_bytes().unwrap(), bytes);
        }
    }
}

#[test]
fn truncation_anywhere_is_corrupt_with_the_offset() {
    let bytes = toc(Codec::ZSTD).to_bytes().unwrap();
    for end in 0..bytes.len() {
        let e = Toc::parse(&bytes[..end]).expect_err("accepted a truncated toc.dat");
        assert_eq!(e.kind(), Kind::Corrupt, "cut at {end}");
        assert!(e.message().contains("at byte "), "{e}");
    }
    let more = [&bytes[..], b"\0"].concat();
    assert_eq!(Toc::parse(&more).unwrap_err().kind(), Kind::Corrupt);
}

#[test]
fn other_files_are_named_for_what_they_are() {
    let good = toc(Codec::ZSTD).to_bytes().unwrap();
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        Toc::parse(&bytes).unwrap_err()
    };
    for (e, kind, says) in [
        (Toc::parse(b"-- PostgreSQL database dump").unwrap_err(), Kind::Corrupt, "no archive"),
        (
            changed(6, 17),
            Kind::Unsupported,
            "version 1.17, newer than this build knows (versions 1.12 to 1.16)",
        ),
        (changed(5, 2), Kind::Unsupported, "version 2.15"),
        (changed(6, 11), Kind::Unsupported, "version 1.11, older"),
        (changed(8, 2), Kind::Unsupported, "integers of 2 bytes"),
        (changed(10, 1), Kind::InvalidInput, "pg_dump -Fd"),
        (changed(10, 9), Kind::Corrupt, "no known archive format"),
        (changed(11, 4), Kind::Unsupported, "compression 4"),
    ] {
        assert_eq!(e.kind(), kind, "{e}");
        assert!(e.message().contains(says), "{e}");
    }
}

#[test]
fn what_the_format_cannot_hold_is_not_written() {
    type Edit = fn(&mut Toc);
    let edits: [Edit; 5] = [
        |t| t.entries[1].dump_id = 7,
        |t| t.entries[0].dump_id = 0,
        |t| t.entries[0].tag = "a\0b".into(),
        |t| t.header.version = Version::V1_14,
        |t| t.header.int_size = 2,
    ];
    for (n, edit) in edits.into_iter().enumerate() {
        let mut toc = toc(Codec::ZSTD);
        edit(&mut toc);
        assert_eq!(toc.to_bytes().unwrap_err().kind(), Kind::Internal, "edit {n}");
    }
}

#[test]
fn files_outside_the_archive_are_refused() {
    let good = toc(Codec::None).to_bytes().unwrap();
    let at = good.windows(5).position(|w| w == b"7.dat").unwrap();
    for bad in [b"../x/", b"/etc/", b"a\\..b"] {
        let mut bytes = good.clone();
        bytes[at..at + 5].copy_from_slice(bad);
        assert_eq!(Toc::parse(&bytes).unwrap_err().kind(), Kind::Corrupt);
    }
}

#[test]
fn a_huge_count_allocates_nothing() {
    let mut toc = toc(Codec::None);
    toc.entries.clear();
    let mut bytes = toc.to_bytes().unwrap();
    let at = bytes.len() - 4;
    bytes[at..].copy_from_slice(&i32::MAX.to_le_bytes());
    assert_eq!(Toc::parse(&bytes).unwrap_err().kind(), Kind::Corrupt);
}

fn text() -> impl Strategy<Value = Option<String>> {
    prop::option::of("[a-zé'\\\\\n ]{0,12}")
}

prop_compose! {
    fn entries()(parts in prop::collection::vec((text(), text(), text(), text(), any::<(bool, u32, u32)>(), prop::collection::vec(any::<i32>(), 0..4), 0usize..4), 0..8)) -> Vec<Entry> {
        parts.into_iter().zip(1..).map(|((a, b, c, d, (had_dumper, table_oid, oid), dependencies, section), dump_id)| Entry {
            dump_id, had_dumper, table_oid, oid,
            tag: a.clone().unwrap_or_default(),
            desc: b.clone().unwrap_or_default(),
            section: [Section::None, Section::PreData, Section::Data, Section::PostData][section],
            defn: a, drop_stmt: b.clone(), copy_stmt: c.clone(), namespace: d.clone(), tablespace: b, table_am: c, owner: d,
            relkind: [None, Some('r'), Some('p'), Some('v')][section],
            dependencies,
            file: had_dumper.then(|| format!("{dump_id}.dat")),
        }).collect()
    }
}

proptest! {
    #[test]
    fn round_trip(entries in entries(), minor in 12u8..=16) {
        let mut toc = toc(Codec::GZIP);
        toc.header.version = Version::new(minor);
        toc.header.gzip_level = -1;
        toc.entries = entries;
        let bytes = toc.to_bytes().unwrap();
        prop_assert_eq!(Toc::parse(&bytes).unwrap(), as_stored(toc));
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Toc::parse(&bytes);
        let mut begin = toc(Codec::ZSTD).to_bytes().unwrap();
        begin.truncate(40);
        begin.extend(bytes);
        let _ = Toc::parse(&begin);
    }

    #[test]
    fn damage_never_panics(at in 0usize..600, byte in any::<u8>()) {
        let mut bytes = toc(Codec::ZSTD).to_bytes().unwrap();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = Toc::parse(&bytes);
    }
}
