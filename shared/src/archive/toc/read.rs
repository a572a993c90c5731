//! Bytes to a table of contents.

use std::collections::HashSet;

use super::{Created, Entry, Header, Section, Toc, Version};
use crate::{
    archive::{Algorithm, name},
    base::{Error, Kind, Result},
};

/// No entry takes fewer bytes: bounds what is allocated on the word of the count alone.
const LEAST_ENTRY: usize = 40;

pub(super) fn toc(bytes: &[u8]) -> Result<Toc> {
    let mut r = Reader { bytes, at: 0, int_size: 4 };
    let header = header(&mut r)?;
    let at = r.at;
    let count = usize::try_from(r.int("number of entries")?)
        .map_err(|_| corrupt(at, "the number of entries is negative"))?;
    let mut entries = Vec::with_capacity(count.min((bytes.len() - r.at) / LEAST_ENTRY));
    let mut seen = HashSet::new();
    for _ in 0..count {
        let at = r.at;
        let entry = entry(&mut r, header.version)?;
        if entry.dump_id < 1 || !seen.insert(entry.dump_id) {
            return Err(corrupt(at, &format!("dump id {} is not positive or occurs twice", entry.dump_id)));
        }
        entries.push(entry);
    }
    if r.at != bytes.len() {
        return Err(corrupt(r.at, "bytes follow the last entry"));
    }
    Ok(Toc { header, entries })
}

fn header(r: &mut Reader<'_>) -> Result<Header> {
    if r.take(5, "magic")? != b"PGDMP" {
        return Err(corrupt(0, "it does not begin with PGDMP, so it is no archive of pg_dump"));
    }
    let version =
        Version { major: r.byte("version")?, minor: r.byte("version")?, revision: r.byte("version")? };
    if version < Version::V1_12 || version > Version::V1_16 {
        let why = if version > Version::V1_16 { "newer" } else { "older" };
        return Err(Error::new(
            Kind::Unsupported,
            format!(
                "toc.dat has archive version {version}, {why} than this build knows (versions {} to {})",
                Version::V1_12,
                Version::V1_16
            ),
        ));
    }
    let int_size = r.byte("int size")?;
    if !(4..=32).contains(&int_size) {
        return Err(Error::new(
            Kind::Unsupported,
            format!("toc.dat has integers of {int_size} bytes; 4 to 32 are read"),
        ));
    }
    r.int_size = usize::from(int_size);
    let offset_size = r.byte("offset size")?;
    match r.byte("format")? {
        3 => {}
        1 => {
            return Err(Error::new(
                Kind::InvalidInput,
                "this is a custom-format archive (pg_dump -Fc); only the directory format is read, so dump with pg_dump -Fd",
            ));
        }
        other => return Err(corrupt(r.at - 1, &format!("{other} is no known archive format"))),
    }
    let (algorithm, gzip_level) = compression(r, version)?;
    let created = Created {
        second: r.int("creation time")?,
        minute: r.int("creation time")?,
        hour: r.int("creation time")?,
        day: r.int("creation time")?,
        month: r.int("creation time")?,
        year: r.int("creation time")?,
        dst: r.int("creation time")?,
    };
    Ok(Header {
        version,
        int_size,
        offset_size,
        algorithm,
        gzip_level,
        created,
        database: r.string("database name")?,
        server_version: r.string("server version")?,
        dumper_version: r.string("dumper version")?,
    })
}

fn compression(r: &mut Reader<'_>, version: Version) -> Result<(Algorithm, i32)> {
    if version < Version::V1_15 {
        let level = r.int("compression level")?;
        return Ok((if level == 0 { Algorithm::None } else { Algorithm::Gzip }, level));
    }
    match r.byte("compression")? {
        0 => Ok((Algorithm::None, 0)),
        1 => Ok((Algorithm::Gzip, -1)),
        2 => Ok((Algorithm::Lz4, 0)),
        3 => Ok((Algorithm::Zstd, 0)),
        other => Err(Error::new(
            Kind::Unsupported,
            format!("toc.dat names compression {other}; 0 (none) to 3 (zstd) are known"),
        )),
    }
}

fn entry(r: &mut Reader<'_>, version: Version) -> Result<Entry> {
    let dump_id = r.int("dump id")?;
    let had_dumper = r.int("data flag")? != 0;
    let table_oid = r.digits("catalog oid")?;
    let oid = r.digits("object oid")?;
    let tag = r.string("tag")?.unwrap_or_default();
    let desc = r.text("description")?;
    let at = r.at;
    let section = r.int("section")?;
    let section =
        Section::from_number(section).ok_or_else(|| corrupt(at, &format!("{section} is no section")))?;
    let defn = r.string("definition")?;
    let drop_stmt = r.string("drop statement")?;
    let copy_stmt = r.string("copy statement")?;
    let namespace = r.string("schema")?;
    let tablespace = r.string("tablespace")?;
    let table_am = if version >= Version::V1_14 { r.string("access method")? } else { None };
    let relkind = if version >= Version::V1_16 { r.relkind()? } else { None };
    let owner = r.string("owner")?;
    if r.text("oids flag")? == "true" {
        return Err(Error::new(
            Kind::Unsupported,
            format!(
                "{desc} {} was made WITH OIDS, which PostgreSQL 12 and later do not know",
                name::shown(&tag)
            ),
        ));
    }
    let mut dependencies = Vec::new();
    loop {
        let at = r.at;
        match r.string("dependency")? {
            None => break,
            Some(text) => dependencies
                .push(text.trim().parse().map_err(|_| corrupt(at, "a dependency is not a number"))?),
        }
    }
    let file = r.string("file name")?.filter(|f| !f.is_empty());
    if let Some(file) = &file {
        name::check(file)?;
    }
    Ok(Entry {
        dump_id,
        had_dumper,
        table_oid,
        oid,
        tag,
        desc,
        section,
        defn,
        drop_stmt,
        copy_stmt,
        namespace,
        tablespace,
        table_am,
        relkind,
        owner,
        dependencies,
        file,
    })
}

fn corrupt(at: usize, why: &str) -> Error {
    Error::new(Kind::Corrupt, format!("toc.dat is damaged at byte {at}: {why}"))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    int_size: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize, what: &str) -> Result<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let Some(taken) = rest.get(..count) else {
            return Err(corrupt(
                self.at,
                &format!("it ends within the {what} ({count} bytes wanted, {} left)", rest.len()),
            ));
        };
        self.at += count;
        Ok(taken)
    }

    fn byte(&mut self, what: &str) -> Result<u8> {
        Ok(self.take(1, what)?[0])
    }

    fn int(&mut self, what: &str) -> Result<i32> {
        let at = self.at;
        let negative = self.byte(what)? != 0;
        let size = self.int_size;
        let bytes = self.take(size, what)?;
        let (low, high) = bytes.split_at(4.min(size));
        let magnitude = low.iter().rev().fold(0i64, |n, b| n << 8 | i64::from(*b));
        let value = if negative { -magnitude } else { magnitude };
        match i32::try_from(value) {
            Ok(value) if high.iter().all(|b| *b == 0) => Ok(value),
            _ => Err(corrupt(at, &format!("the {what} does not fit 32 bits"))),
        }
    }

    fn string(&mut self, what: &str) -> Result<Option<String>> {
        let at = self.at;
        let Ok(length) = usize::try_from(self.int(what)?) else { return Ok(None) };
        let bytes = self.take(length, what)?;
        match std::str::from_utf8(bytes) {
            Ok(text) if text.contains('\0') => Err(corrupt(at, &format!("the {what} holds a NUL"))),
            Ok(text) => Ok(Some(text.to_owned())),
            Err(_) => Err(Error::new(
                Kind::Unsupported,
                format!("the {what} at byte {at} of toc.dat is not UTF-8; dump with pg_dump --encoding=UTF8"),
            )),
        }
    }

    fn text(&mut self, what: &str) -> Result<String> {
        let at = self.at;
        self.string(what)?.ok_or_else(|| corrupt(at, &format!("the {what} is null")))
    }

    fn digits(&mut self, what: &str) -> Result<u32> {
        let at = self.at;
        self.text(what)?.parse().map_err(|_| corrupt(at, &format!("the {what} is not a number")))
    }

    fn relkind(&mut self) -> Result<Option<char>> {
        let at = self.at;
        match self.int("relkind")? {
            0 => Ok(None),
            kind => match u8::try_from(kind) {
                Ok(kind) if kind.is_ascii_graphic() => Ok(Some(char::from(kind))),
                _ => Err(corrupt(at, &format!("{kind} is no relkind"))),
            },
        }
    }
}
