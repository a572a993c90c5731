//! What an archive needs of its target, read from its entries: a value, before any server is asked.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    archive::toc::{Entry, Section},
    base::Result,
    jobs::restore::{
        choices::Choices,
        plan::{named, shown},
        roles::{self, Use},
        sql::{Token, tokens},
        statement::new_owner,
    },
};

/// How many entries need something, and the first of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Because {
    /// How many.
    pub count: u64,
    /// `TABLE public.users`.
    pub first: String,
}

/// A role that is to own objects in a schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnedIn {
    /// The role.
    pub owner: String,
    /// The schema.
    pub schema: String,
    /// The schema's own owner, when the archive makes the schema.
    pub made_by: Option<String>,
}

/// Things needed, each with why.
pub type Needed<T> = BTreeMap<T, Because>;

/// What the archive needs.
#[derive(Debug, Default)]
pub struct Needs {
    /// Roles and what they are named for.
    pub roles: BTreeMap<String, BTreeMap<Use, Because>>,
    /// Extensions.
    pub extensions: Needed<String>,
    /// Tablespaces.
    pub tablespaces: Needed<String>,
    /// Access methods of tables and indexes, without those that the archive makes.
    pub access_methods: Needed<String>,
    /// Collations in `pg_catalog`.
    pub collations: Needed<String>,
    /// `CREATE COLLATION`'s parentheses, as the archive has them.
    pub own_collations: Needed<String>,
    /// Providers of security labels.
    pub providers: Needed<String>,
    /// Schemas that objects are made in and the archive does not make.
    pub schemas: Needed<String>,
    /// Who is to own objects in which schema.
    pub owned_in: Needed<OwnedIn>,
    /// Why CREATE on the database is needed.
    pub create_in_database: Option<Because>,
    /// Roles that default privileges are set for.
    pub default_roles: BTreeSet<String>,
    /// User mappings that would stand twice, since `roleMap` gives two roles the same name.
    pub doubled: Vec<String>,
    /// Entries whose SQL is not as pg_dump writes it, so that their roles are not known.
    pub unreadable: Vec<String>,
}

fn note<T: Ord>(needed: &mut Needed<T>, what: T, e: &Entry) {
    let because = needed.entry(what).or_insert_with(|| Because { count: 0, first: named(e) });
    because.count += 1;
}

/// Collects the needs of all entries that are to be restored.
///
/// # Errors
/// None today; unreadable entries are listed.
pub fn of(entries: &[&Entry], choices: Choices) -> Result<Needs> {
    let mut needs = Needs::default();
    let made = |kind: &str| -> BTreeMap<&str, &Entry> {
        entries.iter().filter(|e| e.desc == kind && creates(e)).map(|e| (e.tag.as_str(), *e)).collect()
    };
    let (schemas, methods) = (made("SCHEMA"), made("ACCESS METHOD"));
    let mut mappings = BTreeSet::new();
    for &e in entries {
        match roles::named_by(e, choices) {
            Ok(all) => {
                for (what, role) in all {
                    note(needs.roles.entry(role).or_default(), what, e);
                }
            }
            Err(_) => needs.unreadable.push(named(e)),
        }
        if let Some(tablespace) = e.tablespace.as_ref().filter(|t| !t.is_empty() && !choices.no_tablespaces) {
            note(&mut needs.tablespaces, tablespace.clone(), e);
        }
        if let Some(method) = e.table_am.as_ref().filter(|m| !m.is_empty() && !choices.no_table_access_method)
            && !methods.contains_key(method.as_str())
        {
            note(&mut needs.access_methods, method.clone(), e);
        }
        if let Some(schema) = e.namespace.as_ref().filter(|n| !n.is_empty())
            && e.section == Section::PreData
            && creates(e)
        {
            if !schemas.contains_key(schema.as_str()) {
                note(&mut needs.schemas, schema.clone(), e);
            }
            if let Some(owner) = new_owner(e).filter(|_| !choices.no_owner) {
                let made_by = schemas.get(schema.as_str()).and_then(|s| s.owner.clone());
                note(
                    &mut needs.owned_in,
                    OwnedIn { owner: owner.to_owned(), schema: schema.clone(), made_by },
                    e,
                );
            }
        }
        let definition = e.defn.as_deref().unwrap_or_default();
        if definition.contains("COLLATE pg_catalog.") {
            for name in collations(&tokens(definition).unwrap_or_default()) {
                note(&mut needs.collations, name, e);
            }
        }
        match e.desc.as_str() {
            "EXTENSION" => note(&mut needs.extensions, e.tag.clone(), e),
            "DEFAULT ACL" => needs.default_roles.extend(e.owner.clone().filter(|o| !o.is_empty())),
            "SCHEMA" | "PUBLICATION" if creates(e) => {
                let because =
                    needs.create_in_database.get_or_insert_with(|| Because { count: 0, first: named(e) });
                because.count += 1;
            }
            "INDEX" => {
                if let Some(method) = index_method(&tokens(definition).unwrap_or_default())
                    && !methods.contains_key(method.as_str())
                {
                    note(&mut needs.access_methods, method, e);
                }
            }
            "COLLATION" => {
                if let Some(at) = definition.find('(') {
                    let options = definition[at..].trim_end().trim_end_matches(';').to_owned();
                    // One statement, ended by its own parenthesis: nothing else may ride along.
                    let whole = tokens(&options).is_some_and(|all| {
                        all.iter()
                            .filter(|t| t.is_symbol('(') || t.is_symbol(')') || t.is_symbol(';'))
                            .count()
                            == 2
                            && all.last().is_some_and(|t| t.is_symbol(')'))
                    });
                    if whole {
                        note(&mut needs.own_collations, options, e);
                    }
                }
            }
            "SECURITY LABEL" => {
                let all = tokens(definition).unwrap_or_default();
                for provider in
                    all.windows(3).filter(|w| w[0].is("label") && w[1].is("for")).filter_map(|w| w[2].name())
                {
                    note(&mut needs.providers, provider.to_owned(), e);
                }
            }
            "USER MAPPING" => {
                let user =
                    tokens(definition).unwrap_or_default().get(4).and_then(|t| t.name().map(str::to_owned));
                let server = e.tag.rsplit_once(" SERVER ").map(|(_, server)| server.to_owned());
                if let (Some(user), Some(server)) = (user, server)
                    && !mappings.insert((user.clone(), server.clone()))
                {
                    needs.doubled.push(format!("{} for {}", shown(&server), shown(&user)));
                }
            }
            _ => {}
        }
    }
    Ok(needs)
}

/// Whether the entry makes its object: pg_dump writes a remark in place of `CREATE SCHEMA public`.
fn creates(e: &Entry) -> bool {
    e.defn.as_deref().is_some_and(|d| d.starts_with("CREATE "))
}

fn collations(all: &[Token]) -> Vec<String> {
    let of_catalog =
        |w: &&[Token]| w[0].is("collate") && w[1].name() == Some("pg_catalog") && w[2].is_symbol('.');
    all.windows(4).filter(of_catalog).filter_map(|w| w[3].name().map(str::to_owned)).collect()
}

/// `CREATE INDEX name ON table USING method (…`.
fn index_method(all: &[Token]) -> Option<String> {
    let at = all.iter().position(|t| t.is("using"))?;
    all.get(at + 1)?.name().map(str::to_owned)
}

/// Owners of objects: what the role that restores must be able to give them to.
pub fn owners<'a>(entries: &[&'a Entry]) -> Vec<&'a str> {
    let all: BTreeSet<&str> = entries.iter().filter_map(|e| new_owner(e)).collect();
    all.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(desc: &str, tag: &str, namespace: &str, defn: &str) -> Entry {
        Entry {
            desc: desc.into(),
            tag: tag.into(),
            namespace: Some(namespace.into()),
            defn: Some(defn.into()),
            section: Section::PreData,
            owner: Some("o".into()),
            ..Entry::default()
        }
    }

    #[test]
    fn everything_that_entries_name() {
        let mut all = vec![
            entry("SCHEMA", "public", "", "-- *not* creating schema, since initdb creates it\n"),
            entry("SCHEMA", "own", "", "CREATE SCHEMA own;\n"),
            entry("EXTENSION", "hstore", "", "CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA public;\n"),
            entry(
                "TABLE",
                "t",
                "public",
                "CREATE TABLE public.t (a text COLLATE pg_catalog.\"xx_YY\", b text DEFAULT 'COLLATE pg_catalog.no');\n",
            ),
            entry("INDEX", "i", "own", "CREATE INDEX \"using\" ON own.t USING bloom (a);\n"),
            entry("COLLATION", "c", "own", "CREATE COLLATION own.c (provider = icu, locale = '(de;');\n"),
            entry("COLLATION", "d", "own", "CREATE COLLATION own.d (locale = 'x'); DROP TABLE t;\n"),
            entry(
                "SECURITY LABEL",
                "TABLE t",
                "own",
                "SECURITY LABEL FOR \"Dummy\" ON TABLE own.t IS 'label for x';\n",
            ),
            entry("USER MAPPING", "USER MAPPING a SERVER s", "", "CREATE USER MAPPING FOR x SERVER s;\n"),
            entry("USER MAPPING", "USER MAPPING b SERVER s", "", "CREATE USER MAPPING FOR x SERVER s;\n"),
        ];
        all[3].tablespace = Some("fast".into());
        all[3].table_am = Some("columns".into());
        let refs: Vec<&Entry> = all.iter().collect();
        let needs = of(&refs, Choices::default()).unwrap();
        let keys = |n: &Needed<String>| n.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&needs.extensions), ["hstore"]);
        assert_eq!(keys(&needs.tablespaces), ["fast"]);
        assert_eq!(keys(&needs.access_methods), ["bloom", "columns"]);
        assert_eq!(keys(&needs.collations), ["xx_YY"]);
        assert_eq!(keys(&needs.own_collations), ["(provider = icu, locale = '(de;')"]);
        assert_eq!(keys(&needs.providers), ["Dummy"]);
        assert_eq!(keys(&needs.schemas), ["public"]);
        assert_eq!(needs.create_in_database, Some(Because { count: 1, first: "SCHEMA own".into() }));
        assert_eq!(needs.doubled, ["s for x"]);
        let owned: Vec<_> =
            needs.owned_in.keys().map(|o| (o.schema.as_str(), o.made_by.as_deref())).collect();
        assert_eq!(owned, [("own", Some("o")), ("public", None)]);
        let without = Choices { no_tablespaces: true, no_table_access_method: true, ..Choices::default() };
        let needs = of(&refs, without).unwrap();
        assert!(needs.tablespaces.is_empty() && keys(&needs.access_methods) == ["bloom"]);
    }
}
