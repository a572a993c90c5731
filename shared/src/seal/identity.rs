//! What opens sealed files: secret keys of age. Only native ones (X25519).

use std::{fmt, str::FromStr};

use age::secrecy::{ExposeSecret, SecretBox, SecretString};
use bech32::{ToBase32, Variant};

use super::Recipient;
use crate::base::{Error, Kind, Result, Secret};

/// The secret key of a recipient. Never printed, and wiped from memory when dropped.
#[derive(Clone)]
pub struct Identity(age::x25519::Identity);

impl Identity {
    /// A new one, for a run's working files for instance.
    pub fn generate() -> Self {
        Self(age::x25519::Identity::generate())
    }

    /// The identities in a key file as `age-keygen` writes it: one a line; lines that are empty or begin with `#` are passed over.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] naming the line, never its text, or when there is none.
    pub fn all_of(file: &Secret) -> Result<Vec<Self>> {
        let lines = file.expose().lines().enumerate().map(|(i, line)| (i + 1, line.trim()));
        let keys = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let all: Vec<Self> = keys
            .map(|(n, line)| {
                line.parse().map_err(|e: Error| e.context(format!("reading line {n} of the key file")))
            })
            .collect::<Result<_>>()?;
        if all.is_empty() {
            return Err(no_identity("there is none"));
        }
        Ok(all)
    }

    /// Of 32 secret bytes (RFC 7748, section 5: any will do).
    ///
    /// # Errors
    /// [`Kind::Internal`] when they cannot be written as a key.
    pub(super) fn of_bytes(bytes: &SecretBox<[u8; 32]>) -> Result<Self> {
        let lost = || Error::new(Kind::Internal, "a derived key cannot be written as an age key");
        let text = bech32::encode("age-secret-key-", bytes.expose_secret().to_base32(), Variant::Bech32)
            .map_err(|_| lost())?;
        SecretString::from(text).expose_secret().parse().map(Self).map_err(|_| lost())
    }

    /// Its public key.
    pub fn recipient(&self) -> Recipient {
        Recipient(self.0.to_public())
    }

    /// `AGE-SECRET-KEY-1…`, as `age -d -i` reads it.
    pub fn text(&self) -> Secret {
        Secret::new(self.0.to_string().expose_secret())
    }

    pub(super) fn as_age(&self) -> &dyn age::Identity {
        &self.0
    }
}

impl FromStr for Identity {
    type Err = Error;

    /// Parses `AGE-SECRET-KEY-1…`.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] that says what the text is instead, without repeating it.
    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let lower = text.to_ascii_lowercase();
        let why = if text.is_empty() {
            "there is none"
        } else if lower.starts_with("age-secret-key-1") {
            return text
                .parse()
                .map(Self)
                .map_err(|_| no_identity("a character is wrong or missing (its checksum does not fit)"));
        } else if lower.starts_with("age-secret-key-") || lower.starts_with("age-plugin-") {
            "it is one of a plugin or of another kind of key; only native ones (X25519) are taken"
        } else if lower.starts_with("age1") {
            "a recipient (age1…) was given, which cannot open anything"
        } else if lower.starts_with("age-encryption.org/") || lower.starts_with("-----begin age encrypted") {
            "the key file is itself encrypted; give it opened"
        } else if lower.starts_with("-----begin") || lower.starts_with("ssh-") {
            "ssh keys and keys in PEM form are not taken"
        } else {
            "passphrases are not taken, nor anything else"
        };
        Err(no_identity(why))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

fn no_identity(why: &str) -> Error {
    Error::new(
        Kind::InvalidInput,
        format!("an identity is the secret key of an age key pair, AGE-SECRET-KEY-1…; {why}"),
    )
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A pair, as `age-keygen` gives it.
    pub const KEYS: (&str, &str) = (
        "AGE-SECRET-KEY-19NU03WEWD8DS8UKRKKPMY6XQ2Y60Z3QCDHKJGRK7GRNWCTUSGT0QGNDPEW",
        "age1h0c799ta0knkyq5jhrdducrr4nmfxlnzahnjx2m9djhj5ua78pasw5ye9j",
    );

    #[test]
    fn a_pair_is_read_and_written() {
        let identity: Identity = KEYS.0.parse().unwrap();
        assert_eq!(identity.text().expose(), KEYS.0);
        assert_eq!(identity.recipient().to_string(), KEYS.1);
        assert_eq!(identity.recipient(), format!(" {}\n", KEYS.1).parse().unwrap());
        let made = Identity::generate();
        assert_eq!(made.text().expose().parse::<Identity>().unwrap().recipient(), made.recipient());
        assert!(made.recipient() != identity.recipient());
    }

    #[test]
    fn what_is_no_identity_is_refused_unseen() {
        let typo = KEYS.0.replacen("Q2", "Q3", 1);
        for (text, why) in [
            ("", "there is none"),
            (&typo, "checksum"),
            (KEYS.1, "a recipient"),
            ("AGE-SECRET-KEY-PQ-1HIDDEN", "another kind"),
            ("AGE-PLUGIN-HIDDEN-1HIDDEN", "another kind"),
            ("-----BEGIN AGE ENCRYPTED FILE-----", "itself encrypted"),
            ("age-encryption.org/v1", "itself encrypted"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----", "PEM"),
            ("HIDDEN horse battery staple", "passphrases"),
        ] {
            let e = text.parse::<Identity>().unwrap_err();
            assert_eq!(e.kind(), Kind::InvalidInput);
            assert!(e.message().contains(why), "{e}");
            assert!(
                !format!("{e} {e:?}").contains("HIDDEN") && !format!("{e:?}").contains(&KEYS.0[20..40]),
                "{e}"
            );
        }
    }

    #[test]
    fn key_files_are_read() {
        let other = Identity::generate();
        let file = format!(
            "# created: 2026-11-21\n# public key: {}\r\n{}\r\n\n{}",
            KEYS.1,
            KEYS.0,
            other.text().expose()
        );
        let all = Identity::all_of(&Secret::new(file)).unwrap();
        assert_eq!(
            all.iter().map(Identity::recipient).collect::<Vec<_>>(),
            [KEYS.1.parse().unwrap(), other.recipient()]
        );
        let e = Identity::all_of(&Secret::new(format!("{}\nhunter2", KEYS.0))).unwrap_err();
        assert!(
            e.to_string().starts_with("reading line 2 of the key file: ")
                && !e.to_string().contains("hunter2"),
            "{e}"
        );
        assert_eq!(Identity::all_of(&Secret::new("# nothing")).unwrap_err().kind(), Kind::InvalidInput);
    }

    #[test]
    fn nothing_prints_an_identity() {
        let identity: Identity = KEYS.0.parse().unwrap();
        assert_eq!(format!("{identity:?} {:?}", identity.text()), "[secret] [secret]");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(age1|AGE-SECRET-KEY-1|ssh-)?.{0,80}") {
            let _ = text.parse::<Identity>().is_ok();
        }
    }
}
