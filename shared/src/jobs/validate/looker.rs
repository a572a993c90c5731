//! The session that looks: one snapshot, one statement after another, each with what is left of the time.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use tokio_postgres::{Row, error::SqlState, types::ToSql};

use super::report::{Finding, Report};
use crate::{
    base::{Error, Kind, Result, ResultExt},
    pg::Session,
};

/// Less time than this is not worth a statement.
const LEAST: Duration = Duration::from_millis(50);

/// How long a table that another session has locked is waited for.
const LOCK: &str = "5s";

/// Tables that were emptied or rewritten after the snapshot was taken read as if they had no rows.
const REWRITTEN: &str = "SELECT EXISTS (SELECT FROM pg_class c \
       WHERE c.relkind IN ('r', 'm') AND c.relfilenode <> 0 AND c.relfilenode IS DISTINCT FROM pg_relation_filenode(c.oid) \
         AND (c.oid = ANY($1::oid[]) OR c.oid IN (SELECT p.relid FROM unnest($1::oid[]) AS o, pg_partition_tree(o::regclass) AS p)))";

/// Looks through a database.
pub(super) struct Looker<'a> {
    session: &'a Session,
    end: Instant,
    /// What was found so far.
    pub report: Report,
}

/// What a statement came to.
pub(super) enum Answer {
    /// Its row.
    Row(Row),
    /// The role may not read a table, or row-level security would leave rows out; the server's message.
    Refused(String),
    /// The server could not read it; its message.
    Broken(String),
    /// The reason is in the report.
    NotChecked,
}

impl<'a> Looker<'a> {
    /// Begins the transaction.
    ///
    /// # Errors
    /// Those of the statements.
    pub(super) async fn begin(session: &'a Session, limit: Duration) -> Result<Self> {
        let sql =
            // Constraints are not folded by the planner then, which would call their functions.
            format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = '{LOCK}'; SET LOCAL constraint_exclusion = off");
        session.batch_execute(&sql).await.map_err(|e| session.error(e)).context("taking a snapshot")?;
        Ok(Self { session, end: Instant::now() + limit, report: Report::new() })
    }

    /// Ends the transaction; nothing depends on whether that succeeds.
    pub(super) async fn end(self) -> Report {
        if let Err(e) = self.session.batch_execute("ROLLBACK").await {
            tracing::debug!(error = %self.session.error(e), "ending a validation");
        }
        self.report
    }

    /// A list from the catalogs. None, and said so, where the time or the server's mood does not allow it.
    ///
    /// # Errors
    /// [`Kind::ServerLost`].
    pub(super) async fn list(&mut self, what: &str, sql: &str) -> Result<Vec<Row>> {
        match self.query(sql, &[]).await {
            Ok(rows) => Ok(rows),
            Err(e) => {
                let reason = self.recover(e, what).await?.unwrap_or_default();
                if !reason.is_empty() {
                    self.report.not_checked(what.to_owned(), reason);
                }
                Ok(Vec::new())
            }
        }
    }

    /// One statement that gives one row, about the tables with these oids. What it cannot answer for want of time, or because a table is locked or
    /// was rewritten meanwhile, is put into the report as not checked under the name `what`.
    ///
    /// # Errors
    /// [`Kind::ServerLost`].
    pub(super) async fn ask(&mut self, what: &str, sql: &str, tables: &[u32]) -> Result<Answer> {
        let answered = self.query(sql, &[]).await;
        let row = match answered {
            Ok(mut rows) => match rows.pop() {
                Some(row) => row,
                None => return Ok(Answer::Broken("the server gave no row".to_owned())),
            },
            Err(e) => {
                let refused = e.as_ref().is_some_and(|e| e.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE));
                return Ok(match self.recover(e, what).await? {
                    None => Answer::NotChecked,
                    Some(why) if refused => Answer::Refused(why),
                    Some(why) => Answer::Broken(why),
                });
            }
        };
        let oids: Vec<u32> = tables.to_vec();
        match self.query(REWRITTEN, &[&oids]).await {
            Ok(rows) if rows.first().is_some_and(|r| r.get::<_, bool>(0)) => {
                let reason = "its rows were truncated or rewritten while they were looked at".to_owned();
                self.report.not_checked(what.to_owned(), reason);
                Ok(Answer::NotChecked)
            }
            Ok(_) => Ok(Answer::Row(row)),
            Err(e) => Ok(match self.recover(e, what).await? {
                None => Answer::NotChecked,
                Some(why) => Answer::Broken(why),
            }),
        }
    }

    /// [`Looker::ask`] for a count and examples (see [`counted`](super::table::counted)); none when it was not checked, which the report then says.
    ///
    /// # Errors
    /// [`Kind::ServerLost`].
    pub(super) async fn count(
        &mut self,
        what: &str,
        sql: &str,
        tables: &[u32],
    ) -> Result<Option<(u64, Vec<Value>)>> {
        match self.ask(what, sql, tables).await? {
            Answer::Row(row) => {
                let count: i64 = row.get(0);
                let examples: Vec<String> = row.get(1);
                let examples = examples.iter().filter_map(|e| serde_json::from_str(e).ok()).collect();
                Ok(Some((u64::try_from(count).unwrap_or_default(), examples)))
            }
            Answer::Refused(why) | Answer::Broken(why) => {
                self.report.not_checked(what.to_owned(), why);
                Ok(None)
            }
            Answer::NotChecked => Ok(None),
        }
    }

    /// [`Looker::count`], and a finding where there are any; tells whether it was checked.
    ///
    /// # Errors
    /// [`Kind::ServerLost`].
    pub(super) async fn expect_none(
        &mut self,
        what: &str,
        sql: &str,
        tables: &[u32],
        finding: impl FnOnce(u64) -> Finding,
    ) -> Result<bool> {
        let Some((count, examples)) = self.count(what, sql, tables).await? else { return Ok(false) };
        if count > 0 {
            self.report.found(Finding { count, examples, ..finding(count) });
        }
        Ok(true)
    }

    /// A statement within a savepoint and what is left of the time; the inner none is for no time left.
    async fn query(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> std::result::Result<Vec<Row>, Option<tokio_postgres::Error>> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left < LEAST {
            return Err(None);
        }
        let limit = format!(
            "SAVEPOINT look; SET LOCAL statement_timeout = {}",
            left.as_millis().min(i32::MAX as u128)
        );
        self.session.batch_execute(&limit).await.map_err(Some)?;
        let rows = self.session.query(sql, parameters).await.map_err(Some)?;
        self.session.batch_execute("RELEASE SAVEPOINT look").await.map_err(Some)?;
        Ok(rows)
    }

    /// After a statement that failed: back to where the transaction can go on. What the server said, or none for what is in the report now.
    async fn recover(&mut self, error: Option<tokio_postgres::Error>, what: &str) -> Result<Option<String>> {
        let Some(error) = error else {
            self.report.not_checked(what.to_owned(), "the time was up".to_owned());
            return Ok(None);
        };
        let code = error.code().cloned();
        let told = self.session.error(error);
        if code.is_none() || told.kind() == Kind::ServerLost {
            return Err(told.context(format!("looking at {what}")));
        }
        let back = "ROLLBACK TO SAVEPOINT look; RELEASE SAVEPOINT look";
        self.session.batch_execute(back).await.map_err(|e| self.session.error(e))?;
        let reason = match code {
            Some(SqlState::QUERY_CANCELED) => "it took longer than the time that was left".to_owned(),
            Some(SqlState::LOCK_NOT_AVAILABLE) => "another session has locked it".to_owned(),
            _ => return Ok(Some(Error::to_string(&told))),
        };
        self.report.not_checked(what.to_owned(), reason);
        Ok(None)
    }
}
