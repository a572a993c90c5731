//! For whom files are sealed: public keys of age. Only native ones (X25519).

use std::{fmt, str::FromStr};

use aws_lc_rs::{
    agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral},
    rand::SystemRandom,
};
use bech32::{FromBase32, Variant};

use crate::base::{Error, Kind, Result};

/// Recipients of one file at most: their stanzas take about 100 bytes each at its beginning.
pub const MAX_RECIPIENTS: usize = 100;

/// For whom a file is sealed: a public key, `age1…`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Recipient(pub(super) age::x25519::Recipient);

impl Recipient {
    /// The recipients in a text, separated by commas or white space.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] as [`Recipient::from_str`], with the number of the one at fault; also when there is none.
    pub fn all_of(text: &str) -> Result<Vec<Self>> {
        // One sentence for a whole line of another kind, such as an ssh key with its comment.
        if let Some(why) = other_than_a_recipient(text.trim()) {
            return Err(refused(why));
        }
        let words = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
        words
            .enumerate()
            .map(|(i, word)| {
                word.parse().map_err(|e: Error| e.context(format!("reading recipient {}", i + 1)))
            })
            .collect()
    }

    pub(super) fn as_age(&self) -> &dyn age::Recipient {
        &self.0
    }
}

impl FromStr for Recipient {
    type Err = Error;

    /// Parses `age1…`.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] that says what the text is instead; it is repeated only where it has the form of a public key.
    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        if let Some(why) = other_than_a_recipient(text) {
            return Err(refused(why));
        }
        let plain =
            text.starts_with("age1") && text.bytes().all(|c| c.is_ascii_digit() || c.is_ascii_lowercase());
        if !plain {
            return Err(refused("it does not begin with age1, or has characters that none has"));
        }
        let shown = text.get(..80).unwrap_or(text);
        let wrong = |why: &str| refused(format!("{shown}: {why}"));
        let (kind, data) = match bech32::decode(text) {
            Ok((kind, data, Variant::Bech32)) => (kind, data),
            _ => return Err(wrong("a character is wrong or missing (its checksum does not fit)")),
        };
        if kind != "age" {
            return Err(wrong(
                "it is one of a plugin or of another kind of key; only native ones (X25519) are taken",
            ));
        }
        let key = Vec::from_base32(&data)
            .ok()
            .filter(|key| key.len() == 32)
            .ok_or_else(|| wrong("it is not of 32 bytes"))?;
        if weak(&key)? {
            return Err(wrong(
                "it is no key of anybody's: all that is sealed for it would be open to everyone",
            ));
        }
        text.parse().map(Self).map_err(wrong)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether a public key is a point of low order, with which every secret agrees on zero (RFC 7748, section 6.1).
fn weak(key: &[u8]) -> Result<bool> {
    let own = EphemeralPrivateKey::generate(&X25519, &SystemRandom::new())
        .map_err(|_| Error::new(Kind::Internal, "no randomness for a key"))?;
    Ok(agree_ephemeral(own, UnparsedPublicKey::new(&X25519, key), (), |_| Ok(())).is_err())
}

fn other_than_a_recipient(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    let begins = |words: &[&str]| words.iter().any(|word| lower.starts_with(word));
    if text.is_empty() {
        Some("there is none")
    } else if lower.contains("age-secret-key-") {
        Some(
            "a secret key (AGE-SECRET-KEY-…) was given, which nobody but the one who opens may have: give its public key, as age-keygen -y prints it, and make a new key if this one was kept where others read",
        )
    } else if lower.contains("age-plugin-") {
        Some("keys of age's plugins are not taken; only native ones (X25519)")
    } else if begins(&["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"]) {
        Some("ssh keys are not taken; make a key with age-keygen")
    } else if lower.contains("-----begin") {
        Some("a key in PEM form is not taken; make a key with age-keygen")
    } else {
        None
    }
}

fn refused(why: impl fmt::Display) -> Error {
    Error::new(Kind::InvalidInput, format!("a recipient is the public key of an age key pair, age1…; {why}"))
}

#[cfg(test)]
mod tests {
    use bech32::ToBase32;
    use proptest::prelude::*;

    use super::{
        super::{Identity, identity::tests::KEYS},
        *,
    };

    #[test]
    fn what_is_no_recipient_is_refused_by_its_name() {
        let lower = KEYS.0.to_lowercase();
        let typo = KEYS.1.replacen('h', "j", 1);
        let short = bech32::encode("age", [7u8; 31].to_base32(), Variant::Bech32).unwrap();
        let plugin = bech32::encode("age1yubikey", [7u8; 33].to_base32(), Variant::Bech32).unwrap();
        let hybrid = bech32::encode("age1pq", [7u8; 1216].to_base32(), Variant::Bech32).unwrap();
        let modified = bech32::encode("age", [7u8; 32].to_base32(), Variant::Bech32m).unwrap();
        for (text, why) in [
            ("", "there is none"),
            (KEYS.0, "secret key"),
            (&lower, "secret key"),
            (&format!("age1 {}", KEYS.0), "secret key"),
            ("AGE-PLUGIN-YUBIKEY-1QQQQ", "plugins"),
            (&plugin, "of a plugin or of another kind"),
            (&hybrid, "of a plugin or of another kind"),
            ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI operator@host", "ssh keys"),
            ("ecdsa-sha2-nistp256 AAAA", "ssh keys"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl", "PEM"),
            ("correct horse battery staple", "does not begin with age1"),
            (&KEYS.1.to_uppercase(), "does not begin with age1"),
            (&typo, "checksum"),
            (&KEYS.1[..40], "checksum"),
            (&modified, "checksum"),
            (&short, "32 bytes"),
        ] {
            let e = text.parse::<Recipient>().unwrap_err();
            assert_eq!(e.kind(), Kind::InvalidInput);
            assert!(e.message().contains(why), "{text}: {e}");
            for hidden in [&KEYS.0[20..40], &lower[20..40], "AAAAC3", "b3Bl", "horse"] {
                assert!(!format!("{e} {e:?}").contains(hidden), "{e}");
            }
        }
    }

    #[test]
    fn a_point_of_low_order_is_no_recipient() {
        let one: [u8; 32] = std::array::from_fn(|i| u8::from(i == 0));
        for point in [[0; 32], one] {
            let text = bech32::encode("age", point.to_base32(), Variant::Bech32).unwrap();
            let e = text.parse::<Recipient>().unwrap_err();
            assert!(e.kind() == Kind::InvalidInput && e.message().contains("everyone"), "{e}");
        }
    }

    #[test]
    fn lists_are_read() {
        let other = Identity::generate();
        let text = format!("{},{}\n  {}", KEYS.1, other.recipient(), KEYS.1);
        let all = Recipient::all_of(&text).unwrap();
        assert_eq!(
            all.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [KEYS.1, &other.recipient().to_string(), KEYS.1]
        );
        let e = Recipient::all_of(&format!("{}, age1nonsense", KEYS.1)).unwrap_err();
        assert!(e.to_string().starts_with("reading recipient 2: "), "{e}");
        assert!(Recipient::all_of("ssh-rsa AAAA me").unwrap_err().message().contains("ssh keys"));
        assert!(Recipient::all_of(" ").unwrap_err().message().contains("there is none"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(age1|AGE-SECRET-KEY-1|ssh-)?.{0,80}") {
            let _ = (text.parse::<Recipient>().is_ok(), Recipient::all_of(&text).is_ok());
        }
    }
}
