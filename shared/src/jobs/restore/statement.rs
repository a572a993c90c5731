//! From an entry of the table of contents to the SQL that restores it: what `_printTocEntry` in PostgreSQL's pg_backup_archiver.c sends.

use super::{
    choices::Choices,
    sql::{Kind as Token, replaced, tokens},
};
use crate::{
    archive::toc::Entry,
    base::{Error, Kind, Result},
    jobs::restore::plan::named,
    pg::{ident, qualified},
};

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

/// Refuses what pg_dump never writes in the fields that become SQL of our own: a changed archive cannot hide a statement in them.
///
/// # Errors
/// [`Kind::Corrupt`] naming the entry and the field.
pub fn check(entry: &Entry) -> Result<()> {
    let refuse = |what: &str| {
        Err(Error::new(Kind::Corrupt, format!("{what} of {} is not as pg_dump writes it", named(entry))))
    };
    let oid = |text: &str| text.trim().parse::<u32>().is_ok_and(|oid| oid > 0);
    match entry.desc.as_str() {
        "BLOB" if !oid(&entry.tag) => return refuse("the name"),
        "BLOB METADATA" if !entry.defn.as_deref().unwrap_or_default().lines().all(oid) => {
            return refuse("the list");
        }
        kind if DECORATED.contains(&kind) => {
            let empty = entry.drop_stmt.as_deref().is_none_or(|d| d.trim().is_empty());
            if owner(entry).is_some() && !empty && dropped(entry).is_none() {
                return refuse("the DROP statement");
            }
        }
        _ => {}
    }
    match entry.copy_stmt.as_deref() {
        Some(copy) if entry.had_dumper && !copy.is_empty() && copied(copy).is_none() => {
            refuse("the COPY statement")
        }
        _ => Ok(()),
    }
}

/// What a COPY statement names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// None where the statement does not say.
    pub schema: Option<String>,
    /// The table.
    pub table: String,
    /// The columns, in the order of the rows.
    pub columns: Vec<String>,
}

/// Reads `COPY schema.table (column, …) FROM stdin;`, the columns left out where a table has none; none for anything else.
pub fn copied(sql: &str) -> Option<Copied> {
    let all = tokens(sql)?;
    let mut rest = all.iter().peekable();
    rest.next().filter(|t| t.is("copy"))?;
    let mut table = rest.next()?.name()?.to_owned();
    let mut schema = None;
    if rest.next_if(|t| t.is_symbol('.')).is_some() {
        schema = Some(std::mem::replace(&mut table, rest.next()?.name()?.to_owned()));
    }
    let mut columns = Vec::new();
    if rest.next_if(|t| t.is_symbol('(')).is_some() {
        loop {
            columns.push(rest.next()?.name()?.to_owned());
            match rest.next()? {
                t if t.is_symbol(',') => {}
                t if t.is_symbol(')') => break,
                _ => return None,
            }
        }
    }
    let from = rest.next()?.is("from") && rest.next()?.is("stdin");
    rest.next_if(|t| t.is_symbol(';'));
    (from && rest.next().is_none()).then_some(Copied { schema, table, columns })
}

/// `FUNCTION public.f(integer)` of `DROP FUNCTION public.f(integer);`.
fn dropped(entry: &Entry) -> Option<String> {
    let text = entry.drop_stmt.as_deref()?.trim_end();
    let object = text.strip_prefix("DROP ")?.strip_suffix(';')?;
    let of_its_kind = object.strip_prefix(entry.desc.as_str())?.starts_with(' ');
    let single = !tokens(object)?.iter().any(|t| t.is_symbol(';'));
    // A comment would reach into what follows.
    let plain = tokens(&format!("{object} x"))?.last()?.is("x");
    (of_its_kind && single && plain).then(|| object.to_owned())
}

fn owner(entry: &Entry) -> Option<&str> {
    entry.owner.as_deref().filter(|o| !o.is_empty())
}

/// Whether the entry grants or revokes.
pub fn is_privilege(entry: &Entry) -> bool {
    matches!(entry.desc.as_str(), "ACL" | "ACL LANGUAGE" | "DEFAULT ACL")
}

/// The statements of one entry, to be sent one after another in one session; empty when there is nothing to run.
///
/// Large objects from archives of version 1.16 on come as one BLOB METADATA entry for many, and so do their grants, which are written for the first
/// of them only (`IssueACLPerBlob` in pg_backup_archiver.c): each object gets its statements. `metadata` is the BLOB METADATA entry that a grant
/// depends on.
pub fn statements(entry: &Entry, metadata: Option<&Entry>, choices: Choices) -> Vec<String> {
    let definition = entry.defn.as_deref().unwrap_or_default();
    if let Some(metadata) = metadata
        && is_shared_grant(entry)
    {
        return grants_of_each(definition, metadata.defn.as_deref().unwrap_or_default());
    }
    if entry.desc == "BLOB METADATA" {
        return large_objects(entry, definition, choices);
    }
    let mut all = Vec::new();
    if !definition.trim().is_empty() && !is_remark(definition) {
        all.push(definition.to_owned());
    }
    if !choices.no_owner
        && let Some(owner) = owner(entry)
        && let Some(object) = owned_object(entry)
    {
        all.push(format!("ALTER {object} OWNER TO {};", ident(owner)));
    }
    // A partitioned table has no storage, so the setting does not reach it (17 and later).
    if entry.relkind == Some('p')
        && !choices.no_table_access_method
        && let Some(method) = entry.table_am.as_deref().filter(|m| !m.is_empty())
    {
        let table = qualified(entry.namespace.as_deref().unwrap_or_default(), &entry.tag);
        all.push(format!("ALTER TABLE {table} SET ACCESS METHOD {};", ident(method)));
    }
    all
}

/// The role that the entry's object is given to; none for kinds without an owner of their own.
pub fn new_owner(entry: &Entry) -> Option<&str> {
    let owner = owner(entry)?;
    (matches!(entry.desc.as_str(), "BLOB METADATA" | "DATABASE") || owned_object(entry).is_some())
        .then_some(owner)
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
        return dropped(entry);
    }
    None
}

/// The definition lists oids, one a line (`pg_dump` 17 and later).
fn large_objects(entry: &Entry, definition: &str, choices: Choices) -> Vec<String> {
    let owner = owner(entry).filter(|_| !choices.no_owner);
    let mut all = Vec::new();
    for oid in definition.lines().filter_map(|l| l.trim().parse::<u32>().ok()) {
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
    let Some(all) = tokens(definition) else { return vec![definition.to_owned()] };
    let places: Vec<_> = all
        .windows(3)
        .filter(|t| t[0].is("large") && t[1].is("object") && matches!(t[2].kind, Token::Number(_)))
        .map(|t| t[2].at.clone())
        .collect();
    let each = oids.lines().map(str::trim).filter(|l| !l.is_empty());
    each.map(|oid| replaced(definition, places.iter().map(|at| (at.clone(), oid.to_owned())).collect()))
        .collect()
}

/// `SET` statements for what a definition leaves unsaid: tablespace and table access method. Only what differs from `before` is sent.
pub fn settings(entry: &Entry, before: &mut Settings, choices: Choices) -> Option<String> {
    let mut sql = String::new();
    if !choices.no_tablespaces
        && let Some(tablespace) = &entry.tablespace
        && before.tablespace.as_ref() != Some(tablespace)
    {
        let value = if tablespace.is_empty() { "''".to_owned() } else { ident(tablespace) };
        sql.push_str(&format!("SET default_tablespace = {value};"));
        before.tablespace = Some(tablespace.clone());
    }
    if !choices.no_table_access_method
        && let Some(method) = entry.table_am.as_ref().filter(|m| !m.is_empty())
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
            statements(&e, None, Choices::default()),
            ["CREATE TABLE …;\n", "ALTER TABLE public.\"user\" OWNER TO \"App\";"]
        );
        assert_eq!(statements(&e, None, Choices { no_owner: true, ..Choices::default() }).len(), 1);
        let mut f = entry("FUNCTION", Some("public"), "f(integer)", "CREATE FUNCTION …;\n");
        f.drop_stmt = Some("DROP FUNCTION public.f(integer);\n".into());
        assert_eq!(
            statements(&f, None, Choices::default())[1],
            "ALTER FUNCTION public.f(integer) OWNER TO \"App\";"
        );
        assert_eq!(
            statements(&entry("INDEX", Some("public"), "i", "CREATE INDEX …;"), None, Choices::default())
                .len(),
            1
        );
    }

    #[test]
    fn a_remark_is_not_sent_but_its_owner_is() {
        let e = entry("SCHEMA", None, "public", "-- *not* creating schema, since initdb creates it\n\n");
        assert_eq!(statements(&e, None, Choices::default()), ["ALTER SCHEMA public OWNER TO \"App\";"]);
    }

    #[test]
    fn large_objects_of_later_archives_come_in_lists() {
        let e = entry("BLOB METADATA", None, "16..17", "16\n17\n");
        let sql = statements(&e, None, Choices::default());
        assert_eq!(sql.len(), 4);
        assert_eq!(sql[2], "SELECT pg_catalog.lo_create('17');");
    }

    #[test]
    fn grants_on_many_large_objects_reach_each() {
        let metadata = entry("BLOB METADATA", None, "16..18", "16\n17\n18\n");
        let grant = "REVOKE ALL ON LARGE OBJECT 16 FROM o;\nGRANT SELECT ON LARGE OBJECT 16 TO \"x ON LARGE OBJECT 16 y\";\n";
        let acl = entry("ACL", None, "LARGE OBJECTS 16..18", grant);
        let sql = statements(&acl, Some(&metadata), Choices::default());
        assert_eq!(sql.len(), 3);
        assert_eq!(
            sql[2],
            "REVOKE ALL ON LARGE OBJECT 18 FROM o;\nGRANT SELECT ON LARGE OBJECT 18 TO \"x ON LARGE OBJECT 16 y\";\n"
        );
    }

    #[test]
    fn settings_are_sent_when_they_change() {
        let mut session = Settings::default();
        let mut e = entry("TABLE", Some("public"), "t", "");
        e.tablespace = Some(String::new());
        e.table_am = Some("heap".into());
        assert_eq!(
            settings(&e, &mut session, Choices::default()).as_deref(),
            Some("SET default_tablespace = '';SET default_table_access_method = heap;")
        );
        assert_eq!(settings(&e, &mut session, Choices::default()), None);
        e.tablespace = Some("fast".into());
        assert_eq!(
            settings(&e, &mut session, Choices::default()).as_deref(),
            Some("SET default_tablespace = fast;")
        );
    }

    #[test]
    fn a_partitioned_table_is_told_its_access_method() {
        let mut e = entry("TABLE", Some("public"), "t", "CREATE TABLE …;\n");
        (e.relkind, e.table_am) = (Some('p'), Some("Columns".into()));
        assert_eq!(
            statements(&e, None, Choices::default())[2],
            "ALTER TABLE public.t SET ACCESS METHOD \"Columns\";"
        );
        assert_eq!(settings(&e, &mut Settings::default(), Choices::default()), None);
        let without = Choices { no_table_access_method: true, ..Choices::default() };
        assert_eq!(statements(&e, None, without).len(), 2);
    }

    #[test]
    fn fields_that_become_sql_hold_nothing_else() {
        let with = |desc: &str, tag: &str, drop: &str, copy: &str| {
            let mut e = entry(desc, Some("public"), tag, "7\n");
            e.drop_stmt = Some(drop.into());
            e.copy_stmt = Some(copy.into());
            e.had_dumper = !copy.is_empty();
            check(&e).map_err(|e| e.kind())
        };
        for (desc, tag, drop, copy) in [
            ("BLOB", "16", "", ""),
            ("BLOB METADATA", "7..7", "", ""),
            ("FUNCTION", "f()", "DROP FUNCTION public.\"f;--\"(integer);\n", ""),
            ("OPERATOR", "+", "DROP OPERATOR public.+ (integer, NONE);\n", ""),
            ("TABLE DATA", "t", "", "COPY public.\"t; x\" (a, \"b)\") FROM stdin;\n"),
            ("TABLE DATA", "t", "", "COPY public.t  FROM stdin;\n"),
        ] {
            assert_eq!(with(desc, tag, drop, copy), Ok(()), "{desc} {tag} {drop} {copy}");
        }
        for (desc, tag, drop, copy) in [
            ("BLOB", "16 OWNER TO x; SELECT 1", "", ""),
            ("FUNCTION", "f()", "DROP FUNCTION f(); SELECT 1; --\n", ""),
            ("FUNCTION", "f()", "DROP FUNCTION f() --;", ""),
            ("FUNCTION", "f()", "DROP TABLE t;", ""),
            ("OPERATOR CLASS", "o", "DROP OPERATOR CLASS o USING btree", ""),
            ("TABLE DATA", "t", "", "COPY public.t (a) FROM PROGRAM 'touch /tmp/x';\n"),
            ("TABLE DATA", "t", "", "COPY public.t (a) FROM stdin; DROP TABLE t;\n"),
            ("TABLE DATA", "t", "", "COPY (DELETE FROM t RETURNING *) TO stdout;\n"),
            ("TABLE DATA", "t", "", "COPY public.t FROM stdin WITH (FREEZE);\n"),
            ("TABLE DATA", "t", "", "DROP TABLE t;\n"),
        ] {
            assert_eq!(with(desc, tag, drop, copy), Err(Kind::Corrupt), "{desc} {tag} {drop} {copy}");
        }
        let mut list = entry("BLOB METADATA", None, "1..2", "1\n2; DROP TABLE t\n");
        assert!(check(&list).is_err());
        list.defn = Some("1\n2\n".into());
        assert!(check(&list).is_ok());
    }
}
