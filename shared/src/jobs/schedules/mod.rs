//! Schedules of backups: what a schedule expression means, and one EventBridge Scheduler schedule for each record of the ledger.
//!
//! The schedule `default` is the deployment's own: the reaper makes it from `BACKUP_SCHEDULE` and `TZ`, which a template could not translate from
//! five-field cron, and start and stop are about it. So there is never a second one beside it that would back up at the same time.

mod cron;
mod desk;
mod eventbridge;
mod expression;
mod field;
mod pace;
mod repair;
mod runs;
mod unix_cron;
mod view;

pub use cron::Cron;
pub use desk::{Desk, MOST};
pub use expression::{Expression, Rate, zone};
pub(super) use pace::paces;
pub use pace::{Paces, backs_up, next_of};
pub use repair::{Repaired, checked};
pub use runs::SHOWN;
pub use view::view;
