//! The order in which rows must come where the server checks foreign keys: a table after those that it refers to. Pure.

use std::collections::{BTreeMap, BTreeSet};

/// Why there is no order; places of tables.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Impossible {
    /// Each refers, over others perhaps, to itself.
    pub circles: Vec<usize>,
    /// They refer to themselves and come in several files, each a transaction of its own.
    pub torn: Vec<usize>,
}

/// For each file those that must be loaded before. `keys` are pairs of tables: who refers, and to whom; `files` are those of each table.
pub(super) fn of(keys: &[(usize, usize)], files: &[&[i32]]) -> Result<BTreeMap<i32, Vec<i32>>, Impossible> {
    let torn: BTreeSet<usize> = keys
        .iter()
        .filter(|(from, to)| from == to && files[*from].len() > 1)
        .map(|(from, _)| *from)
        .collect();
    let keys: BTreeSet<(usize, usize)> = keys.iter().copied().filter(|(from, to)| from != to).collect();
    // What refers to nothing that is left, or is referred to by nothing, is in no circle.
    let mut left: BTreeSet<usize> = keys.iter().flat_map(|(from, to)| [*from, *to]).collect();
    loop {
        let within: Vec<(usize, usize)> =
            keys.iter().copied().filter(|(from, to)| left.contains(from) && left.contains(to)).collect();
        let refers = |n: &usize| within.iter().any(|(from, _)| from == n);
        let is_referred_to = |n: &usize| within.iter().any(|(_, to)| to == n);
        let before = left.len();
        left.retain(|n| refers(n) && is_referred_to(n));
        if left.len() == before {
            break;
        }
    }
    if !left.is_empty() || !torn.is_empty() {
        return Err(Impossible { circles: left.into_iter().collect(), torn: torn.into_iter().collect() });
    }
    let mut after: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for (from, to) in keys {
        for file in files[from] {
            after.entry(*file).or_default().extend(files[to]);
        }
    }
    Ok(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_referred_to_comes_first() {
        let files: [&[i32]; 4] = [&[1], &[2, 3], &[4], &[5]];
        let after = of(&[(0, 1), (1, 2), (0, 2), (3, 3)], &files).unwrap();
        assert_eq!(after, BTreeMap::from([(1, vec![2, 3, 4]), (2, vec![4]), (3, vec![4])]));
        assert!(of(&[], &files).unwrap().is_empty());
    }

    #[test]
    fn circles_are_told_without_what_hangs_on_them() {
        let files: [&[i32]; 5] = [&[1], &[2], &[3], &[4], &[5, 6]];
        // 0 refers to the circle of 1 and 2, which refers to 3.
        let e = of(&[(0, 1), (1, 2), (2, 1), (2, 3), (4, 4)], &files).unwrap_err();
        assert_eq!(e, Impossible { circles: vec![1, 2], torn: vec![4] });
    }
}
