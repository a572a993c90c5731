//! Compression of data files.
//!
//! ```text
//! codec  suffix  written  read  pg_restore
//! none           yes      yes   all
//! gzip   .gz     yes      yes   all built with zlib; several members one after another are read as one
//! zstd   .zst    yes      yes   16 and later built with zstd; several frames one after another are read as one
//! lz4    .lz4    no       yes   16 and later built with lz4
//! ```
//!
//! zstd is the default because at level 3 it packs tighter than gzip at a fraction of its time, and processor time is what a Lambda pays
//! for; gzip is for restoring with a pg_restore before 16. Every zstd frame carries a checksum of its content; gzip always does.
//!
//! Memory: an encoder holds up to 10 MiB for zstd level 3 (a frame's content, and room for what comes of it) and 300 KiB for gzip; a decoder holds the stream's window, for zstd at most
//! [`MAX_WINDOW`] (a frame that asks for more is refused), for gzip 32 KiB, for lz4 at most three blocks of 4 MiB.

mod gzip;
mod lz4;
mod zstandard;

use serde::{Deserialize, Serialize};

use crate::base::{Error, Kind, Result, config::Compression};

/// Largest zstd window that a decoder allocates: 128 MiB, what the zstd program itself accepts without `--long`.
pub const MAX_WINDOW: u32 = 1 << 27;

/// A call of [`Decoder::push`] stops after about this many bytes of output.
pub const OUTPUT_STEP: usize = 128 << 10;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// Stored as it is.
    None,
    /// gzip (RFC 1952).
    Gzip,
    /// LZ4 frames; read only.
    Lz4,
    /// Zstandard (RFC 8878).
    Zstd,
}

impl Algorithm {
    /// All of them, in the order in which pg_restore looks for a file's variants.
    pub const ALL: [Self; 4] = [Self::None, Self::Gzip, Self::Lz4, Self::Zstd];

    /// `none`, `gzip`, `lz4`, `zstd`.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    /// What is appended to the name that the table of contents gives: empty, `.gz`, `.lz4` or `.zst`.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Lz4 => ".lz4",
            Self::Zstd => ".zst",
        }
    }

    /// Splits a stored name into the name in the table of contents and the codec its suffix stands for. `.age`, which the name of an encrypted file ends
    /// with, is left out.
    pub fn of_file(stored: &str) -> (&str, Self) {
        let stored = stored.strip_suffix(".age").unwrap_or(stored);
        for algorithm in [Self::Gzip, Self::Lz4, Self::Zstd] {
            if let Some(stem) = stored.strip_suffix(algorithm.suffix()) {
                return (stem, algorithm);
            }
        }
        (stored, Self::None)
    }
}

/// How files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Stored as they are.
    None,
    /// gzip.
    Gzip {
        /// 1 (fast) to 9 (small).
        level: u32,
    },
    /// Zstandard.
    Zstd {
        /// 1 (fast) to 19 (small).
        level: i32,
    },
}

impl Codec {
    /// gzip at its usual level, 6.
    pub const GZIP: Self = Self::Gzip { level: 6 };
    /// Zstandard at its usual level, 3.
    pub const ZSTD: Self = Self::Zstd { level: 3 };

    /// Without its level.
    pub fn algorithm(self) -> Algorithm {
        match self {
            Self::None => Algorithm::None,
            Self::Gzip { .. } => Algorithm::Gzip,
            Self::Zstd { .. } => Algorithm::Zstd,
        }
    }

    /// See [`Algorithm::suffix`].
    pub fn suffix(self) -> &'static str {
        self.algorithm().suffix()
    }
}

impl From<Compression> for Codec {
    fn from(compression: Compression) -> Self {
        match compression {
            Compression::None => Self::None,
            Compression::Gzip => Self::GZIP,
            Compression::Zstd => Self::ZSTD,
        }
    }
}

/// Compresses a stream that is pushed through it, piece by piece. What is ready is not all that was pushed before [`Encoder::finish`].
pub struct Encoder(Encoding);

enum Encoding {
    None,
    Gzip(gzip::Encoder),
    Zstd(zstandard::Encoder),
}

impl Encoder {
    /// A new stream.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] for a level that the codec does not have; [`Kind::Internal`] when it cannot be set up.
    pub fn new(codec: Codec) -> Result<Self> {
        Ok(Self(match codec {
            Codec::None => Encoding::None,
            Codec::Gzip { level: level @ 1..=9 } => Encoding::Gzip(gzip::Encoder::new(level)),
            Codec::Zstd { level: level @ 1..=19 } => Encoding::Zstd(zstandard::Encoder::new(level)?),
            Codec::Gzip { level } => return Err(no_level("gzip", level, 9)),
            Codec::Zstd { level } => return Err(no_level("zstd", level, 19)),
        }))
    }

    /// Compresses `input` and appends what is ready to `out`.
    ///
    /// # Errors
    /// [`Kind::Internal`] when the codec fails, for want of memory for instance.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        match &mut self.0 {
            Encoding::None => {
                out.extend_from_slice(input);
                Ok(())
            }
            Encoding::Gzip(e) => e.push(input, out),
            Encoding::Zstd(e) => e.push(input, out),
        }
    }

    /// Ends the stream and appends the rest of it to `out`.
    ///
    /// # Errors
    /// As [`Encoder::push`].
    pub fn finish(self, out: &mut Vec<u8>) -> Result<()> {
        match self.0 {
            Encoding::None => Ok(()),
            Encoding::Gzip(e) => e.finish(out),
            Encoding::Zstd(e) => e.finish(out),
        }
    }
}

fn no_level(codec: &str, level: impl std::fmt::Display, most: u32) -> Error {
    Error::new(Kind::InvalidInput, format!("{codec} has levels 1 to {most}, not {level}"))
}

/// Decompresses a stream that is pushed through it: frames or members one after another count as one stream.
pub struct Decoder(Decoding);

enum Decoding {
    None,
    Gzip(gzip::Decoder),
    Lz4(Box<lz4::Decoder>),
    Zstd(zstandard::Decoder),
}

impl Decoder {
    /// A new stream.
    ///
    /// # Errors
    /// [`Kind::Internal`] when the codec cannot be set up.
    pub fn new(algorithm: Algorithm) -> Result<Self> {
        Ok(Self(match algorithm {
            Algorithm::None => Decoding::None,
            Algorithm::Gzip => Decoding::Gzip(gzip::Decoder::new()),
            Algorithm::Lz4 => Decoding::Lz4(Box::default()),
            Algorithm::Zstd => Decoding::Zstd(zstandard::Decoder::new()?),
        }))
    }

    /// Decompresses `input`, appends to `out`, and returns the input not yet used: a call stops after about [`OUTPUT_STEP`] bytes of output (lz4: one
    /// block, at most 4 MiB), so that a small input that expands a thousandfold cannot fill the memory. Call until the rest is empty:
    ///
    /// ```
    /// # use pgbaton::archive::{Algorithm, Decoder};
    /// # fn decode(stored: &[u8]) -> pgbaton::base::Result<()> {
    /// let mut decoder = Decoder::new(Algorithm::Zstd)?;
    /// let mut out = Vec::new();
    /// let mut rest = stored;
    /// while !rest.is_empty() {
    ///     rest = decoder.push(rest, &mut out)?;
    ///     // hand `out` on
    ///     out.clear();
    /// }
    /// decoder.finish(&mut out)?;
    /// // hand the last bytes on
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Kind::Corrupt`] when the bytes are not of this codec or fail its checksum.
    #[must_use = "the rest of the input must be pushed again"]
    pub fn push<'a>(&mut self, input: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8]> {
        match &mut self.0 {
            Decoding::None => {
                out.extend_from_slice(input);
                Ok(&[])
            }
            Decoding::Gzip(d) => d.push(input, out),
            Decoding::Lz4(d) => d.push(input, out),
            Decoding::Zstd(d) => d.push(input, out),
        }
    }

    /// Ends the stream: appends what was still held back.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] when the stream breaks off in the middle, or is empty (a compressed file of nothing is not empty).
    pub fn finish(self, out: &mut Vec<u8>) -> Result<()> {
        match self.0 {
            Decoding::None => Ok(()),
            Decoding::Gzip(d) => d.finish(out),
            Decoding::Lz4(d) => d.finish(),
            Decoding::Zstd(d) => d.finish(out),
        }
    }
}

fn truncated(codec: &str) -> Error {
    Error::new(Kind::Corrupt, format!("the {codec} stream breaks off before its end"))
}

fn broken(codec: &str, why: impl std::fmt::Display) -> Error {
    Error::new(Kind::Corrupt, format!("the {codec} stream is damaged: {why}"))
}

#[cfg(test)]
mod tests;
