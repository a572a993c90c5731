//! How large the parts of an upload are.
//!
//! S3 takes at most 10,000 parts of 5 MiB to 5 GiB each (Amazon S3 User Guide, "multipart upload limits"), and a part must be held in
//! memory, because its checksum precedes it and an attempt may have to be repeated.
//!
//! ```text
//! expected length           part size                           growth                       holds
//! unknown, or up to 7 GiB   8 MiB                               doubles after each 1,000     5 TiB (8 MiB up to 7.8 GiB, 16 MiB up to 23 GiB …)
//! more                      1/8,000 of it, at least 8 MiB       after 8,000, doubles each    8 times that, or 5 TiB
//!                                                               250
//! ```
//!
//! Memory of an upload: (in flight + 1) parts.

/// Largest object planned for: 5 TiB.
pub const MAX_OBJECT: u64 = 5 << 40;

/// S3's limits.
pub(super) const MOST_PARTS: u32 = 10_000;
const LARGEST: u64 = 5 << 30;

const MIB: u64 = 1 << 20;
const FIRST: u64 = 8 * MIB;

/// The sizes of an upload's parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartSizes {
    base: u64,
    steady: u32,
    step: u32,
}

impl PartSizes {
    /// Sizes for an object of about `expected` bytes; a wrong guess costs memory or nothing.
    pub fn new(expected: Option<u64>) -> Self {
        match expected {
            Some(bytes) if bytes > 7 << 30 => {
                let base = bytes.min(MAX_OBJECT).div_ceil(8000).next_multiple_of(MIB).max(FIRST);
                Self { base, steady: 8000, step: 250 }
            }
            _ => Self { base: FIRST, steady: 1000, step: 1000 },
        }
    }

    /// Bytes of part `number`, which counts from 1; the last part may be smaller.
    pub fn size(&self, number: u32) -> usize {
        let doublings = match number.saturating_sub(1).checked_sub(self.steady) {
            None => 0,
            Some(over) => 1 + over / self.step,
        };
        let size =
            self.base.checked_shl(doublings).filter(|s| s >> doublings == self.base).unwrap_or(LARGEST);
        size.min(LARGEST) as usize
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn capacity(sizes: PartSizes) -> u64 {
        (1..=MOST_PARTS).map(|n| sizes.size(n) as u64).sum()
    }

    #[test]
    fn an_unknown_length_up_to_5_tib_fits() {
        let sizes = PartSizes::new(None);
        assert!(capacity(sizes) >= MAX_OBJECT);
        assert_eq!(sizes.size(1), 8 << 20);
        assert_eq!(sizes.size(1000), 8 << 20);
        assert_eq!(sizes.size(1001), 16 << 20);
    }

    proptest! {
        #[test]
        fn parts_are_within_limits_and_hold_more_than_expected(expected in 0..=MAX_OBJECT) {
            let sizes = PartSizes::new(Some(expected));
            prop_assert!(capacity(sizes) >= MAX_OBJECT.min(expected.saturating_mul(8)));
            for n in 1..=MOST_PARTS {
                let size = sizes.size(n) as u64;
                prop_assert!((5 * MIB..=LARGEST).contains(&size));
                prop_assert!(n == 1 || size >= sizes.size(n - 1) as u64);
            }
            prop_assert!(sizes.size(1) as u64 <= FIRST.max(expected / 8000 + MIB));
        }
    }
}
