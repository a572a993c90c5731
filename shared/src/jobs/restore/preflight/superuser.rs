//! Which entries only a superuser can restore (PostgreSQL manual, the "Notes" of each CREATE command).

use std::collections::HashSet;

use crate::{
    archive::toc::Entry,
    jobs::restore::sql::{Token, tokens},
};

/// What is asked of the role that restores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Demand {
    /// What the entries are, for a message.
    pub what: &'static str,
    /// Managed services let their administrators do it, although they are no superusers.
    pub managed: bool,
    /// The field of the request that leaves such entries out.
    pub choice: Option<&'static str>,
}

const fn always(what: &'static str) -> Demand {
    Demand { what, managed: false, choice: None }
}

const fn managed(what: &'static str) -> Demand {
    Demand { what, managed: true, choice: None }
}

const PUBLICATION: Demand = Demand {
    what: "publications of all tables or of schemas",
    managed: true,
    choice: Some("noPublications"),
};

/// The role that a managed service gives its customers in place of a superuser: what it may do beyond a stock server is the service's secret, so
/// it is left to try.
pub const MANAGED: &[&str] = &[
    "rds_superuser",
    "azure_pg_admin",
    "cloudsqlsuperuser",
    "alloydbsuperuser",
    "neon_superuser",
    "supabase_privileged_role",
    "doadmin",
    "avnadmin",
];

/// What only a superuser may do of this entry. `untrusted` are the target's languages for superusers; `major` its version.
pub fn demand(e: &Entry, untrusted: &HashSet<String>, major: u32) -> Option<Demand> {
    let definition = || tokens(e.defn.as_deref().unwrap_or_default()).unwrap_or_default();
    match e.desc.as_str() {
        "ACCESS METHOD" => Some(always("access methods")),
        "EVENT TRIGGER" => Some(managed("event triggers")),
        "FOREIGN DATA WRAPPER" => Some(managed("foreign data wrappers")),
        "OPERATOR CLASS" | "OPERATOR FAMILY" => Some(always("operator classes and families")),
        "PROCEDURAL LANGUAGE" => Some(always("languages")),
        "TEXT SEARCH PARSER" | "TEXT SEARCH TEMPLATE" => Some(always("text search parsers and templates")),
        "PUBLICATION TABLES IN SCHEMA" => Some(PUBLICATION),
        "PUBLICATION" => {
            let all = definition();
            let every = all.windows(3).any(|w| w[0].is("for") && w[1].is("all") && w[2].is("tables"));
            every.then_some(PUBLICATION)
        }
        // From 16 on members of pg_create_subscription may.
        "SUBSCRIPTION" if major < 16 => {
            Some(Demand { what: "subscriptions", managed: true, choice: Some("noSubscriptions") })
        }
        "TYPE" => is_base_type(&definition()).then_some(always("base types")),
        "CAST" => cast(&definition()),
        "AGGREGATE" => {
            let all = definition();
            let internal =
                all.windows(3).any(|w| w[0].is("stype") && w[1].is_symbol('=') && w[2].is("internal"));
            internal.then_some(always("aggregates with a state of type internal"))
        }
        "FUNCTION" | "PROCEDURE" => routine(&definition(), untrusted),
        "ACL" if e.namespace.as_deref() == Some("pg_catalog") => Some(Demand {
            what: "grants on what belongs to the system",
            managed: true,
            choice: Some("noPrivileges"),
        }),
        "ACL" => {
            let all = definition();
            let by_other =
                all.windows(3).any(|w| w[0].is("set") && w[1].is("session") && w[2].is("authorization"));
            by_other.then_some(Demand {
                what: "grants that other roles made",
                managed: false,
                choice: Some("noPrivileges"),
            })
        }
        _ => None,
    }
}

/// `CREATE TYPE name (INTERNALLENGTH …`: enum, range and composite types have AS before the parenthesis.
fn is_base_type(all: &[Token]) -> bool {
    let after_name = if all.get(3).is_some_and(|t| t.is_symbol('.')) { 5 } else { 3 };
    all.get(after_name).is_some_and(|t| t.is_symbol('('))
}

/// A cast needs a superuser without a function, and one between two built-in types, which nobody else owns: pg_dump names these without a schema.
fn cast(all: &[Token]) -> Option<Demand> {
    let end = closing(all, 2)?;
    let binary = all.get(end + 1).is_some_and(|t| t.is("without"));
    let builtin = !all[2..end].iter().any(|t| t.is_symbol('.'));
    if binary {
        return Some(always("casts without a function"));
    }
    builtin.then_some(always("casts between built-in types"))
}

/// Words between the arguments and the body.
fn routine(all: &[Token], untrusted: &HashSet<String>) -> Option<Demand> {
    let open = all.iter().position(|t| t.is_symbol('('))?;
    let rest = &all[closing(all, open)? + 1..];
    let end = rest.iter().position(|t| t.is("as") || t.is("return") || t.is("begin")).unwrap_or(rest.len());
    let rest = &rest[..end];
    let language = rest.iter().position(|t| t.is("language")).and_then(|n| rest.get(n + 1)?.name());
    if language.is_some_and(|l| matches!(l, "c" | "internal") || untrusted.contains(l)) {
        return Some(always("functions in C or another untrusted language"));
    }
    if rest.iter().any(|t| t.is("leakproof")) {
        return Some(always("functions that are LEAKPROOF"));
    }
    rest.iter().any(|t| t.is("support")).then_some(always("functions with a support function"))
}

/// The place of the parenthesis that closes the one at `open`.
fn closing(all: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (n, token) in all.iter().enumerate().skip(open) {
        if token.is_symbol('(') {
            depth += 1;
        } else if token.is_symbol(')') {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(n);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_a_superuser_may() {
        let untrusted = HashSet::from(["plpython3u".to_owned()]);
        let of = |desc: &str, defn: &str| {
            let e = Entry { desc: desc.into(), defn: Some(defn.into()), ..Entry::default() };
            demand(&e, &untrusted, 15).map(|d| d.what)
        };
        for (desc, defn, expected) in [
            ("TYPE", "CREATE TYPE public.b (\n    INTERNALLENGTH = 8\n);", Some("base types")),
            ("TYPE", "CREATE TYPE b (\n    INTERNALLENGTH = 8\n);", Some("base types")),
            ("TYPE", "CREATE TYPE public.e AS ENUM (\n    '('\n);", None),
            ("TYPE", "CREATE TYPE public.c AS (a integer);", None),
            ("SHELL TYPE", "CREATE TYPE public.s;", None),
            ("CAST", "CREATE CAST (text AS public.b) WITHOUT FUNCTION;", Some("casts without a function")),
            ("CAST", "CREATE CAST (text AS public.b) WITH FUNCTION public.f(text);", None),
            (
                "CAST",
                "CREATE CAST (numeric(1) AS money) WITH FUNCTION public.f(text);",
                Some("casts between built-in types"),
            ),
            (
                "FUNCTION",
                "CREATE FUNCTION public.language(c integer) RETURNS integer LANGUAGE sql AS 'SELECT 1 /* language c */';",
                None,
            ),
            (
                "FUNCTION",
                "CREATE FUNCTION f() RETURNS integer\n    LANGUAGE c\n    AS 'x', 'y';",
                Some("functions in C or another untrusted language"),
            ),
            (
                "FUNCTION",
                "CREATE FUNCTION f() RETURNS integer\n    LANGUAGE plpython3u\n    AS $$x$$;",
                Some("functions in C or another untrusted language"),
            ),
            (
                "PROCEDURE",
                "CREATE PROCEDURE f()\n    LANGUAGE sql LEAKPROOF\n    BEGIN ATOMIC\n END;",
                Some("functions that are LEAKPROOF"),
            ),
            ("FUNCTION", "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$x LEAKPROOF$$;", None),
            (
                "PUBLICATION",
                "CREATE PUBLICATION p FOR ALL TABLES WITH (publish = 'insert');",
                Some(PUBLICATION.what),
            ),
            ("PUBLICATION", "CREATE PUBLICATION p WITH (publish = 'insert');", None),
            (
                "AGGREGATE",
                "CREATE AGGREGATE a(*) (\n    SFUNC = f,\n    STYPE = internal\n);",
                Some("aggregates with a state of type internal"),
            ),
            (
                "ACL",
                "SET SESSION AUTHORIZATION x;\nGRANT ALL ON TABLE t TO y;\nRESET SESSION AUTHORIZATION;",
                Some("grants that other roles made"),
            ),
            ("TABLE", "CREATE TABLE t ();", None),
        ] {
            assert_eq!(of(desc, defn), expected, "{defn}");
        }
    }
}
