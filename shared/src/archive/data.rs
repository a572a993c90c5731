//! The rows of one TABLE DATA entry, before compression.
//!
//! ```text
//! 1\tfirst\n        rows in COPY text form, each ended by a newline
//! 2\t\\N\n
//! \.\n              the end marker
//! \n\n              and two empty lines
//! ```
//!
//! A row can never be `\.` itself: COPY writes a backslash in a value as `\\`, and newlines as `\n`, so a line that begins with
//! a backslash and a dot is the end marker (PostgreSQL manual, COPY, "Text Format"). The file of a large object has no frame: its bytes
//! as they are. The file of an entry without a COPY statement (`pg_dump --inserts`) holds SQL and none of this applies.

use bytes::Bytes;
use memchr::{memchr_iter, memmem};

use crate::base::{Error, Kind, Result};

/// What ends the rows of a data file: the marker and two empty lines, as pg_dump writes them.
pub const TERMINATOR: &[u8] = b"\\.\n\n\n";

/// Whether a file without the end marker counts as whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// pgbaton and pg_dump always write it: without it the file is truncated.
    Required,
    /// For other writers, which leave it out.
    Optional,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the beginning of a line.
    Line,
    /// A backslash began the line and is held back.
    Backslash,
    /// The marker stands there, its newline does not yet.
    Dot,
    /// Within a row.
    Row,
    /// The marker is complete: nothing but newlines may follow.
    Ended,
}

/// Takes the frame off: rows go through as they are, the end marker stays behind, rows are counted.
#[derive(Debug)]
pub struct RowReader {
    state: State,
    marker: Marker,
    rows: u64,
}

impl RowReader {
    /// A reader at the beginning of a file.
    pub fn new(marker: Marker) -> Self {
        Self { state: State::Line, marker, rows: 0 }
    }

    /// Rows ended so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Reads `input` and gives what of it belongs to rows, without copying; often all of it.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] when something follows the end marker.
    pub fn push(&mut self, mut input: Bytes) -> Result<Vec<Bytes>> {
        let mut out = Vec::with_capacity(1);
        while let Some(&first) = input.first() {
            let used = match self.state {
                State::Line if first == b'\\' => {
                    self.state = State::Backslash;
                    1
                }
                State::Backslash if first == b'.' => {
                    self.state = State::Dot;
                    1
                }
                State::Backslash => {
                    out.push(Bytes::from_static(b"\\"));
                    self.state = State::Row;
                    0
                }
                State::Dot if first == b'\n' => {
                    self.state = State::Ended;
                    1
                }
                State::Dot => return Err(self.damaged("the end marker is not alone on its line")),
                State::Ended if first == b'\n' => 1,
                State::Ended => return Err(self.damaged("bytes follow the end marker")),
                State::Line | State::Row => {
                    let rows = self.rows_of(&input);
                    out.push(input.split_to(rows));
                    0
                }
            };
            drop(input.split_to(used));
        }
        Ok(out)
    }

    /// How much of `input`, which does not begin with a line that begins with a backslash, is rows: all but the end marker, and but a backslash at the
    /// very end that may begin it.
    fn rows_of(&mut self, input: &[u8]) -> usize {
        let rows = match memmem::find(input, b"\n\\.") {
            Some(at) => at + 1,
            None if input.ends_with(b"\n\\") => input.len() - 1,
            None => input.len(),
        };
        self.rows += memchr_iter(b'\n', &input[..rows]).count() as u64;
        self.state = if input[..rows].ends_with(b"\n") { State::Line } else { State::Row };
        rows
    }

    /// The number of rows, at the end of the file.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] when the file breaks off: within a row, or without the end marker where that is required.
    pub fn finish(self) -> Result<u64> {
        match (self.state, self.marker) {
            (State::Ended, _) | (State::Line | State::Dot, Marker::Optional) => Ok(self.rows),
            (State::Line | State::Dot, Marker::Required) => {
                Err(self.damaged("the end marker is missing, so it is truncated"))
            }
            (State::Row | State::Backslash, _) => Err(self.damaged("it breaks off within a row")),
        }
    }

    fn damaged(&self, why: &str) -> Error {
        Error::new(Kind::Corrupt, format!("the data file is damaged after row {}: {why}", self.rows))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(stored: &[u8], step: usize, marker: Marker) -> Result<(u64, Vec<u8>)> {
        let (mut reader, mut out) = (RowReader::new(marker), Vec::new());
        for chunk in stored.chunks(step.max(1)) {
            out.extend(reader.push(Bytes::copy_from_slice(chunk))?.concat());
        }
        Ok((reader.finish()?, out))
    }

    #[test]
    fn rows_that_look_like_the_marker_go_through() {
        let rows = b"\\N\t1\n\\\\.\t2\nx\\.\n\n.\n\\\\.\n";
        let stored = [&rows[..], TERMINATOR].concat();
        for step in 1..=stored.len() {
            assert_eq!(read(&stored, step, Marker::Required).unwrap(), (6, rows.to_vec()), "step {step}");
        }
    }

    #[test]
    fn an_empty_table() {
        assert_eq!(read(TERMINATOR, 2, Marker::Required).unwrap(), (0, vec![]));
        assert!(read(b"", 1, Marker::Required).is_err());
        assert_eq!(read(b"", 1, Marker::Optional).unwrap(), (0, vec![]));
    }

    #[test]
    fn truncation_is_seen_until_the_marker_is_complete() {
        let stored = [b"1\ta\n2\tb\n", TERMINATOR].concat();
        for end in 0..stored.len() {
            let whole = end >= stored.len() - 2;
            assert_eq!(read(&stored[..end], 3, Marker::Required).is_ok(), whole, "cut at {end}");
        }
        assert_eq!(read(b"1\n2\n", 3, Marker::Optional).unwrap().0, 2);
        assert!(read(b"1\n2", 3, Marker::Optional).is_err());
    }

    #[test]
    fn what_follows_the_marker_is_refused() {
        for bad in [&b"1\n\\.\n2\n"[..], b"\\.x\n", b"\\.\n\n\n\\."] {
            assert_eq!(read(bad, 1, Marker::Required).unwrap_err().kind(), Kind::Corrupt);
        }
    }

    proptest! {
        #[test]
        fn framing_round_trips(values in prop::collection::vec("[\\\\.a\t]{0,5}", 0..20), step in 1usize..40) {
            let rows: Vec<u8> =
                values.iter().flat_map(|v| format!("{}\n", v.replace('\\', "\\\\")).into_bytes()).collect();
            let stored = [&rows[..], TERMINATOR].concat();
            prop_assert_eq!(read(&stored, step, Marker::Required).unwrap(), (values.len() as u64, rows));
        }

        #[test]
        fn steps_do_not_matter(bytes in "[\\\\.a\n]{0,40}", step in 1usize..40) {
            let whole = read(bytes.as_bytes(), 100, Marker::Optional).map_err(|e| e.to_string());
            prop_assert_eq!(read(bytes.as_bytes(), step, Marker::Optional).map_err(|e| e.to_string()), whole);
        }
    }
}
