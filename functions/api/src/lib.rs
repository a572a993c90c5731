//! The HTTP API: a router over jobs and the ledger, for API Gateway's HTTP API (payload 2.0).

mod app;
mod auth;
mod backups;
mod gateway;
mod health;
mod planned;
mod problem;
mod query;
mod router;
mod trace;
mod validate;
mod verify;

pub use app::App;
pub use gateway::serve;
pub use router::router;
