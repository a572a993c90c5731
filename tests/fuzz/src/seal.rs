//! The room `seal` without its keys from KMS.

#[path = "../../../shared/src/seal/header.rs"]
mod header;
#[path = "../../../shared/src/seal/identity.rs"]
mod identity;
#[path = "../../../shared/src/seal/opener.rs"]
mod opener;
#[path = "../../../shared/src/seal/recipient.rs"]
mod recipient;
#[path = "../../../shared/src/seal/sealer.rs"]
mod sealer;

pub use header::{HEADER_LIMIT, can_open};
pub use identity::Identity;
pub use opener::Opener;
pub use recipient::{MAX_RECIPIENTS, Recipient};
pub use sealer::Sealer;
