//! Writing the script.

use super::{Counted, DEFINITION, End, FORMAT, LINE, MARK, Mark, VERSION};
use crate::{
    base::{Error, Kind, Result},
    format::{
        copy_text::{Splitter, Values},
        item::{Item, Rows},
    },
};

/// Rows to one INSERT.
const TOGETHER: u64 = 100;

/// Bytes of values after which an INSERT takes no further row: the server reads each as a whole.
const STATEMENT: usize = 1 << 20;

/// Bytes of a large object to one statement.
const PIECE: usize = 16 << 10;

/// What psql is told first. As `_doSetFixedOutputState` in pg_backup_archiver.c, without what older servers than the newest do not know.
const SETTINGS: &str = "SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET DateStyle = 'ISO, MDY';
SET IntervalStyle = postgres;
";

/// The statements of an item.
#[derive(Debug, Clone, Copy, Default)]
pub struct Script<'a> {
    /// Before its definition: settings.
    pub before: &'a str,
    /// Whether its definition is a statement of the script.
    pub defined: bool,
    /// After it: its owner.
    pub after: &'a str,
}

/// Writes one script, in this order: [`Writer::begin`], items and rows as the database needs them, [`Writer::finish`].
#[derive(Debug, Default)]
pub struct Writer {
    end: End,
    open: Option<Open>,
    object: u32,
    offset: u64,
    piece: Vec<u8>,
}

#[derive(Debug)]
enum Open {
    Copy { rows: u64 },
    Insert { splitter: Splitter, row: InsertWriter },
}

impl Writer {
    /// The head. `backup` is an object; `encoding` as `client_encoding` takes it.
    ///
    /// # Errors
    /// [`Kind::Internal`] when it has no form in JSON.
    pub fn begin(&mut self, backup: &serde_json::Value, encoding: &str, out: &mut Vec<u8>) -> Result<()> {
        let settings = format!("SET client_encoding = '{encoding}';\n{SETTINGS}");
        let head = Mark::Head {
            format: FORMAT.to_owned(),
            version: VERSION,
            backup: backup.clone(),
            skip: settings.len() as u64,
        };
        mark(&head, out)?;
        out.extend_from_slice(settings.as_bytes());
        Ok(())
    }

    /// An item that the script makes, or only mentions.
    ///
    /// # Errors
    /// As [`Writer::begin`].
    pub fn item(&mut self, item: &Item, script: Script<'_>, out: &mut Vec<u8>) -> Result<()> {
        let mut told = item.clone();
        let printed = item.definition.as_deref().filter(|_| script.defined).unwrap_or_default();
        if script.defined {
            told.definition = item.definition.as_ref().map(|_| String::new());
        }
        if script.defined || !script.after.is_empty() || !script.before.is_empty() {
            heading(item, out);
        }
        let of = |text: &str| text.len() as u64;
        if of(printed) > DEFINITION {
            return Err(too_long("its definition"));
        }
        let item = Mark::Item {
            item: Box::new(told),
            before: of(script.before),
            definition: of(printed),
            after: of(script.after),
        };
        mark(&item, out)?;
        for text in [script.before, printed, script.after] {
            out.extend_from_slice(text.as_bytes());
        }
        out.push(b'\n');
        Ok(())
    }

    /// Rows begin: as a COPY of this statement (`COPY … FROM stdin;`).
    ///
    /// # Errors
    /// As [`Writer::begin`].
    pub fn copy(&mut self, rows: &Rows, statement: &str, out: &mut Vec<u8>) -> Result<()> {
        let statement = format!("{}\n", statement.trim_end());
        mark(&Mark::Copy { rows: rows.clone(), skip: statement.len() as u64 }, out)?;
        out.extend_from_slice(statement.as_bytes());
        self.open = Some(Open::Copy { rows: 0 });
        Ok(())
    }

    /// Rows begin: as INSERTs into `target`, a table and its columns: `shop.orders (id, note)`.
    ///
    /// # Errors
    /// As [`Writer::begin`].
    pub fn insert(&mut self, rows: &Rows, target: &str, out: &mut Vec<u8>) -> Result<()> {
        let insert = match rows.columns.is_empty() {
            true => format!("INSERT INTO {target} DEFAULT VALUES;\n"),
            false => format!("INSERT INTO {target} OVERRIDING SYSTEM VALUE VALUES\n"),
        };
        mark(&Mark::Insert { rows: rows.clone(), insert: insert.clone() }, out)?;
        let row = InsertWriter { insert: insert.into_bytes(), together: 0, bytes: 0, column: 0 };
        self.open = Some(Open::Insert { splitter: Splitter::new(rows.columns.len()), row });
        Ok(())
    }

    /// More of the rows, as COPY text.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] for what is no COPY text; [`Kind::Internal`] where no rows began.
    pub fn text(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<()> {
        match self.open.as_mut().ok_or_else(out_of_order)? {
            Open::Copy { rows } => {
                *rows += memchr::memchr_iter(b'\n', text).count() as u64;
                out.extend_from_slice(text);
                Ok(())
            }
            Open::Insert { splitter, row } => splitter.push(text, row, out),
        }
    }

    /// The rows end; gives their number.
    ///
    /// # Errors
    /// As [`Writer::text`].
    pub fn rows_end(&mut self, hash: &str, out: &mut Vec<u8>) -> Result<u64> {
        let rows = match self.open.take().ok_or_else(out_of_order)? {
            Open::Copy { rows } => {
                out.extend_from_slice(b"\\.\n");
                rows
            }
            Open::Insert { splitter, row } => {
                let rows = splitter.finish()?;
                row.finish(out);
                rows
            }
        };
        self.end.tables += 1;
        self.end.rows += rows;
        mark(&Mark::RowsEnd { rows_end: Counted { rows, hash: hash.to_owned() } }, out)?;
        out.push(b'\n');
        Ok(rows)
    }

    /// The bytes of a large object that an item has made begin.
    ///
    /// # Errors
    /// As [`Writer::begin`].
    pub fn large_object(&mut self, oid: u32, out: &mut Vec<u8>) -> Result<()> {
        (self.object, self.offset) = (oid, 0);
        self.end.large_objects += 1;
        mark(&Mark::LargeObject { large_object: oid }, out)
    }

    /// More of the large object.
    pub fn bytes(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(PIECE - self.piece.len()));
            self.piece.extend_from_slice(now);
            bytes = later;
            if self.piece.len() == PIECE {
                self.put(out);
            }
        }
    }

    /// The large object ends.
    ///
    /// # Errors
    /// As [`Writer::begin`].
    pub fn large_object_end(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if !self.piece.is_empty() {
            self.put(out);
        }
        mark(&Mark::LargeObjectEnd { large_object_end: self.object }, out)?;
        out.push(b'\n');
        Ok(())
    }

    fn put(&mut self, out: &mut Vec<u8>) {
        let (object, offset, bytes) = (self.object, self.offset, hex::encode(&self.piece));
        let statement = format!("SELECT pg_catalog.lo_put({object}, {offset}, '\\x{bytes}');\n");
        out.extend_from_slice(statement.as_bytes());
        self.offset += self.piece.len() as u64;
        self.piece.clear();
    }

    /// The end of the script.
    ///
    /// # Errors
    /// As [`Writer::begin`].
    pub fn finish(self, out: &mut Vec<u8>) -> Result<()> {
        mark(&Mark::End { end: self.end }, out)
    }
}

/// As pg_dump has it, for people. Names in one line, whatever they hold (CVE-2025-8714).
fn heading(item: &Item, out: &mut Vec<u8>) {
    let shown = |text: Option<&str>| match text {
        None | Some("") => "-".to_owned(),
        Some(text) => text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
    };
    let (name, kind) = (shown(Some(&item.name)), shown(Some(&item.kind)));
    let (schema, owner) = (shown(item.schema.as_deref()), shown(item.owner.as_deref()));
    let text = format!("--\n-- Name: {name}; Type: {kind}; Schema: {schema}; Owner: {owner}\n--\n");
    out.extend_from_slice(text.as_bytes());
}

fn mark(mark: &Mark, out: &mut Vec<u8>) -> Result<()> {
    let before = out.len();
    out.extend_from_slice(MARK);
    serde_json::to_writer(&mut *out, mark)
        .map_err(|e| Error::with_source(Kind::Internal, "a part of the script has no form in JSON", e))?;
    out.push(b'\n');
    match out.len() - before > LINE {
        true => Err(too_long("what goes into one of its comments")),
        false => Ok(()),
    }
}

/// What the reader would refuse is not written.
fn too_long(what: &str) -> Error {
    let why = format!("{what} is too long for an SQL script that can be restored: choose the format archive");
    Error::new(Kind::Unsupported, why)
}

/// Rows as INSERTs.
#[derive(Debug)]
struct InsertWriter {
    insert: Vec<u8>,
    /// Rows of the statement so far.
    together: u64,
    /// Bytes of their values.
    bytes: usize,
    column: usize,
}

impl InsertWriter {
    fn next(&mut self, out: &mut Vec<u8>) {
        if self.column > 0 {
            out.extend_from_slice(b", ");
        } else if self.together == 0 || self.together == TOGETHER || self.bytes > STATEMENT {
            if self.together > 0 {
                out.extend_from_slice(b";\n");
            }
            out.extend_from_slice(&self.insert);
            out.push(b'(');
            (self.together, self.bytes) = (0, 0);
        } else {
            out.extend_from_slice(b",\n(");
        }
        self.column += 1;
    }

    fn finish(self, out: &mut Vec<u8>) {
        if self.together > 0 && !self.insert.ends_with(b";\n") {
            out.extend_from_slice(b";\n");
        }
    }
}

impl Values for InsertWriter {
    fn begin(&mut self, out: &mut Vec<u8>) {
        self.next(out);
        out.push(b'\'');
    }

    fn bytes(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.bytes += bytes.len();
        for piece in bytes.split_inclusive(|b| *b == b'\'') {
            out.extend_from_slice(piece);
            if piece.ends_with(b"'") {
                out.push(b'\'');
            }
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        out.push(b'\'');
    }

    fn null(&mut self, out: &mut Vec<u8>) {
        self.next(out);
        out.extend_from_slice(b"NULL");
    }

    fn row(&mut self, out: &mut Vec<u8>) {
        match self.column {
            0 => out.extend_from_slice(&self.insert),
            _ => out.push(b')'),
        }
        self.column = 0;
        self.together += 1;
    }
}

fn out_of_order() -> Error {
    Error::new(Kind::Internal, "rows were written that had not begun")
}
