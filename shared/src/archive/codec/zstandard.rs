//! Zstandard, frame by frame.

use zstd::stream::raw::{CParameter, DParameter, InBuffer, Operation, OutBuffer};

use super::{MAX_WINDOW, OUTPUT_STEP, broken, truncated};
use crate::base::{Error, Kind, Result};

/// Space offered to zstd at once: its largest block.
const SPACE: usize = 128 << 10;

pub(super) struct Encoder(zstd::stream::raw::Encoder<'static>);

impl Encoder {
    pub(super) fn new(level: i32) -> Result<Self> {
        let mut encoder = zstd::stream::raw::Encoder::new(level).map_err(unable)?;
        encoder.set_parameter(CParameter::ChecksumFlag(true)).map_err(unable)?;
        Ok(Self(encoder))
    }

    pub(super) fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let mut input = InBuffer::around(input);
        while input.pos() < input.src.len() {
            out.reserve(SPACE);
            let at = out.len();
            self.0.run(&mut input, &mut OutBuffer::around_pos(out, at)).map_err(unable)?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self, out: &mut Vec<u8>) -> Result<()> {
        loop {
            out.reserve(SPACE);
            let at = out.len();
            if self.0.finish(&mut OutBuffer::around_pos(out, at), false).map_err(unable)? == 0 {
                return Ok(());
            }
        }
    }
}

fn unable(e: std::io::Error) -> Error {
    Error::with_source(Kind::Internal, format!("zstd cannot compress: {e}"), e)
}

/// `between` is true after the end of a frame and before the next one's first byte.
pub(super) struct Decoder {
    inner: zstd::stream::raw::Decoder<'static>,
    between: bool,
}

impl Decoder {
    pub(super) fn new() -> Result<Self> {
        let unable = |e| Error::with_source(Kind::Internal, "zstd cannot be set up", e);
        let mut inner = zstd::stream::raw::Decoder::new().map_err(unable)?;
        inner.set_parameter(DParameter::WindowLogMax(MAX_WINDOW.ilog2())).map_err(unable)?;
        Ok(Self { inner, between: true })
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
        while !self.between {
            let before = out.len();
            self.step(&[], out)?;
            if out.len() == before && !self.between {
                return Err(truncated("zstd"));
            }
        }
        // No frame at all is whole: so pg_dump writes the file of an empty large object. Rows still need their end marker.
        Ok(())
    }

    fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize> {
        out.reserve(SPACE);
        let at = out.len();
        let mut input = InBuffer::around(input);
        let hint =
            self.inner.run(&mut input, &mut OutBuffer::around_pos(out, at)).map_err(|e| broken("zstd", e))?;
        let used = input.pos();
        if hint == 0 {
            self.between = true;
        } else if used > 0 || out.len() > at {
            self.between = false;
        } else if !input.src.is_empty() {
            return Err(broken("zstd", "it does not go on"));
        }
        Ok(used)
    }
}
