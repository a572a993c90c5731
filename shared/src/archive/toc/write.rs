//! A table of contents to bytes.

use std::collections::HashSet;

use super::{Entry, Header, Toc, Version};
use crate::{
    archive::{Algorithm, name},
    base::{Error, Kind, Result},
};

pub(super) fn toc(toc: &Toc) -> Result<Vec<u8>> {
    let mut w = Writer {
        out: Vec::with_capacity(256 * (toc.entries.len() + 1)),
        int_size: toc.header.int_size.into(),
    };
    header(&mut w, &toc.header)?;
    w.int(
        i32::try_from(toc.entries.len()).map_err(|_| wrong("an archive holds at most 2147483647 entries"))?,
    );
    let mut seen = HashSet::new();
    for e in &toc.entries {
        if e.dump_id < 1 || !seen.insert(e.dump_id) {
            return Err(wrong(format!("dump id {} is not positive or occurs twice", e.dump_id)));
        }
        entry(&mut w, e, toc.header.version).map_err(|err| {
            err.context(format!("writing entry {} {} {}", e.dump_id, e.desc, name::shown(&e.tag)))
        })?;
    }
    Ok(w.out)
}

fn wrong(why: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Kind::Internal, why)
}

fn header(w: &mut Writer, h: &Header) -> Result<()> {
    if !(4..=32).contains(&h.int_size) {
        return Err(wrong(format!("integers of {} bytes cannot be written", h.int_size)));
    }
    w.out.extend_from_slice(b"PGDMP");
    w.out.extend_from_slice(&[
        h.version.major,
        h.version.minor,
        h.version.revision,
        h.int_size,
        h.offset_size,
        3,
    ]);
    if h.version < Version::V1_15 {
        w.int(match (h.algorithm, h.gzip_level) {
            (Algorithm::None, _) => 0,
            (Algorithm::Gzip, 0) => -1,
            (Algorithm::Gzip, level) => level,
            (other, _) => {
                return Err(wrong(format!("archive version {} cannot name {}", h.version, other.name())));
            }
        });
    } else {
        w.out.push(match h.algorithm {
            Algorithm::None => 0,
            Algorithm::Gzip => 1,
            Algorithm::Lz4 => 2,
            Algorithm::Zstd => 3,
        });
    }
    let c = &h.created;
    for part in [c.second, c.minute, c.hour, c.day, c.month, c.year, c.dst] {
        w.int(part);
    }
    w.string(h.database.as_deref())?;
    w.string(h.server_version.as_deref())?;
    w.string(h.dumper_version.as_deref())
}

fn entry(w: &mut Writer, e: &Entry, version: Version) -> Result<()> {
    w.int(e.dump_id);
    w.int(e.had_dumper.into());
    w.string(Some(&e.table_oid.to_string()))?;
    w.string(Some(&e.oid.to_string()))?;
    w.string(Some(&e.tag))?;
    w.string(Some(&e.desc))?;
    w.int(e.section.number());
    for text in [&e.defn, &e.drop_stmt, &e.copy_stmt, &e.namespace, &e.tablespace] {
        w.string(text.as_deref())?;
    }
    if version >= Version::V1_14 {
        w.string(e.table_am.as_deref())?;
    }
    if version >= Version::V1_16 {
        w.int(e.relkind.map_or(0, |kind| kind as i32));
    }
    w.string(e.owner.as_deref())?;
    w.string(Some("false"))?;
    for id in &e.dependencies {
        w.string(Some(&id.to_string()))?;
    }
    w.string(None)?;
    if let Some(file) = &e.file {
        name::check(file)?;
    }
    w.string(Some(e.file.as_deref().unwrap_or_default()))
}

struct Writer {
    out: Vec<u8>,
    int_size: usize,
}

impl Writer {
    fn int(&mut self, value: i32) {
        self.out.push(u8::from(value < 0));
        self.out.extend_from_slice(&value.unsigned_abs().to_le_bytes());
        self.out.resize(self.out.len() + self.int_size - 4, 0);
    }

    fn string(&mut self, text: Option<&str>) -> Result<()> {
        let Some(text) = text else {
            self.int(-1);
            return Ok(());
        };
        if text.contains('\0') {
            return Err(wrong("a string holds a NUL"));
        }
        self.int(i32::try_from(text.len()).map_err(|_| wrong("a string is longer than 2 GiB"))?);
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
