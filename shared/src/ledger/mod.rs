//! Room: the ledger of runs in DynamoDB: who asked for what, who holds the lease, how it ended.
//!
//! # Tables (both on demand)
//!
//! `BACKUP_TABLE`: one item per run, every attribute a plain string, number, boolean, list or map, for a
//! person reading the table in the AWS console.
//!
//! | key | hash | range | projection |
//! |---|---|---|---|
//! | table | `id` (S) | | |
//! | GSI `by_database` | `database` (S) | `created_at` (S) | ALL |
//! | GSI `by_kind` | `kind` (S): `backup`, `restore`, `verify`, `validate` or `deletion` | `created_at` (S) | ALL |
//! | GSI `by_open` | `open` (S): `yes`, absent once a run is final | `created_at` (S) | KEYS_ONLY |
//!
//! `STATE_TABLE`: hash `id` (S), no range, no index; TTL on attribute `expires_epoch` (N, epoch seconds). An item
//! `delivery#<event key>` names the run that the event's first delivery began; `databases` and `database#<name>` are the registry, `schedule#<id>` and
//! `schedules` the schedules of backups (none of them expires); the others are notes that functions of one run leave for each other, their
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
mod databases;
mod delivery;
mod fault;
mod finish;
mod heartbeat;
mod history;
mod intent;
mod item;
mod list;
mod notes;
mod outbox;
mod record;
mod removal;
mod rules;
mod schedule;
mod schedules;
mod standing;
mod stuck;
mod table;
mod transact;
mod verification;

pub use claim::Lease;
pub use databases::{DatabaseSource, Registered, Registration};
pub use delivery::Delivery;
pub use finish::{Completion, Failure};
pub use heartbeat::Heartbeat;
pub use history::HistoryQuery;
pub use intent::{Answer, Intent, KeyState};
pub use list::{ListQuery, Page};
pub use outbox::Told;
pub use record::{BackupType, PARTIAL, Progress, Record, RunKind, Status, TableLine};
pub use rules::KeepRules;
pub use schedule::{Schedule, ScheduleId};
pub use schedules::Added;
pub use standing::{Notice, Standing};
pub use stuck::START_LIMIT;
pub use table::Ledger;
pub use verification::{Verdict, Verified, fit_to_verify};
