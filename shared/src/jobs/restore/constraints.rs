//! `skipConstraints`: foreign keys and checks that are entries of their own stay out. Primary keys, unique and exclusion constraints do not: they are
//! indexes, and other objects depend on them.

use std::collections::HashSet;

use super::plan::named;
use crate::archive::{Toc, toc::Entry};

/// How many the warning names.
const NAMED: usize = 10;

/// The entries that stay, and what is to be told of the others; none where there are no others.
pub(super) fn skip(toc: &Toc) -> Option<(HashSet<i32>, String)> {
    let is_skipped = |desc: &str| matches!(desc, "FK CONSTRAINT" | "CHECK CONSTRAINT");
    let skipped: Vec<_> = toc.entries.iter().filter(|e| is_skipped(&e.desc)).collect();
    if skipped.is_empty() {
        return None;
    }
    let ids: HashSet<i32> = skipped.iter().map(|e| e.dump_id).collect();
    // Comments on them; nothing else hangs on one.
    let hangs = |e: &Entry| {
        matches!(e.desc.as_str(), "COMMENT" | "SECURITY LABEL")
            && e.dependencies.iter().any(|id| ids.contains(id))
    };
    let stays = |e: &&Entry| !(ids.contains(&e.dump_id) || hangs(e));
    let kept = toc.entries.iter().filter(stays).map(|e| e.dump_id).collect();
    let names: Vec<String> = skipped.iter().take(NAMED).map(|e| named(e)).collect();
    let more = skipped.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let told = format!(
        "{} foreign keys and checks were left out (skipConstraints): {}{more}",
        skipped.len(),
        names.join(", ")
    );
    Some((kept, told))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Codec, toc::Header};

    #[test]
    fn what_other_objects_depend_on_stays() {
        let entry = |dump_id, desc: &str, dependencies: &[i32]| Entry {
            dump_id,
            desc: desc.into(),
            tag: format!("t c{dump_id}"),
            namespace: Some("s".into()),
            dependencies: dependencies.to_vec(),
            ..Entry::default()
        };
        let header = Header::new(Codec::None, jiff::Timestamp::UNIX_EPOCH, "d", "18.4");
        let mut toc = Toc {
            header,
            entries: vec![
                entry(1, "TABLE", &[]),
                entry(2, "CONSTRAINT", &[1]),
                entry(3, "FK CONSTRAINT", &[1, 2]),
                entry(4, "CHECK CONSTRAINT", &[1]),
                entry(5, "COMMENT", &[3]),
                entry(6, "COMMENT", &[2]),
            ],
        };
        let (kept, told) = skip(&toc).unwrap();
        let mut kept: Vec<i32> = kept.into_iter().collect();
        kept.sort_unstable();
        assert_eq!(kept, [1, 2, 6]);
        assert!(told.starts_with("2 foreign keys and checks were left out"), "{told}");
        assert!(told.ends_with("FK CONSTRAINT s.t c3, CHECK CONSTRAINT s.t c4"), "{told}");
        toc.entries.retain(|e| kept.contains(&e.dump_id));
        assert!(skip(&toc).is_none());
    }
}
