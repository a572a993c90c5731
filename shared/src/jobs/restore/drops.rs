//! What drops the objects of an archive: its entries' DROP statements, each checked to be one statement for the entry's own object, with IF EXISTS
//! where pg_restore puts it (`RestoreArchive` in pg_backup_archiver.c).
//!
//! ```text
//! DROP kind [IF EXISTS] name …;                                        most kinds; CASCADE for base types, which their functions depend on
//! ALTER TABLE [IF EXISTS] [ONLY] name DROP CONSTRAINT [IF EXISTS] c;   constraints
//! ALTER TABLE [IF EXISTS] [ONLY] name ALTER COLUMN c DROP DEFAULT;     defaults
//! CREATE OR REPLACE VIEW name AS SELECT NULL::type AS column, …;       frees a view from what its query depends on
//! lo_unlink, built here                                                large objects
//! ```

use super::{
    choices::is_of_database,
    plan::named,
    sql::{Kind as Token, Token as At, statements},
};
use crate::{
    archive::toc::Entry,
    base::{Error, Kind, Result},
};

/// What drops one entry's object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DropStatement {
    /// Of the entry.
    pub dump_id: i32,
    /// `TABLE public.users`, for people.
    pub what: String,
    /// Nothing happens where the object is not there, or the server says so.
    pub sql: String,
    /// Without IF EXISTS.
    pub strict: String,
    /// Schema and name that it frees in `pg_class`.
    pub relation: Option<(String, String)>,
    /// Schema and name of a type, which may have functions that need each other.
    pub of_type: Option<(String, String)>,
    /// It is a base type's and says CASCADE, which would take what else depends on it.
    pub cascades: bool,
}

/// Kinds named by schema and tag.
const IN_SCHEMA: &[&str] = &[
    "COLLATION",
    "CONVERSION",
    "DOMAIN",
    "FOREIGN TABLE",
    "INDEX",
    "MATERIALIZED VIEW",
    "SEQUENCE",
    "STATISTICS",
    "TABLE",
    "TEXT SEARCH CONFIGURATION",
    "TEXT SEARCH DICTIONARY",
    "TEXT SEARCH PARSER",
    "TEXT SEARCH TEMPLATE",
    "TYPE",
    "VIEW",
];

/// Kinds named by their tag.
const ALONE: &[&str] = &[
    "ACCESS METHOD",
    "EVENT TRIGGER",
    "EXTENSION",
    "FOREIGN DATA WRAPPER",
    "PROCEDURAL LANGUAGE",
    "PUBLICATION",
    "SCHEMA",
    "SERVER",
    "SUBSCRIPTION",
];

/// Kinds with a name in `pg_class`.
pub(super) const RELATIONS: &[&str] =
    &["FOREIGN TABLE", "INDEX", "MATERIALIZED VIEW", "SEQUENCE", "TABLE", "VIEW"];

/// What drops the entry's object; none where the drop of another one does, or nothing may.
///
/// # Errors
/// [`Kind::Corrupt`] for a statement that pg_dump would not write for this entry.
pub(super) fn of(e: &Entry) -> Result<Option<DropStatement>> {
    let mut found = DropStatement {
        dump_id: e.dump_id,
        what: named(e),
        sql: String::new(),
        strict: String::new(),
        relation: None,
        of_type: None,
        cascades: false,
    };
    if is_of_database(e) {
        return Ok(None);
    }
    let objects = match e.desc.as_str() {
        "BLOB" => Some(e.tag.as_str()),
        "BLOB METADATA" => e.defn.as_deref(),
        _ => None,
    };
    if let Some(oids) = objects {
        let oids: Vec<String> =
            oids.lines().filter_map(|l| l.trim().parse::<u32>().ok()).map(|oid| oid.to_string()).collect();
        found.sql = format!(
            "SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid = ANY ('{{{}}}'::pg_catalog.oid[]);",
            oids.join(",")
        );
        found.strict.clone_from(&found.sql);
        return Ok(Some(found));
    }
    let text = e.drop_stmt.as_deref().unwrap_or_default().trim_end();
    if text.is_empty() || text.starts_with("--") {
        return Ok(None);
    }
    let refused = || {
        Error::new(Kind::Corrupt, format!("the DROP statement of {} is not as pg_dump writes it", named(e)))
    };
    let all = statements(text).ok_or_else(refused)?;
    let [statement] = all.as_slice() else { return Err(refused()) };
    let places = read(e, statement, &mut found).ok_or_else(refused)?;
    let last = statement[statement.len() - 1].at.end;
    if &text[last..] != ";" {
        return Err(refused());
    }
    found.strict = format!("{};", &text[..last]);
    let mut sql = String::new();
    let mut from = 0;
    for at in places {
        sql.push_str(&text[from..at]);
        sql.push_str(" IF EXISTS");
        from = at;
    }
    found.sql = format!("{sql}{};", &text[from..last]);
    Ok(Some(found))
}

/// Where IF EXISTS goes; none for a statement that is not the entry's.
fn read(e: &Entry, statement: &[At], found: &mut DropStatement) -> Option<Vec<usize>> {
    let mut words = Words { all: statement, at: 0 };
    let schema = e.namespace.as_deref().unwrap_or_default();
    match e.desc.as_str() {
        "DEFAULT" => {
            let at = words.altered(&["view"])?;
            let table = words.name_in(schema)?;
            words.all_of(&["alter", "column"])?;
            let column = words.name()?;
            words.all_of(&["drop", "default"])?;
            (words.ended() && e.tag == format!("{table} {column}")).then(|| at.into_iter().collect())
        }
        "CONSTRAINT" | "CHECK CONSTRAINT" | "FK CONSTRAINT" => {
            let at = words.altered(&["domain"])?;
            let table = words.name_in(schema)?;
            words.all_of(&["drop", "constraint"])?;
            let places = at.into_iter().chain([words.end()]).collect();
            let name = words.name()?;
            if e.desc == "CONSTRAINT" {
                found.relation = Some((schema.to_owned(), name.clone()));
            }
            (words.ended() && e.tag == format!("{table} {name}")).then_some(places)
        }
        "RULE" if words.all_of(&["create", "or", "replace", "view"]).is_some() => {
            let view = words.name_in(schema)?;
            words.all_of(&["as", "select"])?;
            (is_dummy(&words.all[words.at..]) && e.tag == format!("{view} _RETURN")).then(Vec::new)
        }
        kind => {
            words.at = 0;
            words.all_of(&["drop"])?;
            for word in kind.split(' ') {
                words.all_of(&[&word.to_ascii_lowercase()])?;
            }
            let at = vec![words.end()];
            own(e, schema, words, found)?.then_some(at)
        }
    }
}

/// Whether what follows DROP and the kind is the entry's own object and nothing more.
fn own(e: &Entry, schema: &str, mut words: Words<'_>, found: &mut DropStatement) -> Option<bool> {
    let kind = e.desc.as_str();
    Some(match kind {
        _ if IN_SCHEMA.contains(&kind) => {
            let name = words.name_in(schema)?;
            let object = (schema.to_owned(), name.clone());
            if RELATIONS.contains(&kind) {
                found.relation = Some(object);
            } else if kind == "TYPE" {
                found.cascades = words.all_of(&["cascade"]).is_some();
                found.of_type = Some(object);
            }
            name == e.tag && words.ended()
        }
        _ if ALONE.contains(&kind) => words.name()? == e.tag && words.ended(),
        "TRIGGER" | "RULE" | "POLICY" => {
            let name = words.name()?;
            words.all_of(&["on"])?;
            let table = words.name_in(schema)?;
            e.tag == format!("{table} {name}") && words.ended()
        }
        "FUNCTION" | "PROCEDURE" | "AGGREGATE" => {
            let name = words.name_in(schema)?;
            e.tag.starts_with(&format!("{name}(")) && words.in_parentheses()
        }
        "OPERATOR" => {
            words.schema(schema)?;
            let symbols = words.symbols();
            symbols == e.tag && words.in_parentheses()
        }
        "OPERATOR CLASS" | "OPERATOR FAMILY" => {
            let name = words.name_in(schema)?;
            words.all_of(&["using"])?;
            words.name()?;
            name == e.tag && words.ended()
        }
        "CAST" => words.in_parentheses(),
        "TRANSFORM" => {
            words.all_of(&["for"])?;
            let language = words.all.len().checked_sub(2).filter(|at| *at > words.at)?;
            words.all[language].is("language") && words.all[language + 1].name().is_some()
        }
        "USER MAPPING" => {
            words.all_of(&["for"])?;
            words.name()?;
            words.all_of(&["server"])?;
            words.name()?;
            words.ended()
        }
        _ => false,
    })
}

/// Whether these are the columns of a view that reads nothing: `NULL::type [COLLATE c] AS name, …`.
fn is_dummy(columns: &[At]) -> bool {
    let mut depth = 0usize;
    let mut column = Vec::new();
    let mut all = Vec::new();
    for token in columns {
        match token.kind {
            Token::Symbol('(' | '[') => depth += 1,
            Token::Symbol(')' | ']') => depth = depth.saturating_sub(1),
            Token::Symbol(',') if depth == 0 => {
                all.push(std::mem::take(&mut column));
                continue;
            }
            Token::Symbol(':' | '.' | ',') => {}
            Token::Symbol(_) | Token::Literal(_) => return false,
            // What stands in parentheses after a type is a number, or the fields of an interval; a subquery would begin with a word.
            Token::Word(_) | Token::Quoted(_) if depth > 0 => return false,
            _ => {}
        }
        column.push(token);
    }
    all.push(column);
    all.iter().all(|c| {
        let ends = |n: usize| c.len().checked_sub(n).and_then(|at| c.get(at));
        let once = c.iter().filter(|t| t.is("as") || t.is("from")).count() == 1;
        c.len() > 5
            && once
            && c[0].is("null")
            && c[1].is_symbol(':')
            && c[2].is_symbol(':')
            && ends(2).is_some_and(|t| t.is("as"))
            && ends(1).is_some_and(|t| t.name().is_some())
    })
}

struct Words<'a> {
    all: &'a [At],
    at: usize,
}

impl Words<'_> {
    /// Passes these words; none, and nothing passed, when others stand there.
    fn all_of(&mut self, words: &[&str]) -> Option<()> {
        let next = self.all.get(self.at..self.at + words.len())?;
        next.iter().zip(words).all(|(t, w)| t.is(w)).then(|| self.at += words.len())
    }

    /// Passes `ALTER TABLE [ONLY]`, of a foreign table too, or ALTER and one of `others`; gives the place for IF EXISTS, which those do not take.
    fn altered(&mut self, others: &[&str]) -> Option<Option<usize>> {
        self.all_of(&["alter"])?;
        for other in others {
            if self.all_of(&[other]).is_some() {
                return Some(None);
            }
        }
        let _ = self.all_of(&["foreign"]);
        self.all_of(&["table"])?;
        let at = self.end();
        let _ = self.all_of(&["only"]);
        Some(Some(at))
    }

    /// The end of what was passed last.
    fn end(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.all.get(at)).map_or(0, |t| t.at.end)
    }

    fn name(&mut self) -> Option<String> {
        let name = self.all.get(self.at)?.name()?.to_owned();
        self.at += 1;
        Some(name)
    }

    /// Passes `schema.`.
    fn schema(&mut self, schema: &str) -> Option<()> {
        (self.name()? == schema && self.all.get(self.at)?.is_symbol('.')).then(|| self.at += 1)
    }

    fn name_in(&mut self, schema: &str) -> Option<String> {
        self.schema(schema)?;
        self.name()
    }

    /// An operator's name, which is never quoted.
    fn symbols(&mut self) -> String {
        let mut all = String::new();
        while let Some(Token::Symbol(c)) = self.all.get(self.at).map(|t| &t.kind)
            && *c != '('
        {
            all.push(*c);
            self.at += 1;
        }
        all
    }

    /// Whether the rest is one pair of parentheses and what it holds.
    fn in_parentheses(&self) -> bool {
        let rest = &self.all[self.at..];
        let mut depth = 0usize;
        for (n, token) in rest.iter().enumerate() {
            match token.kind {
                Token::Symbol('(') => depth += 1,
                Token::Symbol(')') => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return n > 0 && n + 1 == rest.len();
            }
        }
        false
    }

    fn ended(&self) -> bool {
        self.at == self.all.len()
    }
}

#[cfg(test)]
#[path = "drops_tests.rs"]
mod tests;
