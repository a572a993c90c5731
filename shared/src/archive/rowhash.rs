//! A hash of a table's rows that does not depend on their order.
//!
//! Each row of COPY text is hashed to 128 bits, without its newline, and the hashes are added up modulo 2^128. Two tables read under the same
//! pinned session settings and with the same column list that hold the same rows, duplicates counted, have the same hash however
//! the server returns them; tables that differ by accident (a row lost, doubled, cut or changed) have the same hash with a chance of about 2^-128.
//! It proves nothing against someone who changes rows on purpose: sums can be forged. That stored bytes are what was written is
//! proven by the SHA-256 of each object.
//!
//! The row's hash is XXH3-128: with short rows a cryptographic hash would cost several times as much processor time as
//! COPY itself leaves over, and would still not make the sum safe from forgery.

use memchr::memchr;
use twox_hash::XxHash3_128;

use crate::base::{Error, Kind, Result};

/// What a table's rows come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest {
    /// Number of rows.
    pub rows: u64,
    /// Sum of the rows' hashes modulo 2^128.
    pub sum: u128,
}

impl Digest {
    /// 32 hex digits, as the manifest keeps it.
    pub fn hex(&self) -> String {
        format!("{:032x}", self.sum)
    }

    /// The digest of both sets of rows together: of a table read in slices.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { rows: self.rows + other.rows, sum: self.sum.wrapping_add(other.sum) }
    }
}

/// Takes COPY text in pieces, cut anywhere, without the end marker.
#[derive(Default)]
pub struct RowHasher {
    digest: Digest,
    /// The row whose end has not come yet; a row can be a gigabyte long, so it is not collected.
    open: Option<XxHash3_128>,
}

impl RowHasher {
    /// A hasher that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next piece.
    pub fn push(&mut self, mut text: &[u8]) {
        while let Some(end) = memchr(b'\n', text) {
            let hash = match self.open.take() {
                None => XxHash3_128::oneshot(&text[..end]),
                Some(mut row) => {
                    row.write(&text[..end]);
                    row.finish_128()
                }
            };
            self.digest = self.digest.plus(Digest { rows: 1, sum: hash });
            text = &text[end + 1..];
        }
        if !text.is_empty() {
            self.open.get_or_insert_with(XxHash3_128::new).write(text);
        }
    }

    /// Rows ended so far.
    pub fn rows(&self) -> u64 {
        self.digest.rows
    }

    /// The digest of all rows.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] when the last row has no newline.
    pub fn finish(self) -> Result<Digest> {
        match self.open {
            None => Ok(self.digest),
            Some(_) => Err(Error::new(
                Kind::Corrupt,
                format!("the rows break off within row {}", self.digest.rows + 1),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn digest(text: &[u8], step: usize) -> Digest {
        let mut hasher = RowHasher::new();
        text.chunks(step).for_each(|c| hasher.push(c));
        hasher.finish().unwrap()
    }

    #[test]
    fn the_hash_is_xxh3_128() {
        // XXH3_128bits("") and ("a") of the reference implementation.
        assert_eq!(digest(b"\n", 1).hex(), "99aa06d3014798d86001c324468d497f");
        assert_eq!(digest(b"a\n", 1).hex(), "a96faf705af16834e6c632b61e964e1f");
        assert_eq!(digest(b"", 1), Digest::default());
    }

    #[test]
    fn loss_doubling_change_and_cutting_show() {
        let whole = digest(b"1\ta\n2\tb\n3\tc\n", 5);
        for other in [
            &b"1\ta\n2\tb\n"[..],
            b"1\ta\n2\tb\n3\tc\n3\tc\n",
            b"1\ta\n2\tb\n3\td\n",
            b"1\ta\n2\tb\n3\t\n",
            b"1\ta\n1\ta\n3\tc\n",
        ] {
            assert_ne!(digest(other, 5).sum, whole.sum);
        }
        let mut cut = RowHasher::new();
        cut.push(b"1\ta\n2");
        assert_eq!(cut.finish().unwrap_err().kind(), Kind::Corrupt);
    }

    proptest! {
        #[test]
        fn order_and_cuts_do_not_matter(
            (rows, shuffled) in prop::collection::vec("[a-c\t]{0,300}", 0..30).prop_flat_map(|r| (Just(r.clone()), Just(r).prop_shuffle())),
            step in 1usize..500,
            split in 0usize..30,
        ) {
            let text = |rows: &[String]| rows.iter().flat_map(|r| format!("{r}\n").into_bytes()).collect::<Vec<u8>>();
            let whole = digest(&text(&rows), 1 << 20);
            prop_assert_eq!(whole.rows, rows.len() as u64);
            prop_assert_eq!(digest(&text(&shuffled), step), whole);
            let (a, b) = rows.split_at(split.min(rows.len()));
            prop_assert_eq!(digest(&text(a), step).plus(digest(&text(b), step)), whole);
        }
    }
}
