//! The list of an archive's large objects: `blobs.toc`, or `blobs_<dump id>.toc` for each BLOBS entry from archive version 1.16 on.
//!
//! ```text
//! 16500 blob_16500.dat\n     oid, one space, name of its file without a codec's suffix
//! ```

use super::name;
use crate::base::{Error, Kind, Result};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Oid of the large object.
    pub oid: u32,
    /// Its file, without a codec's suffix.
    pub file: String,
}

impl Blob {
    /// The large object `oid` in the file that pg_dump would give it: `blob_<oid>.dat`.
    pub fn new(oid: u32) -> Self {
        Self { oid, file: format!("blob_{oid}.dat") }
    }
}

/// The bytes of the list.
pub fn to_bytes(blobs: &[Blob]) -> Vec<u8> {
    blobs.iter().flat_map(|b| format!("{} {}\n", b.oid, b.file).into_bytes()).collect()
}

/// Parses the list.
///
/// # Errors
/// [`Kind::Corrupt`] with the line's number for a line of another form, an unsafe file name or an oid of 0.
pub fn parse(bytes: &[u8]) -> Result<Vec<Blob>> {
    let damaged = |line: usize, why: &str| {
        Error::new(Kind::Corrupt, format!("the list of large objects is damaged in line {}: {why}", line + 1))
    };
    let text = std::str::from_utf8(bytes).map_err(|_| damaged(0, "it is not text"))?;
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(damaged(text.lines().count() - 1, "it breaks off"));
    }
    let mut blobs = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let (oid, file) = line.split_once(' ').ok_or_else(|| damaged(number, "it has no file name"))?;
        let oid: u32 = oid.parse().map_err(|_| damaged(number, "it does not begin with an oid"))?;
        if oid == 0 {
            return Err(damaged(number, "0 is no large object"));
        }
        name::check(file).map_err(|e| damaged(number, e.message()))?;
        blobs.push(Blob { oid, file: file.to_owned() });
    }
    Ok(blobs)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bad_lines_are_named() {
        for bad in [
            "1 ../x\n",
            "1 /etc/passwd\n",
            "x blob_1.dat\n",
            "1\n",
            "0 blob_0.dat\n",
            "-1 b\n",
            "1 blob_1.dat",
        ] {
            let e = parse(format!("7 blob_7.dat\n{bad}").as_bytes()).unwrap_err();
            assert_eq!(e.kind(), Kind::Corrupt, "{bad:?}");
            assert!(e.message().contains("line 2"), "{e}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(oids in prop::collection::vec(1u32.., 0..20)) {
            let blobs: Vec<Blob> = oids.into_iter().map(Blob::new).collect();
            prop_assert_eq!(parse(&to_bytes(&blobs)).unwrap(), blobs);
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }
}
