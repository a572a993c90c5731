//! Request ids, trace ids and other random names.

/// `bytes` random bytes in hex.
pub fn hex(bytes: usize) -> String {
    let mut buffer = vec![0u8; bytes];
    if getrandom::fill(&mut buffer).is_err() {
        // Without randomness ids still differ by time.
        let now = jiff::Timestamp::now().as_nanosecond().to_le_bytes();
        for (b, n) in buffer.iter_mut().zip(now.iter().cycle()) {
            *b = *n;
        }
    }
    hex::encode(buffer)
}

/// A random UUID (version 4), the form of request ids.
pub fn uuid() -> String {
    let h = hex(16);
    format!("{}-{}-4{}-8{}-{}", &h[0..8], &h[8..12], &h[13..16], &h[17..20], &h[20..32])
}

/// A trace header as X-Ray has it.
pub fn trace() -> String {
    let now = jiff::Timestamp::now().as_second();
    format!("Root=1-{now:08x}-{};Parent={};Sampled=0", hex(12), hex(8))
}

#[cfg(test)]
mod tests {
    #[test]
    fn forms() {
        let id = super::uuid();
        assert_eq!(id.len(), 36);
        assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(super::trace().starts_with("Root=1-"));
    }
}
