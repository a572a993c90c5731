//! Many small pieces of work in one item: starting a worker for a table of ten rows would cost more than reading it.

/// Packs pieces into items of up to `size` (by `weigh`, such as expected bytes) and `count` pieces each. The order stays: where the largest come
/// first, the largest items do. A piece that is larger than `size` has an item of its own.
pub fn pack<T>(pieces: Vec<T>, size: u64, count: usize, weigh: impl Fn(&T) -> u64) -> Vec<Vec<T>> {
    let mut items: Vec<Vec<T>> = Vec::new();
    let mut room = 0;
    for piece in pieces {
        let weight = weigh(&piece).max(1);
        match items.last_mut() {
            Some(item) if item.len() < count && weight <= room => {
                item.push(piece);
                room -= weight;
            }
            _ => {
                items.push(vec![piece]);
                room = size.saturating_sub(weight);
            }
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_item_is_too_large(
            pieces in prop::collection::vec(0u64..500, 0..300), size in 1u64..400, count in 1usize..20
        ) {
            let items = pack(pieces.clone(), size, count, |p| *p);
            prop_assert_eq!(items.concat(), pieces);
            for item in &items {
                prop_assert!(!item.is_empty() && item.len() <= count);
                prop_assert!(item.len() == 1 || item.iter().sum::<u64>() <= size);
            }
            // Two neighbours never fit into one.
            for pair in items.windows(2) {
                let whole: u64 = pair[0].iter().map(|p| (*p).max(1)).sum();
                prop_assert!(pair[0].len() == count || whole + pair[1][0].max(1) > size);
            }
        }
    }
}
