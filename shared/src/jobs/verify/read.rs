//! Level `read`: every object downloaded once, decompressed, its rows counted and hashed.

use std::sync::Arc;

use super::{
    Reached, Summary, Verify,
    content::Content,
    done::{Done, Each, Seen},
    inventory::{Inventory, of_the_backup},
};
use crate::{
    archive::{Manifest, manifest::Object},
    base::{Kind, Result},
    jobs::{
        decoded::{Files, expected},
        progress::Tally,
    },
    store::Reading,
};

impl Verify<'_> {
    /// Reads all objects.
    ///
    /// # Errors
    /// Those of reaching S3.
    pub(super) async fn read(&self, inventory: &Inventory, done: &mut Done) -> Result<Reached> {
        inventory.contents(done).await?;
        let objects = Arc::new(inventory.objects.clone());
        let manifest = Arc::new(inventory.manifest.clone());
        let total = inventory.manifest.bytes();
        let tally = Arc::new(Tally::new(objects.len() as u64, total));
        let left = done.left(objects.len());
        let left_bytes: u64 = left.iter().map(|n| objects[*n].bytes).sum();
        let earlier = total.saturating_sub(left_bytes);
        tally.resumed((objects.len() - left.len()) as u64, earlier, earlier);
        let _reporter = tally.report_to(self.platform.ledger.clone(), self.lease.clone());
        let look = |place: usize| {
            let (objects, files) = (Arc::clone(&objects), inventory.files.clone());
            let tally = Arc::clone(&tally);
            let manifest = Arc::clone(&manifest);
            let told = inventory.told.contains(&objects[place].name);
            async move {
                if told {
                    return Ok(Seen::default());
                }
                look(&files, &objects[place], &manifest, &tally).await
            }
        };
        let at_once = self.platform.config.concurrency;
        match self.each(done, objects.len(), at_once, look, |seen| tally.part(seen.bytes, true)).await? {
            Each::TimeUp(at) => Ok(Reached::TimeUp { stuck_at: at.map(|n| objects[n].name.clone()) }),
            Each::All => {
                let says = format!(
                    "{} objects of {total} bytes read, {} rows in them, all with their checksums and hashes",
                    objects.len(),
                    done.rows
                );
                Ok(Reached::End(Summary { rows: Some(done.rows), tables: None, bytes: Some(total), says }))
            }
        }
    }
}

async fn look(files: &Files, object: &Object, manifest: &Manifest, tally: &Tally) -> Result<Seen> {
    let bytes = object.bytes;
    match read(files, object, manifest, tally).await {
        Ok(rows) => Ok(Seen { rows, bytes, ..Seen::default() }),
        Err(e) if e.kind() == Kind::NotFound => {
            Ok(Seen { problem: Some(format!("{} is missing", object.name)), bytes, ..Seen::default() })
        }
        Err(e) if of_the_backup(e.kind()) => {
            let problem = if e.message().contains(&object.name) {
                e.message().to_owned()
            } else {
                format!("{}: {}", object.name, e.message())
            };
            Ok(Seen { problem: Some(problem), bytes, ..Seen::default() })
        }
        Err(e) => Err(e),
    }
}

/// Rows of an object that is as it was written.
async fn read(files: &Files, object: &Object, manifest: &Manifest, tally: &Tally) -> Result<u64> {
    let mut content = Content::of(object, manifest);
    // What a damaged file decodes to, and whether at all, means nothing: the SHA-256 at its end says why. So it is read to its end first.
    if let Err(wrong) = decode(files, object, &mut content, tally).await {
        let mut file = Reading::open(&files.store, &files.key(&object.name)?, Some(expected(object))).await?;
        while file.next().await?.is_some() {}
        return Err(wrong);
    }
    content.finish(object)
}

async fn decode(files: &Files, object: &Object, content: &mut Content, tally: &Tally) -> Result<()> {
    let mut file = files.object(object).await?;
    let mut stored = 0;
    while let Some(mut piece) = file.next().await? {
        content.push(&mut piece)?;
        let read = file.stored();
        tally.bytes(read - stored);
        stored = read;
    }
    Ok(())
}
