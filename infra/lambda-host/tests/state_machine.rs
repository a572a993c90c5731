//! State machines on the Lambda host, run as a program, with a small function that speaks the runtime API.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on must panic")]

#[path = "state_machine/api.rs"]
mod api;
#[path = "state_machine/definitions.rs"]
mod definitions;
#[path = "state_machine/failures.rs"]
mod failures;
#[path = "state_machine/host.rs"]
mod host;
#[path = "state_machine/maps.rs"]
mod maps;
