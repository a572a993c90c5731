//! Writing the document.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{FORMAT, ITEM, MEMBER, VERSION, escape};
use crate::{
    base::{Error, Kind, Result},
    format::{
        copy_text::{Splitter, Values},
        item::{Column, Item, Rows},
    },
};

/// Bytes of a large object to one string: a multiple of three, so that only the last one is padded.
const PIECE: usize = 48 << 10;

/// Writes one document, in this order: [`Writer::begin`], [`Writer::item`]s, [`Writer::items_end`], [`Writer::history`], tables, large objects, [`Writer::finish`].
#[derive(Debug, Default)]
pub struct Writer {
    items: u64,
    tables: u64,
    rows: u64,
    large_objects: u64,
    open: Option<Open>,
    in_large_objects: bool,
    piece: Vec<u8>,
    pieces: u64,
}

#[derive(Debug)]
struct Open {
    splitter: Splitter,
    row: RowWriter,
}

impl Writer {
    /// The head: `backup` is an object; `schema_digest` that of all items, see [`Writer::digested`].
    ///
    /// # Errors
    /// [`Kind::Internal`] when it has no form in JSON.
    pub fn begin(
        &mut self,
        backup: &serde_json::Value,
        schema_digest: &str,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        out.extend_from_slice(
            format!("{{\"format\":\"{FORMAT}\",\"version\":{VERSION},\n\"backup\":").as_bytes(),
        );
        limited(backup, MEMBER, "what it says of the backup", out)?;
        out.extend_from_slice(format!(",\n\"schema_digest\":\"{schema_digest}\",\n\"entries\":[").as_bytes());
        Ok(())
    }

    /// What an item adds to the digest of the schema: its JSON text and a newline.
    ///
    /// # Errors
    /// As [`Writer::begin`].
    pub fn digested(item: &Item) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        json(item, &mut text)?;
        text.push(b'\n');
        Ok(text)
    }

    /// One object of the database.
    ///
    /// # Errors
    /// As [`Writer::begin`].
    pub fn item(&mut self, item: &Item, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(if self.items > 0 { b",\n" } else { b"\n" });
        self.items += 1;
        limited(item, ITEM, "its definition", out)
    }

    /// After the last item, with the records of earlier backups where they are wanted.
    ///
    /// # Errors
    /// As [`Writer::begin`].
    pub fn items_end(&mut self, history: Option<&[serde_json::Value]>, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(b"\n],\n");
        if let Some(history) = history {
            out.extend_from_slice(b"\"history\":[");
            for (n, record) in history.iter().enumerate() {
                out.extend_from_slice(if n > 0 { b",\n" } else { b"\n" });
                json(record, out)?;
            }
            out.extend_from_slice(b"\n],\n");
        }
        out.extend_from_slice(b"\"tables\":[");
        Ok(())
    }

    /// Rows begin.
    ///
    /// # Errors
    /// As [`Writer::begin`].
    pub fn rows(&mut self, rows: &Rows, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(if self.tables > 0 { b",\n" } else { b"\n" });
        self.tables += 1;
        let mut head = Vec::new();
        limited(rows, MEMBER, "its list of columns", &mut head)?;
        // Without the brace that ends it.
        out.extend_from_slice(&head[..head.len() - 1]);
        out.extend_from_slice(b",\"rows\":[");
        let row = RowWriter::new(&rows.columns);
        self.open = Some(Open { splitter: Splitter::new(rows.columns.len()), row });
        Ok(())
    }

    /// More of the rows, as COPY text.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] for what is no COPY text; [`Kind::Internal`] where no rows began.
    pub fn text(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let open = self.open.as_mut().ok_or_else(|| out_of_order("rows"))?;
        open.splitter.push(text, &mut open.row, out)
    }

    /// The rows end; gives their number.
    ///
    /// # Errors
    /// As [`Writer::text`].
    pub fn rows_end(&mut self, hash: &str, out: &mut Vec<u8>) -> Result<u64> {
        let open = self.open.take().ok_or_else(|| out_of_order("rows"))?;
        let rows = open.splitter.finish()?;
        self.rows += rows;
        out.extend_from_slice(format!("\n],\"row_count\":{rows},\"row_hash\":\"{hash}\"}}").as_bytes());
        Ok(rows)
    }

    /// A large object begins.
    pub fn large_object(&mut self, oid: u32, out: &mut Vec<u8>) {
        if !self.in_large_objects {
            out.extend_from_slice(b"\n],\n\"large_objects\":[");
            self.in_large_objects = true;
        }
        out.extend_from_slice(if self.large_objects > 0 { b",\n" } else { b"\n" });
        out.extend_from_slice(format!("{{\"oid\":{oid},\"data\":[").as_bytes());
        self.large_objects += 1;
        self.pieces = 0;
    }

    /// More of the large object.
    pub fn bytes(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(PIECE - self.piece.len()));
            self.piece.extend_from_slice(now);
            bytes = later;
            if self.piece.len() == PIECE {
                self.end_piece(out);
            }
        }
    }

    /// The large object ends.
    pub fn large_object_end(&mut self, out: &mut Vec<u8>) {
        if !self.piece.is_empty() {
            self.end_piece(out);
        }
        out.extend_from_slice(b"]}");
    }

    fn end_piece(&mut self, out: &mut Vec<u8>) {
        let comma = if self.pieces > 0 { "," } else { "" };
        out.extend_from_slice(format!("{comma}\"{}\"", BASE64_STANDARD.encode(&self.piece)).as_bytes());
        self.piece.clear();
        self.pieces += 1;
    }

    /// The end of the document.
    pub fn finish(self, out: &mut Vec<u8>) {
        let Self { tables, rows, large_objects, .. } = self;
        let end = format!(
            "\n],\n\"end\":{{\"tables\":{tables},\"rows\":{rows},\"large_objects\":{large_objects}}}}}\n"
        );
        out.extend_from_slice(end.as_bytes());
    }
}

/// Rows between brackets.
#[derive(Debug)]
struct RowWriter {
    kinds: Vec<Form>,
    rows: u64,
    column: usize,
    /// A short value whose form depends on all of it.
    held: Option<Vec<u8>>,
}

/// How values of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Boolean,
    Integer,
    Text,
}

/// Digits that every reader's numbers can hold: 2^53 has 16.
const DIGITS: usize = 15;

impl RowWriter {
    fn new(columns: &[Column]) -> Self {
        let form = |column: &Column| match column.type_name.as_str() {
            "boolean" => Form::Boolean,
            "smallint" | "integer" | "bigint" | "oid" => Form::Integer,
            _ => Form::Text,
        };
        Self { kinds: columns.iter().map(form).collect(), rows: 0, column: 0, held: None }
    }

    fn next(&mut self, out: &mut Vec<u8>) -> Form {
        if self.column == 0 {
            self.begin_row(out);
        } else {
            out.push(b',');
        }
        self.column += 1;
        self.kinds.get(self.column - 1).copied().unwrap_or(Form::Text)
    }

    fn begin_row(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.rows > 0 { b",\n[" } else { b"\n[" });
        self.rows += 1;
    }
}

impl Values for RowWriter {
    fn begin(&mut self, out: &mut Vec<u8>) {
        match self.next(out) {
            Form::Text => out.push(b'"'),
            Form::Boolean | Form::Integer => self.held = Some(Vec::new()),
        }
    }

    fn bytes(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match &mut self.held {
            Some(held) => held.extend_from_slice(bytes),
            None => escape(bytes, out),
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let form = self.kinds.get(self.column.saturating_sub(1)).copied().unwrap_or(Form::Text);
        match (self.held.take(), form) {
            (None, _) => out.push(b'"'),
            (Some(held), Form::Boolean) if held == b"t" => out.extend_from_slice(b"true"),
            (Some(held), Form::Boolean) if held == b"f" => out.extend_from_slice(b"false"),
            (Some(held), Form::Integer) if is_short_integer(&held) => out.extend_from_slice(&held),
            (Some(held), _) => {
                out.push(b'"');
                escape(&held, out);
                out.push(b'"');
            }
        }
    }

    fn null(&mut self, out: &mut Vec<u8>) {
        self.next(out);
        out.extend_from_slice(b"null");
    }

    fn row(&mut self, out: &mut Vec<u8>) {
        if self.column == 0 {
            self.begin_row(out);
        }
        self.column = 0;
        out.push(b']');
    }
}

/// An integer as PostgreSQL writes it, and JSON too: no plus sign, no zero in front.
fn is_short_integer(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    (1..=DIGITS).contains(&digits.len())
        && digits.iter().all(u8::is_ascii_digit)
        && (digits[0] != b'0' || text == b"0")
}

/// What the reader would refuse is not written.
fn limited(value: &impl serde::Serialize, most: usize, what: &str, out: &mut Vec<u8>) -> Result<()> {
    let before = out.len();
    json(value, out)?;
    match out.len() - before > most {
        true => Err(Error::new(
            Kind::Unsupported,
            format!("{what} is too long for a JSON document that can be restored: choose the format archive"),
        )),
        false => Ok(()),
    }
}

fn json(value: &impl serde::Serialize, out: &mut Vec<u8>) -> Result<()> {
    serde_json::to_writer(out, value)
        .map_err(|e| Error::with_source(Kind::Internal, "a part of the document has no form in JSON", e))
}

fn out_of_order(what: &str) -> Error {
    Error::new(Kind::Internal, format!("{what} were written that had not begun"))
}
