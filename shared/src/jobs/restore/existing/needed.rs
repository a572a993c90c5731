//! With `tables`: what these need and the target has already stays there, and is not made again.

use std::collections::HashSet;

use super::{is_absent, is_final, listed};
use crate::{
    archive::toc::Entry,
    base::Result,
    jobs::restore::{
        drops::{DropStatement, RELATIONS},
        plan::named,
    },
    pg::Session,
};

/// Where things of a sort are found by the schema `$1` and the name `$2`.
const SCHEMAS: &str = "SELECT FROM pg_catalog.pg_namespace WHERE $1::pg_catalog.text IS NOT NULL AND nspname::pg_catalog.text = $2";
const EXTENSIONS: &str = "SELECT FROM pg_catalog.pg_extension WHERE $1::pg_catalog.text IS NOT NULL AND extname::pg_catalog.text = $2";
const CLASSES: &str = "SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname::pg_catalog.text = $1 AND c.relname::pg_catalog.text = $2";
const TYPES: &str = "SELECT FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
     WHERE n.nspname::pg_catalog.text = $1 AND t.typname::pg_catalog.text = $2";

/// An entry that is made only where its object does not stand there.
#[derive(Debug)]
pub(super) struct Needed {
    dump_id: i32,
    what: String,
    desc: String,
    schema: String,
    tag: String,
    /// Dump ids of what it is nothing without.
    on: Vec<i32>,
    /// What would drop it.
    strict: Option<String>,
}

impl Needed {
    /// `with_pieces` are the dump ids of tables, views and domains, of which other entries are pieces.
    pub(super) fn of(e: &Entry, drop: Option<DropStatement>, with_pieces: &HashSet<i32>) -> Self {
        let on = match e.desc.as_str() {
            // A sequence that nothing of its own drops is that of an identity column.
            "DEFAULT" | "CHECK CONSTRAINT" | "SEQUENCE" if e.desc != "SEQUENCE" || drop.is_none() => {
                e.dependencies.iter().filter(|id| with_pieces.contains(id)).copied().collect()
            }
            "COMMENT" | "ACL" | "SECURITY LABEL" | "SEQUENCE OWNED BY" | "SEQUENCE SET" | "TABLE ATTACH"
            | "INDEX ATTACH" => e.dependencies.clone(),
            _ => Vec::new(),
        };
        Self {
            dump_id: e.dump_id,
            what: named(e),
            desc: e.desc.clone(),
            schema: e.namespace.clone().unwrap_or_default(),
            tag: e.tag.clone(),
            on,
            strict: drop.map(|d| d.strict),
        }
    }

    /// Whether its object stands there; `kept` are the entries of which that is known.
    async fn stands(&self, session: &Session, kept: &HashSet<i32>) -> Result<bool> {
        if !self.on.is_empty() {
            return Ok(self.on.iter().any(|id| kept.contains(id)));
        }
        let sql = match self.desc.as_str() {
            "SCHEMA" => SCHEMAS,
            "EXTENSION" => EXTENSIONS,
            "TYPE" | "DOMAIN" | "SHELL TYPE" => TYPES,
            kind if RELATIONS.contains(&kind) => CLASSES,
            _ => {
                return match &self.strict {
                    Some(strict) => can_be_dropped(session, strict).await,
                    None => Ok(false),
                };
            }
        };
        let found = session.query_opt(sql, &[&self.schema, &self.tag]).await;
        Ok(found.map_err(|e| session.error(e))?.is_some())
    }
}

/// Dump ids of those that stand there, and what is to be told of them.
pub(super) async fn kept(session: &Session, all: &[Needed]) -> Result<(Vec<i32>, Option<String>)> {
    let mut kept: HashSet<i32> = HashSet::new();
    let mut told = Vec::new();
    for e in all {
        if e.stands(session, &kept).await? {
            kept.insert(e.dump_id);
            if e.on.is_empty() && !matches!(e.desc.as_str(), "SCHEMA" | "EXTENSION" | "SHELL TYPE") {
                told.push(e.what.clone());
            }
        }
    }
    let mut kept: Vec<i32> = kept.into_iter().collect();
    kept.sort_unstable();
    let told = (!told.is_empty()).then(|| {
        let names = listed(&told);
        format!("what the chosen tables need and stood in the target was left as it was: {names}")
    });
    Ok((kept, told))
}

/// Whether an object stands there, which the server says best when it is asked to drop it; that is taken back.
async fn can_be_dropped(session: &Session, strict: &str) -> Result<bool> {
    let tried = session.batch_execute(&format!("SAVEPOINT existing; {strict}")).await;
    if let Err(e) = &tried
        && is_final(e)
    {
        return tried.map(|()| false).map_err(|e| session.error(e));
    }
    let back = "ROLLBACK TO SAVEPOINT existing; RELEASE SAVEPOINT existing";
    session.batch_execute(back).await.map_err(|e| session.error(e))?;
    Ok(tried.err().is_none_or(|e| !is_absent(&e)))
}
