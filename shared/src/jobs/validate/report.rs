//! What a validation found, as it stands in the record and in the API's answer.

use serde::Serialize;
use serde_json::Value;

/// Findings and unchecked things kept by name; a record has room for 400 KB.
const KEPT: usize = 100;

/// Warnings made of them.
const WARNINGS: usize = 20;

/// One thing that does not keep what a definition promises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `orphaned_rows`, `check_violation`, `domain_violation`, `not_null_violation`, `sequence_behind`, `invalid_index` or `unreadable_table`.
    pub kind: &'static str,
    /// Schema and name, quoted where they must be.
    pub table: String,
    /// The constraint, index or sequence; for NOT NULL the column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraint: Option<String>,
    /// Rows; 1 for what has none.
    pub count: u64,
    /// Up to five rows by their primary key, or by the columns at fault where there is none. These are data of the database.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Value>,
    /// One sentence, without values.
    pub message: String,
}

/// What was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotChecked {
    /// Table and constraint.
    pub what: String,
    /// Why.
    pub reason: String,
}

/// How much was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// Indexes.
    pub indexes: u64,
    /// Sequences of serial and identity columns.
    pub sequences: u64,
    /// Foreign keys.
    pub foreign_keys: u64,
    /// CHECK constraints that are not validated.
    pub check_constraints: u64,
    /// Columns of domains with constraints that are not validated.
    pub domain_columns: u64,
    /// Columns that must not be NULL.
    pub not_null_columns: u64,
    /// Tables and materialized views that were read in full.
    pub tables: u64,
    /// Their rows.
    pub rows: u64,
}

/// The whole outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whether nothing was found. What was not checked may hold more.
    pub is_valid: bool,
    /// What was found.
    pub errors: Vec<Finding>,
    /// How many were found, where `errors` has no room for all.
    pub error_count: u64,
    /// What was not looked at.
    pub not_checked: Vec<NotChecked>,
    /// How many were not looked at.
    pub not_checked_count: u64,
    /// How much was.
    pub checked: Checked,
}

impl Report {
    /// Nothing found yet.
    pub(super) fn new() -> Self {
        Self { is_valid: true, ..Self::default() }
    }

    pub(super) fn found(&mut self, finding: Finding) {
        self.is_valid = false;
        self.error_count += 1;
        if self.errors.len() < KEPT {
            self.errors.push(finding);
        }
    }

    pub(super) fn not_checked(&mut self, what: String, reason: String) {
        self.not_checked_count += 1;
        if self.not_checked.len() < KEPT {
            self.not_checked.push(NotChecked { what, reason });
        }
    }

    /// One sentence.
    pub(super) fn told(&self) -> String {
        let Checked { tables, foreign_keys, rows, .. } = self.checked;
        let looked = format!("{tables} tables with {rows} rows and {foreign_keys} foreign keys looked at");
        let missed = match self.not_checked_count {
            0 => String::new(),
            n => format!("; {n} things were not checked"),
        };
        match self.error_count {
            0 => format!("nothing wrong found; {looked}{missed}"),
            n => format!("{n} things are wrong; {looked}{missed}"),
        }
    }

    /// The same as warnings of a record, without any key.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut all: Vec<String> =
            self.errors.iter().take(WARNINGS).map(|f| format!("validation: {}", f.message)).collect();
        let more = self.error_count.saturating_sub(all.len() as u64);
        if more > 0 {
            all.push(format!("validation: {more} more things are wrong"));
        }
        if let Some(first) = self.not_checked.first() {
            let more = match self.not_checked_count {
                1 => String::new(),
                n => format!(", and {} more", n - 1),
            };
            all.push(format!("validation: not checked: {} ({}){more}", first.what, first.reason));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_bounded_and_count_all() {
        let mut report = Report::new();
        for n in 0..150 {
            report.found(Finding {
                kind: "orphaned_rows",
                table: "t".into(),
                constraint: None,
                count: 1,
                examples: vec!["secret key".into()],
                message: format!("m{n}"),
            });
            report.not_checked(format!("w{n}"), "r".into());
        }
        assert!(!report.is_valid);
        assert_eq!((report.errors.len(), report.error_count), (KEPT, 150));
        assert_eq!((report.not_checked.len(), report.not_checked_count), (KEPT, 150));
        let warnings = report.warnings();
        assert_eq!(warnings.len(), WARNINGS + 2);
        assert!(!warnings.concat().contains("secret key"));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!((&json["isValid"], &json["errorCount"]), (&false.into(), &150.into()));
    }
}
