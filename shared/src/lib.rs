//! pgbaton: PostgreSQL backups without a server.
//!
//! Functions call jobs, jobs put rooms together, rooms stand on base:
//!
//! * [`base`]: errors, configuration, secrets, ids, clock, budget, telemetry
//! * [`pg`]: connections, session settings, snapshots, COPY, quoting, server versions
//! * [`catalog`]: what a database holds, as definitions in the order pg_dump gives them
//! * [`archive`]: the pg_dump directory archive: table of contents, data files, codecs, manifest
//! * [`store`]: objects in S3
//! * [`fanout`]: running the items of a plan here, or on many Lambdas
//! * [`ledger`]: backup and restore records and their leases in DynamoDB
//! * [`notify`]: telling people: SNS, a signed webhook
//! * [`jobs`]: what a user asks for: backup, restore, retention
//!
//! Rooms do not know each other, except that catalog uses pg. Nobody imports a job but a function or another job.

pub mod archive;
pub mod base;
pub mod catalog;
pub mod fanout;
pub mod format;
pub mod jobs;
pub mod ledger;
pub mod notify;
pub mod pg;
pub mod seal;
pub mod store;
