//! `SET` clauses of functions, from `pg_proc.proconfig`.

use crate::pg::{ident, literal};

/// Variables whose stored value is a list of elements that the server quoted when it stored them (GUC_LIST_QUOTE). No extension may
/// have such a variable (`variable_is_guc_list_quote` in dumputils.c).
const QUOTED_LISTS: [&str; 6] = [
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// `\n    SET name TO value` from `name=value`; empty for text without `=`.
pub(super) fn clause(setting: &str) -> String {
    let Some((name, value)) = setting.split_once('=') else { return String::new() };
    format!("\n    SET {}", assignment(name, value, literal))
}

/// `name TO value`, with strings as `quoted` writes them.
pub(crate) fn assignment(name: &str, value: &str, quoted: fn(&str) -> String) -> String {
    let value = match QUOTED_LISTS.iter().any(|q| q.eq_ignore_ascii_case(name)).then(|| elements(value)) {
        // `SET x FROM CURRENT` can store an empty list.
        Some(Some(list)) if list.is_empty() => quoted(""),
        Some(Some(list)) => list.iter().map(|e| quoted(e)).collect::<Vec<_>>().join(", "),
        _ => quoted(value),
    };
    format!("{} TO {value}", ident(name))
}

/// The elements of a stored list, without their double quotes; `None` when it is not such a list. Unlike SQL identifiers elements may be
/// empty or longer than 63 bytes, and keep their case.
fn elements(list: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = list.trim_start();
    if rest.is_empty() {
        return Some(found);
    }
    loop {
        let element;
        if let Some(quoted) = rest.strip_prefix('"') {
            (element, rest) = quoted_element(quoted)?;
        } else {
            let end = rest.find(|c: char| c == ',' || c.is_ascii_whitespace()).unwrap_or(rest.len());
            if end == 0 {
                return None;
            }
            element = rest[..end].to_owned();
            rest = &rest[end..];
        }
        found.push(element);
        rest = rest.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None if rest.is_empty() => return Some(found),
            None => return None,
        }
    }
}

fn quoted_element(text: &str) -> Option<(String, &str)> {
    let mut element = String::new();
    let mut rest = text;
    loop {
        let quote = rest.find('"')?;
        element.push_str(&rest[..quote]);
        rest = &rest[quote + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                element.push('"');
                rest = after;
            }
            None => return Some((element, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::clause;

    #[test]
    fn lists_are_taken_apart() {
        for (stored, sql) in [
            ("search_path=pg_catalog, public", "SET search_path TO 'pg_catalog', 'public'"),
            ("search_path=\"$user\", \"A\"\"b\", \"\"", "SET search_path TO '$user', 'A\"b', ''"),
            ("search_path=\"a, b\",c", "SET search_path TO 'a, b', 'c'"),
            ("search_path=", "SET search_path TO ''"),
            ("work_mem=4MB", "SET work_mem TO '4MB'"),
            ("DateStyle=ISO, MDY", "SET \"DateStyle\" TO 'ISO, MDY'"),
            ("my.var=it's", "SET \"my.var\" TO 'it''s'"),
            ("search_path=\"unfinished", "SET search_path TO '\"unfinished'"),
        ] {
            assert_eq!(clause(stored), format!("\n    {sql}"));
        }
    }
}
