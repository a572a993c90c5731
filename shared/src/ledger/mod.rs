//! Room: the ledger of runs in DynamoDB: who asked for what, who holds the lease, how it ended.
//!
//! # Tables (both on demand)
//!
//! `BACKUP_TABLE`: one item per backup or restore, every attribute a plain string, number, boolean, list or map, for a
//! person reading the table in the AWS console.
//!
//! | key | hash | range | projection |
//! |---|---|---|---|
//! | table | `id` (S) | | |
//! | GSI `by_database` | `database` (S) | `created_at` (S) | ALL |
//! | GSI `by_kind` | `kind` (S): `backup` or `restore` | `created_at` (S) | ALL |
//! | GSI `by_open` | `open` (S): `yes`, absent once a run is final | `created_at` (S) | KEYS_ONLY |
//!
//! `STATE_TABLE`: hash `id` (S), no range, no index; TTL on attribute `expires_epoch` (N, epoch seconds). An item
//! `delivery#<event key>` names the run that the event's first delivery began; the others are notes that functions of one run leave for each other, their
//! keys and documents described where they are written. How each database stands is described in `standing`.
//!
//! # Life cycle
//!
//! ```text
//!            create            claim                  complete
//!   (absent) ──────▶ pending ─────────▶ in_progress ───────────▶ completed
//!                       │                   │  ▲ renew, progress, stage; hand_over and receive, take_over (lease ran out)
//!                       │ close_stuck (1 h) │ fail, close_stuck (lease ran out)
//!                       └───────▶ failed ◀──┘
//! ```
//!
//! Every write is conditional on the state it leaves, so a record never goes backwards. A lease alone does not stop a
//! writer that was frozen and woke up: each claim and each closing raises `fence`, and every later write of a run names
//! the fence it holds; one that does not match is refused with `Kind::Fenced`.

mod claim;
mod delivery;
mod fault;
mod finish;
mod heartbeat;
mod item;
mod list;
mod notes;
mod outbox;
mod record;
mod standing;
mod stuck;
mod table;
mod transact;

pub use claim::Lease;
pub use delivery::Delivery;
pub use finish::{Completion, Failure};
pub use heartbeat::Heartbeat;
pub use list::{ListQuery, Page};
pub use outbox::Told;
pub use record::{BackupType, Progress, Record, RunKind, Status, TableLine};
pub use standing::{Notice, Standing};
pub use stuck::START_LIMIT;
pub use table::Ledger;
