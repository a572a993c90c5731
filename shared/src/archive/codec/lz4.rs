//! LZ4 frames (`lz4_Frame_format.md` in the lz4 sources), read only. The frame reader of lz4_flex pulls its input and cannot resume after a
//! short read, so this decoder collects one whole block at a time and hands that over.

use std::io::{BufRead, Read};

use lz4_flex::frame::FrameDecoder;

use super::{broken, truncated};
use crate::base::Result;

const MAGIC: u32 = 0x184D_2204;

/// Largest block that the format knows.
const MAX_BLOCK: usize = 4 << 20;

/// Bytes handed over and not yet read.
#[derive(Default)]
struct Queue {
    bytes: Vec<u8>,
    at: usize,
}

impl Read for Queue {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let count = buf.len().min(self.bytes.len() - self.at);
        buf[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// What the frame's header says of its blocks.
#[derive(Clone, Copy)]
struct Flags {
    block_checksums: bool,
    content_checksum: bool,
}

/// `frame` is none between frames. `held` collects the next header or block.
#[derive(Default)]
pub(super) struct Decoder {
    frame: Option<(FrameDecoder<Queue>, Flags)>,
    held: Vec<u8>,
}

impl Decoder {
    pub(super) fn push<'a>(&mut self, mut input: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8]> {
        while !input.is_empty() {
            let wanted = self.wanted()?;
            let missing = wanted - self.held.len();
            let (now, later) = input.split_at(missing.min(input.len()));
            self.held.extend_from_slice(now);
            input = later;
            if self.held.len() == self.wanted()? && self.unit(out)? {
                break;
            }
        }
        Ok(input)
    }

    pub(super) fn finish(self) -> Result<()> {
        // No frame at all is whole: so pg_dump writes the file of an empty large object. Rows still need their end marker.
        if self.frame.is_some() || !self.held.is_empty() {
            return Err(truncated("lz4"));
        }
        Ok(())
    }

    /// Bytes that `held` must have before more can be said: grows as the header and the block's length become known.
    fn wanted(&self) -> Result<usize> {
        let held = &self.held;
        match &self.frame {
            // Magic, flags, block descriptor; then content size and dictionary id where flagged, and the header's check byte.
            None if held.len() < 6 => Ok(6),
            None => {
                let flags = held[4];
                Ok(7 + if flags & 0x08 != 0 { 8 } else { 0 } + if flags & 0x01 != 0 { 4 } else { 0 })
            }
            Some(_) if held.len() < 4 => Ok(4),
            Some((_, flags)) => {
                let length = word(held) & 0x7FFF_FFFF;
                if length as usize > MAX_BLOCK {
                    return Err(broken("lz4", "a block is larger than 4 MiB"));
                }
                let check = if length == 0 { flags.content_checksum } else { flags.block_checksums };
                Ok(4 + length as usize + if check { 4 } else { 0 })
            }
        }
    }

    /// Handles the header or block collected; true when it gave output.
    fn unit(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        let unit = std::mem::take(&mut self.held);
        let Some((decoder, _)) = &mut self.frame else {
            if word(&unit) != MAGIC {
                return Err(broken("lz4", "a frame does not begin with its magic number"));
            }
            let flags = Flags { block_checksums: unit[4] & 0x10 != 0, content_checksum: unit[4] & 0x04 != 0 };
            // The header is read together with the first block.
            self.frame = Some((FrameDecoder::new(Queue { bytes: unit, at: 0 }), flags));
            return Ok(false);
        };
        let last = word(&unit) == 0;
        let queue = decoder.get_mut();
        if queue.at == 0 {
            queue.bytes.extend_from_slice(&unit);
        } else {
            *queue = Queue { bytes: unit, at: 0 };
        }
        let block = decoder.fill_buf().map_err(|e| broken("lz4", e))?;
        let count = block.len();
        out.extend_from_slice(block);
        decoder.consume(count);
        if last {
            self.frame = None;
        }
        Ok(count > 0)
    }
}

fn word(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).rev().fold(0, |n, b| n << 8 | u32::from(*b))
}
