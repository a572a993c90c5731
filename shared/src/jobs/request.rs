//! What events and request bodies ask for, parsed once into typed values.
//!
//! Fields may be spelt in camelCase or snake_case; an unknown field, or one given in both spellings, is refused with its
//! name. What is planned but not built yet is refused as [`crate::base::Kind::NotAvailableYet`], never ignored: nobody
//! who asks for three tables gets a silent full backup.

mod backup;
mod fields;
mod record;
mod restore;

pub use backup::BackupRequest;
pub use record::archive_folder;
pub use restore::{RestoreRequest, RestoreSource, RestoreTarget};
