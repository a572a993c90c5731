//! CSV: pieces do not matter; what is read is written, and read again to the same rows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgbaton_fuzz::{
    Input, ceiling,
    format::{
        Column,
        csv::{Reader, Writer},
    },
};

/// Number of rows, and their COPY text.
type Rows = (u64, Vec<u8>);

fn read<'a>(columns: &[Column], pieces: impl Iterator<Item = &'a [u8]>) -> Result<Rows, String> {
    let (mut reader, mut text) = (Reader::new(columns), Vec::new());
    for piece in pieces {
        reader.push(piece, &mut text).map_err(|e| e.to_string())?;
    }
    let rows = reader.finish(&mut text).map_err(|e| e.to_string())?;
    Ok((rows, text))
}

fn write<'a>(columns: &[Column], pieces: impl Iterator<Item = &'a [u8]>) -> Result<Rows, String> {
    let (mut writer, mut csv) = (Writer::new(columns), Vec::new());
    for piece in pieces {
        writer.text(piece, &mut csv).map_err(|e| e.to_string())?;
    }
    let rows = writer.finish(&mut csv).map_err(|e| e.to_string())?;
    Ok((rows, csv))
}

// The choice: how many columns, in its lower two bits; whether the header stands in the input, in its highest.
fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::of(data) else { return };
    let columns: Vec<Column> = ["a", "b,\"\n", ""][..usize::from(input.choice & 3)]
        .iter()
        .map(|name| Column { name: (*name).to_owned(), type_name: String::new() })
        .collect();
    let mut csv = Vec::new();
    if input.choice & 0x80 == 0 {
        csv = write(&columns, [].into_iter()).expect("a header").1;
    }
    csv.extend_from_slice(input.bytes);

    let most = (64 << 10) + 16 * csv.len();
    let whole = ceiling::within(most, || read(&columns, [csv.as_slice()].into_iter()));
    let pieces = ceiling::within(most, || read(&columns, input.cut(&csv)));
    assert_eq!(whole, pieces);
    let Ok((rows, text)) = whole else { return };
    let (written, again) = write(&columns, [text.as_slice()].into_iter()).expect("what was read is written");
    assert_eq!(written, rows);
    assert_eq!(write(&columns, input.cut(&text)).expect("what was read is written"), (rows, again.clone()));
    assert_eq!(read(&columns, input.cut(&again)), Ok((rows, text)));
});
