//! What events and request bodies ask for, parsed once into typed values.
//!
//! Fields may be spelt in camelCase or snake_case; an unknown field, or one given in both spellings, is refused with its
//! name. What is planned but not built yet is refused as [`crate::base::Kind::NotAvailableYet`], never ignored: nobody
//! who asks for three tables gets a silent full backup.

mod backup;
mod fields;
mod record;
mod registration;
mod restore;
mod retention;
mod schedule;
mod unique;
mod validate;
mod verify;

pub use backup::{BackupRequest, Hop};
pub(super) use fields::Fields;
pub use record::{archive_folder, stored_at};
pub use registration::RegistrationRequest;
pub use restore::{RestoreRequest, RestoreSource, RestoreTarget, Resume};
pub use retention::RetentionRequest;
pub use schedule::{ScheduleRequest, interval_hours, nothing};
pub use validate::ValidateRequest;
pub use verify::{Asked, VerifyRequest, Which};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::*;
    use crate::base::Kind;

    const NAMES: [&str; 24] = [
        "database",
        "format",
        "compress",
        "compression",
        "tables",
        "excludeTables",
        "include_schema_only",
        "incremental",
        "encrypt",
        "label",
        "id",
        "eventId",
        "scheduledTime",
        "scheduleId",
        "backupType",
        "databaseSecret",
        "backupId",
        "filepath",
        "target",
        "targetSecret",
        "as",
        "jobs",
        "detail-type",
        "source",
    ];

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,30}".prop_map(Value::from),
            "(MAIN|archive|zstd|manual|20261121T020000Z-9f86d081|2026-11-21T02:00:00Z|a/b)"
                .prop_map(Value::from),
            proptest::collection::vec(".{0,9}", 0..3).prop_map(Value::from),
        ]
    }

    proptest! {
        #[test]
        fn requests_never_panic(
            fields in proptest::collection::vec((proptest::sample::select(&NAMES[..]), value()), 0..6)
        ) {
            let event: Map<String, Value> = fields.into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
            let body = Value::Object(event.clone()).to_string();
            let errors = [
                BackupRequest::from_body(body.as_bytes()).err(),
                BackupRequest::from_event(Value::Object(event.clone())).err(),
                RestoreRequest::from_body(body.as_bytes()).err(),
                RestoreRequest::from_event(Value::Object(event)).err(),
            ];
            for error in errors.into_iter().flatten() {
                prop_assert!(matches!(error.kind(), Kind::InvalidInput | Kind::NotAvailableYet), "{error:?}");
            }
        }

        #[test]
        fn what_a_request_says_survives_the_way_through_an_event(
            label in proptest::option::of("[^\\p{Cc}]{1,200}"), compress in any::<Option<bool>>(), by in "[a-z]{1,20}"
        ) {
            let request = BackupRequest { label, compress, created_by: Some(by), ..BackupRequest::default() };
            prop_assert_eq!(BackupRequest::from_event(request.to_event()).unwrap(), request);
        }

        #[test]
        fn bodies_that_are_no_json_are_refused(body in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = BackupRequest::from_body(&body);
            let _ = RestoreRequest::from_body(&body);
        }
    }
}
