//! How a function's part in a restore ends: all is done, another function goes on, or it has failed.

use std::sync::atomic::Ordering::Relaxed;

use super::{
    lingering, marks,
    plan::named,
    runner::Runner,
    statement::Settings,
    target,
    work::{FINISHING, Filled, Restore},
};
use crate::{
    base::{Error, Kind, Result, ResultExt, id::RunId},
    jobs::{
        Platform,
        request::{RestoreRequest, Resume},
        run::Outcome,
        successor, workers,
    },
    ledger::Completion,
    pg::Session,
};

/// How long after a hand-over the next function may come, in leases: Lambda's queue may be long.
const PATIENCE: u32 = 5;

impl Restore<'_> {
    /// What comes last, in one transaction: marks gone, schemas renamed, event triggers, the database's own properties and comment. Once it is committed nothing is left to do
    /// but to complete the record, which therefore knows before how it will end.
    pub(super) async fn finish(&self, filled: Filled<'_>, told: &mut Settings) -> Result<Completion> {
        let Filled { session, runner, completion, .. } = &filled;
        if runner.marks.kept() {
            self.platform.ledger.stage(self.lease, FINISHING, completion.clone()).await?;
        }
        execute(session, "BEGIN; SET LOCAL synchronous_commit TO DEFAULT").await?;
        match last(&filled, told).await {
            Ok(()) => execute(session, "COMMIT").await.context("ending the restore's last transaction")?,
            Err(e) => {
                if e.kind() != Kind::ServerLost {
                    execute(session, "ROLLBACK").await?;
                }
                return Err(e);
            }
        }
        let Filled { session, completion, .. } = filled;
        session.close().await;
        Ok(completion)
    }

    /// Lets another function go on. That one is called first and waits for the lease: if this one dies in between, it takes over.
    ///
    /// # Errors
    /// [`Kind::Budget`] where no other may go on, or it would come no further; those of the call.
    pub(super) async fn hand_over(&self, runner: Option<&Runner>) -> Result<Outcome> {
        let most = self.platform.config.max_hops;
        let refuse = |why: String| {
            Err(Error::new(
                Kind::Budget,
                format!("the time of the function is up before the restore is done, {why}"),
            ))
        };
        if self.record.hops.unwrap_or_default() >= most {
            return refuse(format!("and BACKUP_MAX_HOPS ({most}) lets no further function go on with it"));
        }
        let Some(runner) = runner else {
            if self.unpacked.made_here() {
                return self.next().await;
            }
            return refuse("and it did not even suffice to open archive and target".to_owned());
        };
        if !runner.marks.kept() {
            return refuse(format!(
                "and no other can go on without the schema {}, which the target's role may not create",
                marks::SCHEMA
            ));
        }
        let at = runner.at.entries();
        let mut entries = at.iter().filter_map(|id| runner.source.entry(*id));
        // What the server goes on with is no reason to give up.
        if runner.at.done() == 0 && !runner.at.elsewhere() && entries.clone().all(|e| e.had_dumper) {
            let which = entries.next().map_or("an entry".to_owned(), named);
            return refuse(format!(
                "and another would come no further: {which} takes longer than one function has time"
            ));
        }
        tracing::info!(done = runner.at.done(), at = ?at, "handing the restore over");
        self.next().await
    }

    async fn next(&self) -> Result<Outcome> {
        let platform = self.platform;
        let resume = Resume { id: self.record.id.clone(), fence: self.lease.fence() };
        let event = RestoreRequest { resume: Some(resume), ..self.request.clone() };
        successor::invoke(platform, &event.to_event()).await?;
        platform.ledger.hand_over(self.lease, platform.config.lease * PATIENCE).await?;
        Ok(Outcome::HandedOver(Box::pin(std::future::ready(()))))
    }

    /// Ends what still runs on the server, and drops the database that this run created. One that stood there before keeps what it has but the marks, which is
    /// told: dropping what another made is not a restore's to do. Every table in it holds all of its rows or none.
    pub(super) async fn clean(&self, runs: &[RunId], may_change: bool) -> Result<Option<String>> {
        let created = self.created.load(Relaxed);
        if !may_change {
            return Ok(None);
        }
        // A function that froze may learn only now that another has gone on: what stands there is that one's.
        let Platform { ledger, config, .. } = self.platform;
        match ledger.renew(self.lease, config.lease).await {
            Err(e) if e.kind() == Kind::Fenced => return Ok(None),
            _ => {}
        }
        self.unpacked.remove(self.platform, &self.record.id, self.left / 20).await;
        if !(created || self.touched.load(Relaxed)) {
            return Ok(None);
        }
        let stopped = workers::stop(self.platform, self.record).await;
        if let Err(e) = stopped {
            tracing::warn!(id = %self.record.id, error = %e, "ending the workers of a failed restore");
        }
        let info = self.connection().await?;
        if created {
            target::drop_created(&info).await?;
            return Ok(Some("the database that this restore had created was dropped again".to_owned()));
        }
        lingering::stop(&info, runs).await?;
        target::drop_marks(&info).await?;
        let (holds, before) = match self.request.choices.data_only {
            true => ("a part of the archive's rows", "empty its tables before the next attempt"),
            false if self.request.drop_existing => {
                ("a part of the archive", "the next attempt with dropExisting drops it again")
            }
            false => ("a part of the archive", "make it empty before the next attempt"),
        };
        Ok(Some(format!("the target database {} holds {holds}; {before}", info.database())))
    }
}

async fn last(filled: &Filled<'_>, told: &mut Settings) -> Result<()> {
    let Filled { target, session, runner, properties, event_triggers, renames, .. } = filled;
    // Before the event triggers, which would see it.
    if runner.marks.kept() {
        execute(session, marks::DROP).await.context("dropping the marks of this restore")?;
    }
    for sql in renames {
        execute(session, sql).await.with_context(|| format!("renaming a schema: {sql}"))?;
    }
    for &place in event_triggers {
        runner.within(session, &runner.source.toc.entries[place], told).await?;
    }
    for sql in &properties.all {
        execute(session, sql).await.context("setting the database's properties")?;
    }
    target.finished(session, properties.comment.as_deref()).await
}

async fn execute(session: &Session, sql: &str) -> Result<()> {
    session.batch_execute(sql).await.map_err(|e| session.error(e))
}
