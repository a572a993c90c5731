//! COPY text: a data file's frame and rows taken apart; pieces do not matter, and what is put together again is the same text.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use pgbaton_fuzz::{
    Input,
    archive::data::{Marker, RowReader, TERMINATOR},
    base::Error,
    format::{
        Column, Found, Rows,
        copy_text::{Joiner, Splitter},
        json, sql,
    },
};

/// Number of rows, and their text.
type Counted = (u64, Vec<u8>);

fn framed<'a>(pieces: impl Iterator<Item = &'a [u8]>, marker: Marker) -> Result<Counted, String> {
    let (mut reader, mut out) = (RowReader::new(marker), Vec::new());
    for piece in pieces {
        out.extend(reader.push(Bytes::copy_from_slice(piece)).map_err(|e| e.to_string())?.concat());
    }
    Ok((reader.finish().map_err(|e| e.to_string())?, out))
}

fn again<'a>(columns: usize, pieces: impl Iterator<Item = &'a [u8]>) -> Result<Counted, String> {
    let (mut splitter, mut joiner, mut out) = (Splitter::new(columns), Joiner::default(), Vec::new());
    for piece in pieces {
        splitter.push(piece, &mut joiner, &mut out).map_err(|e| e.to_string())?;
    }
    Ok((splitter.finish().map_err(|e| e.to_string())?, out))
}

fn text(found: Vec<Found>) -> Vec<u8> {
    let texts = found.into_iter().filter_map(|f| if let Found::Text(text) = f { Some(text) } else { None });
    texts.flatten().collect()
}

fn by_json(rows: &Rows, input: &Input<'_>) -> Result<Vec<u8>, Error> {
    let (mut writer, mut document) = (json::Writer::default(), Vec::new());
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    writer.begin(&serde_json::json!({}), nothing, &mut document)?;
    writer.items_end(None, &mut document)?;
    writer.rows(rows, &mut document)?;
    for piece in input.pieces() {
        writer.text(piece, &mut document)?;
    }
    writer.rows_end("", &mut document)?;
    writer.finish(&mut document);
    let (mut reader, mut found) = (json::Reader::default(), Vec::new());
    for piece in input.cut(&document) {
        found.extend(reader.push(piece)?);
    }
    reader.finish()?;
    Ok(text(found))
}

fn by_sql(rows: &Rows, input: &Input<'_>, inserts: bool) -> Result<Vec<u8>, Error> {
    let (mut writer, mut script) = (sql::Writer::default(), Vec::new());
    writer.begin(&serde_json::json!({}), "UTF8", &mut script)?;
    match inserts {
        true => writer.insert(rows, "t", &mut script)?,
        false => writer.copy(rows, "COPY t FROM stdin;\n", &mut script)?,
    }
    for piece in input.pieces() {
        writer.text(piece, &mut script)?;
    }
    writer.rows_end("", &mut script)?;
    writer.finish(&mut script)?;
    let (mut reader, mut found) = (sql::Reader::default(), Vec::new());
    for piece in input.cut(&script) {
        found.extend(reader.push(piece)?);
    }
    reader.finish()?;
    Ok(text(found))
}

// The choice: how many columns, in its lower two bits.
fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::of(data) else { return };
    for marker in [Marker::Required, Marker::Optional] {
        let whole = framed([input.bytes].into_iter(), marker);
        assert_eq!(framed(input.pieces(), marker), whole);
        if let Ok((rows, text)) = whole {
            let stored = [&text[..], TERMINATOR].concat();
            assert_eq!(framed(input.cut(&stored), Marker::Required), Ok((rows, text)));
        }
    }

    let columns = usize::from(input.choice & 3);
    let whole = again(columns, [input.bytes].into_iter());
    assert_eq!(again(columns, input.pieces()), whole);
    let Ok((_, joined)) = whole else { return };
    assert_eq!(joined, input.bytes, "taken apart and put together");

    let types = ["boolean", "bigint", "text"];
    let column = |(n, t): (usize, &&str)| Column { name: format!("c{n}"), type_name: (*t).to_owned() };
    let columns = types[..columns].iter().enumerate().map(column).collect();
    let rows = Rows { entry: 1, schema: "s".into(), table: "t".into(), columns };
    for inserts in [false, true] {
        assert_eq!(by_sql(&rows, &input, inserts).expect("rows of a script"), input.bytes);
    }
    // JSON has text only, and of it what PostgreSQL's can hold.
    if std::str::from_utf8(input.bytes).is_ok_and(|text| !text.contains('\0')) {
        assert_eq!(by_json(&rows, &input).expect("rows of a document"), input.bytes);
    }
});
