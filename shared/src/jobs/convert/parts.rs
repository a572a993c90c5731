//! The parts of an archive in S3: its table of contents, rows and large objects, read one after another.

use std::collections::HashMap;

use bytes::Bytes;

use super::{Columns, Output, Written};
use crate::{
    archive::{
        Algorithm, Toc,
        blobs::{self, Blob},
        data::{Marker, RowReader},
        manifest::{Column, Contained, Object},
        toc::Entry,
    },
    base::{Error, Kind, Result, ResultExt},
    jobs::{
        decoded::{Decoded, Files, expected},
        restore::plan::named,
    },
};

/// Largest list of large objects, bytes.
const LIST: u64 = 1 << 30;

/// An archive's parts.
pub(in crate::jobs) struct Parts {
    files: Files,
    pub toc: Toc,
    /// By name without a codec's suffix.
    objects: HashMap<String, Object>,
    columns: Columns,
}

impl Parts {
    /// Of these objects.
    pub(in crate::jobs) fn new(files: Files, toc: Toc, objects: &[Object], columns: Columns) -> Self {
        let by_name = |o: &Object| (Algorithm::of_file(&o.name).0.to_owned(), o.clone());
        Self { files, toc, objects: objects.iter().map(by_name).collect(), columns }
    }

    fn object(&self, name: &str) -> Result<&Object> {
        self.objects.get(name).ok_or_else(|| Error::new(Kind::Corrupt, format!("the file {name} is missing")))
    }

    /// The columns of an entry's rows.
    ///
    /// # Errors
    /// [`Kind::Internal`] for an entry that nobody has named the columns of.
    pub(super) fn columns(&self, entry: &Entry) -> Result<&[Column]> {
        let columns = self.columns.get(&entry.dump_id).map(Vec::as_slice);
        columns.ok_or_else(|| {
            Error::new(Kind::Internal, format!("nobody has said what columns {} has", named(entry)))
        })
    }

    /// The rows of an entry, from the first one.
    ///
    /// # Errors
    /// Those of opening its file.
    pub(super) async fn rows(&self, entry: &Entry) -> Result<RowsOf> {
        let object = self.object(entry.file.as_deref().unwrap_or_default())?;
        let (Some(rows), Some(hash)) = (object.rows, object.content_hash.clone()) else {
            return Err(Error::new(Kind::Corrupt, format!("{} holds no rows", object.name)));
        };
        let contained = Contained {
            entry: entry.dump_id,
            table: object.table.clone().unwrap_or_default(),
            rows,
            bytes: object.raw_bytes,
            content_hash: hash,
        };
        let file = self.files.object(object).await?;
        Ok(RowsOf { contained, file, reader: Some(RowReader::new(Marker::Required)) })
    }

    /// The large objects of an entry that lists them.
    ///
    /// # Errors
    /// Those of reading the list.
    pub(super) async fn large_objects(&self, entry: &Entry) -> Result<Vec<Blob>> {
        let object = self.object(entry.file.as_deref().unwrap_or_default())?;
        let bytes = self.files.whole(&object.name, Some(expected(object)), LIST).await?;
        blobs::parse(&bytes).with_context(|| format!("reading {}", object.name))
    }

    /// The bytes of a large object, from the first one.
    ///
    /// # Errors
    /// Those of opening its file.
    pub(super) async fn large_object(&self, blob: &Blob) -> Result<Decoded> {
        self.files.object(self.object(&blob.file)?).await
    }

    /// Bytes before compression of a file; 0 where it is not known.
    pub(super) fn raw_bytes(&self, file: Option<&str>) -> u64 {
        file.and_then(|f| self.objects.get(f)).map_or(0, |o| o.raw_bytes)
    }

    /// Bytes before compression of all files.
    pub(super) fn all_raw_bytes(&self) -> u64 {
        self.objects.values().map(|o| o.raw_bytes).sum()
    }

    /// Puts the table of contents into the output as it is.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn store_toc(&self, out: &Output<'_>, written: &mut Written) -> Result<()> {
        written.objects.push(out.place.put("toc.dat", self.toc.to_bytes()?).await?);
        Ok(())
    }
}

/// Rows of one entry on their way.
pub(super) struct RowsOf {
    /// What they come to.
    pub contained: Contained,
    file: Decoded,
    reader: Option<RowReader>,
}

impl RowsOf {
    /// The next pieces of COPY text; none at the end, once the file has proven whole.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] for a file that is damaged, or has another number of rows than was said.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Bytes>>> {
        let Some(reader) = &mut self.reader else { return Ok(None) };
        if let Some(piece) = self.file.next().await? {
            return reader.push(piece.into()).map(Some);
        }
        let rows = self.reader.take().map(RowReader::finish).transpose()?;
        match rows == Some(self.contained.rows) {
            true => Ok(None),
            false => {
                let Contained { table, rows: said, .. } = &self.contained;
                let why = format!("{table} has {} rows instead of {said}", rows.unwrap_or_default());
                Err(Error::new(Kind::Corrupt, why))
            }
        }
    }
}
