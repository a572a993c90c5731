//! Reading the document: any white space, any order of members where the picture in [`super`] does not need one.

use aws_lc_rs::digest::{Context, SHA256};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value};

use super::{
    FORMAT, ITEM, MEMBER, VERSION, Writer, escape,
    token::{Token, Tokens},
};
use crate::{
    base::{Error, Kind, Result},
    format::{
        Found,
        copy_text::{Joiner, Values},
        item::{Item, Rows},
    },
};

/// Longest name of a member, bytes.
const KEY: usize = 200;

/// Most characters of one string of a large object: four thirds of 16 MiB.
const PIECE: usize = 24 << 20;

/// Where the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    /// In the document's object, between members.
    Top,
    /// In `entries`, between items.
    Entries,
    Tables,
    /// In a table's object, between members.
    Table,
    /// In `rows`, between rows.
    Rows,
    /// In a row, between values.
    Row,
    /// In a value.
    Value,
    LargeObjects,
    LargeObject,
    /// In `data`, between strings.
    Data,
    Piece,
    /// In a member's name; where it is a member of.
    Name(Object),
    /// In front of a member's value that is not taken as a whole.
    Before(Member),
    /// In a value that is taken as a whole, with so many containers open.
    Whole(Taken, usize),
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Object {
    Top,
    Table,
    Large,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Entries,
    Tables,
    Rows,
    LargeObjects,
    Data,
}

/// What becomes of a value that is taken as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Item,
    /// A member of this object.
    Member(Object),
    /// Of this object.
    Ignored(Object),
}

/// Reads one document.
pub struct Reader {
    tokens: Tokens,
    inner: Inner,
}

struct Inner {
    at: At,
    /// Members of the document's object that are taken as a whole.
    top: Map<String, Value>,
    /// Those of the table or large object that is being read.
    members: Map<String, Value>,
    key: Vec<u8>,
    whole: Vec<u8>,
    /// Whether a comma is due in `whole`.
    comma: bool,
    /// Whether the string in `whole` names a member.
    names: bool,
    joiner: Joiner,
    columns: usize,
    text: Vec<u8>,
    rows: u64,
    has_rows: bool,
    tables: u64,
    all_rows: u64,
    large_objects: u64,
    piece: Vec<u8>,
    digest: Option<Context>,
    found: Vec<Found>,
}

impl Default for Reader {
    fn default() -> Self {
        let inner = Inner {
            at: At::Start,
            top: Map::new(),
            members: Map::new(),
            key: Vec::new(),
            whole: Vec::new(),
            comma: false,
            names: false,
            joiner: Joiner::default(),
            columns: 0,
            text: Vec::new(),
            rows: 0,
            has_rows: false,
            tables: 0,
            all_rows: 0,
            large_objects: 0,
            piece: Vec::new(),
            digest: None,
            found: Vec::new(),
        };
        Self { tokens: Tokens::new(), inner }
    }
}

impl Reader {
    /// What is in the next piece.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] with the place for what is no such document, [`Kind::Unsupported`] for another version.
    pub fn push(&mut self, input: &[u8]) -> Result<Vec<Found>> {
        let inner = &mut self.inner;
        self.tokens.push(input, &mut |token| inner.take(token))?;
        inner.flush();
        Ok(std::mem::take(&mut inner.found))
    }

    /// # Errors
    /// [`Kind::Corrupt`] when the document is not over, or is not what its end says.
    pub fn finish(self) -> Result<()> {
        self.tokens.finish()?;
        self.inner.finish()
    }
}

impl Inner {
    fn take(&mut self, token: Token<'_>) -> Result<()> {
        match (self.at, token) {
            (At::Whole(taken, depth), token) => return self.take_whole(taken, depth, token),
            (At::Name(_), Token::StringBytes(bytes)) => {
                if self.key.len() + bytes.len() > KEY {
                    return Err(damaged("the name of a member is too long"));
                }
                self.key.extend_from_slice(bytes);
            }
            (At::Name(of), Token::StringEnd) => self.named(of)?,
            (At::Top, Token::StringBegin { key: true }) => self.name(Object::Top),
            (At::Table, Token::StringBegin { key: true }) => self.name(Object::Table),
            (At::LargeObject, Token::StringBegin { key: true }) => self.name(Object::Large),
            (At::Start, Token::ObjectBegin) => self.at = At::Top,
            (At::Top, Token::ObjectEnd) => self.at = At::End,
            (At::Before(member), Token::ArrayBegin) => {
                self.at = match member {
                    Member::Entries => At::Entries,
                    Member::Tables => At::Tables,
                    Member::Rows => At::Rows,
                    Member::LargeObjects => At::LargeObjects,
                    Member::Data => At::Data,
                }
            }
            (At::Entries | At::Tables | At::LargeObjects, Token::ArrayEnd) => self.at = At::Top,
            (At::Entries, Token::ObjectBegin) => self.take_whole(Taken::Item, 0, token)?,
            (At::Tables, Token::ObjectBegin) => {
                self.members.clear();
                self.has_rows = false;
                self.at = At::Table;
            }
            (At::Table, Token::ObjectEnd) => self.end_table()?,
            (At::Rows, Token::ArrayBegin) => self.at = At::Row,
            (At::Rows, Token::ArrayEnd) => self.at = At::Table,
            (At::Row, Token::ArrayEnd) => self.end_row()?,
            (At::Row, Token::StringBegin { .. }) => {
                self.joiner.begin(&mut self.text);
                self.at = At::Value;
            }
            (At::Value, Token::StringBytes(bytes)) => self.joiner.bytes(bytes, &mut self.text),
            (At::Value, Token::StringEnd) => {
                self.joiner.end(&mut self.text);
                self.at = At::Row;
            }
            (At::Row, Token::Null) => self.joiner.null(&mut self.text),
            (At::Row, Token::True) => self.value(b"t"),
            (At::Row, Token::False) => self.value(b"f"),
            (At::Row, Token::Number(number)) => self.value(number),
            (At::Row, _) => {
                return Err(damaged("a value of a row is neither null, true, false, a number nor a string"));
            }
            (At::LargeObjects, Token::ObjectBegin) => {
                self.members.clear();
                self.has_rows = false;
                self.at = At::LargeObject;
            }
            (At::LargeObject, Token::ObjectEnd) if self.has_rows => {
                self.large_objects += 1;
                self.found.push(Found::LargeObjectEnd);
                self.at = At::LargeObjects;
            }
            (At::Data, Token::ArrayEnd) => self.at = At::LargeObject,
            (At::Data, Token::StringBegin { .. }) => self.at = At::Piece,
            (At::Piece, Token::StringBytes(bytes)) => {
                if self.piece.len() + bytes.len() > PIECE {
                    return Err(damaged("a piece of a large object is too long"));
                }
                self.piece.extend_from_slice(bytes);
            }
            (At::Piece, Token::StringEnd) => {
                let bytes = BASE64_STANDARD.decode(std::mem::take(&mut self.piece));
                let bytes = bytes.map_err(|_| damaged("a piece of a large object is not base64"))?;
                self.found.push(Found::Bytes(bytes));
                self.at = At::Data;
            }
            (at, _) => return Err(damaged(&format!("{} holds something else", place(at)))),
        }
        Ok(())
    }

    fn name(&mut self, of: Object) {
        self.key.clear();
        self.at = At::Name(of);
    }

    /// The name of a member is over.
    fn named(&mut self, of: Object) -> Result<()> {
        let key = self.key.as_slice();
        if of == Object::Top && !matches!(key, b"format" | b"version") && !self.top.contains_key("version") {
            return Err(damaged(&format!("it does not begin with \"format\":\"{FORMAT}\" and \"version\"")));
        }
        self.at = match (of, key) {
            (Object::Top, b"entries") => At::Before(Member::Entries),
            (Object::Top, b"tables") => At::Before(Member::Tables),
            (Object::Top, b"large_objects") => At::Before(Member::LargeObjects),
            (Object::Top, b"format" | b"version" | b"backup" | b"schema_digest" | b"end")
            | (Object::Table, b"entry" | b"schema" | b"table" | b"columns" | b"row_count" | b"row_hash")
            | (Object::Large, b"oid") => At::Whole(Taken::Member(of), 0),
            (Object::Table, b"rows") => {
                self.begin_table()?;
                At::Before(Member::Rows)
            }
            (Object::Large, b"data") => {
                let oid = self.members.get("oid").and_then(Value::as_u64).and_then(|o| u32::try_from(o).ok());
                let oid = oid.filter(|oid| *oid > 0 && !self.has_rows);
                let oid = oid.ok_or_else(|| damaged("a large object has no \"oid\" before its \"data\""))?;
                self.has_rows = true;
                self.found.push(Found::LargeObject(oid));
                At::Before(Member::Data)
            }
            _ => At::Whole(Taken::Ignored(of), 0),
        };
        Ok(())
    }

    /// Collects a value as compact JSON.
    fn take_whole(&mut self, taken: Taken, depth: usize, token: Token<'_>) -> Result<()> {
        if depth == 0 && !matches!(token, Token::StringBytes(_) | Token::StringEnd) {
            self.whole.clear();
            self.comma = false;
        }
        if !matches!(taken, Taken::Ignored(_)) {
            self.collect(token);
            let most = if taken == Taken::Item { ITEM } else { MEMBER };
            if self.whole.len() > most {
                return Err(damaged("a member is too long"));
            }
        }
        let depth = match token {
            Token::ObjectBegin | Token::ArrayBegin => depth + 1,
            Token::ObjectEnd | Token::ArrayEnd => depth.saturating_sub(1),
            _ => depth,
        };
        let over = depth == 0 && !matches!(token, Token::StringBegin { .. } | Token::StringBytes(_));
        self.at = At::Whole(taken, depth);
        if over { self.end_whole(taken) } else { Ok(()) }
    }

    fn collect(&mut self, token: Token<'_>) {
        let out = &mut self.whole;
        let opens =
            !matches!(token, Token::ObjectEnd | Token::ArrayEnd | Token::StringBytes(_) | Token::StringEnd);
        if opens && std::mem::take(&mut self.comma) {
            out.push(b',');
        }
        let mut key = false;
        match token {
            Token::ObjectBegin => out.push(b'{'),
            Token::ObjectEnd => out.push(b'}'),
            Token::ArrayBegin => out.push(b'['),
            Token::ArrayEnd => out.push(b']'),
            Token::StringBegin { key: named } => {
                out.push(b'"');
                self.names = named;
            }
            Token::StringBytes(bytes) => escape(bytes, out),
            Token::StringEnd => {
                out.push(b'"');
                key = self.names;
                if key {
                    out.push(b':');
                }
            }
            Token::Number(number) => out.extend_from_slice(number),
            Token::True => out.extend_from_slice(b"true"),
            Token::False => out.extend_from_slice(b"false"),
            Token::Null => out.extend_from_slice(b"null"),
        }
        let within = matches!(
            token,
            Token::ObjectBegin | Token::ArrayBegin | Token::StringBegin { .. } | Token::StringBytes(_)
        );
        self.comma = !within && !key;
    }

    fn end_whole(&mut self, taken: Taken) -> Result<()> {
        let text = std::mem::take(&mut self.whole);
        match taken {
            Taken::Item => {
                let item: Item = serde_json::from_slice(&text)
                    .map_err(|e| damaged(&format!("an entry is not as it should be: {e}")))?;
                let digest = self.digest.get_or_insert_with(|| Context::new(&SHA256));
                digest.update(&Writer::digested(&item)?);
                self.found.push(Found::Item(Box::new(item)));
                self.at = At::Entries;
            }
            Taken::Ignored(of) => self.at = within(of),
            Taken::Member(of) => {
                let value = serde_json::from_slice(&text)
                    .map_err(|e| damaged(&format!("a member is not as it should be: {e}")))?;
                let key = String::from_utf8_lossy(&self.key).into_owned();
                let members = if of == Object::Top { &mut self.top } else { &mut self.members };
                if members.insert(key.clone(), value).is_some() {
                    return Err(damaged(&format!("\"{key}\" stands there twice")));
                }
                self.at = within(of);
                match key.as_str() {
                    "version" if of == Object::Top => self.check_version()?,
                    "backup" if of == Object::Top => {
                        self.found.push(Found::Head(self.top.get("backup").cloned().unwrap_or_default()));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn check_version(&self) -> Result<()> {
        if self.top.get("format").and_then(Value::as_str) != Some(FORMAT) {
            return Err(damaged(&format!("its \"format\" is not {FORMAT}")));
        }
        match self.top.get("version").and_then(Value::as_u64) {
            Some(version) if version == u64::from(VERSION) => Ok(()),
            other => Err(Error::new(
                Kind::Unsupported,
                format!(
                    "the JSON document has version {}, this build reads {VERSION}",
                    other.map_or("none".to_owned(), |v| v.to_string())
                ),
            )),
        }
    }

    fn value(&mut self, text: &[u8]) {
        self.joiner.begin(&mut self.text);
        self.joiner.bytes(text, &mut self.text);
        self.joiner.end(&mut self.text);
    }

    fn begin_table(&mut self) -> Result<()> {
        let rows: Rows = serde_json::from_value(Value::Object(self.members.clone()))
            .map_err(|e| damaged(&format!("before the rows of a table stand its members: {e}")))?;
        if std::mem::replace(&mut self.has_rows, true) {
            return Err(damaged("a table has rows twice"));
        }
        (self.columns, self.rows) = (rows.columns.len(), 0);
        self.found.push(Found::Rows(rows));
        Ok(())
    }

    fn end_row(&mut self) -> Result<()> {
        if self.joiner.seen() != self.columns {
            let (has, columns) = (self.joiner.seen(), self.columns);
            let row = self.rows + 1;
            return Err(damaged(&format!(
                "row {row} of {} has {has} values for {columns} columns",
                self.table()
            )));
        }
        self.joiner.row(&mut self.text);
        self.rows += 1;
        self.at = At::Rows;
        Ok(())
    }

    fn end_table(&mut self) -> Result<()> {
        let count = self.members.get("row_count").and_then(Value::as_u64);
        let hash = self.members.get("row_hash").and_then(Value::as_str).map(str::to_owned);
        let (Some(hash), true) = (hash, self.has_rows && count == Some(self.rows)) else {
            let rows = self.rows;
            let why = format!("{} has {rows} rows, which is not what its members say", self.table());
            return Err(damaged(&why));
        };
        self.flush();
        self.found.push(Found::RowsEnd { rows: self.rows, hash });
        self.tables += 1;
        self.all_rows += self.rows;
        self.at = At::Tables;
        Ok(())
    }

    fn table(&self) -> String {
        let of = |name| self.members.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        format!("{}.{}", of("schema"), of("table")).escape_debug().to_string()
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.found.push(Found::Text(std::mem::take(&mut self.text)));
        }
    }

    fn finish(self) -> Result<()> {
        let end = |name: &str| self.top.get("end").and_then(|e| e.get(name)).and_then(Value::as_u64);
        let counted =
            [("tables", self.tables), ("rows", self.all_rows), ("large_objects", self.large_objects)];
        for (name, n) in counted {
            if end(name) != Some(n) {
                return Err(damaged(&format!("it holds {n} {name}, which is not what its end says")));
            }
        }
        let digest = self.digest.unwrap_or_else(|| Context::new(&SHA256)).finish();
        if self.top.get("schema_digest").and_then(Value::as_str) != Some(hex::encode(digest).as_str()) {
            return Err(damaged("its entries are not those that \"schema_digest\" is of"));
        }
        Ok(())
    }
}

fn within(object: Object) -> At {
    match object {
        Object::Top => At::Top,
        Object::Table => At::Table,
        Object::Large => At::LargeObject,
    }
}

fn place(at: At) -> &'static str {
    match at {
        At::Start | At::Top | At::Name(_) | At::End => "the document",
        At::Entries | At::Before(Member::Entries) => "\"entries\"",
        At::Tables | At::Table | At::Before(Member::Tables) => "\"tables\"",
        At::Rows | At::Row | At::Value | At::Before(Member::Rows) => "\"rows\"",
        At::LargeObjects | At::LargeObject | At::Before(Member::LargeObjects) => "\"large_objects\"",
        At::Data | At::Piece | At::Before(Member::Data) => "\"data\"",
        At::Whole(..) => "a member",
    }
}

fn damaged(why: &str) -> Error {
    Error::new(Kind::Corrupt, format!("the JSON document is damaged: {why}"))
}
