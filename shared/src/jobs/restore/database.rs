//! The properties of the database itself (DATABASE, DATABASE PROPERTIES, and the comment, grants and labels on the database), for a target that has
//! a name of its own.

use super::{
    choices::Choices,
    plan::named,
    sql::{Token, replaced, statements},
};
use crate::{
    archive::toc::Entry,
    base::{Error, Kind, Result},
    pg::ident,
};

/// Statements for the target, each to be sent by itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Properties {
    /// Settings, connection limit, owner, grants, labels.
    pub all: Vec<String>,
    /// The comment: it takes the place of the mark that tells of an unfinished restore.
    pub comment: Option<String>,
}

impl Properties {
    /// From the entries that are about the database, in the archive's order; `database` is the target's name, unquoted.
    ///
    /// # Errors
    /// [`Kind::Unsupported`] for statements that pg_dump does not write (`dumpDatabase` and `dumpDatabaseConfig` in pg_dump.c).
    pub fn of<'a>(
        entries: impl Iterator<Item = &'a Entry>,
        database: &str,
        choices: Choices,
    ) -> Result<Self> {
        let target = ident(database);
        let mut found = Self::default();
        for e in entries {
            if e.desc == "DATABASE" {
                let owner = e.owner.as_deref().filter(|o| !o.is_empty() && !choices.no_owner);
                found.all.extend(owner.map(|o| format!("ALTER DATABASE {target} OWNER TO {}", ident(o))));
                continue;
            }
            let sql = e.defn.as_deref().unwrap_or_default();
            let unknown = || {
                Error::new(Kind::Unsupported, format!("the SQL of {} is not as pg_dump writes it", named(e)))
            };
            for statement in statements(sql).ok_or_else(unknown)? {
                let (first, last) = (statement[0].at.start, statement[statement.len() - 1].at.end);
                let text = match name(&statement).ok_or_else(unknown)? {
                    Name::None => sql[first..last].to_owned(),
                    Name::At(n) => {
                        let at = statement[n].at.start - first..statement[n].at.end - first;
                        replaced(&sql[first..last], vec![(at, target.clone())])
                    }
                };
                if e.desc == "COMMENT" {
                    found.comment = Some(text);
                } else {
                    found.all.push(text);
                }
            }
        }
        Ok(found)
    }
}

enum Name {
    /// The place of the token.
    At(usize),
    /// The statement names no database.
    None,
}

/// Where a statement has the database's name; none for statements of another kind.
fn name(statement: &[Token]) -> Option<Name> {
    let word = |n: usize, w: &str| statement.get(n).is_some_and(|t| t.is(w));
    let named = |n: usize| statement.get(n).is_some_and(|t| t.name().is_some());
    let at = if word(0, "alter") && word(1, "database") {
        2
    } else if word(0, "alter") && word(1, "role") && named(2) && word(3, "in") && word(4, "database") {
        5
    } else if word(0, "comment") && word(1, "on") && word(2, "database") {
        3
    } else if word(0, "security")
        && word(1, "label")
        && word(2, "for")
        && named(3)
        && word(4, "on")
        && word(5, "database")
    {
        6
    } else if word(0, "grant") || word(0, "revoke") {
        // ON is reserved: without quotes it is no name.
        let on = statement.iter().position(|t| t.is("on"))?;
        if !word(on + 1, "database") {
            return None;
        }
        on + 2
    } else if (word(0, "set") || word(0, "reset")) && word(1, "session") && word(2, "authorization") {
        return Some(Name::None);
    } else {
        return None;
    };
    named(at).then_some(Name::At(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(desc: &str, defn: &str) -> Entry {
        let (tag, owner) = ("DATABASE d".to_owned(), Some("own\"er".to_owned()));
        Entry { desc: desc.into(), tag, defn: Some(defn.into()), owner, ..Entry::default() }
    }

    #[test]
    fn everything_is_said_of_the_target() {
        let entries = [
            entry("DATABASE", "CREATE DATABASE \"old; db\" WITH TEMPLATE = template0;\n"),
            entry(
                "DATABASE PROPERTIES",
                "ALTER DATABASE \"old; db\" SET search_path TO 'database', 'it''s; x';\nALTER ROLE database IN DATABASE \"old; db\" SET a.b TO 'ON DATABASE old';\n\nALTER DATABASE \"old; db\" CONNECTION LIMIT = 7;\n",
            ),
            entry("COMMENT", "COMMENT ON DATABASE \"old; db\" IS 'DATABASE \"old; db\"';\n"),
            entry(
                "ACL",
                "REVOKE CONNECT,TEMPORARY ON DATABASE \"old; db\" FROM PUBLIC;\nGRANT CONNECT ON DATABASE \"old; db\" TO \"on\";\n",
            ),
            entry("SECURITY LABEL", "SECURITY LABEL FOR dummy ON DATABASE \"old; db\" IS 'secret';\n"),
        ];
        let p = Properties::of(entries.iter(), "New; --", Choices::default()).unwrap();
        assert_eq!(
            p.all,
            [
                "ALTER DATABASE \"New; --\" OWNER TO \"own\"\"er\"",
                "ALTER DATABASE \"New; --\" SET search_path TO 'database', 'it''s; x'",
                "ALTER ROLE database IN DATABASE \"New; --\" SET a.b TO 'ON DATABASE old'",
                "ALTER DATABASE \"New; --\" CONNECTION LIMIT = 7",
                "REVOKE CONNECT,TEMPORARY ON DATABASE \"New; --\" FROM PUBLIC",
                "GRANT CONNECT ON DATABASE \"New; --\" TO \"on\"",
                "SECURITY LABEL FOR dummy ON DATABASE \"New; --\" IS 'secret'",
            ]
        );
        assert_eq!(p.comment.as_deref(), Some("COMMENT ON DATABASE \"New; --\" IS 'DATABASE \"old; db\"'"));
        let p =
            Properties::of(entries.iter(), "n", Choices { no_owner: true, ..Choices::default() }).unwrap();
        assert!(p.all[0].starts_with("ALTER DATABASE n SET"));
    }

    #[test]
    fn other_statements_are_refused() {
        for sql in [
            "DROP DATABASE d",
            "ALTER DATABASE d SET a TO 'b'; DROP TABLE t",
            "GRANT ALL ON TABLE t TO x",
            "COMMENT ON DATABASE d IS 'a",
        ] {
            let e = Properties::of([entry("DATABASE PROPERTIES", sql)].iter(), "n", Choices::default())
                .unwrap_err();
            assert_eq!(e.kind(), Kind::Unsupported, "{sql}");
        }
    }
}
