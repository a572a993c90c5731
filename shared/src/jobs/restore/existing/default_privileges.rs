//! Default privileges that the archive has as well: standing, they would reach everything that is made, as they did not in the database that was
//! backed up.

use std::collections::BTreeSet;

use super::{Tried, listed, try_one};
use crate::{
    archive::toc::Entry,
    base::Result,
    jobs::restore::plan::shown,
    pg::{Session, ident},
};

/// `pg_default_acl.defaclobjtype`, the word of ALTER DEFAULT PRIVILEGES, and what PUBLIC has where nobody says otherwise (`acldefault` in acl.c).
const KINDS: &[(&str, &str, Option<&str>)] = &[
    ("r", "TABLES", None),
    ("S", "SEQUENCES", None),
    ("f", "FUNCTIONS", Some("EXECUTE")),
    ("T", "TYPES", Some("USAGE")),
    ("n", "SCHEMAS", None),
    ("L", "LARGE OBJECTS", None),
];

/// Role, schema (empty for all), word.
pub(super) type Of = (String, String, &'static str);

/// What a DEFAULT ACL entry is about.
pub(super) fn of(e: &Entry) -> Option<Of> {
    let word = e.tag.strip_prefix("DEFAULT PRIVILEGES FOR ").filter(|_| e.desc == "DEFAULT ACL")?;
    let (_, word, _) = KINDS.iter().find(|(_, known, _)| *known == word)?;
    Some((e.owner.clone()?, e.namespace.clone().unwrap_or_default(), word))
}

/// Sets those that stand in the target to what they are where nobody says otherwise; tells which it could not.
pub(super) async fn reset(session: &Session, all: &BTreeSet<Of>) -> Result<Option<String>> {
    if all.is_empty() {
        return Ok(None);
    }
    let sql = "SELECT r.rolname::pg_catalog.text, coalesce(n.nspname::pg_catalog.text, ''), d.defaclobjtype::pg_catalog.text, \
                 ARRAY(SELECT DISTINCT coalesce(g.rolname::pg_catalog.text, '') FROM pg_catalog.aclexplode(d.defaclacl) a LEFT JOIN pg_catalog.pg_roles g ON g.oid = a.grantee) \
               FROM pg_catalog.pg_default_acl d JOIN pg_catalog.pg_roles r ON r.oid = d.defaclrole \
               LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace ORDER BY 1, 2, 3";
    let mut left = Vec::new();
    for row in session.query(sql, &[]).await.map_err(|e| session.error(e))? {
        let (role, schema, kind): (String, String, &str) = (row.get(0), row.get(1), row.get(2));
        let Some((_, word, public)) = KINDS.iter().find(|(letter, _, _)| *letter == kind) else { continue };
        if !all.contains(&(role.clone(), schema.clone(), *word)) {
            continue;
        }
        let statements = statements(&role, &schema, word, *public, row.get(3));
        if let Tried::Failed(why) = try_one(session, &statements).await? {
            left.push(format!("of {} for {word} ({why})", shown(&role)));
        }
    }
    Ok((!left.is_empty()).then(|| {
        format!("default privileges stood in the target and reached what was restored: {}", listed(&left))
    }))
}

/// An empty grantee is PUBLIC.
fn statements(role: &str, schema: &str, word: &str, public: Option<&str>, grantees: Vec<String>) -> String {
    let within = if schema.is_empty() { String::new() } else { format!(" IN SCHEMA {}", ident(schema)) };
    let alter = format!("ALTER DEFAULT PRIVILEGES FOR ROLE {}{within}", ident(role));
    let mut all: Vec<String> = grantees
        .iter()
        .map(|g| if g.is_empty() { "PUBLIC".to_owned() } else { ident(g) })
        .map(|grantee| format!("{alter} REVOKE ALL ON {word} FROM {grantee}"))
        .collect();
    if schema.is_empty() {
        all.push(format!("{alter} GRANT ALL ON {word} TO {}", ident(role)));
        all.extend(public.map(|privilege| format!("{alter} GRANT {privilege} ON {word} TO PUBLIC")));
    }
    all.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_says_is_as_the_server_has_it() {
        let sql = statements("a\"b", "", "FUNCTIONS", Some("EXECUTE"), vec![String::new(), "c".into()]);
        let alter = "ALTER DEFAULT PRIVILEGES FOR ROLE \"a\"\"b\"";
        assert_eq!(
            sql,
            format!(
                "{alter} REVOKE ALL ON FUNCTIONS FROM PUBLIC; {alter} REVOKE ALL ON FUNCTIONS FROM c; \
                 {alter} GRANT ALL ON FUNCTIONS TO \"a\"\"b\"; {alter} GRANT EXECUTE ON FUNCTIONS TO PUBLIC"
            )
        );
        let sql = statements("a", "s", "TABLES", None, vec!["c".into()]);
        assert_eq!(sql, "ALTER DEFAULT PRIVILEGES FOR ROLE a IN SCHEMA s REVOKE ALL ON TABLES FROM c");
        let entry = Entry {
            desc: "DEFAULT ACL".into(),
            tag: "DEFAULT PRIVILEGES FOR LARGE OBJECTS".into(),
            owner: Some("o".into()),
            ..Entry::default()
        };
        assert_eq!(of(&entry), Some(("o".into(), String::new(), "LARGE OBJECTS")));
    }
}
