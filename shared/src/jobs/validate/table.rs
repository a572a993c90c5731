//! The tables of a database, and how their rows are named.

use std::collections::BTreeMap;

use crate::{
    base::{Result, ResultExt},
    jobs::restore::plan::shown,
    pg::{Session, ident, literal, qualified},
};

/// Columns of a key that examples show.
const COLUMNS: usize = 4;

/// Characters of a value that examples show.
const CHARACTERS: usize = 80;

/// A table, partitioned table or materialized view.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub oid: u32,
    pub schema: String,
    pub name: String,
    /// `pg_class.relkind`.
    pub kind: char,
    /// Columns of the primary key, in its order.
    pub key: Vec<String>,
}

/// By oid.
pub(super) type Tables = BTreeMap<u32, Table>;

/// All tables of users.
const ALL: &str = "SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text, \
       ARRAY(SELECT a.attname::text FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY AS k(n, place), pg_attribute a \
             WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND a.attnum = k.n ORDER BY k.place) \
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't' \
       AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgbaton_restore') \
     ORDER BY n.nspname, c.relname";

/// All of them, under the session's snapshot.
///
/// # Errors
/// Those of the statement.
pub(super) async fn all(session: &Session) -> Result<Tables> {
    let rows = session.query(ALL, &[]).await.map_err(|e| session.error(e)).context("listing the tables")?;
    let table = |r: &tokio_postgres::Row| Table {
        oid: r.get(0),
        schema: r.get(1),
        name: r.get(2),
        kind: r.get::<_, String>(3).chars().next().unwrap_or('r'),
        key: r.get(4),
    };
    Ok(rows.iter().map(table).map(|t| (t.oid, t)).collect())
}

impl Table {
    /// As it stands after FROM: what inherits from it has rows of its own, partitions have the rows of their root.
    pub(super) fn from(&self) -> String {
        let name = qualified(&self.schema, &self.name);
        if self.kind == 'p' { name } else { format!("ONLY {name}") }
    }

    /// For people, in one line.
    pub(super) fn shown(&self) -> String {
        shown(&qualified(&self.schema, &self.name))
    }

    /// A row as JSON text: its primary key; without one the columns `instead`; without those its place. `t` stands for the row.
    pub(super) fn example(&self, instead: &[String]) -> String {
        let columns = if self.key.is_empty() { instead } else { &self.key };
        if columns.is_empty() {
            return "json_build_object('ctid', format('%s', t.ctid))::text".to_owned();
        }
        let pairs = columns.iter().take(COLUMNS).map(|c| {
            // By the type's output function: a cast could be a function of the type's owner.
            let column = ident(c);
            format!(
                "{}, CASE num_nulls(t.{column}) WHEN 0 THEN left(format('%s', t.{column}), {CHARACTERS}) END",
                literal(c)
            )
        });
        format!("json_build_object({})::text", pairs.collect::<Vec<_>>().join(", "))
    }

    /// The rows for which `condition` holds: how many, and five examples.
    pub(super) fn rows_where(&self, condition: &str, instead: &[String]) -> String {
        counted(&format!(
            "SELECT {} AS example FROM {} AS t WHERE {condition}",
            self.example(instead),
            self.from()
        ))
    }
}

/// How many rows a query gives, and five of them. The query runs once: it is named twice, so that the server keeps its rows.
pub(super) fn counted(query: &str) -> String {
    format!(
        "WITH bad AS MATERIALIZED ({query}) SELECT (SELECT count(*) FROM bad), ARRAY(SELECT example FROM bad LIMIT 5)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(kind: char, key: &[&str]) -> Table {
        let key = key.iter().map(|k| (*k).to_owned()).collect();
        Table { oid: 1, schema: "public".into(), name: "a\nb\"c".into(), kind, key }
    }

    #[test]
    fn names_are_quoted_and_shown_in_one_line() {
        assert_eq!(table('r', &[]).from(), "ONLY public.\"a\nb\"\"c\"");
        assert_eq!(table('p', &[]).from(), "public.\"a\nb\"\"c\"");
        assert!(!table('r', &[]).shown().contains('\n'));
    }

    #[test]
    fn examples_are_the_key_or_what_stands_in_for_it() {
        let keyed = table('r', &["it's"]).example(&["x".into()]);
        assert!(keyed.starts_with("json_build_object('it''s', CASE num_nulls(t.\"it's\")"), "{keyed}");
        assert!(table('r', &[]).example(&["x".into()]).contains("t.x"));
        assert!(table('r', &[]).example(&[]).contains("t.ctid"));
    }
}
