//! What a server of another major version does not take. pg_dump's own promise is the same or a newer major version (PostgreSQL manual, pg_dump,
//! "Notes").

use crate::{
    archive::toc::Entry,
    base::{Error, Kind, Result},
    jobs::restore::{
        older::for_server,
        plan::named,
        sql::{Token, tokens},
    },
    pg::ServerVersion,
};

/// The major version of `18.4 (Debian 18.4-1)`, `19beta1` or `9.6.24`.
pub fn major(server_version: &str) -> Option<u32> {
    let digits = server_version.trim_start();
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

/// Refuses an older server than the archive's. A version that cannot be told is taken for one that fits.
///
/// # Errors
/// [`Kind::Conflict`] naming both versions.
pub fn refuse_older(archive: Option<&str>, target: ServerVersion, allowed: bool) -> Result<Option<String>> {
    let Some(from) = archive.and_then(major).filter(|from| *from > target.major()) else { return Ok(None) };
    let to = target.major();
    if allowed {
        return Ok(Some(format!(
            "the archive is of PostgreSQL {from} and was restored into {to}, an older version"
        )));
    }
    Err(Error::new(
        Kind::Conflict,
        format!(
            "the archive is of PostgreSQL {from} and the target of {to}, and nothing in it was touched: an archive goes into the same or a newer \
             major version, since an older one may lack what its definitions use (restore into {from} or later, or try all the same with allowOlder)"
        ),
    ))
}

/// What version 14 takes with other types than before (release notes of 14, "Migration").
const ARRAYS: &[&str] = &[
    "array_append",
    "array_cat",
    "array_position",
    "array_positions",
    "array_prepend",
    "array_remove",
    "array_replace",
    "width_bucket",
];

/// Why the target's version cannot take this entry of an archive of version `from`; none when it can, as far as its definition shows.
pub fn gone(e: &Entry, from: Option<u32>, to: u32) -> Option<&'static str> {
    let before = |major: u32| from.is_none_or(|from| from < major) && to >= major;
    let definition = || tokens(e.defn.as_deref().unwrap_or_default()).unwrap_or_default();
    match e.desc.as_str() {
        "OPERATOR" if before(14) => {
            let all = definition();
            if has(&all, "leftarg") && !has(&all, "rightarg") {
                return Some("postfix operators, which went with PostgreSQL 14");
            }
            over_arrays(&all)
        }
        "SUBSCRIPTION" => {
            let sql = for_server(e, e.defn.clone().unwrap_or_default(), to);
            let all = tokens(&sql).unwrap_or_default();
            let unknown = SUBSCRIPTION_OPTIONS.iter().any(|(option, since)| to < *since && has(&all, option));
            unknown.then_some("subscriptions with options of later versions, as later versions of pg_dump write them (restore with noSubscriptions)")
        }
        "AGGREGATE" if before(14) => over_arrays(&definition()),
        "TABLE"
            if before(18) && e.defn.as_deref().is_some_and(|d| d.starts_with("CREATE UNLOGGED TABLE")) =>
        {
            let all = definition();
            let partitioned = all.windows(2).any(|w| w[0].is("partition") && w[1].is("by"));
            partitioned.then_some("unlogged partitioned tables, which went with PostgreSQL 18")
        }
        _ => None,
    }
}

/// Options of CREATE SUBSCRIPTION and the version that brought them.
const SUBSCRIPTION_OPTIONS: &[(&str, u32)] = &[
    ("binary", 14),
    ("streaming", 14),
    ("two_phase", 15),
    ("disable_on_error", 15),
    ("origin", 16),
    ("password_required", 16),
    ("run_as_owner", 16),
    ("failover", 17),
];

fn has(all: &[Token], option: &str) -> bool {
    all.windows(2).any(|w| w[0].is(option) && w[1].is_symbol('='))
}

fn over_arrays(all: &[Token]) -> Option<&'static str> {
    let of_any = all.iter().any(|t| t.is("anyarray"));
    let by_builtin = ARRAYS.iter().any(|f| all.iter().any(|t| t.is(f)));
    (of_any && by_builtin)
        .then_some("aggregates and operators over anyarray functions whose arguments PostgreSQL 14 changed")
}

/// `OPERATOR public.!`, with why.
pub fn told(e: &Entry, from: Option<u32>, to: u32) -> Option<(&'static str, String)> {
    gone(e, from, to).map(|why| (why, named(e)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_servers_tell_them() {
        for (text, expected) in [
            ("18.4 (Debian 18.4-1)", Some(18)),
            ("19beta1", Some(19)),
            ("9.6.24", Some(9)),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(major(text), expected, "{text}");
        }
    }

    #[test]
    fn an_older_target_is_refused_unless_asked_for() {
        let v15 = ServerVersion::from_num(150_018);
        let e = refuse_older(Some("18.4"), v15, false).unwrap_err();
        assert_eq!(e.kind(), Kind::Conflict);
        assert!(
            e.to_string().contains("PostgreSQL 18 and the target of 15")
                && e.to_string().contains("allowOlder")
        );
        assert!(refuse_older(Some("18.4"), v15, true).unwrap().is_some());
        for same_or_newer in [Some("15.2"), Some("13.1"), None, Some("odd")] {
            assert_eq!(refuse_older(same_or_newer, v15, false).unwrap(), None);
        }
    }

    #[test]
    fn what_newer_versions_gave_up() {
        let e =
            |desc: &str, defn: &str| Entry { desc: desc.into(), defn: Some(defn.into()), ..Entry::default() };
        let postfix =
            e("OPERATOR", "CREATE OPERATOR public.! (\n    FUNCTION = public.f,\n    LEFTARG = bigint\n);\n");
        let prefix = e(
            "OPERATOR",
            "CREATE OPERATOR public.! (\n    FUNCTION = public.f,\n    RIGHTARG = bigint\n);\n",
        );
        assert!(gone(&postfix, Some(13), 14).is_some() && gone(&prefix, Some(13), 14).is_none());
        assert!(gone(&postfix, Some(13), 13).is_none() && gone(&postfix, Some(14), 18).is_none());
        let aggregate = "CREATE AGGREGATE public.a(anyelement) (\n    SFUNC = array_append,\n    STYPE = anyarray,\n    INITCOND = '{}'\n);\n";
        assert!(gone(&e("AGGREGATE", aggregate), Some(13), 18).is_some());
        let subscription = e(
            "SUBSCRIPTION",
            "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p WITH (connect = false, password_required = false);\n",
        );
        assert!(gone(&subscription, Some(14), 15).is_some() && gone(&subscription, Some(14), 16).is_none());
        let table = "CREATE UNLOGGED TABLE public.t (\n    a integer\n)\nPARTITION BY LIST (a);\n";
        assert!(
            gone(&e("TABLE", table), Some(17), 18).is_some()
                && gone(&e("TABLE", table), Some(17), 17).is_none()
        );
    }
}
