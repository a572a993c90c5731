//! One file per kind of object.

pub mod aggregates;
pub mod default_acl;
pub mod extensions;
pub mod large_objects;
pub mod routines;
pub mod schemas;
pub mod types;
