//! Patterns that name relations: data, matched here and never a part of SQL.
//!
//! ```text
//! orders        a relation of this name in any of the user's schemas
//! shop.orders   this one
//! shop.*        all of a schema;  *  stands for any number of characters in either part
//! "we.ird"."*"  a part in double quotes is taken literally, "" in it for a quote
//! ```
//!
//! Names are compared as they are: nothing is folded to lower case.

use std::fmt;

use crate::base::{Error, Kind, Result};

/// Most characters of a pattern.
pub const LONGEST: usize = 300;

/// One pattern, and how it was spelt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    /// None for any schema.
    schema: Option<Part>,
    name: Part,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// What stands between the stars: two pieces at least.
    Glob(Vec<String>),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] with what is wrong about it.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |why: &str| Err(Error::new(Kind::InvalidInput, why.to_owned()));
        if text.is_empty() || text.chars().count() > LONGEST {
            return wrong("a pattern has 1 to 300 characters");
        }
        if text.chars().any(char::is_control) {
            return wrong("a pattern has no control characters");
        }
        let (first, rest) = part(text)?;
        let Some(rest) = rest else {
            return Ok(Self { text: text.to_owned(), schema: None, name: first });
        };
        match part(rest)? {
            (name, None) => Ok(Self { text: text.to_owned(), schema: Some(first), name }),
            _ => wrong("a pattern is a table or schema.table: put a part that has a dot in double quotes"),
        }
    }

    /// As it was spelt.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it means this relation; both names unquoted.
    pub fn matches(&self, schema: &str, name: &str) -> bool {
        self.schema.as_ref().is_none_or(|part| part.matches(schema)) && self.name.matches(name)
    }

    /// What tells how near a relation's name comes to it: the pattern without quotes, and whether it names a schema.
    pub(super) fn plain(&self) -> (String, bool) {
        let name = self.name.plain();
        match &self.schema {
            Some(schema) => (format!("{}.{name}", schema.plain()), true),
            None => (name, false),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The first part of a text, and what follows its dot.
fn part(text: &str) -> Result<(Part, Option<&str>)> {
    let wrong = |why: &str| Err(Error::new(Kind::InvalidInput, why.to_owned()));
    let Some(quoted) = text.strip_prefix('"') else {
        let (name, rest) = text.split_once('.').map_or((text, None), |(name, rest)| (name, Some(rest)));
        if name.is_empty() {
            return wrong("neither schema nor table may be empty");
        }
        if name.contains('"') {
            return wrong("a part is in double quotes as a whole, or has none");
        }
        return Ok((Part::of(name), rest));
    };
    let mut name = String::new();
    let mut left = quoted;
    loop {
        let Some((before, after)) = left.split_once('"') else {
            return wrong("a double quote is not closed");
        };
        name.push_str(before);
        match after.strip_prefix('"') {
            Some(further) => {
                name.push('"');
                left = further;
            }
            None => {
                left = after;
                break;
            }
        }
    }
    if name.is_empty() {
        return wrong("neither schema nor table may be empty");
    }
    match left.strip_prefix('.') {
        Some(rest) => Ok((Part::Literal(name), Some(rest))),
        None if left.is_empty() => Ok((Part::Literal(name), None)),
        None => wrong("a part is in double quotes as a whole, or has none"),
    }
}

impl Part {
    fn of(name: &str) -> Self {
        if name.contains('*') {
            Self::Glob(name.split('*').map(str::to_owned).collect())
        } else {
            Self::Literal(name.to_owned())
        }
    }

    fn matches(&self, name: &str) -> bool {
        let pieces = match self {
            Self::Literal(literal) => return literal == name,
            Self::Glob(pieces) => pieces,
        };
        let [first, middle @ .., last] = pieces.as_slice() else { return false };
        let Some(mut left) = name.strip_prefix(first.as_str()).and_then(|n| n.strip_suffix(last.as_str()))
        else {
            return false;
        };
        // The earliest place of each piece leaves the most for those after it.
        for piece in middle {
            let Some(at) = left.find(piece.as_str()) else { return false };
            left = &left[at + piece.len()..];
        }
        true
    }

    fn plain(&self) -> String {
        match self {
            Self::Literal(name) => name.clone(),
            Self::Glob(pieces) => pieces.join("*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, schema: &str, name: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(schema, name)
    }

    #[test]
    fn names_are_matched_exactly_as_they_are() {
        assert!(matches("orders", "shop", "orders") && matches("orders", "public", "orders"));
        assert!(!matches("orders", "shop", "Orders") && !matches("Orders", "shop", "orders"));
        assert!(matches("shop.orders", "shop", "orders") && !matches("shop.orders", "public", "orders"));
        assert!(matches("Größe 1", "public", "Größe 1"));
    }

    #[test]
    fn stars_stand_for_any_characters_of_one_part() {
        assert!(matches("shop.*", "shop", "a.b") && !matches("shop.*", "shop2", "a"));
        assert!(matches("*", "x", "y") && matches("*.t", "x", "t") && matches("s*.t", "s", "t"));
        assert!(matches("a*b*c", "s", "abc") && matches("a*b*c", "s", "axxbyybzc"));
        assert!(!matches("a*a", "s", "a") && !matches("a*b*c", "s", "acb") && matches("a**b", "s", "ab"));
        assert!(matches("é*", "s", "été") && !matches("*bc*b", "s", "bcb2"));
    }

    #[test]
    fn what_is_quoted_is_literal() {
        assert!(matches("\"we.ird\"", "s", "we.ird") && matches("\"*\"", "s", "*"));
        assert!(!matches("\"*\"", "s", "a"));
        assert!(matches("\"a\"\"b\".\"c.d\"", "a\"b", "c.d") && matches("\"S\".t*", "S", "tt"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let long = "x".repeat(301);
        for bad in [
            "",
            ".",
            "a.",
            ".a",
            "a.b.c",
            "a..b",
            "\"",
            "\"a",
            "a\"b",
            "\"a\"b",
            "\"\"",
            "\"\".a",
            "a.\"\"",
            "a\u{0}b",
            "a\nb",
            "\"a\u{7f}\"",
            &long,
        ] {
            assert_eq!(Pattern::parse(bad).unwrap_err().kind(), Kind::InvalidInput, "{bad:?}");
        }
        assert!(Pattern::parse(&"é".repeat(300)).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = Pattern::parse(&text);
        }

        /// Whatever a relation is called, its quoted name means it and nothing else.
        #[test]
        fn quoted_names_mean_themselves(schema in "[^\\p{Cc}]{1,12}", name in "[^\\p{Cc}]{1,12}", other in "[^\\p{Cc}]{1,12}") {
            let quoted = |s: &str| format!("\"{}\"", s.replace('"', "\"\""));
            let pattern = Pattern::parse(&format!("{}.{}", quoted(&schema), quoted(&name))).unwrap();
            prop_assert!(pattern.matches(&schema, &name));
            prop_assert_eq!(pattern.matches(&schema, &other), other == name);
        }

        /// A name with parts of it replaced by stars is matched.
        #[test]
        fn stars_match_what_they_replaced(pieces in proptest::collection::vec("[ab]{0,3}", 1..6), stars in proptest::collection::vec(any::<bool>(), 6)) {
            let name: String = pieces.concat();
            let with_stars: String =
                pieces.iter().zip(&stars).map(|(p, star)| if *star { "*" } else { p.as_str() }).collect();
            if let Ok(pattern) = Pattern::parse(&with_stars) {
                prop_assert!(pattern.matches("s", &name), "{} {}", with_stars, name);
            }
        }
    }
}
