//! What must not be run: functions of roles that are neither superusers nor the session's own, and whatever calls them. Called in the session of a
//! superuser, a function can do all that one can, and a transaction that only reads does not keep it from leaving the server.
//!
//! Where they hide: in constraints' expressions and operators, in casts, in constraints of domains that a value is cast to, and in the expressions of
//! indexes, partition keys and extended statistics, which the planner folds when it looks at a table (`eval_const_expressions`; PostgreSQL manual,
//! "Function Volatility Categories").

use std::collections::HashMap;

use super::looker::Looker;
use crate::{base::Result, jobs::restore::plan::shown};

/// Class, oid and function. What depends on a stranger's function, on what depends on it, and so on (`pg_depend`); a domain's constraint makes the domain
/// one of them. That a column has such a type does not: reading it calls nothing of the type but its output function, which only a superuser can make.
const ALL: &str = "WITH RECURSIVE strange(class, object, f) AS ( \
       SELECT 'pg_proc'::regclass::oid, p.oid, p.oid FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner \
         WHERE NOT r.rolsuper AND r.rolname <> CURRENT_USER \
       UNION SELECT * FROM (WITH s AS (SELECT * FROM strange) \
         SELECT d.classid, d.objid, s.f FROM s JOIN pg_depend d ON d.refclassid = s.class AND d.refobjid = s.object \
           WHERE NOT (d.classid = 'pg_class'::regclass AND d.objsubid <> 0) \
         UNION ALL SELECT 'pg_type'::regclass::oid, c.contypid, s.f FROM s JOIN pg_constraint c ON s.class = 'pg_constraint'::regclass AND c.oid = s.object \
           WHERE c.contypid <> 0) AS step), \
     tables(relation, f) AS ( \
       SELECT i.indrelid, s.f FROM strange s JOIN pg_index i ON s.class = 'pg_class'::regclass AND i.indexrelid = s.object \
       UNION SELECT e.stxrelid, s.f FROM strange s JOIN pg_statistic_ext e ON s.class = 'pg_statistic_ext'::regclass AND e.oid = s.object \
       UNION SELECT c.oid, s.f FROM strange s JOIN pg_class c ON s.class = 'pg_class'::regclass AND c.oid = s.object AND c.relkind IN ('r', 'p', 'm') \
       UNION SELECT h.inhparent, t.f FROM tables t JOIN pg_inherits h ON h.inhrelid = t.relation) \
     SELECT 'table', relation, min(f::regprocedure::text) FROM tables GROUP BY 2 \
     UNION ALL SELECT 'constraint', object, min(f::regprocedure::text) FROM strange WHERE class = 'pg_constraint'::regclass GROUP BY 2 \
     UNION ALL SELECT 'cast', object, min(f::regprocedure::text) FROM strange WHERE class = 'pg_cast'::regclass GROUP BY 2";

/// By oid, a stranger's function that would be called.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    /// By a look at the table, or at one that it inherits from.
    pub tables: HashMap<u32, String>,
    /// By a constraint's expression or operators.
    pub constraints: HashMap<u32, String>,
    /// By a cast.
    pub casts: HashMap<u32, String>,
    /// The list could not be had: then nothing may be run.
    pub unknown: bool,
}

impl Strangers {
    /// Reads the list.
    ///
    /// # Errors
    /// See [`Looker`].
    pub(super) async fn list(looker: &mut Looker<'_>) -> Result<Self> {
        let missed = looker.report.not_checked_count;
        let rows = looker.list("functions that must not be called", ALL).await?;
        let mut all = Self { unknown: looker.report.not_checked_count > missed, ..Self::default() };
        for row in rows {
            let (class, oid, function): (String, u32, String) = (row.get(0), row.get(1), row.get(2));
            let by_oid = match class.as_str() {
                "table" => &mut all.tables,
                "constraint" => &mut all.constraints,
                _ => &mut all.casts,
            };
            by_oid.insert(oid, function);
        }
        Ok(all)
    }

    /// Why these tables are left alone, if they are.
    pub(super) fn of_tables(&self, tables: &[u32]) -> Option<String> {
        if self.unknown {
            return Some("it is not known whether it would call functions of other roles".to_owned());
        }
        tables.iter().find_map(|oid| self.tables.get(oid)).map(|f| reason(f))
    }

    /// Why a constraint, with what it casts by, and its tables are left alone, if they are.
    pub(super) fn of_constraint(&self, oid: u32, casts: &[u32], tables: &[u32]) -> Option<String> {
        let own = self.constraints.get(&oid).or_else(|| casts.iter().find_map(|cast| self.casts.get(cast)));
        own.map(|f| reason(f)).or_else(|| self.of_tables(tables))
    }
}

fn reason(function: &str) -> String {
    format!(
        "it would call {}, a function of a role that is no superuser, with this role's rights",
        shown(function)
    )
}
