//! What a pattern that matches nothing may have meant.

use super::pattern::Pattern;

/// Most names that are given.
const NAMED: usize = 3;

/// How much farther a table of the same name in another schema is.
const OTHER_SCHEMA: usize = 2;

/// The names nearest to a pattern by edit distance, as patterns would spell them; those too far to be meant left out.
pub fn misses<'a>(pattern: &Pattern, names: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let (wanted, with_schema) = pattern.plain();
    let wanted = wanted.to_lowercase();
    let bare = wanted.rsplit_once('.').map_or(wanted.as_str(), |(_, name)| name);
    let farthest = (wanted.chars().count() / 3).max(2);
    let mut found: Vec<(usize, String)> = names
        .filter_map(|(schema, name)| {
            let lower = name.to_lowercase();
            let distance = if with_schema {
                let whole = strsim::osa_distance(&wanted, &format!("{}.{lower}", schema.to_lowercase()));
                whole.min(strsim::osa_distance(bare, &lower) + OTHER_SCHEMA)
            } else {
                strsim::osa_distance(&wanted, &lower)
            };
            (distance <= farthest).then(|| (distance, format!("{}.{}", spelt(schema), spelt(name))))
        })
        .collect();
    found.sort();
    found.dedup();
    found.into_iter().take(NAMED).map(|(_, name)| name).collect()
}

/// The names nearest to another one by edit distance; those too far to be meant left out.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = wanted.to_lowercase();
    let farthest = (wanted.chars().count() / 3).max(2);
    let mut found: Vec<(usize, &str)> = names
        .map(|name| (strsim::osa_distance(&wanted, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= farthest)
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(NAMED).map(|(_, name)| name).collect()
}

/// A part of a name as a pattern takes it literally.
fn spelt(part: &str) -> String {
    if part.contains(['.', '"', '*']) {
        format!("\"{}\"", part.replace('"', "\"\""))
    } else {
        part.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [(&str, &str); 6] = [
        ("public", "orders"),
        ("public", "order_lines"),
        ("shop", "orders"),
        ("shop", "we.ird"),
        ("public", "Users"),
        ("public", "t"),
    ];

    fn of(pattern: &str) -> Vec<String> {
        misses(&Pattern::parse(pattern).unwrap(), NAMES.into_iter())
    }

    #[test]
    fn the_nearest_come_first_and_the_far_not_at_all() {
        assert_eq!(of("ordres"), ["public.orders", "shop.orders"]);
        assert_eq!(of("shop.order"), ["shop.orders", "public.orders"]);
        assert_eq!(of("users"), ["public.Users"]);
        assert_eq!(of("we_ird"), ["shop.\"we.ird\""]);
        assert_eq!(of("nothing_like_it"), Vec::<String>::new());
        assert_eq!(nearest("Shpo", ["public", "shop", "shops"].into_iter()), ["shop", "shops"]);
    }
}
