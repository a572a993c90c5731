//! What goes wrong: faults that pass, which the run must stand, and flaws that the checks must find.

/// How often what fails.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// A worker is killed at one of its steps.
    pub killed: f64,
    /// A worker waits for ever at one of its steps.
    pub stuck: f64,
    /// A worker's process stands still at one of its steps.
    pub frozen: f64,
    /// Lambda refuses an invoke although it has place.
    pub refused: f64,
    /// The answer of a function that has ended is lost.
    pub answer_lost: f64,
    /// The invoke's connection breaks while the function goes on.
    pub cut: f64,
    /// No answer ever comes, nor an error.
    pub silent: f64,
    /// An invoke is delivered twice at once.
    pub twice: f64,
    /// A request to S3 or DynamoDB fails; half of them have done their work.
    pub request: f64,
    /// The server cannot be reached, or is lost while it sends.
    pub server: f64,
    /// Another session's lock is in a worker's way.
    pub contested: f64,
    /// A function that shall take the snapshot over dies, or cannot.
    pub successor: f64,
}

impl Faults {
    /// A bad day: about one attempt in ten fails.
    pub const MANY: Self = Self {
        killed: 0.04,
        stuck: 0.001,
        frozen: 0.001,
        refused: 0.01,
        answer_lost: 0.01,
        cut: 0.01,
        silent: 0.001,
        twice: 0.01,
        request: 0.0005,
        server: 0.0005,
        contested: 0.002,
        successor: 0.1,
    };
}

/// A fault that a test puts in on purpose, into the run itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Workers put outcomes on the board before they write the object.
    OutcomeFirst,
    /// Workers read the rows of now, not those of the snapshot.
    RowsOfNow,
    /// Items that give up count as done.
    GivesUpSilently,
    /// The manifest is written when half of the time has gone by.
    ManifestEarly,
}
