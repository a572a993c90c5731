//! Reading the script back: its comments of ours, and of the SQL only what they say is theirs.

use std::collections::VecDeque;

use super::{DEFINITION, End, FORMAT, LINE, MARK, Mark, VERSION};
use crate::{
    base::{Error, Kind, Result},
    format::{
        Found,
        copy_text::{Joiner, Values},
    },
};

/// Bytes that belong to the comment before them.
#[derive(Debug)]
enum Due {
    Skip(u64),
    Definition(u64),
}

#[derive(Debug)]
enum At {
    /// In a line of its own.
    Line,
    /// In what the last comment announced.
    Due,
    /// In the rows of a COPY.
    Copy(Frame),
    /// In INSERTs.
    Insert(Insert),
}

/// Where in COPY's text: the end is a line of `\.`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frame {
    Begin,
    Backslash,
    Dot,
    Within,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Insert {
    /// Before a statement, or the comment that ends the rows.
    Statement,
    /// So many bytes of the statement's beginning are over.
    Head(usize),
    /// Before a row's parenthesis.
    Row,
    Value,
    /// So many letters of NULL are over.
    Null(usize),
    Text,
    /// After a quote within a literal.
    Quote,
    /// After a value.
    After,
    /// After the comma behind a value.
    Space,
    RowEnd,
    /// After the comma behind a row.
    NextRow,
    /// After the semicolon.
    StatementEnd,
}

/// Reads one script.
#[derive(Debug)]
pub struct Reader {
    at: At,
    line: Vec<u8>,
    due: VecDeque<Due>,
    item: Option<Box<crate::format::Item>>,
    definition: Vec<u8>,
    insert: Vec<u8>,
    columns: usize,
    joiner: Joiner,
    text: Vec<u8>,
    rows: u64,
    in_rows: bool,
    large_object: Option<(u32, u64)>,
    counted: End,
    begun: bool,
    ended: bool,
    lines: u64,
    found: Vec<Found>,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            at: At::Line,
            line: Vec::new(),
            due: VecDeque::new(),
            item: None,
            definition: Vec::new(),
            insert: Vec::new(),
            columns: 0,
            joiner: Joiner::default(),
            text: Vec::new(),
            rows: 0,
            in_rows: false,
            large_object: None,
            counted: End::default(),
            begun: false,
            ended: false,
            lines: 0,
            found: Vec::new(),
        }
    }
}

impl Reader {
    /// What is in the next piece.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] for what is no script of ours, [`Kind::Unsupported`] for another version.
    pub fn push(&mut self, mut input: &[u8]) -> Result<Vec<Found>> {
        while !input.is_empty() {
            let used = match self.at {
                At::Line => self.in_line(input)?,
                At::Due => self.in_due(input)?,
                At::Copy(frame) => self.in_copy(frame, input)?,
                At::Insert(at) => self.in_insert(at, input)?,
            };
            input = &input[used..];
        }
        self.flush();
        Ok(std::mem::take(&mut self.found))
    }

    /// # Errors
    /// [`Kind::Corrupt`] when the script is not over.
    pub fn finish(self) -> Result<()> {
        match self.ended && self.line.is_empty() && matches!(self.at, At::Line) {
            true => Ok(()),
            false => Err(self.damaged("it breaks off")),
        }
    }

    fn in_line(&mut self, input: &[u8]) -> Result<usize> {
        let end = memchr::memchr(b'\n', input);
        let used = end.map_or(input.len(), |end| end + 1);
        self.line.extend_from_slice(&input[..used]);
        if self.line.len() > LINE {
            return Err(self.damaged("a line is too long"));
        }
        if end.is_some() {
            let line = std::mem::take(&mut self.line);
            self.lines += 1;
            self.end_line(line.trim_ascii_end())?;
        }
        Ok(used)
    }

    fn end_line(&mut self, line: &[u8]) -> Result<()> {
        if let Some(json) = line.strip_prefix(MARK) {
            let mark = serde_json::from_slice(json)
                .map_err(|_| self.damaged("a comment of pgbaton's is not as it should be"))?;
            return self.mark(mark);
        }
        if let Some((oid, offset)) = self.large_object {
            return self.put(oid, offset, line);
        }
        match line.is_empty() || line.starts_with(b"--") {
            true => Ok(()),
            false => Err(self.damaged("it holds SQL that no comment of pgbaton's announces")),
        }
    }

    fn mark(&mut self, mark: Mark) -> Result<()> {
        if self.ended || self.begun == matches!(mark, Mark::Head { .. }) {
            return Err(self.damaged("its parts are not in their order"));
        }
        if self.in_rows != matches!(mark, Mark::RowsEnd { .. })
            || self.large_object.is_some() != matches!(mark, Mark::LargeObjectEnd { .. })
        {
            return Err(self.damaged("rows or a large object do not end"));
        }
        match mark {
            Mark::Head { format, .. } if format != FORMAT => {
                return Err(self.damaged(&format!("its \"format\" is not {FORMAT}")));
            }
            Mark::Head { version, .. } if version != VERSION => {
                return Err(Error::new(
                    Kind::Unsupported,
                    format!("the SQL script has version {version}, this build reads {VERSION}"),
                ));
            }
            Mark::Head { backup, skip, .. } => {
                self.begun = true;
                self.found.push(Found::Head(backup));
                self.announced([Due::Skip(skip)]);
            }
            Mark::Item { item, before, definition, after } => {
                if definition > DEFINITION {
                    return Err(self.damaged("a definition is too long"));
                }
                self.item = Some(item);
                self.announced([Due::Skip(before), Due::Definition(definition), Due::Skip(after)]);
            }
            Mark::Copy { rows, skip } => {
                self.begin_rows(&rows);
                self.found.push(Found::Rows(rows));
                self.announced([Due::Skip(skip)]);
            }
            Mark::Insert { rows, insert } => {
                self.begin_rows(&rows);
                self.found.push(Found::Rows(rows));
                self.insert = insert.into_bytes();
                if self.insert.is_empty() {
                    return Err(self.damaged("a comment of pgbaton's is not as it should be"));
                }
                self.at = At::Insert(Insert::Statement);
            }
            Mark::RowsEnd { rows_end } => {
                if rows_end.rows != self.rows {
                    let why = format!("{} rows stand where {} should", self.rows, rows_end.rows);
                    return Err(self.damaged(&why));
                }
                self.in_rows = false;
                self.counted.tables += 1;
                self.counted.rows += self.rows;
                self.flush();
                self.found.push(Found::RowsEnd { rows: self.rows, hash: rows_end.hash });
            }
            Mark::LargeObject { large_object } => {
                self.large_object = Some((large_object, 0));
                self.counted.large_objects += 1;
                self.found.push(Found::LargeObject(large_object));
            }
            Mark::LargeObjectEnd { large_object_end } => {
                if self.large_object.take().map(|(oid, _)| oid) != Some(large_object_end) {
                    return Err(self.damaged("rows or a large object do not end"));
                }
                self.found.push(Found::LargeObjectEnd);
            }
            Mark::End { end } => {
                if end != self.counted {
                    return Err(self.damaged("it does not hold what its end says"));
                }
                self.ended = true;
            }
        }
        Ok(())
    }

    fn begin_rows(&mut self, rows: &crate::format::Rows) {
        (self.in_rows, self.rows, self.columns) = (true, 0, rows.columns.len());
    }

    fn announced<const N: usize>(&mut self, due: [Due; N]) {
        self.due = due.into();
        self.at = At::Due;
        self.settle_due();
    }

    /// Goes on where nothing more is due of what was announced.
    fn settle_due(&mut self) {
        while let Some(Due::Skip(0) | Due::Definition(0)) = self.due.front() {
            self.due.pop_front();
        }
        if !self.due.is_empty() {
            return;
        }
        if let Some(mut item) = self.item.take() {
            if let Some(definition) = item.definition.as_mut().filter(|_| !self.definition.is_empty()) {
                *definition = String::from_utf8_lossy(&self.definition).into_owned();
            }
            self.definition.clear();
            self.found.push(Found::Item(item));
        }
        self.at = if self.in_rows { At::Copy(Frame::Begin) } else { At::Line };
    }

    fn in_due(&mut self, input: &[u8]) -> Result<usize> {
        let Some(due) = self.due.front_mut() else { return Ok(0) };
        let (Due::Skip(left) | Due::Definition(left)) = due;
        let now = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
        *left -= now as u64;
        let (over, is_definition) = (*left == 0, matches!(due, Due::Definition(_)));
        self.lines += memchr::memchr_iter(b'\n', &input[..now]).count() as u64;
        if is_definition {
            self.definition.extend_from_slice(&input[..now]);
            if over && std::str::from_utf8(&self.definition).is_err() {
                return Err(self.damaged("a definition is not UTF-8"));
            }
        }
        if over {
            self.settle_due();
        }
        Ok(now)
    }

    fn in_copy(&mut self, frame: Frame, input: &[u8]) -> Result<usize> {
        let byte = input[0];
        let next = match (frame, byte) {
            (Frame::Begin, b'\\') => Frame::Backslash,
            (Frame::Backslash, b'.') => Frame::Dot,
            (Frame::Backslash, _) => {
                self.text.push(b'\\');
                self.at = At::Copy(Frame::Within);
                return Ok(0);
            }
            (Frame::Dot, b'\n') => {
                self.lines += 1;
                self.at = At::Line;
                return Ok(1);
            }
            (Frame::Dot, _) => return Err(self.damaged("the end of the rows is not alone in its line")),
            (Frame::Begin | Frame::Within, _) => {
                let end = memchr::memchr(b'\n', input);
                let used = end.map_or(input.len(), |end| end + 1);
                self.text.extend_from_slice(&input[..used]);
                if end.is_some() {
                    self.rows += 1;
                    self.lines += 1;
                }
                self.at = At::Copy(if end.is_some() { Frame::Begin } else { Frame::Within });
                return Ok(used);
            }
        };
        self.at = At::Copy(next);
        Ok(1)
    }

    fn in_insert(&mut self, at: Insert, input: &[u8]) -> Result<usize> {
        let byte = input[0];
        let mut used = 1;
        let next = match (at, byte) {
            // The comment that ends the rows.
            (Insert::Statement, b'-') => {
                self.at = At::Line;
                return Ok(0);
            }
            (Insert::Statement, _) => {
                used = 0;
                Insert::Head(0)
            }
            (Insert::Head(n), byte) if self.insert.get(n) == Some(&byte) => {
                match (n + 1 == self.insert.len(), self.columns) {
                    (false, _) => Insert::Head(n + 1),
                    (true, 0) => {
                        self.end_row();
                        Insert::Statement
                    }
                    (true, _) => Insert::Row,
                }
            }
            (Insert::Row, b'(') => Insert::Value,
            (Insert::Value, b'\'') => {
                self.joiner.begin(&mut self.text);
                Insert::Text
            }
            (Insert::Value, b'N') => Insert::Null(1),
            (Insert::Null(n), byte) if b"NULL".get(n) == Some(&byte) => match n {
                3 => {
                    self.joiner.null(&mut self.text);
                    Insert::After
                }
                _ => Insert::Null(n + 1),
            },
            (Insert::Text, b'\'') => Insert::Quote,
            (Insert::Text, _) => {
                used = memchr::memchr(b'\'', input).unwrap_or(input.len());
                self.joiner.bytes(&input[..used], &mut self.text);
                Insert::Text
            }
            (Insert::Quote, b'\'') => {
                self.joiner.bytes(b"'", &mut self.text);
                Insert::Text
            }
            (Insert::Quote, _) => {
                used = 0;
                self.joiner.end(&mut self.text);
                Insert::After
            }
            (Insert::After, b',') => Insert::Space,
            (Insert::Space, b' ') => Insert::Value,
            (Insert::After, b')') => {
                if self.joiner.seen() != self.columns {
                    return Err(self.damaged("a row has more or fewer values than the table has columns"));
                }
                self.end_row();
                Insert::RowEnd
            }
            (Insert::RowEnd, b',') => Insert::NextRow,
            (Insert::NextRow, b'\n') => Insert::Row,
            (Insert::RowEnd, b';') => Insert::StatementEnd,
            (Insert::StatementEnd, b'\n') => Insert::Statement,
            _ => return Err(self.damaged("an INSERT is not as pgbaton writes it")),
        };
        self.at = At::Insert(next);
        Ok(used)
    }

    fn end_row(&mut self) {
        self.joiner.row(&mut self.text);
        self.rows += 1;
    }

    /// One statement of a large object's bytes.
    fn put(&mut self, oid: u32, offset: u64, line: &[u8]) -> Result<()> {
        let head = format!("SELECT pg_catalog.lo_put({oid}, {offset}, '\\x");
        let digits = line.strip_prefix(head.as_bytes()).and_then(|rest| rest.strip_suffix(b"');"));
        let bytes = digits.and_then(|digits| hex::decode(digits).ok());
        let bytes = bytes.ok_or_else(|| self.damaged("a large object is not as pgbaton writes it"))?;
        self.large_object = Some((oid, offset + bytes.len() as u64));
        self.found.push(Found::Bytes(bytes));
        Ok(())
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.found.push(Found::Text(std::mem::take(&mut self.text)));
        }
    }

    fn damaged(&self, why: &str) -> Error {
        Error::new(
            Kind::Corrupt,
            format!("the SQL script is damaged near line {}, or is none of pgbaton's: {why}", self.lines + 1),
        )
    }
}
