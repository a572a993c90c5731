//! Tokens of SQL, as far as it takes to find names in statements that pg_dump writes, and to change them without touching anything else.
//!
//! Rules: PostgreSQL manual, "Lexical Structure", with `standard_conforming_strings` on.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::jobs) enum Kind {
    /// A key word or an identifier without quotes, in lower case as the server folds it.
    Word(String),
    /// An identifier in quotes, unquoted.
    Quoted(String),
    /// A string constant in any form, its text without quotes; escapes of `E''` are kept as they are.
    Literal(String),
    /// A number.
    Number(String),
    /// Any other single character.
    Symbol(char),
}

/// A token and where it stands, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::jobs) struct Token {
    pub kind: Kind,
    pub at: Range<usize>,
}

impl Token {
    /// Whether it is this key word.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(&self.kind, Kind::Word(w) if w == word)
    }

    /// Whether it is this character.
    pub(in crate::jobs) fn is_symbol(&self, symbol: char) -> bool {
        self.kind == Kind::Symbol(symbol)
    }

    /// The name, when it is an identifier.
    pub(super) fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(name) | Kind::Quoted(name) => Some(name),
            _ => None,
        }
    }
}

/// All tokens, comments left out; none when a quote or a comment does not end.
pub(in crate::jobs) fn tokens(sql: &str) -> Option<Vec<Token>> {
    let mut scanner = Scanner { sql, at: 0 };
    let mut all = Vec::new();
    while let Some(token) = scanner.next()? {
        all.push(token);
    }
    Some(all)
}

/// The statements: tokens between semicolons outside of parentheses, empty ones left out; none when [`tokens`] finds none or parentheses do not match.
pub(super) fn statements(sql: &str) -> Option<Vec<Vec<Token>>> {
    let mut all = vec![Vec::new()];
    let mut depth = 0usize;
    for token in tokens(sql)? {
        match token.kind {
            Kind::Symbol('(' | '[') => depth += 1,
            Kind::Symbol(')' | ']') => depth = depth.checked_sub(1)?,
            Kind::Symbol(';') if depth == 0 => {
                all.push(Vec::new());
                continue;
            }
            _ => {}
        }
        all.last_mut()?.push(token);
    }
    all.retain(|s| !s.is_empty());
    (depth == 0).then_some(all)
}

/// Puts new texts in place of the ranges, which must not overlap.
pub(super) fn replaced(sql: &str, mut changes: Vec<(Range<usize>, String)>) -> String {
    changes.sort_by_key(|(at, _)| at.start);
    let mut out = String::with_capacity(sql.len());
    let mut done = 0;
    for (at, text) in changes {
        out.push_str(&sql[done..at.start]);
        out.push_str(&text);
        done = at.end;
    }
    out.push_str(&sql[done..]);
    out
}

struct Scanner<'a> {
    sql: &'a str,
    at: usize,
}

impl Scanner<'_> {
    /// The outer none: something does not end. The inner one: the text is at its end.
    fn next(&mut self) -> Option<Option<Token>> {
        self.blanks()?;
        let start = self.at;
        let rest = &self.sql[start..];
        let Some(first) = rest.chars().next() else { return Some(None) };
        let kind = match first {
            '"' => Kind::Quoted(self.quoted('"')?),
            '\'' => Kind::Literal(self.quoted('\'')?),
            '$' => match self.dollar_quoted()? {
                Some(text) => Kind::Literal(text),
                None => self.symbol(first),
            },
            'e' | 'E' if rest[1..].starts_with('\'') => {
                self.at += 1;
                Kind::Literal(self.escaped()?)
            }
            'b' | 'B' | 'x' | 'X' | 'n' | 'N' if rest[1..].starts_with('\'') => {
                self.at += 1;
                Kind::Literal(self.quoted('\'')?)
            }
            // U&"…" and U&'…' mean other characters than they show; pg_dump writes neither.
            'u' | 'U' if rest[1..].starts_with("&'") || rest[1..].starts_with("&\"") => return None,
            c if c.is_ascii_digit() => {
                Kind::Number(self.run(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_')))
            }
            // Letters beyond ASCII are not folded: in UTF-8 the server leaves them as they are.
            c if is_word(c) => {
                Kind::Word(self.run(|c| is_word(c) || c.is_ascii_digit() || c == '$').to_ascii_lowercase())
            }
            c => self.symbol(c),
        };
        Some(Some(Token { kind, at: start..self.at }))
    }

    fn symbol(&mut self, c: char) -> Kind {
        self.at += c.len_utf8();
        Kind::Symbol(c)
    }

    fn run(&mut self, within: impl Fn(char) -> bool) -> String {
        let rest = &self.sql[self.at..];
        let run = &rest[..rest.find(|c| !within(c)).unwrap_or(rest.len())];
        self.at += run.len();
        run.to_owned()
    }

    /// White space and comments, which nest.
    fn blanks(&mut self) -> Option<()> {
        loop {
            let rest = &self.sql[self.at..];
            let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("--") {
                self.at += trimmed.find(['\n', '\r']).unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                let mut depth = 0usize;
                let mut places = trimmed.as_bytes().windows(2).enumerate();
                let end = loop {
                    match places.next()? {
                        (_, b"/*") => depth += 1,
                        (at, b"*/") if depth == 1 => break at + 2,
                        (_, b"*/") => depth -= 1,
                        _ => continue,
                    }
                    places.next();
                };
                self.at += end;
            } else {
                return Some(());
            }
        }
    }

    /// From an opening quote to its end; a doubled quote is one.
    fn quoted(&mut self, quote: char) -> Option<String> {
        let mut text = String::new();
        let mut rest = self.sql[self.at + 1..].char_indices().peekable();
        while let Some((at, c)) = rest.next() {
            if c != quote {
                text.push(c);
            } else if rest.next_if(|(_, next)| *next == quote).is_some() {
                text.push(quote);
            } else {
                self.at += 1 + at + 1;
                return Some(text);
            }
        }
        None
    }

    /// `E'…'` after its E.
    fn escaped(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut rest = self.sql[self.at + 1..].char_indices().peekable();
        while let Some((at, c)) = rest.next() {
            match c {
                '\\' => {
                    text.push(c);
                    text.push(rest.next()?.1);
                }
                '\'' if rest.next_if(|(_, next)| *next == '\'').is_some() => text.push(c),
                '\'' => {
                    self.at += 1 + at + 1;
                    return Some(text);
                }
                c => text.push(c),
            }
        }
        None
    }

    /// `$tag$ … $tag$`; the inner none when no such quote begins here.
    fn dollar_quoted(&mut self) -> Option<Option<String>> {
        let rest = &self.sql[self.at..];
        let Some(end) = rest[1..].find('$') else { return Some(None) };
        let tag = &rest[..end + 2];
        let inner = &tag[1..tag.len() - 1];
        let is_tag = inner.chars().all(|c| is_word(c) || c.is_ascii_digit())
            && !inner.starts_with(|c: char| c.is_ascii_digit());
        if !is_tag {
            return Some(None);
        }
        let text = &rest[tag.len()..];
        let length = text.find(tag)?;
        self.at += tag.len() + length + tag.len();
        Some(Some(text[..length].to_owned()))
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pg::{ident, literal};

    fn kinds(sql: &str) -> Vec<Kind> {
        tokens(sql).unwrap().into_iter().map(|t| t.kind).collect()
    }

    #[test]
    fn every_form() {
        use Kind::{Literal, Number, Quoted, Symbol, Word};
        assert_eq!(
            kinds("Grant \"a\"\"b\" /* x /* '*/ y */ 'it''s' E'\\'x' $_$a'$b$_$ 12.5 é -- '\n;"),
            [
                Word("grant".into()),
                Quoted("a\"b".into()),
                Literal("it's".into()),
                Literal("\\'x".into()),
                Literal("a'$b".into()),
                Number("12.5".into()),
                Word("é".into()),
                Symbol(';'),
            ]
        );
        for bad in ["'a", "\"a", "/* /* */", "$x$ a", "E'\\'", "U&\"a\""] {
            assert_eq!(tokens(bad), None, "{bad}");
        }
        assert_eq!(statements("a; b(c; d); ';'").unwrap().len(), 3);
        assert_eq!(statements("a)"), None);
        assert_eq!(statements("(a"), None);
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(name in "[^\0]{1,12}", text in "[^\0]{0,12}") {
            let sql = format!("{} {};", ident(&name), literal(&text));
            let all = tokens(&sql).unwrap();
            prop_assert_eq!(all.len(), 3);
            prop_assert_eq!(all[0].name(), Some(name.as_str()));
            prop_assert_eq!(&all[1].kind, &Kind::Literal(text.clone()));
            let other = replaced(&sql, vec![(all[0].at.clone(), ident("x;y"))]);
            prop_assert_eq!(other, format!("\"x;y\" {};", literal(&text)));
        }

        #[test]
        fn no_text_panics(sql in "[a-eE$\"'/*;()é \\\\-]{0,24}") {
            if let Some(all) = tokens(&sql) {
                for pair in all.windows(2) {
                    prop_assert!(pair[0].at.end <= pair[1].at.start);
                }
            }
            let _ = statements(&sql);
        }
    }
}
