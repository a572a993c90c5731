//! The HTTP API: a router over jobs and the ledger, for API Gateway's HTTP API (payload 2.0).

mod app;
mod auth;
mod backups;
mod begin;
mod body;
mod docs;
mod documents;
mod gateway;
mod health;
mod idempotency;
mod openapi;
mod planned;
mod problem;
mod query;
mod router;
mod trace;

pub use app::App;
pub use gateway::serve;
pub use router::router;
