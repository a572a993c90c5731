//! The header of an age file: where it ends, and whether a key opens it.

use std::io::BufRead;

use age::{DecryptError, Decryptor};

use super::Identity;
use crate::base::{Error, Kind, Result};

/// First bytes of a file within which its header and nonce must end.
pub const HEADER_LIMIT: usize = 64 << 10;

/// Stanzas of a header; more than [`super::MAX_RECIPIENTS`], as some are there for readers' exercise only.
const MAX_STANZAS: usize = 256;

const FIRST_LINE: &[u8] = b"age-encryption.org/v1\n";
const NONCE: usize = 16;

/// Whether one of `identities` opens the file that begins with `first`: [`HEADER_LIMIT`] bytes, or the whole file where it is shorter. What follows the
/// header is not looked at.
///
/// # Errors
/// [`Kind::Config`] when none of them opens it, or there is none; [`Kind::Corrupt`] when the bytes are not the beginning of an age file, or break off
/// within its header.
pub fn can_open(first: &[u8], identities: &[Identity]) -> Result<()> {
    some(identities)?;
    let mut head = Head::default();
    match head.push(first)? {
        Some(_) => decryptor(head.bytes.as_slice())?
            .decrypt(as_age(identities))
            .map(drop)
            .map_err(|e| head.refused(e, identities)),
        None => Err(head.breaks_off()),
    }
}

/// # Errors
/// [`Kind::Config`] for no identity at all.
pub(super) fn some(identities: &[Identity]) -> Result<()> {
    if identities.is_empty() {
        return Err(Error::new(Kind::Config, "there is no key to open sealed files with"));
    }
    Ok(())
}

pub(super) fn as_age(identities: &[Identity]) -> impl Iterator<Item = &dyn age::Identity> {
    identities.iter().map(Identity::as_age)
}

/// Header and nonce of a file, being collected.
#[derive(Default)]
pub(super) struct Head {
    bytes: Vec<u8>,
    /// Where the line begins that is being collected.
    line: usize,
    /// Where the header ends, once it is known.
    end: Option<usize>,
    stanzas: usize,
    recipients: usize,
    passphrase: bool,
}

impl Head {
    /// Takes what belongs to header and nonce, and gives what follows once both are whole. The header ends with the first line that begins with
    /// `---`, which no line of a stanza can (c2sp.org/age, "ABNF").
    ///
    /// # Errors
    /// [`Kind::Corrupt`] for what is not the beginning of an age file of version 1.
    pub fn push<'a>(&mut self, mut input: &'a [u8]) -> Result<Option<&'a [u8]>> {
        while self.end.is_none() {
            let room = HEADER_LIMIT - NONCE - self.bytes.len();
            let newline = input.iter().take(room).position(|b| *b == b'\n');
            if newline.is_none() && input.len() >= room {
                return Err(corrupt(format!("its header does not end within {HEADER_LIMIT} bytes")));
            }
            let (taken, rest) = input.split_at(newline.map_or(input.len(), |at| at + 1));
            self.bytes.extend_from_slice(taken);
            input = rest;
            let known = self.bytes.len().min(FIRST_LINE.len());
            if self.bytes[..known] != FIRST_LINE[..known] {
                return Err(corrupt("it does not begin as one"));
            }
            if newline.is_none() {
                return Ok(None);
            }
            self.line_ended()?;
        }
        let whole = self.end.unwrap_or_default() + NONCE;
        let (taken, rest) = input.split_at(input.len().min(whole - self.bytes.len()));
        self.bytes.extend_from_slice(taken);
        Ok((self.bytes.len() == whole).then_some(rest))
    }

    fn line_ended(&mut self) -> Result<()> {
        let line = &self.bytes[self.line..];
        if line.starts_with(b"---") {
            self.end = Some(self.bytes.len());
        } else if line.starts_with(b"-> ") {
            self.stanzas += 1;
            self.recipients += usize::from(line.starts_with(b"-> X25519 "));
            self.passphrase |= line.starts_with(b"-> scrypt ");
            // Parsing takes time by their square.
            if self.stanzas > MAX_STANZAS {
                return Err(corrupt(format!("its header has more than {MAX_STANZAS} stanzas")));
            }
        }
        self.line = self.bytes.len();
        Ok(())
    }

    /// All that was taken, which is left to the caller.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// Why the header does not open.
    pub fn refused(&self, e: DecryptError, identities: &[Identity]) -> Error {
        match e {
            DecryptError::NoMatchingKeys => self.wrong_key(identities.len()),
            e => damaged(e),
        }
    }

    fn wrong_key(&self, keys: usize) -> Error {
        let keys = match keys {
            1 => "the key given does not open".to_owned(),
            n => format!("none of the {n} keys given opens"),
        };
        let made = match self.recipients {
            _ if self.passphrase => "was sealed with a passphrase".to_owned(),
            0 => "has no recipient of a kind known here".to_owned(),
            1 => "was sealed for 1 recipient: give that one's key".to_owned(),
            n => format!("was sealed for {n} recipients: give the key of one of them"),
        };
        Error::new(Kind::Config, format!("{keys} the sealed file, which {made}"))
    }

    pub fn breaks_off(&self) -> Error {
        Error::new(Kind::Corrupt, "the sealed file breaks off within its header")
    }
}

/// The decryptor of a file whose header and nonce `source` gives first.
///
/// # Errors
/// [`Kind::Corrupt`].
pub(super) fn decryptor<R: BufRead>(source: R) -> Result<Decryptor<R>> {
    Decryptor::new_buffered(source).map_err(damaged)
}

fn damaged(e: DecryptError) -> Error {
    Error::with_source(Kind::Corrupt, "the header of the sealed file is damaged", e)
}

fn corrupt(why: impl std::fmt::Display) -> Error {
    Error::new(Kind::Corrupt, format!("this is not a sealed file (age, version 1, binary): {why}"))
}
