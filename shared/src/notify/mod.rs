//! Room: telling people and programs what happened, over channels. It knows nothing of runs: what is told is handed to it.
//!
//! | channel | what goes out |
//! |---|---|
//! | SNS | a subject and plain text for e-mail and phones, the event as JSON for all other protocols ([`Event::json`]) |
//! | webhook | the event as JSON, signed ([`signature`]) |
//!
//! An event is told at least once. Told again it has the same `id`, by which receivers know doubles.

mod channel;
mod event;
pub mod signature;
mod sns;
mod webhook;

pub use channel::Channel;
pub use event::Event;
pub use sns::Topic;
pub use webhook::Webhook;
