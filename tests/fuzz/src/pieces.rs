//! How an input says in what pieces its bytes come.

use std::iter::from_fn;

use crate::format::Found;

/// An input of a target whose reader takes a stream.
///
/// ```text
/// a      1 byte: every other piece has a + 1 bytes
/// b      1 byte: the pieces between have b + 1
/// choice 1 byte: whatever else the target leaves to the input
/// bytes  the stream
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    steps: [usize; 2],
    /// What else is left to the input.
    pub choice: u8,
    /// The stream.
    pub bytes: &'a [u8],
}

impl<'a> Input<'a> {
    /// None for an input without its first three bytes.
    pub fn of(data: &'a [u8]) -> Option<Self> {
        let ([a, b, choice], bytes) = data.split_first_chunk()?;
        Some(Self { steps: [usize::from(*a) + 1, usize::from(*b) + 1], choice: *choice, bytes })
    }

    /// The stream in its pieces.
    pub fn pieces(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.cut(self.bytes)
    }

    /// Another stream, cut alike.
    pub fn cut<'b>(&self, mut rest: &'b [u8]) -> impl Iterator<Item = &'b [u8]> + use<'b> {
        let mut steps = self.steps;
        from_fn(move || {
            let (piece, later) = rest.split_at(rest.len().min(steps[0]));
            rest = later;
            steps.reverse();
            (!piece.is_empty()).then_some(piece)
        })
    }
}

/// What was found, with pieces of text that stand side by side put together: where they are cut depends on the pieces read.
pub fn joined(found: Vec<Found>) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    for next in found {
        match (all.last_mut(), next) {
            (Some(Found::Text(text)), Found::Text(more)) => text.extend(more),
            (_, next) => all.push(next),
        }
    }
    all
}
