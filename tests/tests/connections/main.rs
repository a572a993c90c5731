//! Connections, sessions and streams against real servers: TLS and logins on a server of the test's own (built with SSL, from the folder
//! in `PGBATON_TEST_SSL_PG_BIN`), the rest on the one at `PGBATON_TEST_PG_URL`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod certs;
mod hosts;
mod passwords;
mod pooler;
mod server;
mod snapshots;
mod standby;
mod streams;
mod tls;
