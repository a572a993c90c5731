//! What of the archive's tables, sequences and large objects stands in the target, asked of its catalogs.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Destination, Name, shown, some};
use crate::{
    base::{Result, ResultExt},
    pg::{Session, qualified},
};

/// Tables to a statement that looks whether they are empty.
const TOGETHER: usize = 50;

/// A table that rows go to and that stands there.
pub(super) struct Table<'a> {
    pub oid: u32,
    name: &'a Name,
    partitioned: bool,
    readable: bool,
    pub files: &'a [i32],
}

impl Table<'_> {
    pub(super) fn shown(&self) -> String {
        shown(&format!("{}.{}", self.name.0, self.name.1))
    }
}

/// Finds the tables with their columns, and notes what is not as it must be.
pub(super) async fn tables<'a>(
    session: &Session,
    wanted: &'a BTreeMap<Name, Destination>,
    reasons: &mut Vec<String>,
) -> Result<Vec<Table<'a>>> {
    let (schemas, names): (Vec<&str>, Vec<&str>) =
        wanted.keys().map(|(s, n)| (s.as_str(), n.as_str())).unzip();
    let sql = "SELECT w.place, c.oid, c.relkind = 'p', pg_catalog.row_security_active(c.oid), \
                 pg_catalog.has_any_column_privilege(c.oid, 'INSERT') AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT'), \
                 ARRAY(SELECT a.attname::pg_catalog.text FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''), \
                 ARRAY(SELECT a.attname::pg_catalog.text FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> '') \
               FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) WITH ORDINALITY AS w (s, n, place) \
               JOIN pg_catalog.pg_namespace n ON n.nspname::pg_catalog.text = w.s \
               JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname::pg_catalog.text = w.n AND c.relkind IN ('r', 'p', 'f')";
    let rows = session.query(sql, &[&schemas, &names]).await.map_err(|e| session.error(e))?;
    let found: HashMap<usize, &tokio_postgres::Row> = rows
        .iter()
        .filter_map(|r| Some((usize::try_from(r.get::<_, i64>(0)).ok()?.checked_sub(1)?, r)))
        .collect();
    let (mut missing, mut columns, mut generated, mut hidden, mut closed) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut tables = Vec::new();
    for (place, (name, destination)) in wanted.iter().enumerate() {
        let told = shown(&format!("{}.{}", name.0, name.1));
        let Some(row) = found.get(&place) else {
            missing.push(told);
            continue;
        };
        let (plain, made): (Vec<String>, Vec<String>) = (row.get(5), row.get(6));
        for column in destination.columns.iter().filter(|c| !plain.contains(c)) {
            let which = if made.contains(column) { &mut generated } else { &mut columns };
            which.push(shown(&format!("{}.{}.{column}", name.0, name.1)));
        }
        let readable = !row.get::<_, bool>(3) && row.get(4);
        match readable {
            true => {}
            false if row.get(3) => hidden.push(told),
            false => closed.push(told),
        }
        tables.push(Table {
            oid: row.get(1),
            name,
            partitioned: row.get(2),
            readable,
            files: &destination.files,
        });
    }
    let mut note = |what: &str, names: &[String], instead: &str| {
        if !names.is_empty() {
            reasons.push(format!("{what} {} ({instead})", some(names)));
        }
    };
    note("it lacks the tables", &missing, "create them, or leave them out with \"tables\"");
    note("it lacks the columns", &columns, "add them");
    note(
        "it generates the columns",
        &generated,
        "rows of the archive have values of their own for them: drop the expression",
    );
    note("row-level security is active for", &hidden, "restore as a role that bypasses it");
    note("the role that restores may not read and insert into", &closed, "GRANT SELECT, INSERT");
    Ok(tables)
}

/// Notes the sequences that are not there, or not to be set.
pub(super) async fn sequences(session: &Session, wanted: &[Name], reasons: &mut Vec<String>) -> Result<()> {
    let (schemas, names): (Vec<&str>, Vec<&str>) =
        wanted.iter().map(|(s, n)| (s.as_str(), n.as_str())).unzip();
    let sql = "SELECT w.s || '.' || w.n, c.oid IS NULL \
               FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) AS w (s, n) \
               LEFT JOIN (pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind = 'S') \
                 ON n.nspname::pg_catalog.text = w.s AND c.relname::pg_catalog.text = w.n \
               WHERE c.oid IS NULL OR NOT pg_catalog.has_sequence_privilege(c.oid, 'UPDATE') ORDER BY 1";
    let rows = session.query(sql, &[&schemas, &names]).await.map_err(|e| session.error(e))?;
    let with = |absent: bool| -> Vec<String> {
        rows.iter().filter(|r| r.get::<_, bool>(1) == absent).map(|r| shown(r.get(0))).collect()
    };
    for (what, names, instead) in [
        ("it lacks the sequences", with(true), "create them"),
        ("the role that restores may not set the sequences", with(false), "GRANT UPDATE"),
    ] {
        if !names.is_empty() {
            reasons.push(format!("{what} {} ({instead})", some(&names)));
        }
    }
    Ok(())
}

/// Notes the large objects that are there.
pub(super) async fn large_objects(
    session: &Session,
    wanted: &[u32],
    reasons: &mut Vec<String>,
) -> Result<()> {
    let sql = "SELECT oid FROM pg_catalog.pg_largeobject_metadata WHERE oid = ANY ($1) ORDER BY oid";
    let rows = session.query(sql, &[&wanted]).await.map_err(|e| session.error(e))?;
    let there: Vec<String> = rows.iter().map(|r| r.get::<_, u32>(0).to_string()).collect();
    if !there.is_empty() {
        reasons.push(format!(
            "it has large objects of the same numbers: {} (lo_unlink them, or leave large objects out by naming the tables in \"tables\")",
            some(&there)
        ));
    }
    Ok(())
}

/// The partitions of these tables, and they themselves: what a trigger or a foreign key may hang on.
const TREE: &str = "tree AS (SELECT o.place, o.oid FROM pg_catalog.unnest($1::pg_catalog.oid[]) WITH ORDINALITY AS o (oid, place) \
     UNION SELECT o.place, t.relid FROM pg_catalog.unnest($1::pg_catalog.oid[]) WITH ORDINALITY AS o (oid, place), pg_catalog.pg_partition_tree(o.oid) t)";

/// And what they are partitions of, whose foreign keys are theirs.
const KIN: &str = "kin AS (SELECT place, oid FROM tree \
     UNION SELECT o.place, a.relid FROM pg_catalog.unnest($1::pg_catalog.oid[]) WITH ORDINALITY AS o (oid, place), pg_catalog.pg_partition_ancestors(o.oid) a (relid))";

/// Notes the triggers of users that would fire.
pub(super) async fn triggers(
    session: &Session,
    tables: &[Table<'_>],
    quiet: bool,
    reasons: &mut Vec<String>,
) -> Result<()> {
    let oids: Vec<u32> = tables.iter().map(|t| t.oid).collect();
    // Even under the role of a replica those fire that say so.
    let firing = if quiet { "'A', 'R'" } else { "'O', 'A'" };
    let sql = format!(
        "WITH {TREE} SELECT DISTINCT g.tgname || ' of ' || g.tgrelid::pg_catalog.regclass::pg_catalog.text FROM pg_catalog.pg_trigger g \
         WHERE g.tgrelid IN (SELECT oid FROM tree) AND NOT g.tgisinternal AND g.tgenabled IN ({firing}) ORDER BY 1"
    );
    let rows = session.query(&sql, &[&oids]).await.map_err(|e| session.error(e))?;
    let names: Vec<String> = rows.iter().map(|r| shown(r.get(0))).collect();
    if !names.is_empty() {
        let instead = if quiet {
            "ALTER TABLE … DISABLE TRIGGER"
        } else {
            "ALTER TABLE … DISABLE TRIGGER USER, or restore as a role that may SET session_replication_role"
        };
        reasons.push(format!("these triggers would fire: {} ({instead})", some(&names)));
    }
    Ok(())
}

/// Notes the tables that have rows.
pub(super) async fn emptiness(
    session: &Session,
    tables: &[Table<'_>],
    reasons: &mut Vec<String>,
) -> Result<()> {
    let mut filled = Vec::new();
    let tables: Vec<&Table<'_>> = tables.iter().filter(|t| t.readable).collect();
    for group in tables.chunks(TOGETHER) {
        let each = group.iter().enumerate().map(|(n, t)| {
            let only = if t.partitioned { "" } else { "ONLY " };
            format!("SELECT {n} WHERE EXISTS (SELECT FROM {only}{})", qualified(&t.name.0, &t.name.1))
        });
        let sql = each.collect::<Vec<_>>().join(" UNION ALL ");
        let rows = session.query(&sql, &[]).await.map_err(|e| session.error(e));
        let rows = rows.context("looking whether the tables that rows go to are empty")?;
        let places = rows.iter().filter_map(|r| usize::try_from(r.get::<_, i32>(0)).ok());
        filled.extend(places.filter_map(|n| group.get(n)).map(|t| t.shown()));
    }
    if !filled.is_empty() {
        reasons.push(format!("these tables are not empty: {} (TRUNCATE them)", some(&filled)));
    }
    Ok(())
}

/// Deferrable unique and exclusion constraints, which triggers check in the end.
pub(super) async fn deferrable(session: &Session, tables: &[Table<'_>]) -> Result<Option<String>> {
    let oids: Vec<u32> = tables.iter().map(|t| t.oid).collect();
    let sql = format!(
        "WITH {TREE} SELECT DISTINCT c.conname || ' of ' || c.conrelid::pg_catalog.regclass::pg_catalog.text FROM pg_catalog.pg_constraint c \
         WHERE c.conrelid IN (SELECT oid FROM tree) AND c.contype IN ('p', 'u', 'x') AND c.condeferrable ORDER BY 1"
    );
    let rows = session.query(&sql, &[&oids]).await.map_err(|e| session.error(e))?;
    let names: Vec<String> = rows.iter().map(|r| shown(r.get(0))).collect();
    Ok((!names.is_empty()).then(|| {
        format!(
            "the server did not check these deferrable constraints while triggers were silent: {}",
            some(&names)
        )
    }))
}

/// Foreign keys among the tables, by their places: who refers, and to whom.
pub(super) async fn foreign_keys(session: &Session, tables: &[Table<'_>]) -> Result<Vec<(usize, usize)>> {
    let oids: Vec<u32> = tables.iter().map(|t| t.oid).collect();
    // `conenforced` came with 18.
    let sql = format!(
        "WITH {TREE}, {KIN} SELECT DISTINCT f.place, t.place FROM pg_catalog.pg_constraint c JOIN kin f ON f.oid = c.conrelid JOIN kin t ON t.oid = c.confrelid \
         WHERE c.contype = 'f' AND coalesce((pg_catalog.to_jsonb(c) ->> 'conenforced')::pg_catalog.bool, true)"
    );
    let rows = session.query(&sql, &[&oids]).await.map_err(|e| session.error(e))?;
    let place = |r: &tokio_postgres::Row, n: usize| usize::try_from(r.get::<_, i64>(n)).ok()?.checked_sub(1);
    let all: HashSet<(usize, usize)> =
        rows.iter().filter_map(|r| Some((place(r, 0)?, place(r, 1)?))).collect();
    Ok(all.into_iter().collect())
}

/// Oids of all relations whose foreign keys are about rows of the tables.
pub(super) async fn kin(session: &Session, tables: &[Table<'_>]) -> Result<Vec<u32>> {
    let oids: Vec<u32> = tables.iter().map(|t| t.oid).collect();
    let sql = format!("WITH {TREE}, {KIN} SELECT DISTINCT oid FROM kin");
    let rows = session.query(&sql, &[&oids]).await.map_err(|e| session.error(e))?;
    Ok(rows.iter().map(|r| r.get(0)).collect())
}
