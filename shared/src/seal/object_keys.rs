//! A key for each object of a backup, derived from the backup's data key.

use age::secrecy::SecretBox;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};

use super::{DataKey, Identity, Opener, Recipient};
use crate::base::{Error, Kind, Result, Secret, id::RunId};

/// What is derived, and how: another way gets another label.
const LABEL: &[u8] = b"pgbaton/seal/v1";

/// The keys of the objects of one backup. An object's name is the one that it has within the backup.
pub struct ObjectKeys {
    key: DataKey,
    backup: RunId,
}

impl ObjectKeys {
    /// Those that come of a backup's data key.
    pub fn new(key: DataKey, backup: RunId) -> Self {
        Self { key, backup }
    }

    /// For whom the object is sealed.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] for a name of more than 4 GiB; [`Kind::Internal`] when nothing can be derived.
    pub fn recipient(&self, object: &str) -> Result<Recipient> {
        Ok(self.identity(object)?.recipient())
    }

    /// What opens the object, and nothing else.
    ///
    /// # Errors
    /// As [`ObjectKeys::recipient`].
    pub fn identity(&self, object: &str) -> Result<Identity> {
        let info = info(&self.backup, object)?;
        let failed = |_| Error::new(Kind::Internal, "the key of an object cannot be derived");
        let prk = Salt::new(HKDF_SHA256, LABEL).extract(self.key.bytes());
        let mut derived = Ok(());
        let bytes = SecretBox::init_with_mut(|bytes: &mut [u8; 32]| {
            derived = prk.expand(&[&info], HKDF_SHA256).and_then(|okm| okm.fill(bytes));
        });
        derived.map_err(failed)?;
        Identity::of_bytes(&bytes)
    }

    /// The identity as `AGE-SECRET-KEY-1…`, with which the stock `age` opens this one object.
    ///
    /// # Errors
    /// As [`ObjectKeys::recipient`].
    pub fn printed(&self, object: &str) -> Result<Secret> {
        Ok(self.identity(object)?.text())
    }

    /// Opens the object. Other than for an [`Opener`] of identities, a key that does not fit is [`Kind::Corrupt`]: what lies there was sealed as
    /// another object, or in another backup.
    ///
    /// # Errors
    /// As [`ObjectKeys::recipient`].
    pub fn opener(&self, object: &str) -> Result<Opener> {
        Ok(Opener::of_object(self.identity(object)?, object))
    }
}

/// With lengths, so that no two pairs of names read the same.
fn info(backup: &RunId, object: &str) -> Result<Vec<u8>> {
    let mut info = LABEL.to_vec();
    for name in [backup.as_str(), object] {
        let length = u32::try_from(name.len())
            .map_err(|_| Error::new(Kind::InvalidInput, "the name of an object is too long"))?;
        info.extend_from_slice(&length.to_be_bytes());
        info.extend_from_slice(name.as_bytes());
    }
    Ok(info)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn backup(n: u32) -> RunId {
        RunId::parse(&format!("20261121T020000Z-{n:08x}")).unwrap()
    }

    fn keys(first: u8, n: u32) -> ObjectKeys {
        ObjectKeys::new(DataKey::of(std::array::from_fn(|i| first + i as u8)), backup(n))
    }

    #[test]
    fn the_derivation_stays_as_it_is() {
        // RFC 5869 and Bech32 by another implementation, of the bytes 0 to 31.
        let keys = keys(0, 0x9f86_d081);
        assert_eq!(
            keys.printed("4711.dat.zst").unwrap().expose(),
            "AGE-SECRET-KEY-19NU03WEWD8DS8UKRKKPMY6XQ2Y60Z3QCDHKJGRK7GRNWCTUSGT0QGNDPEW"
        );
        assert_eq!(
            keys.recipient("4711.dat.zst").unwrap().to_string(),
            "age1h0c799ta0knkyq5jhrdducrr4nmfxlnzahnjx2m9djhj5ua78pasw5ye9j"
        );
    }

    #[test]
    fn every_name_backup_and_data_key_has_another() {
        let all = [
            keys(0, 1).recipient("a").unwrap(),
            keys(0, 1).recipient("b").unwrap(),
            keys(0, 1).recipient("").unwrap(),
            keys(0, 2).recipient("a").unwrap(),
            keys(1, 1).recipient("a").unwrap(),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(all[..i].iter().all(|other| other != one), "{i}");
        }
        assert_eq!(keys(0, 1).recipient("a").unwrap(), keys(0, 1).identity("a").unwrap().recipient());
    }

    proptest! {
        #[test]
        fn what_is_derived_from_tells_names_apart(a in ".{0,40}", b in ".{0,40}") {
            prop_assert_eq!(info(&backup(1), &a).unwrap() == info(&backup(1), &b).unwrap(), a == b);
        }
    }
}
