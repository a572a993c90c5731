//! The end of a run: completed or failed, by the holder of its lease.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Serialize;

use super::{
    claim::{HOLDS, Lease, fenced},
    item,
    record::{Record, Status, TableLine},
    standing::{self, Ended},
    stuck::is_code_of_abandoned,
    table::{Ledger, missing},
    transact::Transacted,
};
use crate::base::{self, Error, Kind, Result, clock, id::RunId};

/// Tables named in a record take at most this many bytes: an item may have 400 KB, and each index copies it.
const TABLES_BYTES: usize = 96 << 10;
/// Warnings kept in a record.
const WARNINGS: usize = 50;
/// Characters of a warning kept.
const SENTENCE: usize = 600;
/// Characters of a message kept: a restore lists in one all that its target lacks.
const MESSAGE: usize = 6_000;

/// What a completed run puts into its record; what is none stays as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Completion {
    /// Bytes stored.
    pub file_size: Option<u64>,
    /// Bytes before compression.
    pub raw_size: Option<u64>,
    /// Rows.
    pub record_count: Option<u64>,
    /// Tables.
    pub table_count: Option<u64>,
    /// SHA-256 of manifest.json, in hex.
    pub checksum: Option<String>,
    /// The server's version text.
    pub database_version: Option<String>,
    /// One sentence on how it went.
    pub message: Option<String>,
    /// Hand-overs of the snapshot.
    pub hops: Option<u64>,
    /// What a person should know although the run completed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// All tables; the record keeps the largest ones, as many as it has room for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<TableLine>,
    /// What a validation found.
    pub validation: Option<serde_json::Value>,
    /// Set by the ledger: tables that found no room.
    pub tables_omitted: Option<u64>,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// A stable code: `base::Kind::code`.
    pub code: String,
    /// One sentence that names the object and the cause.
    pub message: String,
    /// Warnings met before.
    pub warnings: Vec<String>,
}

impl From<&base::Error> for Failure {
    /// The error's code and its whole chain, with the advice of its kind.
    fn from(error: &base::Error) -> Self {
        let advice = error.kind().advice();
        let message = if advice.is_empty() { error.to_string() } else { format!("{error} ({advice})") };
        Self { code: error.kind().code().into(), message, warnings: Vec::new() }
    }
}

impl Ledger {
    /// Ends a run as completed. Done again after a lost answer, it is no error.
    ///
    /// # Errors
    /// [`Kind::Fenced`] when the record was closed or taken over meanwhile: the run does not count.
    pub async fn complete(&self, lease: &Lease, completion: Completion) -> Result<Record> {
        self.end(lease, Status::Completed, fields(&fit(completion))?).await
    }

    /// Puts down what the run is at, for people and for a function that goes on with it, and as much of its outcome as is certain.
    ///
    /// # Errors
    /// As [`Ledger::renew`].
    pub async fn stage(&self, lease: &Lease, phase: &str, certain: Completion) -> Result<()> {
        let mut all = fields(&fit(certain))?;
        all.push(("phase".into(), item::text(phase)));
        let sets: Vec<String> = all.iter().map(|(name, _)| format!("{name} = :set_{name}")).collect();
        let values: Vec<_> = all.into_iter().map(|(name, value)| (format!(":set_{name}"), value)).collect();
        let values = values.iter().map(|(name, value)| (name.as_str(), value.clone()));
        let update = format!("SET {}", sets.join(", "));
        match self.update(&lease.id, &update, HOLDS, values.chain(lease.terms())).await? {
            Ok(_) => Ok(()),
            Err(there) => Err(fenced(lease, there.as_deref())),
        }
    }

    /// Ends a run as failed. Done again after a lost answer, it is no error.
    ///
    /// # Errors
    /// As [`Ledger::complete`].
    pub async fn fail(&self, lease: &Lease, failure: &Failure) -> Result<Record> {
        self.end(lease, Status::Failed, failure.fields()?).await
    }

    /// Ends a pending run as failed: the function that was to claim it could not be started.
    ///
    /// # Errors
    /// [`Kind::NotFound`]; [`Kind::Conflict`] when it was claimed or closed meanwhile.
    pub async fn fail_pending(&self, id: &RunId, failure: &Failure) -> Result<Record> {
        let close = Closing::new(Status::Failed, None, clock::now(), failure.fields()?);
        let pending = (":pending", item::text(Status::Pending.name()));
        match self.close(id, close, "#status = :pending", [pending]).await? {
            Ok(record) => Ok(record),
            Err(Some(there)) => {
                Err(Error::new(Kind::Conflict, format!("the run {id} is {} already", there.status.name())))
            }
            Err(None) => Err(missing(id)),
        }
    }

    async fn end(&self, lease: &Lease, status: Status, fields: Vec<Field>) -> Result<Record> {
        let close = Closing::new(status, lease.started_at, clock::now(), fields);
        match self.close(&lease.id, close, HOLDS, lease.terms()).await? {
            Ok(record) => Ok(record),
            // The SDK sends it again when the answer was lost. Any other closing raises the fence.
            Err(Some(there)) if there.status == status && there.fence == lease.fence => Ok(*there),
            Err(there) => Err(fenced(lease, there.as_deref())),
        }
    }

    /// The one write that makes a record final; answers as `update` does. In the same transaction the end is counted in the database's standing, and
    /// what is to be told of it put down.
    pub(super) async fn close<const N: usize>(
        &self,
        id: &RunId,
        close: Closing,
        condition: &str,
        terms: [(&str, AttributeValue); N],
    ) -> Result<Result<Record, Option<Box<Record>>>> {
        let (status, at) = (close.status, close.at);
        let (abandoned, warnings) = (close.abandoned(), close.warns());
        let (update, values) = close.update();
        let values: Vec<_> = values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let values = || values.iter().cloned().chain(terms.iter().cloned());
        let mut uncounted = None;
        for attempt in 0..standing::TRIES {
            let there = match self.find(id).await? {
                Some(there) if !there.status.is_final() => there,
                other => return Ok(Err(other.map(Box::new))),
            };
            let (id, kind) = (id.clone(), there.kind);
            let ended = Ended { id, kind, status, abandoned, warnings, at };
            match self.transact_end(&there.database, &ended, &update, condition, values()).await {
                Ok(Transacted::Done) => return Ok(Ok(self.get(&ended.id).await?)),
                Ok(Transacted::Refused) => return Ok(Err(self.find(&ended.id).await?.map(Box::new))),
                Ok(Transacted::Overtaken) => {
                    standing::pause(attempt).await;
                    uncounted = Some((there.database, ended));
                }
                Err(e) => {
                    tracing::error!(id = %ended.id, error = %e, "the end of a run cannot be counted; its record is closed alone");
                    uncounted = Some((there.database, ended));
                    break;
                }
            }
        }
        // That people are told must not stand in the way of the run itself.
        let closed = self.update(id, &update, condition, values()).await?;
        // Closed by this write, it was not counted by another.
        if let (Ok(_), Some((database, ended))) = (&closed, uncounted)
            && let Err(e) = self.change_standing(&database, |standing| standing.end(&ended)).await
        {
            tracing::error!(id = %ended.id, error = %e, "the end of a run was not counted, and nobody is told of it");
        }
        Ok(closed)
    }
}

/// An attribute's name and value.
pub(super) type Field = (String, AttributeValue);

/// What making a record final writes.
pub(super) struct Closing {
    fields: Vec<Field>,
    status: Status,
    at: Timestamp,
    raise_fence: bool,
    removed: &'static str,
}

impl Closing {
    /// `fields` besides the status and the times.
    pub(super) fn new(
        status: Status,
        started: Option<Timestamp>,
        now: Timestamp,
        fields: Vec<Field>,
    ) -> Self {
        let mut fields = fields;
        fields.push(("status".into(), item::text(status.name())));
        fields.push(("finished_at".into(), item::text(clock::text(now))));
        if let Some(ms) = Record::elapsed(started, now) {
            fields.push(("duration_ms".into(), item::number(ms)));
        }
        // A failed run keeps its phase: that is where it failed.
        let removed = match status {
            Status::Completed => "#open, lease_owner, lease_until, phase",
            _ => "#open, lease_owner, lease_until",
        };
        Self { fields, status, at: now, raise_fence: false, removed }
    }

    /// Raises the fence as well: for whoever closes the run of another.
    pub(super) fn raising_the_fence(mut self) -> Self {
        self.raise_fence = true;
        self
    }

    /// Whether the run is closed because nobody worked on it.
    fn abandoned(&self) -> bool {
        self.fields.iter().any(|(name, value)| {
            name == "error_code" && value.as_s().is_ok_and(|code| is_code_of_abandoned(code))
        })
    }

    fn warns(&self) -> bool {
        self.fields.iter().any(|(name, _)| name == "warnings")
    }

    fn update(self) -> (String, Vec<(String, AttributeValue)>) {
        let mut sets: Vec<String> =
            self.fields.iter().map(|(name, _)| format!("{} = :set_{name}", placeholder(name))).collect();
        let mut values: Vec<_> =
            self.fields.into_iter().map(|(name, value)| (format!(":set_{name}"), value)).collect();
        if self.raise_fence {
            sets.push("fence = fence + :set_one".into());
            values.push((":set_one".into(), item::number(1)));
        }
        (format!("SET {} REMOVE {}", sets.join(", "), self.removed), values)
    }
}

/// `status` and `open` are reserved words of DynamoDB's expressions.
fn placeholder(name: &str) -> &str {
    if name == "status" { "#status" } else { name }
}

impl Failure {
    /// A failure with a code of the ledger's own.
    pub(super) fn closed(code: &str, message: String) -> Self {
        Self { code: code.into(), message, warnings: Vec::new() }
    }

    pub(super) fn fields(&self) -> Result<Vec<Field>> {
        let mut all = vec![
            ("error_code".to_owned(), item::text(self.code.clone())),
            ("message".to_owned(), item::text(cut(&self.message, MESSAGE))),
        ];
        if !self.warnings.is_empty()
            && let Some(warnings) = item::attribute(&few(self.warnings.clone()))?
        {
            all.push(("warnings".to_owned(), warnings));
        }
        Ok(all)
    }
}

fn fields(completion: &Completion) -> Result<Vec<Field>> {
    match item::attribute(completion)? {
        Some(AttributeValue::M(map)) => Ok(map.into_iter().collect()),
        _ => Err(Error::new(Kind::Internal, "a completion is not an object")),
    }
}

/// Cuts a completion down to what an item has room for.
fn fit(mut completion: Completion) -> Completion {
    completion.warnings = few(completion.warnings);
    completion.message = completion.message.as_deref().map(|m| cut(m, MESSAGE));
    completion.tables.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    let mut room = TABLES_BYTES;
    let fitting = completion.tables.iter().take_while(|table| {
        // Names and numbers of the map's attributes, their overhead and the entry's own: about 60 bytes.
        let size = table.name.len() + 60;
        let fits = size <= room;
        room = room.saturating_sub(size);
        fits
    });
    let kept = fitting.count();
    let omitted = completion.tables.len() - kept;
    completion.tables.truncate(kept);
    completion.tables_omitted = (omitted > 0).then_some(omitted as u64);
    completion
}

fn few(mut warnings: Vec<String>) -> Vec<String> {
    let more = warnings.len().saturating_sub(WARNINGS);
    warnings.truncate(WARNINGS);
    warnings.iter_mut().for_each(|w| *w = cut(w, SENTENCE));
    if more > 0 {
        warnings.push(format!("and {more} more; see the function's log"));
    }
    warnings
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    text.chars().take(most).chain("…".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_completion_keeps_the_largest_tables_and_says_how_many_it_leaves_out() {
        let tables =
            (0..10_000u64).map(|n| TableLine { name: format!("public.t{n}"), rows: n, bytes: n }).collect();
        let done = fit(Completion { tables, ..Completion::default() });
        let kept = done.tables.len() as u64;
        assert!((1_000..2_000).contains(&kept), "{kept}");
        assert_eq!(done.tables_omitted, Some(10_000 - kept));
        assert_eq!(done.tables[0].name, "public.t9999");
    }

    #[test]
    fn what_a_completion_does_not_say_is_not_written() {
        let written = fields(&fit(Completion { record_count: Some(3), ..Completion::default() })).unwrap();
        assert_eq!(written, vec![("record_count".to_owned(), item::number(3))]);
    }

    #[test]
    fn warnings_and_sentences_are_bounded() {
        let few = few(vec!["é".repeat(3_000); 150]);
        assert_eq!(few.len(), WARNINGS + 1);
        assert_eq!(few[0].chars().count(), SENTENCE + 1);
        assert_eq!(few[WARNINGS], "and 100 more; see the function's log");
    }

    #[test]
    fn a_failure_says_what_can_be_done() {
        let error = Error::new(Kind::Authentication, "password authentication failed for user \"u\"");
        let failure = Failure::from(&error);
        assert_eq!(failure.code, "authentication");
        assert!(
            failure.message.ends_with("(check the user and password in the secret)"),
            "{}",
            failure.message
        );
    }
}
