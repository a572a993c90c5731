//! From one list of privileges to another in REVOKE and GRANT statements, as `buildACLCommands` in dumputils.c makes them.

use super::item::AclItem;
use crate::{
    base::{Error, Kind, Result},
    pg::ident,
};

/// What kind of object privileges are granted on. The plurals are those of `ALTER DEFAULT PRIVILEGES`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of the GRANT command")]
pub enum AclKind {
    Table,
    Sequence,
    Function,
    Procedure,
    Language,
    Schema,
    Database,
    Type,
    LargeObject,
    ForeignDataWrapper,
    ForeignServer,
    Tables,
    Sequences,
    Functions,
    Types,
    Schemas,
    LargeObjects,
}

impl AclKind {
    /// The words that stand for it in GRANT and REVOKE.
    pub fn keyword(self) -> &'static str {
        match self {
            AclKind::Table => "TABLE",
            AclKind::Sequence => "SEQUENCE",
            AclKind::Function => "FUNCTION",
            AclKind::Procedure => "PROCEDURE",
            AclKind::Language => "LANGUAGE",
            AclKind::Schema => "SCHEMA",
            AclKind::Database => "DATABASE",
            AclKind::Type => "TYPE",
            AclKind::LargeObject => "LARGE OBJECT",
            AclKind::ForeignDataWrapper => "FOREIGN DATA WRAPPER",
            AclKind::ForeignServer => "FOREIGN SERVER",
            AclKind::Tables => "TABLES",
            AclKind::Sequences => "SEQUENCES",
            AclKind::Functions => "FUNCTIONS",
            AclKind::Types => "TYPES",
            AclKind::Schemas => "SCHEMAS",
            AclKind::LargeObjects => "LARGE OBJECTS",
        }
    }

    /// Letters and words of its privileges, in the order in which pg_dump lists them. MAINTAIN exists since PostgreSQL 17: a list from an
    /// older server never holds all, so it is written out and never becomes ALL, which would grant more on a newer server.
    fn privileges(self, column: bool) -> &'static [(char, &'static str)] {
        match self {
            AclKind::Table if column => {
                &[('r', "SELECT"), ('a', "INSERT"), ('x', "REFERENCES"), ('w', "UPDATE")]
            }
            AclKind::Table | AclKind::Tables => &[
                ('r', "SELECT"),
                ('a', "INSERT"),
                ('x', "REFERENCES"),
                ('d', "DELETE"),
                ('t', "TRIGGER"),
                ('D', "TRUNCATE"),
                ('m', "MAINTAIN"),
                ('w', "UPDATE"),
            ],
            AclKind::Sequence | AclKind::Sequences => &[('r', "SELECT"), ('U', "USAGE"), ('w', "UPDATE")],
            AclKind::Function | AclKind::Procedure | AclKind::Functions => &[('X', "EXECUTE")],
            AclKind::Schema | AclKind::Schemas => &[('C', "CREATE"), ('U', "USAGE")],
            AclKind::Database => &[('C', "CREATE"), ('c', "CONNECT"), ('T', "TEMPORARY")],
            AclKind::LargeObject | AclKind::LargeObjects => &[('r', "SELECT"), ('w', "UPDATE")],
            AclKind::Language
            | AclKind::Type
            | AclKind::Types
            | AclKind::ForeignDataWrapper
            | AclKind::ForeignServer => &[('U', "USAGE")],
        }
    }
}

/// Every letter that any kind of object has.
const LETTERS: &str = "arwdDxtmXUCcTsA";

/// What is granted on.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its kind.
    pub kind: AclKind,
    /// Its name in SQL: qualified, quoted, with argument types; empty for default privileges.
    pub name: &'a str,
    /// The column's name in SQL, for a table's column.
    pub column: Option<&'a str>,
    /// Put before each statement: `ALTER DEFAULT PRIVILEGES … `.
    pub prefix: &'a str,
}

/// The statements that bring the privileges `base`, which a new object of `owner` has, to `acl`; empty when they are the same. Both are
/// texts of `aclitem`s.
///
/// Grants of a role that is not the owner are made in its name.
///
/// # Errors
/// [`Kind::Unsupported`] when an item cannot be read or holds a privilege of a later PostgreSQL.
pub fn statements(subject: &Subject<'_>, owner: &str, acl: &[String], base: &[String]) -> Result<String> {
    let acl = acl.iter().map(|i| AclItem::parse(i)).collect::<Result<Vec<_>>>()?;
    let base = base.iter().map(|i| AclItem::parse(i)).collect::<Result<Vec<_>>>()?;
    let mut sql = String::new();
    for item in base.iter().filter(|i| !acl.contains(i)) {
        let (all, list) = subject.words(item, |_| true)?;
        if let Some(what) = subject.what(all, &list) {
            subject.in_the_name_of(&item.grantor, owner, &mut sql, |sql| {
                sql.push_str(&subject.line("REVOKE", &what, "FROM", item, ""));
            });
        }
    }
    let (kept, new): (Vec<AclItem>, Vec<AclItem>) = acl.into_iter().partition(|i| base.contains(i));
    for item in in_grantable_order(new, owner, &kept) {
        let (all, plain) = subject.words(&item, |option| !option)?;
        let (all_with_option, with_option) = subject.words(&item, |option| option)?;
        let plain = subject.what(all, &plain);
        let with_option = subject.what(all_with_option, &with_option);
        if plain.is_none() && with_option.is_none() {
            continue;
        }
        subject.in_the_name_of(&item.grantor, owner, &mut sql, |sql| {
            for (what, ending) in [(plain, ""), (with_option, " WITH GRANT OPTION")] {
                if let Some(what) = what {
                    sql.push_str(&subject.line("GRANT", &what, "TO", &item, ending));
                }
            }
        });
    }
    Ok(sql)
}

/// The owner's grants to itself, then the others as listed, but none before its grantor holds the grant option. The server's order is
/// nearly that; but a grant added to an item that stood there already can rest on an item that follows, and then the item is divided.
fn in_grantable_order(items: Vec<AclItem>, owner: &str, kept: &[AclItem]) -> Vec<AclItem> {
    let (mut ordered, mut pending): (Vec<AclItem>, Vec<AclItem>) =
        items.into_iter().partition(|i| i.grantee.as_deref() == Some(owner) && i.grantor == owner);
    while !pending.is_empty() {
        let may = |grantor: &str, letter: char| {
            let gives =
                |i: &AclItem| i.grantee.as_deref() == Some(grantor) && i.privileges.contains(&(letter, true));
            grantor == owner || kept.iter().chain(&ordered).any(gives)
        };
        let ready = |i: &AclItem| i.privileges.iter().filter(|(c, _)| may(&i.grantor, *c)).count();
        if let Some(at) = pending.iter().position(|i| ready(i) == i.privileges.len()) {
            ordered.push(pending.remove(at));
        } else if let Some(at) = pending.iter().position(|i| ready(i) > 0) {
            let item = pending[at].clone();
            let (now, later) = item.privileges.iter().partition(|(c, _)| may(&item.grantor, *c));
            pending[at].privileges = later;
            ordered.push(AclItem { privileges: now, ..item });
        } else {
            ordered.append(&mut pending);
        }
    }
    ordered
}

impl Subject<'_> {
    /// The words of the item's privileges whose grant option `wanted` accepts, and whether these are all that the kind has.
    fn words(&self, item: &AclItem, wanted: impl Fn(bool) -> bool) -> Result<(bool, Vec<&'static str>)> {
        if let Some((letter, _)) = item.privileges.iter().find(|(c, _)| !LETTERS.contains(*c)) {
            let name = if self.name.is_empty() { self.prefix } else { self.name };
            return Err(Error::new(
                Kind::Unsupported,
                format!("{} {name} has a privilege \"{letter}\" that is not known", self.kind.keyword()),
            ));
        }
        let possible = self.kind.privileges(self.column.is_some());
        let has = |c: char| item.privileges.iter().any(|&(p, option)| p == c && wanted(option));
        let words: Vec<&str> = possible.iter().filter(|(c, _)| has(*c)).map(|(_, word)| *word).collect();
        Ok((words.len() == possible.len(), words))
    }

    fn what(&self, all: bool, words: &[&str]) -> Option<String> {
        let words = if all { &["ALL"][..] } else { words };
        let column = self.column.map(|c| format!("({c})")).unwrap_or_default();
        (!words.is_empty())
            .then(|| words.iter().map(|w| format!("{w}{column}")).collect::<Vec<_>>().join(","))
    }

    fn line(&self, verb: &str, what: &str, preposition: &str, item: &AclItem, ending: &str) -> String {
        let space = if self.name.is_empty() { "" } else { " " };
        let grantee = item.grantee.as_deref().map_or_else(|| "PUBLIC".to_owned(), ident);
        format!(
            "{}{verb} {what} ON {}{space}{} {preposition} {grantee}{ending};\n",
            self.prefix,
            self.kind.keyword(),
            self.name
        )
    }

    fn in_the_name_of(&self, grantor: &str, owner: &str, sql: &mut String, lines: impl FnOnce(&mut String)) {
        let other = grantor != owner;
        if other {
            sql.push_str(&format!("SET SESSION AUTHORIZATION {};\n", ident(grantor)));
        }
        lines(sql);
        if other {
            sql.push_str("RESET SESSION AUTHORIZATION;\n");
        }
    }
}

#[cfg(test)]
mod tests;
