//! A connection string without its passwords, otherwise as it was written.
//!
//! Both of libpq's notations are understood as libpq does (`conninfo_parse` and `conninfo_uri_parse` in fe-connect.c); file names, such as
//! that of a password file, stay.

use std::ops::Range;

use percent_encoding::percent_decode_str;

/// Parameters that libpq keeps secret.
const SECRETS: [&str; 5] =
    ["password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"];

/// The string without passwords; `None` when it has none. A string that libpq would not read is left out as a whole, as nobody can tell
/// where its password is.
pub fn without_secrets(text: &str) -> Option<String> {
    let uri = ["postgresql://", "postgres://"].iter().find(|scheme| text.starts_with(**scheme));
    let cuts = match uri {
        Some(scheme) => uri_cuts(text, scheme.len()),
        None => pair_cuts(text),
    };
    match cuts {
        None => Some(String::new()),
        Some(cuts) if cuts.is_empty() => None,
        Some(cuts) => {
            let mut kept = String::with_capacity(text.len());
            let mut from = 0;
            for cut in cuts {
                kept.push_str(&text[from..cut.start]);
                from = cut.end;
            }
            kept.push_str(&text[from..]);
            Some(if uri.is_none() { kept.trim_start().to_owned() } else { kept })
        }
    }
}

/// What to cut from `name = value …`, each with the white space before it.
fn pair_cuts(text: &str) -> Option<Vec<Range<usize>>> {
    let bytes = text.as_bytes();
    let space = |at: usize| bytes.get(at).is_some_and(|c| c.is_ascii_whitespace() || *c == 0x0b);
    let skip = |mut at: usize| {
        while space(at) {
            at += 1;
        }
        at
    };
    let mut cuts = Vec::new();
    let mut at = 0;
    loop {
        let start = at;
        at = skip(at);
        if at == bytes.len() {
            return Some(cuts);
        }
        let name = at;
        while at < bytes.len() && bytes[at] != b'=' && !space(at) {
            at += 1;
        }
        let name = &text[name..at];
        at = skip(at);
        if bytes.get(at) != Some(&b'=') {
            return None;
        }
        at = skip(at + 1);
        let quoted = bytes.get(at) == Some(&b'\'');
        at += usize::from(quoted);
        loop {
            match bytes.get(at) {
                Some(b'\\') => at = (at + 2).min(bytes.len()),
                Some(b'\'') if quoted => break,
                None if quoted => return None,
                None => break,
                Some(_) if !quoted && space(at) => break,
                Some(_) => at += 1,
            }
        }
        at += usize::from(quoted);
        if SECRETS.contains(&name) {
            cuts.push(start..at);
        }
    }
}

/// What to cut from a URI: `:password` before `@`, and parameters after `?`.
fn uri_cuts(text: &str, scheme: usize) -> Option<Vec<Range<usize>>> {
    let mut cuts = Vec::new();
    let end = text[scheme..].find(['@', '/']).map(|end| scheme + end);
    let mut rest = scheme;
    if let Some(end) = end.filter(|end| text.as_bytes()[*end] == b'@') {
        if let Some(colon) = text[scheme..end].find(':') {
            cuts.push(scheme + colon..end);
        }
        rest = end + 1;
    }
    let Some(question) = text[rest..].find('?').map(|at| rest + at) else { return Some(cuts) };
    let mut kept = false;
    let mut at = question + 1;
    for parameter in text[question + 1..].split('&') {
        let end = at + parameter.len();
        let name = percent_decode_str(parameter.split('=').next()?).decode_utf8().ok()?;
        if SECRETS.contains(&name.as_ref()) {
            // With the sign before it, or the one after it while no parameter is kept.
            let after = if kept { end } else { (end + 1).min(text.len()) };
            cuts.push(if kept { at - 1 } else { at }..after);
        } else {
            kept = true;
        }
        at = end + 1;
    }
    if !kept && let Some(first) = cuts.iter_mut().find(|cut| cut.start == question + 1) {
        first.start = question;
    }
    Some(cuts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn passwords_are_cut_out_and_the_rest_stays() {
        for (text, expected) in [
            ("host=h password=x dbname=d", Some("host=h dbname=d")),
            ("password = 'a b\\'c' host=h", Some("host=h")),
            ("host=h  password=a\\ b\\", Some("host=h")),
            ("password=", Some("")),
            ("host=h passfile=/p dbname=password", None),
            ("host='password=x' user=u", None),
            ("user=u sslpassword=s sslkey=k", Some("user=u sslkey=k")),
            ("", None),
            ("host=h password='open", Some("")),
            ("postgresql://u:p@h:5432/d?sslmode=require", Some("postgresql://u@h:5432/d?sslmode=require")),
            ("postgres://u@h/d?password=x&a=b&sslpassword=y", Some("postgres://u@h/d?a=b")),
            ("postgresql://h?pass%77ord=x", Some("postgresql://h")),
            ("postgresql://h?password=x&sslpassword=y", Some("postgresql://h")),
            ("postgresql://u:a?b@h/d", Some("postgresql://u@h/d")),
            ("postgresql://h:1/d?user=a", None),
            ("postgresql://h/d?a=1&password=x&b=2", Some("postgresql://h/d?a=1&b=2")),
        ] {
            assert_eq!(without_secrets(text).as_deref(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_password_goes_and_nothing_else(
            password in "[a-z'\\\\ =]{0,12}", before in "[a-z]{1,5}", after in "[a-z]{1,5}"
        ) {
            let quoted = password.replace('\\', "\\\\").replace('\'', "\\'");
            let text = format!("host={before} password='{quoted}' dbname={after}");
            prop_assert_eq!(without_secrets(&text), Some(format!("host={before} dbname={after}")));
        }

        #[test]
        fn never_panics(text in "(postgres://)?[a-z:@/?&='\\\\ %ü]{0,24}") {
            let _ = without_secrets(&text);
        }
    }
}
