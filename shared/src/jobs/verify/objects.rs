//! Level `objects`: what S3 says of every object, nothing downloaded.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{
    Reached, Summary, Verify,
    done::{Done, Each, Seen},
    inventory::Inventory,
};
use crate::{archive::manifest::Object, base::Result, jobs::progress::Tally, store::Head};

/// Questions to S3 at once.
const AT_ONCE: usize = 16;

impl Verify<'_> {
    /// Asks S3 for every object's size and checksum.
    ///
    /// # Errors
    /// Those of reaching S3.
    pub(super) async fn objects(&self, inventory: &Inventory, done: &mut Done) -> Result<Reached> {
        let objects = Arc::new(inventory.objects.clone());
        let tally = Arc::new(Tally::new(objects.len() as u64, 0));
        let already = objects.len() - done.left(objects.len()).len();
        tally.resumed(already as u64, 0, 0);
        let _reporter = tally.report_to(self.platform.ledger.clone(), self.lease.clone());
        let look = |place: usize| {
            let (objects, store) = (Arc::clone(&objects), inventory.files.store.clone());
            let key = inventory.key(&objects[place]);
            let told = inventory.told.contains(&objects[place].name);
            async move {
                if told {
                    return Ok(Seen::default());
                }
                let head = store.head(&key?).await?;
                Ok(judged(&objects[place], head.as_ref()))
            }
        };
        match self.each(done, objects.len(), AT_ONCE, look, |_| tally.part(0, true)).await? {
            Each::TimeUp(at) => Ok(Reached::TimeUp { stuck_at: at.map(|n| objects[n].name.clone()) }),
            Each::All => {
                let (count, bytes) = (objects.len(), inventory.manifest.bytes());
                let says =
                    format!("{count} objects of {bytes} bytes are there with their sizes and checksums");
                Ok(Reached::End(Summary { bytes: Some(bytes), says, ..Summary::default() }))
            }
        }
    }
}

/// What S3 says of an object, against what was stored.
fn judged(object: &Object, head: Option<&Head>) -> Seen {
    let problem = |what: String| Seen { problem: Some(what), ..Seen::default() };
    let Some(head) = head else { return problem(format!("{} is missing", object.name)) };
    if head.bytes != object.bytes {
        return problem(format!("{} has {} bytes instead of {}", object.name, head.bytes, object.bytes));
    }
    let Some(there) = &head.checksum else {
        let warning = format!("S3 keeps no SHA-256 of {}; the level read would prove it", object.name);
        return Seen { warning: Some(warning), ..Seen::default() };
    };
    let written = match &object.s3_checksum {
        Some(checksum) => checksum.clone(),
        // Stored in one request: S3's checksum is that of the whole object.
        None => hex::decode(&object.sha256).map(|b| BASE64_STANDARD.encode(b)).unwrap_or_default(),
    };
    match same(there, &written) {
        true => Seen::default(),
        false => problem(format!("{} has another checksum at S3 than when it was written", object.name)),
    }
}

/// Two checksums; the number of parts, which not every store answers, counts where both have it.
fn same(a: &str, b: &str) -> bool {
    match (a.split_once('-'), b.split_once('-')) {
        (Some(a), Some(b)) => a == b,
        (a_parts, b_parts) => a_parts.map_or(a, |p| p.0) == b_parts.map_or(b, |p| p.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(bytes: u64, checksum: Option<&str>) -> Head {
        Head { bytes, checksum: checksum.map(str::to_owned), modified: None, etag: None, lock: None }
    }

    #[test]
    fn what_s3_says_is_held_against_the_manifest() {
        // SHA-256 of nothing.
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let there = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let mut object = Object::new("1.dat", 7, 7, empty);
        let problem = |o: &Object, h: Option<Head>| judged(o, h.as_ref()).problem.unwrap_or_default();
        assert_eq!(problem(&object, Some(head(7, Some(there)))), "");
        assert!(problem(&object, None).contains("missing"));
        assert!(problem(&object, Some(head(6, Some(there)))).contains("6 bytes instead of 7"));
        assert!(problem(&object, Some(head(7, Some("AAAA")))).contains("another checksum"));
        assert!(judged(&object, Some(&head(7, None))).warning.is_some());
        object.s3_checksum = Some("abc=-3".into());
        for (answer, good) in [("abc=-3", true), ("abc=", true), ("abc=-2", false), ("abd=-3", false)] {
            assert_eq!(problem(&object, Some(head(7, Some(answer)))).is_empty(), good, "{answer}");
        }
    }
}
