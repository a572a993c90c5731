//! Room: client-side encryption. What leaves the function is ciphertext; whoever reads the bucket, S3 included, sees names and sizes only.
//!
//! Every object is one age file, version 1, binary (C2SP, "The age file encryption format", c2sp.org/age), so that `age -d -i key.txt`
//! opens it without any software of ours:
//!
//! ```text
//! age-encryption.org/v1\n
//! -> X25519 <ephemeral share>\n     one stanza for each recipient: the file key (16 random bytes), wrapped for it
//! <wrapped file key>\n
//! -> <random>-grease …\n            no recipient; there so that readers do not come to rely on its absence
//! --- <MAC>\n                       HMAC-SHA-256 of all of the above, keyed from the file key
//! nonce                             16 bytes; with the file key it gives the payload key (HKDF-SHA-256)
//! chunk 0 | tag | chunk 1 | tag …   64 KiB each, the last one shorter or full, each with its tag of 16 bytes
//! ```
//!
//! Each chunk is ChaCha20-Poly1305 with its number and "is the last" as nonce: one that is changed, moved, missing or one too many does not
//! authenticate, and a file that breaks off has no last one. An [`Opener`] gives out nothing of a chunk before its tag was checked.
//!
//! Where keys come from:
//!
//! ```text
//! recipients   age1… of the operator; the function that seals cannot open (recipient)
//! KMS          a data key for each backup, wrapped by KMS with the backup's id as encryption context (kms), and from it an
//!              X25519 identity for each object (object_keys):
//!
//!              salt  "pgbaton/seal/v1"
//!              info  "pgbaton/seal/v1" | length, backup id | length, object name      lengths: 4 bytes, big-endian
//!              HKDF-SHA-256(data key, salt, info), 32 bytes = the identity's secret
//! own          an identity made for one run, for its working files ([`Identity::generate`])
//! ```
//!
//! Under KMS an object in another's place, or from another backup, does not open, as its identity is derived from another name.
//!
//! Trade-offs:
//! * Whoever knows a recipient can seal for it: that an object opens does not prove who wrote it. That comes from its SHA-256 in the manifest, and
//!   the manifest's in the ledger. Under KMS sealing takes the data key.
//! * No forward secrecy: who gets hold of an identity opens all that was sealed for it, and who may call `kms:Decrypt` every backup under that key.
//! * Sizes show: a file is 16 bytes longer for each 64 KiB, plus header and nonce. So do the number of recipients, names and times.
//! * A damaged stanza cannot be told from one for somebody else (recipients are anonymous), so damage there reads as a wrong key; the
//!   checksum tells them apart.
//! * The wrapped file key is not post-quantum: X25519 alone.
//! * Sealed bytes do not compress: a codec comes first. What that gives away of the content by its size is that of every compressed file.
//!
//! Memory: a [`Sealer`] holds one chunk and an [`Opener`] three, besides what is handed to them in one piece.

mod header;
mod identity;
mod kms;
mod object_keys;
mod opener;
mod recipient;
mod sealer;

pub use header::{HEADER_LIMIT, can_open};
pub use identity::Identity;
pub use kms::{DataKey, Kms, WrappedKey};
pub use object_keys::ObjectKeys;
pub use opener::Opener;
pub use recipient::{MAX_RECIPIENTS, Recipient};
pub use sealer::Sealer;

#[cfg(test)]
mod tests;
