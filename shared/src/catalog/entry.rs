//! Making drafts.

use std::collections::BTreeSet;

use super::draft::{Draft, Drafts, Key, Section};

impl Draft {
    /// An entry with what every entry has and nothing else: no owner, no SQL, sorted by its tag.
    pub fn blank(key: Key, desc: &'static str, section: Section, tag: String) -> Self {
        Self {
            key,
            desc,
            section,
            sort_name: tag.clone(),
            tag,
            namespace: None,
            owner: String::new(),
            tablespace: None,
            table_am: None,
            relkind: None,
            definition: String::new(),
            drop: String::new(),
            copy: None,
            data: None,
            depends: BTreeSet::new(),
        }
    }
}

impl Drafts {
    /// Adds an entry under its address.
    pub fn add(&mut self, mut draft: Draft) {
        draft.definition.shrink_to_fit();
        self.entries.insert(draft.key, draft);
    }
}
