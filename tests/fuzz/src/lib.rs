//! The rooms whose readers take foreign bytes, compiled from their own files and without AWS's SDK, and what the targets share.
#![allow(dead_code, reason = "the rooms are here as a whole, and the targets use their readers")]

pub mod ceiling;
pub mod pieces;
pub mod seal;

#[path = "../../../shared/src/archive/mod.rs"]
pub mod archive;
#[path = "../../../shared/src/base/mod.rs"]
pub mod base;
#[path = "../../../shared/src/format/mod.rs"]
pub mod format;

pub use pieces::Input;
