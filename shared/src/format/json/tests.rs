//! Documents written and read: forms of values, other programs, damage.

use proptest::prelude::*;

use super::*;
use crate::{
    base::{Kind, Result},
    format::{
        Found,
        copy_text::tests::{rows, text_of},
        item::{Column, Item, Rows},
    },
};

fn column(name: &str, type_name: &str) -> Column {
    Column { name: name.into(), type_name: type_name.into() }
}

fn head(columns: &[(&str, &str)]) -> Rows {
    let columns = columns.iter().map(|(n, t)| column(n, t)).collect();
    Rows { entry: 7, schema: "shop".into(), table: "o\"r\nders".into(), columns }
}

fn items() -> Vec<Item> {
    let definition = Some("CREATE TABLE t (\n\ta text DEFAULT '\\\"é\u{1}'\n);\n".to_owned());
    vec![
        Item { id: 1, kind: "TABLE".into(), section: "pre-data".into(), definition, ..Item::default() },
        Item {
            id: 7,
            kind: "TABLE DATA".into(),
            section: "data".into(),
            after: vec![1],
            data: true,
            ..Item::default()
        },
    ]
}

fn document(rows: &Rows, text: &[u8], step: usize) -> Vec<u8> {
    let (mut w, mut out) = (Writer::default(), Vec::new());
    let items = items();
    let digest: Vec<u8> = items.iter().flat_map(|i| Writer::digested(i).unwrap()).collect();
    let digest = hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &digest));
    w.begin(
        &serde_json::json!({"server_version": "18.4", "deep": [1, {"a": [null, 2.5e3]}]}),
        &digest,
        &mut out,
    )
    .unwrap();
    for item in &items {
        w.item(item, &mut out).unwrap();
    }
    w.items_end(Some(&[serde_json::json!({"id": "x"})]), &mut out).unwrap();
    w.rows(rows, &mut out).unwrap();
    for piece in text.chunks(step.max(1)) {
        w.text(piece, &mut out).unwrap();
    }
    w.rows_end("00ff", &mut out).unwrap();
    w.large_object(16500, &mut out);
    w.bytes(&[0, 255, 7], &mut out);
    w.large_object_end(&mut out);
    w.large_object(16501, &mut out);
    w.large_object_end(&mut out);
    w.finish(&mut out);
    out
}

fn read(document: &[u8], step: usize) -> Result<Vec<Found>> {
    let (mut reader, mut all) = (Reader::default(), Vec::new());
    for piece in document.chunks(step.max(1)) {
        all.extend(reader.push(piece)?);
    }
    reader.finish()?;
    Ok(all)
}

/// The rows that were found, as one text.
fn text(found: &[Found]) -> Vec<u8> {
    let texts = found.iter().filter_map(|f| match f {
        Found::Text(text) => Some(text.as_slice()),
        _ => None,
    });
    texts.collect::<Vec<_>>().concat()
}

#[test]
fn types_have_their_forms_and_other_programs_read_them() {
    let rows =
        head(&[("b", "boolean"), ("i", "integer"), ("l", "bigint"), ("n", "numeric(9,2)"), ("t", "text")]);
    let text_in = b"t\t-5\t123456789012345\t1.10\tnull\nf\t0\t9223372036854775807\tNaN\ta\\\\b\\n\"\\t\n\\N\t\\N\t\\N\t\\N\t\\N\n";
    let bytes = document(&rows, text_in, 3);
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(
        value["tables"][0]["rows"],
        serde_json::json!([
            [true, -5, 123_456_789_012_345_i64, "1.10", "null"],
            [false, 0, "9223372036854775807", "NaN", "a\\b\n\"\t"],
            [null, null, null, null, null]
        ])
    );
    assert_eq!(value["end"], serde_json::json!({"tables": 1, "rows": 3, "large_objects": 2}));
    assert_eq!(value["history"][0]["id"], "x");
    let found = read(&bytes, 5).unwrap();
    assert_eq!(text(&found), text_in);
    assert!(found.contains(&Found::Rows(rows)));
    assert!(found.contains(&Found::RowsEnd { rows: 3, hash: "00ff".into() }));
    let got: Vec<Item> = found
        .iter()
        .filter_map(|f| if let Found::Item(i) = f { Some((**i).clone()) } else { None })
        .collect();
    assert_eq!(got, items());
    let objects: Vec<&Found> = found
        .iter()
        .filter(|f| matches!(f, Found::LargeObject(_) | Found::Bytes(_) | Found::LargeObjectEnd))
        .collect();
    let expected = [
        Found::LargeObject(16500),
        Found::Bytes(vec![0, 255, 7]),
        Found::LargeObjectEnd,
        Found::LargeObject(16501),
        Found::LargeObjectEnd,
    ];
    assert_eq!(objects, expected.iter().collect::<Vec<_>>());
}

#[test]
fn what_a_reader_would_refuse_is_not_written() {
    let mut item = items().remove(0);
    item.definition = Some("\u{1}".repeat(ITEM / 6));
    assert_eq!(Writer::default().item(&item, &mut Vec::new()).unwrap_err().kind(), Kind::Unsupported);
    let many = vec!["x".repeat(100); MEMBER / 100];
    let head = serde_json::json!({ "warnings": many });
    assert_eq!(Writer::default().begin(&head, "", &mut Vec::new()).unwrap_err().kind(), Kind::Unsupported);
}

#[test]
fn another_program_may_write_it_anew() {
    let rows = head(&[("a", "boolean"), ("b", "text")]);
    let bytes = document(&rows, b"t\t\\\\N\n\\N\t\n", 9);
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let pretty = serde_json::to_vec_pretty(&value).unwrap();
    // serde_json sorts members: "backup" would come first.
    let e = read(&pretty, 100).unwrap_err();
    assert!(e.to_string().contains("does not begin with"), "{e}");
    let spaced = String::from_utf8(bytes).unwrap().replace(',', " ,\r\n\t").replace(':', " : ");
    assert_eq!(text(&read(spaced.as_bytes(), 7).unwrap()), b"t\t\\\\N\n\\N\t\n");
    let numbers = spaced.replace("[true ", "[1e5 ");
    assert_eq!(text(&read(numbers.as_bytes(), 7).unwrap()), b"1e5\t\\\\N\n\\N\t\n");
}

#[test]
fn what_is_no_such_document_is_refused_and_says_why() {
    let whole = String::from_utf8(document(&head(&[("a", "text")]), b"x\n", 9)).unwrap();
    for (from, to, says) in [
        ("pgbaton-json", "other", "\"format\""),
        ("\"version\":1", "\"version\":2", "version 2"),
        ("[\"x\"]", "[\"x\",1]", "2 values for 1 columns"),
        ("[\"x\"]", "[{}]", "neither null"),
        ("\"row_count\":1", "\"row_count\":2", "members say"),
        ("\"tables\":1", "\"tables\":2", "its end says"),
        ("\"id\":1", "\"id\":2", "schema_digest"),
        ("\"entry\":7", "\"entry\":\"7\"", "before the rows"),
        ("\"data\":[\"AP8H\"]", "\"data\":[\"AP8\"]", "base64"),
        ("\"x\"", "\"\\u0000\"", "no character"),
        ("\"x\"", "\"\\ud800\"", "surrogate"),
        ("\"x\"", "\"\u{1}\"", "control character"),
        ("[\"x\"]", "[\"x\",]", "cannot stand there"),
        ("[\"x\"]", "[01]", "neither a number"),
        ("\"end\"", "\"ende\"", "its end says"),
    ] {
        assert!(whole.contains(from), "{from}");
        let changed = whole.replacen(from, to, 1);
        let e = read(changed.as_bytes(), 11).unwrap_err().to_string();
        assert!(e.contains(says), "{from} -> {to}: {e}");
        for step in [1, 2, 3, 1 << 20] {
            assert_eq!(read(changed.as_bytes(), step).unwrap_err().to_string(), e, "pieces do not matter");
        }
    }
    let mut bytes = whole.clone().into_bytes();
    let at = whole.find("\"x\"").unwrap();
    bytes[at + 1] = 0xff;
    assert!(read(&bytes, 3).unwrap_err().to_string().contains("UTF-8"));
    for end in 0..whole.trim_end().len() {
        assert_eq!(read(&whole.as_bytes()[..end], 64).unwrap_err().kind(), Kind::Corrupt, "cut at {end}");
    }
    assert!(read(&b"[".repeat(100), 10).is_err());
}

proptest! {
    #[test]
    fn every_value_survives(rows in rows(3), a in 1usize..30, b in 1usize..30) {
        let text_in = text_of(&rows);
        let head = head(&[("a", "boolean"), ("b", "bigint"), ("c", "text")]);
        let found = read(&document(&head, &text_in, a), b).unwrap();
        prop_assert_eq!(text(&found), text_in);
    }

    #[test]
    fn nothing_panics(bytes in "[\\[\\]{}:,\"0-9a-fetrulns\\\\u -]{0,60}", step in 1usize..9) {
        let _ = read(bytes.as_bytes(), step);
    }

    #[test]
    fn damage_panics_nowhere(at in 0usize..900, byte in any::<u8>(), step in 1usize..50) {
        let mut bytes = document(&head(&[("a", "text")]), b"x\n\\N\n", 9);
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = read(&bytes, step);
    }
}
