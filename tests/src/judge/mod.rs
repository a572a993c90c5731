//! pg_dump as the judge: its archive of the same database entry by entry, and its dumps of the source and of the copy that its own
//! pg_restore makes from our archive.

pub mod archive;
pub mod compare;
pub mod programs;
