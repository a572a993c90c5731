//! CSV (RFC 4180): a file for each table.
//!
//! ```text
//! id,name,note\r\n            a header with the columns' names; generated columns are left out
//! 1,"Smith, ""Joe""",\r\n     a value in quotes where it holds a comma, a quote or a line break; nothing at all is NULL
//! 2,Ann,""\r\n                the empty string is in quotes, always
//! \r\n                        in a table of one column a row that is NULL; in one of none, a row
//! ```
//!
//! A value is the text that PostgreSQL writes and reads. `COPY … FROM … WITH (FORMAT csv, HEADER)` takes these files as they are: its NULL is the same. Python's
//! `csv` needs `quoting=csv.QUOTE_NOTNULL` (3.12) to tell the empty string from NULL. RFC 4180 has no NULL, so a reader that knows nothing of this sees an
//! empty string for both.

use super::{
    copy_text::{Joiner, Splitter, Values},
    item::Column,
};
use crate::base::{Error, Kind, Result};

/// A value that is longer is quoted without a look at the rest of it.
const HELD: usize = 4 << 10;

/// Longest header, bytes: 1,600 columns, each with a name of 63 bytes, in quotes.
const HEADER: usize = 1 << 20;

/// From COPY text to CSV.
#[derive(Debug)]
pub struct Writer {
    splitter: Splitter,
    row: RowWriter,
    begun: bool,
    columns: Vec<Column>,
}

impl Writer {
    /// Of a table with these columns.
    pub fn new(columns: &[Column]) -> Self {
        Self {
            splitter: Splitter::new(columns.len()),
            row: RowWriter::default(),
            begun: false,
            columns: columns.to_vec(),
        }
    }

    /// More rows, as COPY text.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] for what is no COPY text.
    pub fn text(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.header(out);
        self.splitter.push(text, &mut self.row, out)
    }

    /// The end; gives the number of rows.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] within a row.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<u64> {
        self.header(out);
        self.splitter.finish()
    }

    fn header(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        for column in &self.columns {
            self.row.begin(out);
            self.row.bytes(column.name.as_bytes(), out);
            self.row.end(out);
        }
        self.row.row(out);
    }
}

#[derive(Debug, Default)]
struct RowWriter {
    column: usize,
    /// A value that may still do without quotes.
    held: Option<Vec<u8>>,
}

impl RowWriter {
    fn separate(&mut self, out: &mut Vec<u8>) {
        if self.column > 0 {
            out.push(b',');
        }
        self.column += 1;
    }
}

fn quoted(bytes: &[u8], out: &mut Vec<u8>) {
    for piece in bytes.split_inclusive(|b| *b == b'"') {
        out.extend_from_slice(piece);
        if piece.ends_with(b"\"") {
            out.push(b'"');
        }
    }
}

impl Values for RowWriter {
    fn begin(&mut self, out: &mut Vec<u8>) {
        self.separate(out);
        self.held = Some(Vec::new());
    }

    fn bytes(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match &mut self.held {
            Some(held) if held.len() + bytes.len() <= HELD => held.extend_from_slice(bytes),
            Some(_) => {
                out.push(b'"');
                quoted(&self.held.take().unwrap_or_default(), out);
                quoted(bytes, out);
            }
            None => quoted(bytes, out),
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let Some(held) = self.held.take() else {
            out.push(b'"');
            return;
        };
        // psql takes a line of `\.` for the end of the rows.
        let plain = !held.is_empty()
            && !held.starts_with(b"\\.")
            && !held.iter().any(|b| matches!(b, b',' | b'"' | b'\r' | b'\n'));
        if plain {
            out.extend_from_slice(&held);
        } else {
            out.push(b'"');
            quoted(&held, out);
            out.push(b'"');
        }
    }

    fn null(&mut self, out: &mut Vec<u8>) {
        self.separate(out);
    }

    fn row(&mut self, out: &mut Vec<u8>) {
        self.column = 0;
        out.extend_from_slice(b"\r\n");
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before the first byte of a row.
    Row,
    /// Before the first byte of a value.
    Value,
    Plain,
    Quoted,
    /// After a quote within quotes: the first of two, or the end of the value.
    Quote,
    /// After a carriage return that ends the row.
    Return,
}

/// From CSV to COPY text. Rows may end with a newline alone; the last one may end with nothing.
#[derive(Debug)]
pub struct Reader {
    at: At,
    columns: Vec<Column>,
    joiner: Joiner,
    header: Option<Vec<u8>>,
    rows: u64,
}

impl Reader {
    /// Of a table with these columns, which the header must name in this order.
    pub fn new(columns: &[Column]) -> Self {
        Self {
            at: At::Row,
            columns: columns.to_vec(),
            joiner: Joiner::default(),
            header: Some(Vec::new()),
            rows: 0,
        }
    }

    /// Appends the rows of the next piece to `out`, as COPY text.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] with the row for what is no CSV, for other columns than expected and for rows with more or fewer values.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let mut header = self.header.take();
        let mut rest = input;
        while let Some(into) = header.as_mut() {
            let Some(&byte) = rest.first() else { break };
            let begun = self.rows;
            self.step(byte, into)?;
            rest = &rest[1..];
            if self.rows > begun {
                self.check_header(&header.take().unwrap_or_default())?;
            } else if into.len() > HEADER {
                return Err(self.damaged("its header is too long"));
            }
        }
        self.header = header;
        while let Some(&byte) = rest.first() {
            let plain = match self.at {
                At::Quoted => rest.iter().position(|b| *b == b'"').unwrap_or(rest.len()),
                At::Plain => {
                    let special = |b: &u8| matches!(b, b',' | b'"' | b'\r' | b'\n');
                    rest.iter().position(special).unwrap_or(rest.len())
                }
                _ => 0,
            };
            if plain > 0 {
                self.joiner.bytes(&rest[..plain], out);
                rest = &rest[plain..];
            } else {
                self.step(byte, out)?;
                rest = &rest[1..];
            }
        }
        Ok(())
    }

    /// The number of rows, the header left out.
    ///
    /// # Errors
    /// As [`Reader::push`].
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<u64> {
        if self.at == At::Quoted {
            return Err(self.damaged("it breaks off within quotes"));
        }
        if !matches!(self.at, At::Row | At::Return) {
            let mut header = self.header.take();
            self.end_row(header.as_mut().unwrap_or(out))?;
            if let Some(header) = header {
                self.check_header(&header)?;
            }
        } else if self.header.is_some() {
            return Err(self.damaged("it has no header"));
        }
        Ok(self.rows - 1)
    }

    fn step(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<()> {
        if self.at == At::Return {
            self.at = At::Row;
            if byte == b'\n' {
                return Ok(());
            }
        }
        match (self.at, byte) {
            (At::Row | At::Value, b'"') => {
                self.begin(out)?;
                self.at = At::Quoted;
            }
            (At::Row | At::Value, b',') => {
                self.null(out)?;
                self.at = At::Value;
            }
            (At::Row | At::Value | At::Plain | At::Quote, b'\r' | b'\n') => {
                self.end_row(out)?;
                self.at = if byte == b'\r' { At::Return } else { At::Row };
            }
            (At::Row | At::Value, byte) => {
                self.begin(out)?;
                self.joiner.bytes(&[byte], out);
                self.at = At::Plain;
            }
            (At::Plain | At::Quote, b',') => {
                self.joiner.end(out);
                self.at = At::Value;
            }
            (At::Plain, b'"') => return Err(self.damaged("a quote stands within a value without quotes")),
            (At::Plain, byte) => self.joiner.bytes(&[byte], out),
            (At::Quoted, b'"') => self.at = At::Quote,
            (At::Quoted, byte) => self.joiner.bytes(&[byte], out),
            (At::Quote, b'"') => {
                self.joiner.bytes(b"\"", out);
                self.at = At::Quoted;
            }
            (At::Quote, _) => return Err(self.damaged("something follows a value in quotes")),
            (At::Return, _) => {}
        }
        Ok(())
    }

    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.room()?;
        self.joiner.begin(out);
        Ok(())
    }

    fn null(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.room()?;
        self.joiner.null(out);
        Ok(())
    }

    fn room(&self) -> Result<()> {
        match self.joiner.seen() < self.columns.len() {
            true => Ok(()),
            false => Err(self.damaged("it has more values than the table has columns")),
        }
    }

    fn end_row(&mut self, out: &mut Vec<u8>) -> Result<()> {
        // An empty line of a table without columns is a row of nothing, and no NULL.
        if self.at == At::Value || (self.at == At::Row && !self.columns.is_empty()) {
            self.null(out)?;
        }
        if self.joiner.seen() != self.columns.len() {
            return Err(self.damaged("it has fewer values than the table has columns"));
        }
        self.joiner.row(out);
        self.rows += 1;
        self.at = At::Row;
        Ok(())
    }

    fn check_header(&self, header: &[u8]) -> Result<()> {
        let mut expected = Vec::new();
        let mut joiner = Joiner::default();
        for column in &self.columns {
            joiner.begin(&mut expected);
            joiner.bytes(column.name.as_bytes(), &mut expected);
        }
        joiner.row(&mut expected);
        if header == expected {
            return Ok(());
        }
        let names: Vec<&str> = self.columns.iter().map(|c| c.name.as_str()).collect();
        let expected = names.join(", ").escape_debug().to_string();
        Err(Error::new(Kind::Corrupt, format!("the CSV's header does not name the columns {expected}")))
    }

    fn damaged(&self, why: &str) -> Error {
        let place = match self.rows {
            0 => "header".to_owned(),
            n => format!("row {n}"),
        };
        Error::new(Kind::Corrupt, format!("the CSV is damaged in its {place}: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::format::copy_text::tests::{rows, text_of};

    fn columns(names: &[&str]) -> Vec<Column> {
        names.iter().map(|n| Column { name: (*n).into(), type_name: String::new() }).collect()
    }

    fn write(columns: &[Column], text: &[u8], step: usize) -> Vec<u8> {
        let (mut w, mut out) = (Writer::new(columns), Vec::new());
        for piece in text.chunks(step.max(1)) {
            w.text(piece, &mut out).unwrap();
        }
        w.finish(&mut out).unwrap();
        out
    }

    fn read(columns: &[Column], csv: &[u8], step: usize) -> Result<(u64, Vec<u8>)> {
        let (mut r, mut out) = (Reader::new(columns), Vec::new());
        for piece in csv.chunks(step.max(1)) {
            r.push(piece, &mut out)?;
        }
        Ok((r.finish(&mut out)?, out))
    }

    #[test]
    fn null_is_told_from_the_empty_string() {
        let columns = columns(&["id", "a,b"]);
        let text = b"1\t\\N\n2\t\n3\tx \"y\"\\r\\nz\n\\N\t\\N\n\\\\.\t4\n";
        let csv = write(&columns, text, 3);
        let expected = "id,\"a,b\"\r\n1,\r\n2,\"\"\r\n3,\"x \"\"y\"\"\r\nz\"\r\n,\r\n\"\\.\",4\r\n";
        assert_eq!(String::from_utf8(csv.clone()).unwrap(), expected);
        for step in 1..20 {
            assert_eq!(read(&columns, &csv, step).unwrap(), (5, text.to_vec()));
        }
        let unix = expected.replace("\r\n1", "\n1").replace(",4\r\n", ",4");
        assert_eq!(read(&columns, unix.as_bytes(), 4).unwrap(), (5, text.to_vec()));
    }

    #[test]
    fn tables_of_one_column_and_of_none() {
        let one = columns(&["a"]);
        assert_eq!(write(&one, b"\\N\n\nx\n", 1), b"a\r\n\r\n\"\"\r\nx\r\n");
        assert_eq!(read(&one, b"a\r\n\r\n\"\"\r\nx\r\n", 1).unwrap(), (3, b"\\N\n\nx\n".to_vec()));
        assert_eq!(write(&[], b"\n\n", 1), b"\r\n\r\n\r\n");
        assert_eq!(read(&[], b"\r\n\r\n\r\n", 1).unwrap(), (2, b"\n\n".to_vec()));
        assert_eq!(read(&one, b"a", 1).unwrap(), (0, vec![]));
    }

    #[test]
    fn a_long_value_is_not_held() {
        let columns = columns(&["a"]);
        let text = [vec![b'x'; HELD * 3], b"\"y\n".to_vec()].concat();
        let csv = write(&columns, &text, 1000);
        assert!(csv.starts_with(b"a\r\n\"x") && csv.ends_with(b"x\"\"y\"\r\n"));
        assert_eq!(read(&columns, &csv, 999).unwrap().1, text);
    }

    #[test]
    fn what_is_no_csv_of_the_table_is_refused() {
        let columns = columns(&["a", "b"]);
        for (csv, says) in [
            ("", "no header"),
            ("a,c\n", "does not name the columns a, b"),
            ("a\n", "fewer values"),
            ("a,b\n1\n", "row 1: it has fewer"),
            ("a,b\n1,2,3\n", "row 1: it has more"),
            ("a,b\n1,\"2\n", "within quotes"),
            ("a,b\n1,\"2\"x\n", "follows"),
            ("a,b\n1,2\"x\"\n", "without quotes"),
        ] {
            for step in 1..8 {
                let e = read(&columns, csv.as_bytes(), step).unwrap_err();
                assert!(e.kind() == Kind::Corrupt && e.to_string().contains(says), "{csv:?}: {e}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_value_survives(rows in rows(2), a in 1usize..30, b in 1usize..30) {
            let columns = columns(&["a\"", "b\n"]);
            let text = text_of(&rows);
            let got = read(&columns, &write(&columns, &text, a), b).unwrap();
            prop_assert_eq!(got, (rows.len() as u64, text));
        }

        #[test]
        fn nothing_panics(bytes in "[ab,\"\r\n]{0,40}", step in 1usize..9) {
            let _ = read(&columns(&["a", "b"]), bytes.as_bytes(), step);
        }
    }
}
