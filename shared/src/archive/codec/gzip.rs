//! gzip, member by member.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::{OUTPUT_STEP, broken, truncated};
use crate::base::{Error, Kind, Result};

/// Base-2 logarithm of gzip's window, 32 KiB.
const WINDOW_BITS: u8 = 15;

/// Space offered to zlib at once.
const SPACE: usize = 32 << 10;

pub(super) struct Encoder(Compress);

impl Encoder {
    pub(super) fn new(level: u32) -> Self {
        Self(Compress::new_gzip(Compression::new(level), WINDOW_BITS))
    }

    pub(super) fn push(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        while !input.is_empty() {
            let used = self.step(input, out, FlushCompress::None)?.0;
            input = &input[used..];
        }
        Ok(())
    }

    pub(super) fn finish(mut self, out: &mut Vec<u8>) -> Result<()> {
        while self.step(&[], out, FlushCompress::Finish)?.1 != Status::StreamEnd {}
        Ok(())
    }

    fn step(&mut self, input: &[u8], out: &mut Vec<u8>, flush: FlushCompress) -> Result<(usize, Status)> {
        out.reserve(SPACE);
        let before = self.0.total_in();
        let status = self
            .0
            .compress_vec(input, out, flush)
            .map_err(|e| Error::new(Kind::Internal, format!("gzip cannot compress: {e}")))?;
        Ok(((self.0.total_in() - before) as usize, status))
    }
}

/// Between members, `member` is none; `members` counts those that ended.
pub(super) struct Decoder {
    member: Option<Decompress>,
    members: u64,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self { member: None, members: 0 }
    }

    pub(super) fn push<'a>(&mut self, mut input: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8]> {
        let start = out.len();
        while !input.is_empty() && out.len() - start < OUTPUT_STEP {
            let used = self.step(input, out)?;
            input = &input[used..];
        }
        Ok(input)
    }

    pub(super) fn finish(mut self, out: &mut Vec<u8>) -> Result<()> {
        while self.member.is_some() {
            let before = out.len();
            self.step(&[], out)?;
            if out.len() == before && self.member.is_some() {
                return Err(truncated("gzip"));
            }
        }
        if self.members == 0 { Err(truncated("gzip")) } else { Ok(()) }
    }

    fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize> {
        out.reserve(SPACE);
        let member = self.member.get_or_insert_with(|| Decompress::new_gzip(WINDOW_BITS));
        let before = (member.total_in(), out.len());
        let status =
            member.decompress_vec(input, out, FlushDecompress::None).map_err(|e| broken("gzip", e))?;
        let used = (member.total_in() - before.0) as usize;
        match status {
            Status::StreamEnd => {
                self.member = None;
                self.members += 1;
            }
            _ if used == 0 && out.len() == before.1 && !input.is_empty() => {
                return Err(broken("gzip", "it does not go on"));
            }
            _ => {}
        }
        Ok(used)
    }
}
