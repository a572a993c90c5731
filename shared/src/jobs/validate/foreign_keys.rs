//! Rows whose foreign key refers to nothing: whatever the constraint says of being valid, and whatever became of its triggers.
//!
//! The comparison is the constraint's own (`conpfeqop`, the referenced column's collation), NULLs as MATCH SIMPLE or FULL has them (ri_triggers.c,
//! `RI_Initial_Check`).

use super::{
    looker::Looker,
    report::Finding,
    strangers::Strangers,
    table::{Table, Tables},
};
use crate::{base::Result, jobs::restore::plan::shown, pg::ident};

/// `conperiod` and `conenforced` came with 18. Those of partitions belong to the one of their root.
const ALL: &str = "SELECT c.conname::text, c.conrelid, c.confrelid, c.confmatchtype = 'f', \
           ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k(n, place) \
                 JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY k.place), \
           ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k(n, place) \
                 JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n ORDER BY k.place), \
           ARRAY(SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname) FROM unnest(c.conpfeqop) WITH ORDINALITY AS k(n, place) \
                 JOIN pg_operator o ON o.oid = k.n JOIN pg_namespace n ON n.oid = o.oprnamespace ORDER BY k.place), \
           ARRAY(SELECT CASE WHEN a.attcollation <> b.attcollation THEN \
                   (SELECT format(' COLLATE %I.%I', n.nspname, l.collname) FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace \
                    WHERE l.oid = b.attcollation) ELSE '' END \
                 FROM unnest(c.conkey, c.confkey) WITH ORDINALITY AS k(n, m, place) \
                 JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n \
                 JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = k.m ORDER BY k.place), \
           coalesce((to_jsonb(c) ->> 'conperiod')::bool, false), coalesce((to_jsonb(c) ->> 'conenforced')::bool, true), c.oid, \
           ARRAY(SELECT CASE WHEN a.atttypid <> o.oprleft THEN format_type(o.oprleft, NULL) END \
                 FROM unnest(c.conpfeqop, c.confkey) WITH ORDINALITY AS k(n, m, place) JOIN pg_operator o ON o.oid = k.n \
                 JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.m ORDER BY k.place), \
           ARRAY(SELECT CASE WHEN a.atttypid <> o.oprright THEN format_type(o.oprright, NULL) END \
                 FROM unnest(c.conpfeqop, c.conkey) WITH ORDINALITY AS k(n, m, place) JOIN pg_operator o ON o.oid = k.n \
                 JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.m ORDER BY k.place), \
           ARRAY(SELECT x.oid FROM unnest(c.conpfeqop, c.confkey, c.conkey) AS k(n, m, own) JOIN pg_operator o ON o.oid = k.n \
                 JOIN pg_attribute a ON (a.attrelid = c.confrelid AND a.attnum = k.m) OR (a.attrelid = c.conrelid AND a.attnum = k.own) \
                 JOIN pg_type t ON t.oid = a.atttypid \
                 JOIN pg_cast x ON x.castsource IN (t.oid, t.typbasetype) AND x.casttarget IN (o.oprleft, o.oprright)) \
         FROM pg_constraint c WHERE c.contype = 'f' AND c.conparentid = 0 ORDER BY c.conrelid, c.conname";

/// A foreign key.
struct Key {
    name: String,
    full: bool,
    columns: Vec<String>,
    referenced: Vec<String>,
    operators: Vec<String>,
    collations: Vec<Option<String>>,
    /// The operators' types where the referenced column's is another one, and where the own column's is: the server casts to them, too (ruleutils.c,
    /// `generate_operator_clause`). Without, the parser might choose another operator.
    casts: (Vec<Option<String>>, Vec<Option<String>>),
    period: bool,
}

/// Looks at all foreign keys, or at those of the tables with the oids `only`.
///
/// # Errors
/// See [`Looker`].
pub(super) async fn look(
    looker: &mut Looker<'_>,
    tables: &Tables,
    strangers: &Strangers,
    only: Option<&[u32]>,
) -> Result<()> {
    for row in looker.list("foreign keys", ALL).await? {
        let (from, to): (u32, u32) = (row.get(1), row.get(2));
        if only.is_some_and(|only| !only.contains(&from)) {
            continue;
        }
        let (Some(from), Some(to)) = (tables.get(&from), tables.get(&to)) else { continue };
        let key = Key {
            name: row.get(0),
            full: row.get(3),
            columns: row.get(4),
            referenced: row.get(5),
            operators: row.get(6),
            collations: row.get(7),
            casts: (row.get(11), row.get(12)),
            period: row.get(8),
        };
        let name = shown(&ident(&key.name));
        let what = format!("foreign key {name} of {}", from.shown());
        let casts: Vec<u32> = row.get(13);
        let strange = || strangers.of_constraint(row.get(10), &casts, &[from.oid, to.oid]);
        if let Some(reason) = not_enforced(row.get(9)).or_else(strange) {
            looker.report.not_checked(what, reason);
            continue;
        }
        let sql = key.orphans(from, to);
        let finding = |count| Finding {
            kind: "orphaned_rows",
            table: from.shown(),
            constraint: Some(name.clone()),
            count: 0,
            examples: Vec::new(),
            message: format!(
                "{count} rows of {} refer by {name} to rows that are not in {}",
                from.shown(),
                to.shown()
            ),
        };
        if looker.expect_none(&what, &sql, &[from.oid, to.oid], finding).await? {
            looker.report.checked.foreign_keys += 1;
        }
    }
    Ok(())
}

/// Why a constraint that the server does not enforce is left alone.
pub(super) fn not_enforced(enforced: bool) -> Option<String> {
    (!enforced).then(|| "it is declared NOT ENFORCED".to_owned())
}

impl Key {
    fn orphans(&self, from: &Table, to: &Table) -> String {
        let own: Vec<String> = self.columns.iter().map(|c| format!("t.{}", ident(c))).collect();
        // num_nulls, where IS NULL of a composite value means something else.
        let subject = match self.full {
            true => format!("num_nonnulls({}) > 0", own.join(", ")),
            false => format!("num_nulls({}) = 0", own.join(", ")),
        };
        let equal: Vec<String> = (0..self.columns.len())
            .filter(|n| !(self.period && n + 1 == self.columns.len()))
            .map(|n| {
                let collation = self.collations.get(n).cloned().flatten().unwrap_or_default();
                let cast = |column: String, to: Option<&Option<String>>| match to {
                    Some(Some(to)) => format!("CAST({column} AS {to})"),
                    _ => column,
                };
                let referenced = cast(format!("r.{}", ident(&self.referenced[n])), self.casts.0.get(n));
                let own = cast(format!("t.{}", ident(&self.columns[n])), self.casts.1.get(n));
                format!("{referenced} {} {own}{collation}", self.operators[n])
            })
            .collect();
        let found = match (self.period, self.columns.last(), self.referenced.last()) {
            // A period must be covered by those of all rows that match together (ri_triggers.c, `RI_FKey_check`).
            (true, Some(column), Some(referenced)) => {
                let (column, referenced) = (ident(column), ident(referenced));
                format!(
                    "NOT coalesce(t.{column} <@ (SELECT range_agg(r.{referenced}) FROM {} AS r WHERE {}r.{referenced} && t.{column}), false)",
                    to.from(),
                    equal.iter().map(|e| format!("{e} AND ")).collect::<String>(),
                )
            }
            _ => format!("NOT EXISTS (SELECT FROM {} AS r WHERE {})", to.from(), equal.join(" AND ")),
        };
        from.rows_where(&format!("{subject} AND {found}"), &self.columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> Table {
        Table { oid: 1, schema: "s".into(), name: name.into(), kind: 'r', key: vec!["id".into()] }
    }

    #[test]
    fn nulls_are_as_the_match_type_has_them() {
        let key = |full| Key {
            name: "k".into(),
            full,
            columns: vec!["a".into(), "B".into()],
            referenced: vec!["x".into(), "y".into()],
            operators: vec!["OPERATOR(pg_catalog.=)".into(); 2],
            collations: vec![Some(String::new()), Some(" COLLATE pg_catalog.\"C\"".into())],
            casts: (vec![None, Some("text".into())], vec![Some("anyarray".into()), None]),
            period: false,
        };
        let simple = key(false).orphans(&table("t"), &table("r"));
        assert!(simple.contains("num_nulls(t.a, t.\"B\") = 0"), "{simple}");
        assert!(
            simple.contains("CAST(r.y AS text) OPERATOR(pg_catalog.=) t.\"B\" COLLATE pg_catalog.\"C\""),
            "{simple}"
        );
        assert!(simple.contains("r.x OPERATOR(pg_catalog.=) CAST(t.a AS anyarray)"), "{simple}");
        assert!(key(true).orphans(&table("t"), &table("r")).contains("num_nonnulls(t.a, t.\"B\") > 0"));
    }
}
