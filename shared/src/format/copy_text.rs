//! Rows in COPY's text form, taken apart into values and put together again, piece by piece: a value may be a gigabyte long and is never collected.
//!
//! ```text
//! 1\tfirst\n     values, a tab between two of them, a newline after each row
//! 2\t\\N\n       \N is NULL
//! \\b \\f \\n \\r \\t \\v \\\\   what COPY writes for the characters that would mislead a reader, and no other escape
//! ```
//!
//! PostgreSQL manual, COPY, "Text Format"; `CopyAttributeOutText` in copyto.c. Only what COPY TO writes is read, so that taking a row apart and putting
//! it together again gives the same bytes, and the same row hash.

use memchr::memchr3;

use crate::base::{Error, Kind, Result};

/// Takes the values of rows in their order: [`Values::begin`], [`Values::bytes`] any number of times, [`Values::end`]; or [`Values::null`].
pub trait Values {
    /// A value that is not NULL begins.
    fn begin(&mut self, out: &mut Vec<u8>);
    /// More of the value.
    fn bytes(&mut self, bytes: &[u8], out: &mut Vec<u8>);
    /// The value ends.
    fn end(&mut self, out: &mut Vec<u8>);
    /// A NULL.
    fn null(&mut self, out: &mut Vec<u8>);
    /// The row ends. An empty line is a row of one empty value, or of none where the table has no columns: the splitter knows which.
    fn row(&mut self, out: &mut Vec<u8>);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before the first byte of a row.
    Row,
    /// Before the first byte of a value.
    Value,
    /// Within a value.
    Within,
    /// After a backslash that began a value.
    FirstEscape,
    /// After a backslash within a value.
    Escape,
    /// After `\N`.
    Null,
}

/// Takes rows apart.
#[derive(Debug)]
pub struct Splitter {
    at: At,
    columns: usize,
    /// Values of the row that are over.
    seen: usize,
    rows: u64,
}

impl Splitter {
    /// Of a table with so many columns.
    pub fn new(columns: usize) -> Self {
        Self { at: At::Row, columns, seen: 0, rows: 0 }
    }

    /// Rows ended so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Hands the values of the next piece to `values`.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] for what COPY does not write, and for rows with more or fewer values than the table has columns.
    pub fn push(&mut self, mut text: &[u8], values: &mut impl Values, out: &mut Vec<u8>) -> Result<()> {
        while let Some(&byte) = text.first() {
            let mut used = 1;
            match (self.at, byte) {
                (At::Row, b'\n') if self.columns == 0 => self.end_row(values, out)?,
                (At::Row, _) if self.columns == 0 => return Err(self.damaged("it has values and no columns")),
                (At::Row | At::Value, b'\\') => self.at = At::FirstEscape,
                (At::Row | At::Value, _) => {
                    values.begin(out);
                    self.at = At::Within;
                    used = 0;
                }
                (At::FirstEscape, b'N') => {
                    values.null(out);
                    self.at = At::Null;
                }
                (At::FirstEscape, byte) => {
                    values.begin(out);
                    values.bytes(&[self.unescaped(byte)?], out);
                    self.at = At::Within;
                }
                (At::Escape, byte) => {
                    values.bytes(&[self.unescaped(byte)?], out);
                    self.at = At::Within;
                }
                (At::Within, b'\\') => self.at = At::Escape,
                (At::Within, b'\t') => {
                    values.end(out);
                    self.next_value()?;
                }
                (At::Within, b'\n') => {
                    values.end(out);
                    self.seen += 1;
                    self.end_row(values, out)?;
                }
                (At::Within, _) => {
                    used = memchr3(b'\\', b'\t', b'\n', text).unwrap_or(text.len());
                    let plain = &text[..used];
                    // No way out of the loop, so that it takes many bytes at once.
                    if plain.iter().fold(false, |any, b| any | matches!(b, 8 | 11..=13)) {
                        return Err(self.damaged("it holds a control character that COPY escapes"));
                    }
                    values.bytes(plain, out);
                }
                (At::Null, b'\t') => self.next_value()?,
                (At::Null, b'\n') => {
                    self.seen += 1;
                    self.end_row(values, out)?;
                }
                (At::Null, _) => return Err(self.damaged("something follows \\N")),
            }
            text = &text[used..];
        }
        Ok(())
    }

    /// The number of rows.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] within a row.
    pub fn finish(&self) -> Result<u64> {
        match self.at {
            At::Row => Ok(self.rows),
            _ => Err(self.damaged("it breaks off")),
        }
    }

    fn next_value(&mut self) -> Result<()> {
        self.seen += 1;
        self.at = At::Value;
        if self.seen >= self.columns {
            return Err(self.damaged("it has more values than the table has columns"));
        }
        Ok(())
    }

    fn end_row(&mut self, values: &mut impl Values, out: &mut Vec<u8>) -> Result<()> {
        if self.seen != self.columns {
            return Err(self.damaged("it has fewer values than the table has columns"));
        }
        values.row(out);
        self.seen = 0;
        self.rows += 1;
        self.at = At::Row;
        Ok(())
    }

    fn unescaped(&self, byte: u8) -> Result<u8> {
        Ok(match byte {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'\\' => b'\\',
            _ => return Err(self.damaged("it holds an escape that COPY does not write")),
        })
    }

    fn damaged(&self, why: &str) -> Error {
        Error::new(Kind::Corrupt, format!("row {} is not as COPY writes it: {why}", self.rows + 1))
    }
}

/// Puts rows together.
#[derive(Debug, Default)]
pub struct Joiner {
    /// Values of the row so far.
    seen: usize,
}

impl Joiner {
    fn separate(&mut self, out: &mut Vec<u8>) {
        if self.seen > 0 {
            out.push(b'\t');
        }
        self.seen += 1;
    }

    /// Values of the row so far.
    pub fn seen(&self) -> usize {
        self.seen
    }
}

impl Values for Joiner {
    fn begin(&mut self, out: &mut Vec<u8>) {
        self.separate(out);
    }

    fn bytes(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while let Some(plain) = bytes.iter().position(|b| matches!(b, 8..=13 | b'\\')) {
            out.extend_from_slice(&bytes[..plain]);
            let letter = match bytes[plain] {
                8 => b'b',
                b'\t' => b't',
                b'\n' => b'n',
                11 => b'v',
                12 => b'f',
                b'\r' => b'r',
                _ => b'\\',
            };
            out.extend_from_slice(&[b'\\', letter]);
            bytes = &bytes[plain + 1..];
        }
        out.extend_from_slice(bytes);
    }

    fn end(&mut self, _: &mut Vec<u8>) {}

    fn null(&mut self, out: &mut Vec<u8>) {
        self.separate(out);
        out.extend_from_slice(b"\\N");
    }

    fn row(&mut self, out: &mut Vec<u8>) {
        self.seen = 0;
        out.push(b'\n');
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// COPY text of rows of optional values.
    pub(in crate::format) fn text_of(rows: &[Vec<Option<Vec<u8>>>]) -> Vec<u8> {
        let (mut joiner, mut out) = (Joiner::default(), Vec::new());
        for row in rows {
            for value in row {
                match value {
                    None => joiner.null(&mut out),
                    Some(bytes) => {
                        joiner.begin(&mut out);
                        joiner.bytes(bytes, &mut out);
                        joiner.end(&mut out);
                    }
                }
            }
            joiner.row(&mut out);
        }
        out
    }

    /// Rows of `columns` values that text can hold (no NUL), awkward ones often.
    pub(in crate::format) fn rows(columns: usize) -> impl Strategy<Value = Vec<Vec<Option<Vec<u8>>>>> {
        let value = prop_oneof![
            3 => Just(None),
            3 => Just(Some(Vec::new())),
            4 => "[\\\\N.'\",\n\r\t\u{8}\u{b}\u{c}a{}\\[\\]0tfé\u{1F600}-]{0,8}".prop_map(|s| Some(s.into_bytes())),
            1 => "true|false|null|NULL|-12|\\\\N|\\\\\\.|1e5|NaN".prop_map(|s: String| Some(s.into_bytes())),
        ];
        prop::collection::vec(prop::collection::vec(value, columns), 0..6)
    }

    fn again(text: &[u8], columns: usize, step: usize) -> Result<Vec<u8>> {
        let (mut splitter, mut joiner, mut out) = (Splitter::new(columns), Joiner::default(), Vec::new());
        for piece in text.chunks(step.max(1)) {
            splitter.push(piece, &mut joiner, &mut out)?;
        }
        splitter.finish()?;
        Ok(out)
    }

    #[test]
    fn what_copy_does_not_write_is_refused() {
        for (text, columns) in [
            (&b"a\\x41\n"[..], 1),
            (b"\\Nx\n", 1),
            (b"a\tb\n", 1),
            (b"a\n", 2),
            (b"a", 1),
            (b"a\\", 1),
            (b"a\t", 2),
            (b"a\n", 0),
            (b"a\rb\n", 1),
            (b"\x08\n", 1),
            (b"a\t\x0b\n", 2),
            (b"\x0c", 1),
        ] {
            for step in 1..4 {
                let e = again(text, columns, step).unwrap_err();
                assert_eq!(e.kind(), Kind::Corrupt, "{text:?}");
            }
        }
        assert_eq!(again(b"\n\n", 0, 1).unwrap(), b"\n\n");
        assert_eq!(again(b"\n\\N\n", 1, 1).unwrap(), b"\n\\N\n");
    }

    proptest! {
        #[test]
        fn rows_survive(rows in rows(3), step in 1usize..20) {
            let text = text_of(&rows);
            prop_assert_eq!(again(&text, 3, step).unwrap(), text);
        }

        #[test]
        fn whatever_is_read_comes_back(bytes in prop::collection::vec(prop_oneof![any::<u8>(), 8u8..14, Just(b'\\'), Just(b'N')], 0..60), columns in 0usize..4, step in 1usize..9) {
            if let Ok(text) = again(&bytes, columns, step) {
                prop_assert_eq!(text, bytes);
            }
        }
    }
}
