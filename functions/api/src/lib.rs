//! The HTTP API: a router over jobs and the ledger, for API Gateway's HTTP API (payload 2.0).

mod app;
mod auth;
mod backups;
mod begin;
mod body;
mod connections;
mod databases;
mod docs;
mod documents;
mod exports;
mod gateway;
mod health;
mod history;
mod idempotency;
mod invoke;
mod openapi;
mod overview;
mod planned;
mod problem;
mod query;
mod removal;
mod restores;
mod router;
mod schedules;
mod trace;
mod validate;
mod verify;

pub use app::App;
pub use gateway::serve;
pub use router::router;
