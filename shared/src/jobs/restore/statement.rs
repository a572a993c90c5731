//! From an entry of the table of contents to the SQL that restores it: what `_printTocEntry` in PostgreSQL's pg_backup_archiver.c sends.

use crate::{
    archive::toc::Entry,
    pg::{ident, qualified},
};

/// What the caller left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Leave {
    /// No `ALTER … OWNER TO`.
    pub owner: bool,
    /// No GRANT and REVOKE, no default privileges.
    pub privileges: bool,
}

/// Kinds whose object is named by desc, schema and tag.
const PLAIN: &[&str] = &[
    "COLLATION",
    "CONVERSION",
    "DOMAIN",
    "EVENT TRIGGER",
    "FOREIGN DATA WRAPPER",
    "FOREIGN TABLE",
    "MATERIALIZED VIEW",
    "PROCEDURAL LANGUAGE",
    "PUBLICATION",
    "SCHEMA",
    "SEQUENCE",
    "SERVER",
    "STATISTICS",
    "SUBSCRIPTION",
    "TABLE",
    "TEXT SEARCH CONFIGURATION",
    "TEXT SEARCH DICTIONARY",
    "TYPE",
    "VIEW",
];

/// Kinds whose object only the DROP statement names in full (argument types, access methods).
const DECORATED: &[&str] =
    &["AGGREGATE", "FUNCTION", "OPERATOR", "OPERATOR CLASS", "OPERATOR FAMILY", "PROCEDURE"];

/// Whether the entry grants or revokes.
pub fn is_privilege(entry: &Entry) -> bool {
    matches!(entry.desc.as_str(), "ACL" | "ACL LANGUAGE" | "DEFAULT ACL")
}

/// The statements of one entry, to be sent one after another in one session; empty when there is nothing to run.
///
/// Large objects from archives of version 1.16 on come as one BLOB METADATA entry for many, and so do their grants, which are written for the first
/// of them only (`IssueACLPerBlob` in pg_backup_archiver.c): each object gets its statements. `metadata` is the BLOB METADATA entry that a grant
/// depends on.
pub fn statements(entry: &Entry, metadata: Option<&Entry>, leave: Leave) -> Vec<String> {
    if leave.privileges && is_privilege(entry) {
        return Vec::new();
    }
    let definition = entry.defn.as_deref().unwrap_or_default();
    if let Some(metadata) = metadata
        && is_shared_grant(entry)
    {
        return grants_of_each(definition, metadata.defn.as_deref().unwrap_or_default());
    }
    if entry.desc == "BLOB METADATA" {
        return large_objects(entry, definition, leave);
    }
    let mut all = Vec::new();
    if !definition.trim().is_empty() && !is_remark(definition) {
        all.push(definition.to_owned());
    }
    all.extend(partitions_access_method(entry));
    if !leave.owner
        && let Some(owner) = entry.owner.as_deref().filter(|o| !o.is_empty())
        && let Some(object) = owned_object(entry)
    {
        all.push(format!("ALTER {object} OWNER TO {};", ident(owner)));
    }
    all
}

/// A partitioned table has no storage: its access method is that of partitions to come, which `default_table_access_method` does not set.
fn partitions_access_method(entry: &Entry) -> Option<String> {
    let method = entry.table_am.as_deref().filter(|m| !m.is_empty() && entry.relkind == Some('p'))?;
    let table = owned_object(entry)?;
    Some(format!("ALTER {table} SET ACCESS METHOD {};", ident(method)))
}

/// The role that the entry's object is given to; none for kinds without an owner of their own.
pub fn new_owner(entry: &Entry) -> Option<&str> {
    let owner = entry.owner.as_deref().filter(|o| !o.is_empty())?;
    (entry.desc == "BLOB METADATA" || owned_object(entry).is_some()).then_some(owner)
}

/// pg_dump writes a remark in place of `CREATE SCHEMA public`, which initdb makes.
fn is_remark(definition: &str) -> bool {
    definition.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with("--"))
}

/// `TABLE public.users`, as ALTER … OWNER TO names it; none for kinds without an owner of their own.
fn owned_object(entry: &Entry) -> Option<String> {
    let desc = entry.desc.as_str();
    if desc == "BLOB" {
        return Some(format!("LARGE OBJECT {}", entry.tag));
    }
    if PLAIN.contains(&desc) {
        let name = match entry.namespace.as_deref().filter(|n| !n.is_empty()) {
            Some(schema) => qualified(schema, &entry.tag),
            None => ident(&entry.tag),
        };
        return Some(format!("{desc} {name}"));
    }
    if DECORATED.contains(&desc) {
        let drop = entry.drop_stmt.as_deref()?.trim_end().trim_end_matches(';');
        return drop.strip_prefix("DROP ").map(str::to_owned);
    }
    None
}

/// The definition lists oids, one a line (`pg_dump` 17 and later); a list that is none is left to fail on the server, by name.
fn large_objects(entry: &Entry, definition: &str, leave: Leave) -> Vec<String> {
    let owner = entry.owner.as_deref().filter(|o| !o.is_empty() && !leave.owner);
    let mut all = Vec::new();
    for oid in definition.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let Ok(oid) = oid.parse::<u32>() else {
            all.push(definition.to_owned());
            return all;
        };
        all.push(format!("SELECT pg_catalog.lo_create('{oid}');"));
        if let Some(owner) = owner {
            all.push(format!("ALTER LARGE OBJECT {oid} OWNER TO {};", ident(owner)));
        }
    }
    all
}

/// Whether the entry's grants are written for one large object and meant for several.
pub fn is_shared_grant(entry: &Entry) -> bool {
    entry.desc == "ACL" && entry.tag.starts_with("LARGE OBJECTS ")
}

fn grants_of_each(definition: &str, oids: &str) -> Vec<String> {
    let mut oids = oids.lines().map(str::trim).filter(|l| !l.is_empty());
    let Some(first) = oids.next() else { return vec![definition.to_owned()] };
    let written = format!(" ON LARGE OBJECT {first} ");
    let others = oids.map(|oid| definition.replace(&written, &format!(" ON LARGE OBJECT {oid} ")));
    std::iter::once(definition.to_owned()).chain(others).collect()
}

/// `SET` statements for what a definition leaves unsaid: tablespace and table access method. Only what differs from `before` is sent.
pub fn settings(entry: &Entry, before: &mut Settings) -> Option<String> {
    let mut sql = String::new();
    if let Some(tablespace) = &entry.tablespace
        && before.tablespace.as_ref() != Some(tablespace)
    {
        let value = if tablespace.is_empty() { "''".to_owned() } else { ident(tablespace) };
        sql.push_str(&format!("SET default_tablespace = {value};"));
        before.tablespace = Some(tablespace.clone());
    }
    if let Some(method) = entry.table_am.as_ref().filter(|m| !m.is_empty())
        && entry.relkind != Some('p')
        && before.table_am.as_ref() != Some(method)
    {
        sql.push_str(&format!("SET default_table_access_method = {};", ident(method)));
        before.table_am = Some(method.clone());
    }
    (!sql.is_empty()).then_some(sql)
}

/// What one session was last told by [`settings`].
#[derive(Debug, Clone, Default)]
pub struct Settings {
    tablespace: Option<String>,
    table_am: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(desc: &str, namespace: Option<&str>, tag: &str, defn: &str) -> Entry {
        Entry {
            desc: desc.into(),
            namespace: namespace.map(str::to_owned),
            tag: tag.into(),
            defn: Some(defn.into()),
            owner: Some("App".into()),
            ..Entry::default()
        }
    }

    #[test]
    fn owners_follow_definitions() {
        let e = entry("TABLE", Some("public"), "user", "CREATE TABLE …;\n");
        assert_eq!(
            statements(&e, None, Leave::default()),
            ["CREATE TABLE …;\n", "ALTER TABLE public.\"user\" OWNER TO \"App\";"]
        );
        assert_eq!(statements(&e, None, Leave { owner: true, ..Leave::default() }).len(), 1);
        let mut f = entry("FUNCTION", Some("public"), "f(integer)", "CREATE FUNCTION …;\n");
        f.drop_stmt = Some("DROP FUNCTION public.f(integer);\n".into());
        assert_eq!(
            statements(&f, None, Leave::default())[1],
            "ALTER FUNCTION public.f(integer) OWNER TO \"App\";"
        );
        assert_eq!(
            statements(&entry("INDEX", Some("public"), "i", "CREATE INDEX …;"), None, Leave::default()).len(),
            1
        );
    }

    #[test]
    fn a_remark_is_not_sent_but_its_owner_is() {
        let e = entry("SCHEMA", None, "public", "-- *not* creating schema, since initdb creates it\n\n");
        assert_eq!(statements(&e, None, Leave::default()), ["ALTER SCHEMA public OWNER TO \"App\";"]);
    }

    #[test]
    fn privileges_can_be_left_out() {
        let e = entry("ACL", Some("public"), "TABLE t", "GRANT SELECT ON TABLE public.t TO app;\n");
        assert_eq!(statements(&e, None, Leave::default()).len(), 1);
        assert!(statements(&e, None, Leave { privileges: true, ..Leave::default() }).is_empty());
    }

    #[test]
    fn large_objects_of_later_archives_come_in_lists() {
        let e = entry("BLOB METADATA", None, "16..17", "16\n17\n");
        let sql = statements(&e, None, Leave::default());
        assert_eq!(sql.len(), 4);
        assert_eq!(sql[2], "SELECT pg_catalog.lo_create('17');");
    }

    #[test]
    fn grants_on_many_large_objects_reach_each() {
        let metadata = entry("BLOB METADATA", None, "16..18", "16\n17\n18\n");
        let grant = "REVOKE ALL ON LARGE OBJECT 16 FROM o;\nGRANT SELECT ON LARGE OBJECT 16 TO r;\n";
        let acl = entry("ACL", None, "LARGE OBJECTS 16..18", grant);
        let sql = statements(&acl, Some(&metadata), Leave::default());
        assert_eq!(sql.len(), 3);
        assert_eq!(sql[2], "REVOKE ALL ON LARGE OBJECT 18 FROM o;\nGRANT SELECT ON LARGE OBJECT 18 TO r;\n");
    }

    #[test]
    fn a_partitioned_table_is_told_its_access_method() {
        let mut e = entry("TABLE", Some("public"), "t", "CREATE TABLE …;\n");
        e.table_am = Some("He ap".into());
        assert_eq!(statements(&e, None, Leave::default()).len(), 2);
        e.relkind = Some('p');
        assert_eq!(
            statements(&e, None, Leave::default())[1],
            "ALTER TABLE public.t SET ACCESS METHOD \"He ap\";"
        );
        assert_eq!(settings(&e, &mut Settings::default()), None);
    }

    #[test]
    fn settings_are_sent_when_they_change() {
        let mut session = Settings::default();
        let mut e = entry("TABLE", Some("public"), "t", "");
        e.tablespace = Some(String::new());
        e.table_am = Some("heap".into());
        assert_eq!(
            settings(&e, &mut session).as_deref(),
            Some("SET default_tablespace = '';SET default_table_access_method = heap;")
        );
        assert_eq!(settings(&e, &mut session), None);
        e.tablespace = Some("fast".into());
        assert_eq!(settings(&e, &mut session).as_deref(), Some("SET default_tablespace = fast;"));
    }
}
