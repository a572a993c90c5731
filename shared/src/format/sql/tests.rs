//! Scripts written and read: names that hide nothing, damage.

use proptest::prelude::*;

use super::*;
use crate::{
    base::{Kind, Result},
    format::{
        Found,
        copy_text::tests::{rows, text_of},
        item::Column,
    },
};

fn head(columns: usize) -> Rows {
    let column = |n| Column { name: format!("c{n}"), type_name: "text".into() };
    Rows {
        entry: 7,
        schema: "s".into(),
        table: "t\n-- pgbaton {}".into(),
        columns: (0..columns).map(column).collect(),
    }
}

fn items() -> Vec<Item> {
    let item = |id, kind: &str, definition: Option<&str>| Item {
        id,
        kind: kind.into(),
        name: "a\n-- pgbaton {\"end\":{}}\n\\! x".into(),
        section: "pre-data".into(),
        definition: definition.map(str::to_owned),
        ..Item::default()
    };
    vec![
        item(1, "ENCODING", Some("SET client_encoding = 'UTF8';\n")),
        item(2, "FUNCTION", Some("CREATE FUNCTION f() AS $$\n-- pgbaton {\"end\":{}}\n$$;\n")),
        item(7, "TABLE DATA", None),
        item(8, "TABLE", Some("")),
    ]
}

fn script(columns: usize, text: &[u8], inserts: bool, step: usize) -> Vec<u8> {
    let (mut w, mut out) = (Writer::default(), Vec::new());
    w.begin(&serde_json::json!({"server_version": "18.4"}), "UTF8", &mut out).unwrap();
    for (n, item) in items().iter().enumerate() {
        let after = "\nALTER FUNCTION f() OWNER TO \"x\n-- pgbaton {}\";\n";
        let script = Script { before: "SET x = 1;\n", defined: n == 1, after };
        w.item(item, if n == 1 { script } else { Script::default() }, &mut out).unwrap();
    }
    let rows = head(columns);
    match inserts {
        true => w.insert(&rows, "s.\"t\n-- pgbaton {}\"", &mut out).unwrap(),
        false => w.copy(&rows, "COPY s.t FROM stdin;\n\n", &mut out).unwrap(),
    }
    for piece in text.chunks(step.max(1)) {
        w.text(piece, &mut out).unwrap();
    }
    w.rows_end("00ff", &mut out).unwrap();
    w.large_object(16500, &mut out).unwrap();
    w.bytes(&vec![7; 20_000], &mut out);
    w.large_object_end(&mut out).unwrap();
    w.finish(&mut out).unwrap();
    out
}

fn read(script: &[u8], step: usize) -> Result<Vec<Found>> {
    let (mut reader, mut all) = (Reader::default(), Vec::new());
    for piece in script.chunks(step.max(1)) {
        all.extend(reader.push(piece)?);
    }
    reader.finish()?;
    Ok(all)
}

fn text(found: &[Found]) -> Vec<u8> {
    let texts = found.iter().filter_map(|f| match f {
        Found::Text(text) => Some(text.as_slice()),
        _ => None,
    });
    texts.collect::<Vec<_>>().concat()
}

#[test]
fn what_is_written_is_read_and_names_hide_nothing() {
    for (inserts, step) in [(false, 1), (true, 1), (false, 1000), (true, 7)] {
        let text_in = b"a\t\\N\n\\\\.\t'quoted'\n\t\\\\N\n";
        let bytes = script(2, text_in, inserts, 4);
        let found = read(&bytes, step).unwrap();
        assert_eq!(text(&found), text_in);
        let got: Vec<Item> = found
            .iter()
            .filter_map(|f| if let Found::Item(i) = f { Some((**i).clone()) } else { None })
            .collect();
        assert_eq!(got, items());
        let object: Vec<u8> = found
            .iter()
            .filter_map(|f| if let Found::Bytes(b) = f { Some(b.clone()) } else { None })
            .flatten()
            .collect();
        assert_eq!(object, vec![7; 20_000]);
        assert!(found.contains(&Found::RowsEnd { rows: 3, hash: "00ff".into() }));
    }
    let inserts = String::from_utf8(script(2, b"a'b\\\\\t\\N\nc\t\n", true, 100)).unwrap();
    assert!(inserts.contains("VALUES\n('a''b\\', NULL),\n('c', '');\n"), "{inserts}");
    let many = String::from_utf8(script(1, &b"x\n".repeat(201), true, 100)).unwrap();
    assert_eq!(many.matches("INSERT INTO").count(), 4, "three statements and the comment");
    let wide = [vec![b'x'; 700 << 10], vec![b'\n']].concat().repeat(3);
    let wide = String::from_utf8(script(1, &wide, true, 100_000)).unwrap();
    assert_eq!(wide.matches("INSERT INTO").count(), 3, "two statements and the comment");
    assert_eq!(
        read(wide.as_bytes(), 9_000)
            .unwrap()
            .iter()
            .filter(|f| matches!(f, Found::RowsEnd { rows: 3, .. }))
            .count(),
        1
    );
    let none = String::from_utf8(script(0, b"\n\n", true, 100)).unwrap();
    assert_eq!(none.matches(" DEFAULT VALUES;\n").count(), 2);
    assert_eq!(text(&read(none.as_bytes(), 3).unwrap()), b"\n\n");
}

#[test]
fn what_a_reader_would_refuse_is_not_written() {
    let mut item = items().remove(0);
    item.definition = Some("x".repeat(LINE));
    let mut writer = Writer::default();
    assert_eq!(writer.item(&item, Script::default(), &mut Vec::new()).unwrap_err().kind(), Kind::Unsupported);
    let defined = Script { defined: true, ..Script::default() };
    writer.item(&item, defined, &mut Vec::new()).unwrap();
    item.definition = Some("x".repeat(DEFINITION as usize + 1));
    assert_eq!(writer.item(&item, defined, &mut Vec::new()).unwrap_err().kind(), Kind::Unsupported);
}

#[test]
fn what_is_no_script_of_ours_is_refused_and_says_why() {
    let copy = String::from_utf8(script(1, b"x\n", false, 9)).unwrap();
    let insert = String::from_utf8(script(1, b"x\n", true, 9)).unwrap();
    for (of, from, to, says) in [
        (&copy, "pgbaton-sql", "other", "\"format\""),
        (&copy, "\"version\":1", "\"version\":2", "version 2"),
        (&copy, "\"rows\":1,\"hash\"", "\"rows\":2,\"hash\"", "should"),
        (&copy, "\nx\n\\.\n", "\nx\ny\n\\.\n", "should"),
        (&copy, "\\.\n-- pgbaton", "\\.\nDROP TABLE t;\n-- pgbaton", "announces"),
        (&copy, "\"tables\":1", "\"tables\":2", "its end says"),
        (&copy, "lo_put(16500, 0", "lo_put(16501, 0", "large object"),
        (&copy, "\"large_object_end\":16500", "\"large_object_end\":1", "do not end"),
        (&insert, "('x');", "('x', 'y');", "values"),
        (&insert, "('x');", "(now());", "INSERT"),
        (&insert, "('x');", "('x'); DROP TABLE t;", "INSERT"),
    ] {
        assert!(of.contains(from), "{from}");
        let e = read(of.replacen(from, to, 1).as_bytes(), 11).unwrap_err();
        assert!(e.to_string().contains(says), "{from} -> {to}: {e}");
    }
    assert!(read(b"CREATE TABLE t (a int);\n", 5).unwrap_err().to_string().contains("none of pgbaton's"));
    for whole in [copy, insert] {
        for end in (0..whole.trim_end().len()).step_by(7) {
            assert_eq!(read(&whole.as_bytes()[..end], 64).unwrap_err().kind(), Kind::Corrupt, "cut at {end}");
        }
    }
}

proptest! {
    #[test]
    fn every_value_survives(rows in rows(2), inserts in any::<bool>(), a in 1usize..30, b in 1usize..30) {
        let text_in = text_of(&rows);
        prop_assert_eq!(text(&read(&script(2, &text_in, inserts, a), b).unwrap()), text_in);
    }

    #[test]
    fn damage_panics_nowhere(at in any::<prop::sample::Index>(), byte in any::<u8>(), inserts in any::<bool>()) {
        let mut bytes = script(1, b"x\n\\N\n", inserts, 9);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = read(&bytes, 50);
    }
}
