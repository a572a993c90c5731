//! SHA-256, by AWS-LC: with the processor's instructions for it where it has them, else at twice the speed of portable code.

use aws_lc_rs::digest::{Context, SHA256};

/// A hash under way.
pub(super) struct Sha256(Context);

impl Default for Sha256 {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl Sha256 {
    pub(super) fn of(bytes: &[u8]) -> [u8; 32] {
        let mut hash = Self::default();
        hash.update(bytes);
        hash.finish()
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn finish(self) -> [u8; 32] {
        let mut digest = [0; 32];
        digest.copy_from_slice(self.0.finish().as_ref());
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_sha_256() {
        // FIPS 180-4, the example of one block.
        let wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex::encode(Sha256::of(b"abc")), wanted);
        let mut hash = Sha256::default();
        b"abc".iter().for_each(|b| hash.update(&[*b]));
        assert_eq!(hex::encode(hash.finish()), wanted);
    }
}
