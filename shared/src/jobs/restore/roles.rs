//! Where roles stand in an archive: owners, grants, default privileges, policies, user mappings, settings. What a restore asks for before it
//! changes anything, and what `roleMap` renames.
//!
//! Only the statements that pg_dump writes are understood, from their first token to the place of the role (`buildACLCommands` and
//! `buildDefaultACLCommands` in dumputils.c; `dumpPolicy`, `dumpUserMappings`, `dumpDatabaseConfig` in pg_dump.c); nothing is looked for inside of
//! names, string constants and expressions.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use super::{
    choices::{Choices, is_of_database},
    sql::{Kind as Token, Token as At, replaced, statements},
    statement::{is_privilege, new_owner},
};
use crate::{
    archive::toc::Entry,
    base::{Error, Kind, Result},
    jobs::restore::plan::named,
    pg::ident,
};

/// What names a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// It owns an object.
    Owner,
    /// It grants or is granted something, or default privileges are its.
    Grant,
    /// A policy is for it.
    Policy,
    /// A user mapping is for it.
    UserMapping,
    /// It has settings of its own in the database.
    Setting,
}

/// One mention of a role in an entry's SQL.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    /// Bytes of the definition.
    at: Range<usize>,
    /// Its name, unquoted.
    pub role: String,
}

/// Every role that the entry names, with what for.
///
/// # Errors
/// [`Kind::Unsupported`] for SQL that pg_dump does not write.
pub fn named_by(e: &Entry, choices: Choices) -> Result<Vec<(Use, String)>> {
    let mut all = Vec::new();
    if !choices.no_owner
        && let Some(owner) = new_owner(e)
    {
        all.push((Use::Owner, owner.to_owned()));
    }
    if let Some(kind) = mentions(e) {
        all.extend(places(e)?.into_iter().map(|p| (kind, p.role)));
    }
    Ok(all)
}

/// Gives every role that `map` names its new name: in owners and wherever an entry's SQL has a role.
///
/// # Errors
/// [`Kind::InvalidInput`] with the field for a role that no entry names; [`Kind::Unsupported`] for SQL that pg_dump does not write.
pub fn rename(entries: &mut [Entry], map: &BTreeMap<String, String>) -> Result<()> {
    if map.is_empty() {
        return Ok(());
    }
    let mut used = BTreeSet::new();
    for e in entries {
        if let Some((old, new)) = e.owner.as_ref().and_then(|o| map.get_key_value(o)) {
            used.insert(old.as_str());
            e.owner = Some(new.clone());
        }
        if mentions(e).is_none() {
            continue;
        }
        let mut changes = Vec::new();
        for place in places(e)? {
            if let Some((old, new)) = map.get_key_value(&place.role) {
                used.insert(old.as_str());
                changes.push((place.at, ident(new)));
            }
        }
        if let Some(defn) = &mut e.defn
            && !changes.is_empty()
        {
            *defn = replaced(defn, changes);
        }
    }
    let unknown: Vec<String> = map
        .keys()
        .filter(|old| !used.contains(old.as_str()))
        .map(|old| old.escape_debug().to_string())
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let why =
        format!("the field \"roleMap\" names roles that the archive does not name: {}", unknown.join(", "));
    Err(Error::new(Kind::InvalidInput, why).at_field("roleMap"))
}

/// What roles in the SQL of this entry are for; none where its SQL names no role.
fn mentions(e: &Entry) -> Option<Use> {
    match e.desc.as_str() {
        _ if is_privilege(e) => Some(Use::Grant),
        "POLICY" => Some(Use::Policy),
        "USER MAPPING" => Some(Use::UserMapping),
        "DATABASE PROPERTIES" => Some(Use::Setting),
        _ => None,
    }
}

fn places(e: &Entry) -> Result<Vec<Place>> {
    let all = statements(e.defn.as_deref().unwrap_or_default()).and_then(|statements| {
        let mut found = Vec::new();
        for statement in &statements {
            let mut reader = Reader { tokens: statement, at: 0, found: &mut found };
            match e.desc.as_str() {
                "POLICY" => reader.policy(),
                "USER MAPPING" => reader.user_mapping(),
                "DATABASE PROPERTIES" => reader.database_setting(),
                _ => reader.privilege(),
            }?;
        }
        Some(found)
    });
    all.ok_or_else(|| {
        let of = if is_of_database(e) { "the database" } else { "the object" };
        Error::new(
            Kind::Unsupported,
            format!(
                "the SQL of {} is not as pg_dump writes it, so the roles of {of} cannot be told",
                named(e)
            ),
        )
    })
}

/// Reads one statement from its first token on; every method gives none for what pg_dump does not write.
struct Reader<'a> {
    tokens: &'a [At],
    at: usize,
    found: &'a mut Vec<Place>,
}

impl Reader<'_> {
    fn is(&self, word: &str) -> bool {
        self.tokens.get(self.at).is_some_and(|t| t.is(word))
    }

    fn skip(&mut self, word: &str) -> bool {
        let is = self.is(word);
        self.at += usize::from(is);
        is
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.skip(word).then_some(())
    }

    fn symbol(&mut self, symbol: char) -> bool {
        let is = self.tokens.get(self.at).is_some_and(|t| t.is_symbol(symbol));
        self.at += usize::from(is);
        is
    }

    fn name(&mut self) -> Option<()> {
        self.tokens.get(self.at)?.name()?;
        self.at += 1;
        Some(())
    }

    fn qualified(&mut self) -> Option<()> {
        self.name()?;
        if self.symbol('.') { self.name() } else { Some(()) }
    }

    fn end(&self) -> Option<()> {
        (self.at == self.tokens.len()).then_some(())
    }

    /// To the key word behind what is of no interest here; parentheses are skipped whole.
    fn until(&mut self, word: &str) -> Option<()> {
        let mut depth = 0usize;
        loop {
            let token = self.tokens.get(self.at)?;
            match token.kind {
                Token::Symbol('(') => depth += 1,
                Token::Symbol(')') => depth = depth.checked_sub(1)?,
                _ if depth == 0 && token.is(word) => return Some(()),
                _ => {}
            }
            self.at += 1;
        }
    }

    fn role(&mut self) -> Option<()> {
        let token = self.tokens.get(self.at)?;
        let role = token.name()?;
        // Without quotes these are no roles' names.
        let keyword = matches!(&token.kind, Token::Word(w) if matches!(w.as_str(), "public" | "current_user" | "session_user" | "current_role"));
        if !keyword {
            self.found.push(Place { at: token.at.clone(), role: role.to_owned() });
        }
        self.at += 1;
        Some(())
    }

    fn roles(&mut self) -> Option<()> {
        loop {
            self.role()?;
            if !self.symbol(',') {
                return Some(());
            }
        }
    }

    fn privilege(&mut self) -> Option<()> {
        if self.skip("set") {
            self.word("session")?;
            self.word("authorization")?;
            self.role()?;
            return self.end();
        }
        if self.skip("reset") {
            self.word("session")?;
            self.word("authorization")?;
            return self.end();
        }
        if self.skip("alter") {
            self.word("default")?;
            self.word("privileges")?;
            self.word("for")?;
            self.word("role")?;
            self.roles()?;
            if self.skip("in") {
                self.word("schema")?;
                self.name()?;
            }
        }
        let (granted, before) = if self.skip("grant") { (true, "to") } else { (false, "from") };
        if !granted {
            self.word("revoke")?;
        }
        // TO and FROM are reserved: outside of parentheses and without quotes neither is part of a name.
        self.until("on")?;
        self.until(before)?;
        self.at += 1;
        self.roles()?;
        if granted && self.skip("with") {
            self.word("grant")?;
            self.word("option")?;
        }
        if self.skip("granted") {
            self.word("by")?;
            self.role()?;
        }
        self.end()
    }

    fn policy(&mut self) -> Option<()> {
        self.word("create")?;
        self.word("policy")?;
        self.name()?;
        self.word("on")?;
        self.qualified()?;
        if self.skip("as") {
            self.name()?;
        }
        if self.skip("for") {
            self.name()?;
        }
        if self.skip("to") {
            self.roles()?;
        }
        (self.is("using") || self.is("with") || self.end().is_some()).then_some(())
    }

    fn user_mapping(&mut self) -> Option<()> {
        self.word("create")?;
        self.word("user")?;
        self.word("mapping")?;
        self.word("for")?;
        self.role()?;
        self.word("server")?;
        self.name()
    }

    fn database_setting(&mut self) -> Option<()> {
        self.word("alter")?;
        if self.skip("database") {
            return self.name();
        }
        self.word("role")?;
        self.role()?;
        self.word("in")?;
        self.word("database")?;
        self.name()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(desc: &str, defn: &str, owner: &str) -> Entry {
        Entry {
            desc: desc.into(),
            tag: "t".into(),
            defn: Some(defn.into()),
            owner: Some(owner.into()),
            ..Entry::default()
        }
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn owners_grants_policies_and_mappings() {
        let entries = [
            entry("TABLE", "CREATE TABLE t (a integer);\n", "Owner One"),
            // An index has no owner of its own.
            entry("INDEX", "CREATE INDEX i ON t USING btree (a);\n", "nobody"),
            entry(
                "ACL",
                "REVOKE ALL ON TABLE public.\"from x\" FROM old;\nGRANT SELECT(\"to\") ON TABLE public.t TO \"we\"\"ird\" WITH GRANT OPTION;\n",
                "o",
            ),
            entry(
                "ACL",
                "GRANT ALL ON FUNCTION role.by(a interval day to second, \"from\" text) TO f;\n",
                "o",
            ),
            entry(
                "DEFAULT ACL",
                "ALTER DEFAULT PRIVILEGES FOR ROLE boss IN SCHEMA role GRANT SELECT ON TABLES TO PUBLIC;\n",
                "boss",
            ),
            entry(
                "POLICY",
                "CREATE POLICY \"to\" ON public.t AS RESTRICTIVE FOR UPDATE TO reader, \"Writer\" USING ((owner = 'to nobody'::text));\n",
                "o",
            ),
            entry("POLICY", "CREATE POLICY p ON t USING (true);\n", "o"),
            entry(
                "ACL",
                "SET SESSION AUTHORIZATION grantor;\nGRANT ALL ON TABLE t TO pg_monitor;\nRESET SESSION AUTHORIZATION;\n",
                "o",
            ),
            entry(
                "USER MAPPING",
                "CREATE USER MAPPING FOR mapped SERVER s OPTIONS (\n    \"user\" 'x'\n);\n",
                "o",
            ),
            entry("USER MAPPING", "CREATE USER MAPPING FOR public SERVER s;\n", "o"),
            entry("DATABASE", "CREATE DATABASE d;\n", "o"),
            entry(
                "DATABASE PROPERTIES",
                "ALTER DATABASE d SET a TO 'b';\nALTER ROLE set IN DATABASE d SET a TO 'c';\n",
                "o",
            ),
        ];
        let named = |choices| -> Vec<(Use, String)> {
            entries.iter().flat_map(|e| named_by(e, choices).unwrap()).collect()
        };
        let is = |u: Use, name: &str| (u, name.to_owned());
        assert_eq!(
            named(Choices::default()),
            [
                is(Use::Owner, "Owner One"),
                is(Use::Grant, "old"),
                is(Use::Grant, "we\"ird"),
                is(Use::Grant, "f"),
                is(Use::Grant, "boss"),
                is(Use::Policy, "reader"),
                is(Use::Policy, "Writer"),
                is(Use::Grant, "grantor"),
                is(Use::Grant, "pg_monitor"),
                is(Use::UserMapping, "mapped"),
                is(Use::Owner, "o"),
                is(Use::Setting, "set"),
            ]
        );
        assert!(
            !named(Choices { no_owner: true, ..Choices::default() }).contains(&is(Use::Owner, "Owner One"))
        );
    }

    #[test]
    fn only_roles_are_renamed() {
        let mut entries = vec![
            entry("TABLE", "CREATE TABLE app (app text DEFAULT 'app');\n", "app"),
            entry(
                "ACL",
                "REVOKE ALL ON TABLE app.app FROM app;\nGRANT SELECT(app) ON TABLE app.app TO app WITH GRANT OPTION GRANTED BY app;\n",
                "app",
            ),
            entry(
                "POLICY",
                "CREATE POLICY app ON app.app TO app, other USING ((app = 'app'::text));\n",
                "app",
            ),
            entry("USER MAPPING", "CREATE USER MAPPING FOR app SERVER app OPTIONS (app 'app');\n", ""),
            entry("DATABASE PROPERTIES", "ALTER ROLE app IN DATABASE app SET app.app TO 'app';\n", "app"),
        ];
        rename(&mut entries, &map(&[("app", "New \"App\"")])).unwrap();
        let got: Vec<&str> = entries.iter().map(|e| e.defn.as_deref().unwrap()).collect();
        assert_eq!(
            got,
            [
                "CREATE TABLE app (app text DEFAULT 'app');\n",
                "REVOKE ALL ON TABLE app.app FROM \"New \"\"App\"\"\";\nGRANT SELECT(app) ON TABLE app.app TO \"New \"\"App\"\"\" WITH GRANT OPTION GRANTED BY \"New \"\"App\"\"\";\n",
                "CREATE POLICY app ON app.app TO \"New \"\"App\"\"\", other USING ((app = 'app'::text));\n",
                "CREATE USER MAPPING FOR \"New \"\"App\"\"\" SERVER app OPTIONS (app 'app');\n",
                "ALTER ROLE \"New \"\"App\"\"\" IN DATABASE app SET app.app TO 'app';\n",
            ]
        );
        assert_eq!(entries[0].owner.as_deref(), Some("New \"App\""));
        // Two that change places.
        let mut swapped = vec![entry("ACL", "GRANT SELECT ON TABLE t TO a, b;\n", "a")];
        rename(&mut swapped, &map(&[("a", "b"), ("b", "a")])).unwrap();
        assert_eq!(swapped[0].defn.as_deref(), Some("GRANT SELECT ON TABLE t TO b, a;\n"));
    }

    #[test]
    fn what_nobody_names_or_pg_dump_does_not_write_is_refused() {
        let mut entries = vec![entry("TABLE", "", "a")];
        let e = rename(&mut entries, &map(&[("typo", "b")])).unwrap_err();
        assert_eq!((e.kind(), e.field()), (Kind::InvalidInput, Some("roleMap")));
        for sql in [
            "GRANT SELECT ON TABLE t TO a; DROP TABLE t",
            "GRANT a TO b",
            "GRANT SELECT ON TABLE t TO \"a",
            "SET SESSION AUTHORIZATION a b",
        ] {
            let mut entries = vec![entry("ACL", sql, "a")];
            assert_eq!(
                rename(&mut entries, &map(&[("a", "b")])).unwrap_err().kind(),
                Kind::Unsupported,
                "{sql}"
            );
        }
    }

    proptest! {
        /// Whatever the names: the grant names the new role, and nothing else has changed.
        #[test]
        fn any_name_is_renamed(table in "[^\0]{1,10}", old in "[^\0]{1,10}", new in "[^\0]{1,10}") {
            let sql = |role: &str| format!("GRANT SELECT ON TABLE {} TO {} WITH GRANT OPTION;\n", ident(&table), ident(role));
            let mut entries = vec![entry("ACL", &sql(&old), &old)];
            rename(&mut entries, &map(&[(&old, &new)])).unwrap();
            let expected = sql(&new);
            prop_assert_eq!(entries[0].defn.as_deref(), Some(expected.as_str()));
        }
    }
}
