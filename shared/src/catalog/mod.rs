//! Room: what a database holds, read from its catalogs inside the snapshot's transaction, as definitions in the order pg_dump gives them.
//!
//! One file under [`kinds`] per kind of object; each adds its drafts and nothing else needs to know. The framework then adds comments,
//! grants and dependencies, orders everything and breaks cycles.

pub mod acl;
pub mod class;
pub mod comments;
pub mod draft;
mod entry;
pub mod kinds;
mod rows;
