//! `dataOnly`: rows, values of sequences and large objects go into what stands in the target; nothing is defined.
//!
//! ```text
//! destinations  from the archive: tables with their columns, sequences, large objects
//! standing      what of them stands there, whether it is empty, and whether the role may write to it: all that is wrong is told at once
//! quiet         with session_replication_role = replica: no trigger fires, no foreign key is checked; the last phase looks for orphans
//! order         without, since the role may not: a table after those that it refers to; triggers of users and circles are refused
//! ```

mod order;
mod standing;

use std::collections::{BTreeMap, HashSet};

use super::{
    choices::Choices,
    graph::Step,
    plan::{named, shown},
    schemas::set_sequence,
    statement::copied,
};
use crate::{
    archive::toc::Entry,
    base::{Error, Kind, Result, ResultExt},
    pg::Session,
};

/// How many things of a sort an error names.
const NAMED: usize = 10;

/// Schema and name.
type Name = (String, String);

/// Where an archive's rows go.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Destinations {
    tables: BTreeMap<Name, Destination>,
    sequences: Vec<Name>,
    objects: Vec<u32>,
    /// Materialized views of the archive, which are not refreshed.
    views: Vec<String>,
}

/// One table that rows go to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Destination {
    /// Dump ids of the files.
    files: Vec<i32>,
    columns: Vec<String>,
}

/// How the rows are loaded.
#[derive(Debug)]
pub(super) struct Loading {
    /// Oids of relations whose foreign keys are to be checked, since the server does not.
    pub unchecked: Option<Vec<u32>>,
    /// For each file those that must be loaded before.
    after: BTreeMap<i32, Vec<i32>>,
    /// For the record.
    pub warnings: Vec<String>,
}

impl Destinations {
    /// Of these entries.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] for statements that are not as pg_dump writes them.
    pub(super) fn of<'a>(entries: impl Iterator<Item = &'a Entry>, choices: Choices) -> Result<Self> {
        let mut found = Self::default();
        for e in entries {
            let unknown = || {
                let why = format!("the statement of {} is not as pg_dump writes it", named(e));
                Error::new(Kind::Corrupt, why)
            };
            if e.desc == "MATERIALIZED VIEW DATA" {
                found.views.push(shown(&format!("{}.{}", e.namespace.as_deref().unwrap_or_default(), e.tag)));
            }
            if !choices.want(e) {
                continue;
            }
            match e.desc.as_str() {
                "TABLE DATA" if e.had_dumper => {
                    let Some(copy) = e.copy_stmt.as_deref().filter(|c| !c.is_empty()) else { continue };
                    let copy = copied(copy).ok_or_else(unknown)?;
                    let name = (copy.schema.ok_or_else(unknown)?, copy.table);
                    let table = found.tables.entry(name).or_default();
                    table.files.push(e.dump_id);
                    let new =
                        copy.columns.into_iter().filter(|c| !table.columns.contains(c)).collect::<Vec<_>>();
                    table.columns.extend(new);
                }
                "SEQUENCE SET" => {
                    let (schema, name, _) =
                        set_sequence(e.defn.as_deref().unwrap_or_default()).ok_or_else(unknown)?;
                    found.sequences.push((schema, name));
                }
                "BLOB" => found.objects.extend(e.tag.trim().parse::<u32>().ok()),
                "BLOB METADATA" => {
                    let lines = e.defn.as_deref().unwrap_or_default().lines();
                    found.objects.extend(lines.filter_map(|l| l.trim().parse::<u32>().ok()));
                }
                _ => {}
            }
        }
        Ok(found)
    }

    /// Finds out how the rows can be loaded, and silences the session where that may be. With `first` the target must be able to take them: what is
    /// loaded already by an earlier function would not be empty.
    ///
    /// # Errors
    /// [`Kind::Conflict`] listing everything that is in the way; those of the statements.
    pub(super) async fn look(&self, session: &Session, first: bool) -> Result<Loading> {
        let doing = "looking at the tables that rows go to";
        let mut reasons = Vec::new();
        let tables = standing::tables(session, &self.tables, &mut reasons).await.context(doing)?;
        let quiet = silence(session).await?;
        if first {
            standing::sequences(session, &self.sequences, &mut reasons).await.context(doing)?;
            standing::large_objects(session, &self.objects, &mut reasons).await.context(doing)?;
            standing::triggers(session, &tables, quiet, &mut reasons).await.context(doing)?;
            standing::emptiness(session, &tables, &mut reasons).await?;
        }
        let mut loading = Loading { unchecked: None, after: BTreeMap::new(), warnings: Vec::new() };
        if quiet {
            loading.unchecked = Some(standing::kin(session, &tables).await.context(doing)?);
            loading.warnings.extend(standing::deferrable(session, &tables).await.context(doing)?);
        } else {
            let keys = standing::foreign_keys(session, &tables).await.context(doing)?;
            let files: Vec<&[i32]> = tables.iter().map(|t| t.files).collect();
            match order::of(&keys, &files) {
                Ok(after) => loading.after = after,
                Err(order::Impossible { circles, torn }) => {
                    let names =
                        |all: &[usize]| some(&all.iter().map(|n| tables[*n].shown()).collect::<Vec<_>>());
                    let instead = "restore as a role that may SET session_replication_role, or drop the foreign keys and make them again afterwards";
                    if !circles.is_empty() {
                        reasons.push(format!(
                            "the foreign keys of {} refer to each other in a circle ({instead})",
                            names(&circles)
                        ));
                    }
                    if !torn.is_empty() {
                        reasons.push(format!(
                            "the foreign keys of {} refer to the same table, whose rows are in several files ({instead})",
                            names(&torn)
                        ));
                    }
                }
            }
        }
        if first && !reasons.is_empty() {
            return Err(Error::new(
                Kind::Conflict,
                format!(
                    "the target database {} cannot take these rows, and nothing in it was touched: {}",
                    session.info().database(),
                    reasons.join("; ")
                ),
            ));
        }
        if !self.views.is_empty() {
            loading.warnings.push(format!(
                "dataOnly does not fill materialized views: REFRESH MATERIALIZED VIEW {}",
                some(&self.views)
            ));
        }
        Ok(loading)
    }
}

impl Loading {
    /// Makes steps wait for those whose rows theirs refer to.
    pub(super) fn put_in_order(&self, steps: &mut [Step]) {
        let there: HashSet<i32> = steps.iter().map(|s| s.id).collect();
        for step in steps {
            let before = self.after.get(&step.id).into_iter().flatten();
            step.after.extend(before.filter(|id| there.contains(id)));
        }
    }
}

/// Has no trigger fire in this session, nor those that check foreign keys; false where the role may not (PostgreSQL manual,
/// `session_replication_role`).
///
/// # Errors
/// Those of the statement.
pub(super) async fn silence(session: &Session) -> Result<bool> {
    match session.batch_execute("SET session_replication_role = replica").await {
        Ok(()) => Ok(true),
        Err(e) => match session.error(e) {
            e if e.kind() == Kind::Permission => Ok(false),
            e => Err(e.context("silencing triggers")),
        },
    }
}

fn some(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_where_the_statements_say() {
        let entry = |dump_id, desc: &str, tag: &str, sql: &str| Entry {
            dump_id,
            desc: desc.into(),
            namespace: Some("s".into()),
            tag: tag.into(),
            had_dumper: desc == "TABLE DATA",
            copy_stmt: (desc == "TABLE DATA").then(|| sql.to_owned()),
            defn: Some(sql.to_owned()),
            ..Entry::default()
        };
        let all = [
            entry(1, "TABLE", "t", "CREATE TABLE s.t ();"),
            entry(2, "TABLE DATA", "t", "COPY s.t (a, b) FROM stdin;\n"),
            entry(3, "TABLE DATA", "t", "COPY s.t (a, b) FROM stdin;\n"),
            entry(4, "TABLE DATA", "leaf", "COPY s.\"the root\" (a) FROM stdin;\n"),
            entry(5, "SEQUENCE SET", "q", "SELECT pg_catalog.setval('s.q', 7, true);\n"),
            entry(6, "BLOB METADATA", "16..17", "16\n17\n"),
            entry(7, "MATERIALIZED VIEW DATA", "m", "REFRESH MATERIALIZED VIEW s.m;\n"),
        ];
        let choices = Choices { data_only: true, ..Choices::default() };
        let found = Destinations::of(all.iter(), choices).unwrap();
        let table = &found.tables[&("s".to_owned(), "t".to_owned())];
        assert_eq!((table.files.as_slice(), table.columns.join(",").as_str()), (&[2, 3][..], "a,b"));
        assert!(found.tables.contains_key(&("s".to_owned(), "the root".to_owned())));
        assert_eq!(found.sequences, [("s".to_owned(), "q".to_owned())]);
        assert_eq!((found.objects, found.views), (vec![16, 17], vec!["s.m".to_owned()]));
        for (desc, sql) in [
            ("SEQUENCE SET", "SELECT pg_catalog.setval('s.q', 7, true); DROP TABLE s.t;"),
            ("TABLE DATA", "COPY t FROM stdin;\n"),
        ] {
            let e = Destinations::of([entry(1, desc, "t", sql)].iter(), choices).unwrap_err();
            assert_eq!(e.kind(), Kind::Corrupt, "{sql}");
        }
    }
}
