//! What comes out of an object once it is decompressed, held against what its manifest says: its length, and its rows' number and hash, in whatever form
//! the rows are.

use std::collections::HashMap;

use bytes::Bytes;

use crate::{
    archive::{
        Algorithm, Manifest,
        codec::OUTPUT_STEP,
        data::{Marker, RowReader},
        manifest::{self, Contained, Object},
        rowhash::RowHasher,
    },
    base::{Error, Format, Kind, Result},
    format::{Column, Found, csv, json, sql},
};

/// The rows of one object, or none.
pub(super) struct Content {
    raw: u64,
    rows: Rows,
}

enum Rows {
    None,
    Text(RowReader, RowHasher),
    Csv(Box<csv::Reader>, RowHasher),
    Json(Box<json::Reader>, Document),
    Sql(Box<sql::Reader>, Document),
}

/// Whether the object is the one file of a backup that is one.
fn is_document(object: &Object) -> bool {
    let name = Algorithm::of_file(&object.name).0;
    name != super::inventory::TOC && name != manifest::FULL
}

/// The rows of a document.
struct Document {
    /// What the manifest says of rows that have not come yet.
    left: HashMap<i32, Contained>,
    open: Option<(i32, RowHasher)>,
    rows: u64,
}

impl Content {
    /// Of an object of this manifest.
    pub(super) fn of(object: &Object, manifest: &Manifest) -> Self {
        let document = || Document {
            left: manifest.contents.iter().map(|c| (c.entry, c.clone())).collect(),
            open: None,
            rows: 0,
        };
        let rows = match (manifest.format, object.rows) {
            (Format::Json, _) if is_document(object) => Rows::Json(Box::default(), document()),
            (Format::Sql, _) if is_document(object) => Rows::Sql(Box::default(), document()),
            (Format::Csv, Some(_)) => {
                let column = |c: &crate::archive::manifest::Column| Column {
                    name: c.name.clone(),
                    type_name: c.type_name.clone(),
                };
                let columns: Vec<Column> = object.columns.iter().map(column).collect();
                Rows::Csv(Box::new(csv::Reader::new(&columns)), RowHasher::new())
            }
            (_, Some(_)) => Rows::Text(RowReader::new(Marker::Required), RowHasher::new()),
            (_, None) => Rows::None,
        };
        Self { raw: 0, rows }
    }

    /// Takes what was decoded, and empties it.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] for what is not of its form.
    pub(super) fn push(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.raw += out.len() as u64;
        match &mut self.rows {
            Rows::None => {}
            Rows::Text(reader, hasher) => {
                let piece = Bytes::from(std::mem::replace(out, Vec::with_capacity(2 * OUTPUT_STEP)));
                for rows in reader.push(piece)? {
                    hasher.push(&rows);
                }
            }
            Rows::Csv(reader, hasher) => {
                let mut text = Vec::new();
                reader.push(out, &mut text)?;
                hasher.push(&text);
            }
            Rows::Json(reader, document) => document.take(reader.push(out)?)?,
            Rows::Sql(reader, document) => document.take(reader.push(out)?)?,
        }
        out.clear();
        Ok(())
    }

    /// The number of rows.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] when something is not as the manifest says.
    pub(super) fn finish(self, object: &Object) -> Result<u64> {
        let corrupt = |why: String| Err(Error::new(Kind::Corrupt, format!("{}: {why}", object.name)));
        // The whole manifest of an encrypted backup, whose length nobody has said.
        if self.raw != object.raw_bytes && !object.name.starts_with(manifest::FULL) {
            return corrupt(format!("{} bytes come of it instead of {}", self.raw, object.raw_bytes));
        }
        let (counted, digest) = match self.rows {
            Rows::None => return Ok(0),
            Rows::Text(reader, hasher) => (reader.finish()?, hasher.finish()?),
            Rows::Csv(reader, mut hasher) => {
                let mut text = Vec::new();
                let rows = reader.finish(&mut text)?;
                hasher.push(&text);
                (rows, hasher.finish()?)
            }
            Rows::Json(reader, document) => {
                reader.finish()?;
                return document.finish();
            }
            Rows::Sql(reader, document) => {
                reader.finish()?;
                return document.finish();
            }
        };
        if object.rows != Some(counted) || digest.rows != counted {
            let wanted = object.rows.unwrap_or_default();
            return corrupt(format!("it holds {counted} rows instead of {wanted}"));
        }
        if object.content_hash.as_deref().is_some_and(|hash| hash != digest.hex()) {
            return corrupt("its rows are not those that were saved: their hash differs".to_owned());
        }
        Ok(counted)
    }
}

impl Document {
    fn take(&mut self, found: Vec<Found>) -> Result<()> {
        for one in found {
            match one {
                Found::Rows(rows) => self.open = Some((rows.entry, RowHasher::new())),
                Found::Text(text) => {
                    if let Some((_, hasher)) = &mut self.open {
                        hasher.push(&text);
                    }
                }
                Found::RowsEnd { .. } => self.end()?,
                _ => {}
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        let Some((entry, hasher)) = self.open.take() else { return Ok(()) };
        let digest = hasher.finish()?;
        let Some(said) = self.left.remove(&entry) else {
            let why = format!("it holds rows of entry {entry}, which the manifest does not know, or twice");
            return Err(Error::new(Kind::Corrupt, why));
        };
        let table = said.table.escape_debug();
        if digest.rows != said.rows {
            let why = format!("{table} has {} rows instead of {}", digest.rows, said.rows);
            return Err(Error::new(Kind::Corrupt, why));
        }
        if digest.hex() != said.content_hash {
            let why = format!("the rows of {table} are not those that were saved: their hash differs");
            return Err(Error::new(Kind::Corrupt, why));
        }
        self.rows += digest.rows;
        Ok(())
    }

    fn finish(self) -> Result<u64> {
        match self.left.into_values().next() {
            None => Ok(self.rows),
            Some(missing) => Err(Error::new(
                Kind::Corrupt,
                format!("the rows of {} are missing", missing.table.escape_debug()),
            )),
        }
    }
}
