//! Time as records and ids write it: UTC, to the millisecond in records and to the second in ids.

use jiff::{Timestamp, Unit};

/// The time now, truncated to milliseconds.
pub fn now() -> Timestamp {
    truncate(Timestamp::now())
}

/// `2026-11-21T02:00:00.000Z`: sorts as text, for records.
pub fn text(t: Timestamp) -> String {
    t.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// `20261121T020000Z`: sorts as text, for ids and object keys.
pub fn compact(t: Timestamp) -> String {
    t.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn truncate(t: Timestamp) -> Timestamp {
    t.round(jiff::TimestampRound::new().smallest(Unit::Millisecond).mode(jiff::RoundMode::Trunc)).unwrap_or(t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let t: Timestamp = "2026-11-21T02:00:00.1239Z".parse().unwrap();
        assert_eq!(text(truncate(t)), "2026-11-21T02:00:00.123Z");
        assert_eq!(compact(t), "20261121T020000Z");
    }
}
