//! What the caller chose to leave out, and which entries that leaves.

use crate::archive::toc::Entry;

/// Choices of one restore; all false for everything that an archive holds but the properties of the database itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Choices {
    /// Definitions without rows and statistics.
    pub schema_only: bool,
    /// Rows, values of sequences and large objects, into what stands there.
    pub data_only: bool,
    /// No foreign keys, and no checks that are entries of their own.
    pub skip_constraints: bool,
    /// No `ALTER … OWNER TO`.
    pub no_owner: bool,
    /// No GRANT and REVOKE, no default privileges.
    pub no_privileges: bool,
    /// No publications.
    pub no_publications: bool,
    /// No subscriptions.
    pub no_subscriptions: bool,
    /// No security labels.
    pub no_security_labels: bool,
    /// Everything into the default tablespace.
    pub no_tablespaces: bool,
    /// Every table with the default access method.
    pub no_table_access_method: bool,
    /// Also the database's own settings, connection limit, comment, owner, grants and labels.
    pub database_properties: bool,
}

impl Choices {
    /// Whether the entry is to be restored. Rules: `_tocEntryRequired` in PostgreSQL's pg_backup_archiver.c.
    pub fn want(self, e: &Entry) -> bool {
        let attached = matches!(e.desc.as_str(), "ACL" | "COMMENT" | "SECURITY LABEL");
        // `PUBLICATION p` in the tag of a comment on it.
        let of =
            |kind: &str| e.desc.starts_with(kind) || (attached && e.tag.starts_with(&format!("{kind} ")));
        if is_of_database(e) && !self.database_properties {
            return false;
        }
        match e.desc.as_str() {
            // What ENCODING says, each session is told (see `target`); the other two are pinned in each session already. The database stands there.
            "ENCODING" | "STDSTRINGS" | "SEARCHPATH" => false,
            "ACL" | "ACL LANGUAGE" | "DEFAULT ACL" if self.no_privileges => false,
            "SECURITY LABEL" if self.no_security_labels => false,
            "MATERIALIZED VIEW DATA" | "STATISTICS DATA" if self.schema_only => false,
            _ if self.schema_only && is_of_large_objects(e) => false,
            "TABLE DATA" | "SEQUENCE SET" => true,
            _ if self.data_only => is_of_large_objects(e),
            _ if self.no_publications && of("PUBLICATION") => false,
            _ if self.no_subscriptions && of("SUBSCRIPTION") => false,
            _ => true,
        }
    }
}

/// Whether the entry is about the database itself: DATABASE, DATABASE PROPERTIES, and what hangs on the database.
pub fn is_of_database(e: &Entry) -> bool {
    match e.desc.as_str() {
        "DATABASE" | "DATABASE PROPERTIES" => true,
        "ACL" | "COMMENT" | "SECURITY LABEL" => e.tag.starts_with("DATABASE "),
        _ => false,
    }
}

/// Large objects count as rows, with what hangs on them.
fn is_of_large_objects(e: &Entry) -> bool {
    match e.desc.as_str() {
        "BLOB" | "BLOB METADATA" | "BLOBS" => true,
        "ACL" | "COMMENT" | "SECURITY LABEL" => {
            e.tag.starts_with("LARGE OBJECT ") || e.tag.starts_with("LARGE OBJECTS ")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hangs_on_an_object_goes_with_it() {
        let wanted = |choices: Choices, desc: &str, tag: &str| {
            choices.want(&Entry { desc: desc.into(), tag: tag.into(), ..Entry::default() })
        };
        let all = Choices::default();
        let no_publications = Choices { no_publications: true, ..all };
        for (desc, tag) in [
            ("PUBLICATION", "p"),
            ("PUBLICATION TABLE", "p t"),
            ("PUBLICATION TABLES IN SCHEMA", "p s"),
            ("COMMENT", "PUBLICATION p"),
        ] {
            assert!(wanted(all, desc, tag) && !wanted(no_publications, desc, tag), "{desc}");
        }
        assert!(wanted(no_publications, "COMMENT", "TABLE p"));
        let no_subscriptions = Choices { no_subscriptions: true, ..all };
        assert!(!wanted(no_subscriptions, "SUBSCRIPTION", "s"));
        assert!(!wanted(no_subscriptions, "SECURITY LABEL", "SUBSCRIPTION s"));
        for (desc, tag) in [
            ("DATABASE", "d"),
            ("DATABASE PROPERTIES", "d"),
            ("COMMENT", "DATABASE d"),
            ("ACL", "DATABASE d"),
        ] {
            let asked = Choices { database_properties: true, ..all };
            assert!(!wanted(all, desc, tag) && wanted(asked, desc, tag), "{desc} {tag}");
        }
        let labels = Choices { no_security_labels: true, ..all };
        assert!(!wanted(labels, "SECURITY LABEL", "TABLE t"));
        let schema = Choices { schema_only: true, ..all };
        for (desc, tag) in [
            ("STATISTICS DATA", "t"),
            ("BLOBS", "BLOBS"),
            ("COMMENT", "LARGE OBJECT 7"),
            ("MATERIALIZED VIEW DATA", "m"),
        ] {
            assert!(!wanted(schema, desc, tag), "{desc}");
        }
        assert!(wanted(schema, "STATISTICS", "s"));
        let data = Choices { data_only: true, ..all };
        for (desc, tag, goes) in [
            ("TABLE DATA", "t", true),
            ("SEQUENCE SET", "s", true),
            ("BLOBS", "BLOBS", true),
            ("ACL", "LARGE OBJECT 7", true),
            ("TABLE", "t", false),
            ("ACL", "TABLE t", false),
            ("MATERIALIZED VIEW DATA", "m", false),
            ("STATISTICS DATA", "t", false),
            ("INDEX", "i", false),
        ] {
            assert_eq!(wanted(data, desc, tag), goes, "{desc}");
        }
    }
}
