//! An event as people and programs read it.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::base::{clock, event::EventKind, id::DatabaseName};

/// Characters of a subject that SNS takes (Amazon SNS API Reference, "Publish").
const SUBJECT: usize = 100;
/// Characters of a value in the text for people.
const SHOWN: usize = 1_500;

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The same each time the event is told.
    pub id: String,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// To which database, by its registered name.
    pub database: DatabaseName,
    /// In which run.
    pub run_id: Option<String>,
    /// One sentence.
    pub message: String,
    /// What a person should do, in a sentence or two.
    pub next_step: String,
    /// What else a person needs, in this order, under the names that records have.
    pub facts: Vec<(String, Value)>,
}

impl Event {
    /// The event as one JSON object, the same bytes each time.
    ///
    /// `id`, `event`, `at`, `database`, `message`, `next_step` are always there; `run_id` and `details` (an object) as far as there is something.
    pub fn json(&self) -> String {
        let mut object = Map::new();
        object.insert("id".into(), self.id.as_str().into());
        object.insert("event".into(), self.kind.name().into());
        object.insert("at".into(), clock::text(self.at).into());
        object.insert("database".into(), self.database.as_str().into());
        if let Some(run) = &self.run_id {
            object.insert("run_id".into(), run.as_str().into());
        }
        object.insert("message".into(), self.message.as_str().into());
        object.insert("next_step".into(), self.next_step.as_str().into());
        if !self.facts.is_empty() {
            object.insert("details".into(), self.facts.iter().cloned().collect::<Map<_, _>>().into());
        }
        json!(object).to_string()
    }

    /// What it is, for people.
    pub fn title(&self) -> &'static str {
        match self.kind {
            EventKind::BackupFailed => "Backup failed",
            EventKind::BackupCompletedWithWarnings => "Backup completed with warnings",
            EventKind::BackupRecovered => "Backup works again",
            EventKind::BackupStuck => "Backup was cut off",
            EventKind::VerificationFailed => "Backup failed its verification",
            EventKind::RestoreFailed => "Restore failed",
            EventKind::RestoreCompleted => "Restore completed",
            EventKind::BackupSilent => "No good backup in time",
        }
    }

    /// `[pgbaton] Backup failed: shop`: ASCII without control characters, not longer than SNS takes.
    pub fn subject(&self) -> String {
        format!("[pgbaton] {}: {}", self.title(), self.database)
            .chars()
            .filter(|c| c.is_ascii() && !c.is_ascii_control())
            .take(SUBJECT)
            .collect()
    }

    /// Plain text for people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{}: {}\n\n{}\n\nWhat to do: {}\n\n",
            self.title(),
            self.database,
            shortened(&self.message),
            self.next_step
        );
        let mut line = |name: &str, value: &str| text.push_str(&format!("{name}: {}\n", shortened(value)));
        line("database", self.database.as_str());
        if let Some(run) = &self.run_id {
            line("run", run);
        }
        for (name, value) in &self.facts {
            match value {
                Value::String(s) => line(name, s),
                Value::Array(all) => {
                    for one in all {
                        line(name, one.as_str().unwrap_or(&one.to_string()));
                    }
                }
                other => line(name, &other.to_string()),
            }
        }
        line("at", &clock::text(self.at));
        line("event", self.kind.name());
        line("event id", &self.id);
        text
    }
}

/// Cut, and without what would forge lines or colours.
fn shortened(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let cut = if text.chars().nth(SHOWN).is_some() { "…" } else { "" };
    text.chars().take(SHOWN).map(clean).chain(cut.chars()).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::notify) fn event(kind: EventKind) -> Event {
        Event {
            id: format!("20261121T020000Z-9f86d081/{}", kind.name()),
            kind,
            at: "2026-11-21T02:00:05Z".parse().unwrap(),
            database: DatabaseName::parse("shop").unwrap(),
            run_id: Some("20261121T020000Z-9f86d081".into()),
            message: "reading table public.orders: permission denied\nX-Forged: 1".into(),
            next_step: "Grant the role what it lacks.".into(),
            facts: vec![
                ("error_code".into(), "permission".into()),
                ("consecutive_failures".into(), 2.into()),
                ("warnings".into(), json!(["one", "two"])),
            ],
        }
    }

    #[test]
    fn json_has_what_programs_need() {
        for kind in EventKind::ALL {
            let told: Value = serde_json::from_str(&event(kind).json()).unwrap();
            assert_eq!(told["event"], kind.name());
            for name in ["id", "at", "database", "message", "next_step", "run_id"] {
                assert!(told[name].as_str().is_some_and(|s| !s.is_empty()), "{name}");
            }
            assert_eq!(told["details"]["consecutive_failures"], 2);
        }
    }

    #[test]
    fn subjects_are_taken_by_sns() {
        for kind in EventKind::ALL {
            let mut event = event(kind);
            event.database = DatabaseName::parse(&"d".repeat(64)).unwrap();
            let subject = event.subject();
            assert!(subject.len() <= 100 && subject.chars().all(|c| c.is_ascii_graphic() || c == ' '));
            assert!(subject.contains(event.title()), "{subject}");
        }
    }

    #[test]
    fn text_has_a_line_for_each_fact_and_no_forged_ones() {
        let text = event(EventKind::BackupFailed).text();
        for line in [
            "Backup failed: shop",
            "What to do: Grant the role what it lacks.",
            "error_code: permission",
            "consecutive_failures: 2",
            "warnings: one",
            "warnings: two",
            "event: backup.failed",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
        assert!(!text.lines().any(|l| l.starts_with("X-Forged")), "{text}");
    }
}
