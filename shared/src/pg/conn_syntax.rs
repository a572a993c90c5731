//! The three notations of a connection string, taken apart into parameters and values, before any of them is understood.
//!
//! * `postgresql://user:password@host:port,host2:port2/dbname?param=value`, as libpq's `conninfo_uri_parse` reads it;
//! * `host=… port=… user='…'`, as libpq's `conninfo_parse` reads it;
//! * the JSON object of a secret that RDS keeps in Secrets Manager.
//!
//! Source: PostgreSQL manual, "Connection Strings"; AWS Secrets Manager, "JSON structure of Secrets Manager secrets". An error names a
//! parameter, never a value: any part of a mistyped string may be the password.

use crate::base::{Error, Kind, Result};

/// Parameters in the order written; of a repeated one the last counts.
pub(super) type Pairs = Vec<(String, String)>;

/// Takes a connection string in any of the three notations apart.
///
/// # Errors
/// [`Kind::InvalidInput`] with what is wrong and where, without the text itself.
pub(super) fn split(text: &str) -> Result<Pairs> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("postgresql://").or_else(|| text.strip_prefix("postgres://")) {
        return uri(rest);
    }
    if text.starts_with('{') {
        return json(text);
    }
    if text.is_empty() {
        return Err(invalid("the connection string is empty"));
    }
    if let Some((scheme, _)) = text.split_once("://") {
        let known = ["jdbc:postgresql", "jdbc:postgres"].contains(&scheme)
            || scheme.starts_with("postgresql+")
            || scheme.starts_with("postgres+");
        if known {
            return Err(invalid(
                "the connection string must begin with postgresql://, without a driver's prefix",
            ));
        }
        if !scheme.contains(['=', ' ']) {
            return Err(invalid("the connection string must begin with postgresql:// or postgres://"));
        }
    }
    key_value(text)
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Kind::InvalidInput, message)
}

/// The parameter's name if it looks like one, so that a piece of a password never stands in a message.
pub(super) fn shown_name(name: &str) -> String {
    let plain = (1..=40).contains(&name.len())
        && name
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_uppercase() || matches!(c, b'_' | b'-' | b'.'));
    if plain { format!("\"{name}\"") } else { "with an odd name".to_owned() }
}

fn uri(rest: &str) -> Result<Pairs> {
    let mut pairs = Pairs::new();
    let authority_end = rest.find('/').unwrap_or(rest.len());
    let mut rest = rest;
    if let Some(at) = rest[..authority_end].find('@') {
        let (credentials, after) = (&rest[..at], &rest[at + 1..]);
        let (user, password) = credentials.split_once(':').map_or((credentials, ""), |(u, p)| (u, p));
        push_decoded(&mut pairs, "user", user)?;
        push_decoded(&mut pairs, "password", password)?;
        rest = after;
    }
    let (hosts, ports, mut rest) = hosts(rest)?;
    push_decoded(&mut pairs, "host", &hosts)?;
    push_decoded(&mut pairs, "port", &ports)?;
    if let Some(after) = rest.strip_prefix('/') {
        let end = after.find('?').unwrap_or(after.len());
        push_decoded(&mut pairs, "dbname", &after[..end])?;
        rest = &after[end..];
    }
    match rest.strip_prefix('?') {
        Some(query) if !query.is_empty() => query_params(&mut pairs, query)?,
        _ => {}
    }
    Ok(pairs)
}

/// `host:port,[::1]:port…` up to `/`, `?` or the end: hosts and ports, each joined by commas, and what follows.
fn hosts(text: &str) -> Result<(String, String, &str)> {
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    let mut rest = text;
    loop {
        let host;
        if let Some(after) = rest.strip_prefix('[') {
            let end =
                after.find(']').ok_or_else(|| invalid("an IPv6 address in brackets has no closing \"]\""))?;
            if end == 0 {
                return Err(invalid("the IPv6 address in brackets is empty"));
            }
            host = &after[..end];
            rest = &after[end + 1..];
            if !rest.is_empty() && !rest.starts_with([':', '/', '?', ',']) {
                return Err(invalid(
                    "after an IPv6 address in brackets only \":\", \"/\", \"?\" or \",\" may follow",
                ));
            }
        } else {
            let end = rest.find([':', '/', '?', ',']).unwrap_or(rest.len());
            host = &rest[..end];
            rest = &rest[end..];
        }
        let mut port = "";
        if let Some(after) = rest.strip_prefix(':') {
            let end = after.find(['/', '?', ',']).unwrap_or(after.len());
            port = &after[..end];
            rest = &after[end..];
        }
        if host.contains('@') || port.contains('@') {
            return Err(invalid("the user name or password holds an \"@\" that must be written %40"));
        }
        hosts.push(host);
        ports.push(port);
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None => break,
        }
    }
    let ports = if ports.iter().all(|p| p.is_empty()) { String::new() } else { ports.join(",") };
    Ok((hosts.join(","), ports, rest))
}

fn query_params(pairs: &mut Pairs, query: &str) -> Result<()> {
    for param in query.split('&') {
        let Some((name, value)) = param.split_once('=') else {
            return Err(invalid(format!("the URL parameter {} has no \"=\"", shown_name(param))));
        };
        if value.contains('=') {
            return Err(invalid(format!(
                "the value of the URL parameter {} holds an \"=\" that must be written %3D",
                shown_name(name)
            )));
        }
        let (name, value) = (decode(name, "a parameter's name")?, decode(value, &shown_name(name))?);
        // As libpq has it for JDBC's sake.
        if name == "ssl" && value == "true" {
            pairs.push(("sslmode".into(), "require".into()));
        } else {
            pairs.push((name, value));
        }
    }
    Ok(())
}

/// Adds a part of a URL unless it is empty.
fn push_decoded(pairs: &mut Pairs, name: &str, raw: &str) -> Result<()> {
    if !raw.is_empty() {
        pairs.push((name.to_owned(), decode(raw, name)?));
    }
    Ok(())
}

fn decode(raw: &str, what: &str) -> Result<String> {
    let bytes = raw.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i] == b'%' {
            let digits = bytes.get(i + 1..i + 3).filter(|d| d.iter().all(u8::is_ascii_hexdigit));
            let Some(digits) = digits else {
                return Err(invalid(format!("{what}: a \"%\" in a URL must be written %25")));
            };
            if digits == b"00" {
                return Err(invalid(format!("{what}: %00 is not allowed")));
            }
            i += 3;
        } else {
            i += 1;
        }
    }
    let text = percent_encoding::percent_decode_str(raw).decode_utf8();
    Ok(text.map_err(|_| invalid(format!("{what}: the percent-encoded text is not UTF-8")))?.into_owned())
}

fn key_value(text: &str) -> Result<Pairs> {
    let mut pairs = Pairs::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
        if chars.peek().is_none() {
            return Ok(pairs);
        }
        let mut name = String::new();
        while let Some(c) = chars.next_if(|c| *c != '=' && !c.is_ascii_whitespace()) {
            name.push(c);
        }
        while chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
        if chars.next() != Some('=') {
            // The word is not shown: it may be the rest of a password with a blank in it.
            return Err(invalid(
                "the connection string is neither a postgresql:// URL nor key=value: \"=\" is missing after a word",
            ));
        }
        while chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
        let mut value = String::new();
        if chars.next_if_eq(&'\'').is_some() {
            loop {
                match chars.next() {
                    Some('\'') => break,
                    Some('\\') => value.extend(chars.next()),
                    Some(c) => value.push(c),
                    None => {
                        return Err(invalid(format!("the quoted value of {} has no end", shown_name(&name))));
                    }
                }
            }
        } else {
            while let Some(c) = chars.next_if(|c| !c.is_ascii_whitespace()) {
                if c == '\\' { value.extend(chars.next()) } else { value.push(c) }
            }
        }
        pairs.push((name, value));
    }
}

/// Fields of a secret's JSON that are connection parameters under another name.
const JSON_NAMES: &[(&str, &str)] = &[("username", "user"), ("database", "dbname"), ("dbName", "dbname")];

/// Fields of a secret's JSON that say nothing about the connection.
const JSON_OTHER: &[&str] = &[
    "engine",
    "dbInstanceIdentifier",
    "dbClusterIdentifier",
    "masterarn",
    "masterArn",
    "proxyName",
    "resourceId",
];

fn json(text: &str) -> Result<Pairs> {
    use serde_json::Value;
    let object: serde_json::Map<String, Value> = serde_json::from_str(text)
        .map_err(|_| invalid("the secret begins with \"{\" but is not a JSON object"))?;
    if let Some(engine) = object.get("engine").and_then(Value::as_str)
        && !engine.contains("postgres")
    {
        return Err(invalid("the secret's \"engine\" is not postgres"));
    }
    let mut pairs = Pairs::new();
    for (name, value) in object {
        if JSON_OTHER.contains(&name.as_str()) {
            continue;
        }
        let value = match value {
            Value::String(s) => s,
            Value::Number(n) => n.to_string(),
            Value::Null => continue,
            _ => return Err(invalid(format!("the secret's field {} is not a string", shown_name(&name)))),
        };
        let name =
            JSON_NAMES.iter().find(|(json, _)| *json == name).map_or(name, |(_, libpq)| (*libpq).to_owned());
        pairs.push((name, value));
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match split(text) {
            Ok(pairs) => pairs.iter().map(|(k, v)| format!("{k}='{v}'")).collect::<Vec<_>>().join(" "),
            Err(e) => format!("error: {e}"),
        }
    }

    /// From PostgreSQL's src/interfaces/libpq/t/001_uri.pl.
    #[test]
    fn urls_as_libpq_reads_them() {
        for (url, expected) in [
            (
                "postgresql://uri-user:secret@host:12345/db",
                "user='uri-user' password='secret' host='host' port='12345' dbname='db'",
            ),
            ("postgresql://uri-user@host:12345/db", "user='uri-user' host='host' port='12345' dbname='db'"),
            ("postgresql://uri-user@host/", "user='uri-user' host='host'"),
            ("postgresql://uri-user@", "user='uri-user'"),
            ("postgresql://host:12345/", "host='host' port='12345'"),
            ("postgresql://host", "host='host'"),
            ("postgresql://", ""),
            ("postgresql://?hostaddr=127.0.0.1", "hostaddr='127.0.0.1'"),
            ("postgresql://example.com?hostaddr=63.1.2.4", "host='example.com' hostaddr='63.1.2.4'"),
            ("postgresql://%68ost/", "host='host'"),
            (
                "postgresql://host/db?user=uri-user&port=5433",
                "host='host' dbname='db' user='uri-user' port='5433'",
            ),
            ("postgresql://host?uzer=", "host='host' uzer=''"),
            ("postgres://[::1]/", "host='::1'"),
            ("postgres://[2001:db8::1234]:5433,b:5434/", "host='2001:db8::1234,b' port='5433,5434'"),
            ("postgres://a,b:5433/", "host='a,b' port=',5433'"),
            ("postgres://@host", "host='host'"),
            ("postgres://host:/", "host='host'"),
            ("postgres://:12345/", "port='12345'"),
            ("postgresql://%2Fvar%2Flib%2Fpostgresql/dbname", "host='/var/lib/postgresql' dbname='dbname'"),
            ("postgresql:///otherdb?host=/path/to/socket", "dbname='otherdb' host='/path/to/socket'"),
            ("postgresql://host?ssl=true", "host='host' sslmode='require'"),
            (
                "postgresql://u:p@ep-x.eu.neon.tech/db?options=endpoint%3Dep-x",
                "user='u' password='p' host='ep-x.eu.neon.tech' dbname='db' options='endpoint=ep-x'",
            ),
        ] {
            assert_eq!(shown(url), expected, "{url}");
        }
    }

    #[test]
    fn broken_urls_say_what_is_wrong() {
        for (url, part) in [
            ("postgresql://host/db?u%7aer=x&zzz", "\"zzz\" has no \"=\""),
            ("postgresql://host?a=b=c", "%3D"),
            ("postgres://[::1", "closing"),
            ("postgres://[]", "empty"),
            ("postgres://[::1]z", "brackets"),
            ("postgresql://%00", "%00"),
            ("postgresql://%", "%25"),
            ("postgresql://%1", "%25"),
            ("postgresql://%zz@h", "%25"),
            ("postgresql://u:p@ss@h/db", "%40"),
            ("postgresql://u:%ff@h/db", "UTF-8"),
            ("jdbc:postgresql://h/db", "driver"),
            ("postgresql+asyncpg://h/db", "driver"),
            ("mysql://h/db", "postgresql://"),
            ("", "empty"),
            ("just words", "neither"),
            ("{\"host\":", "JSON"),
            ("{\"engine\":\"mysql\",\"host\":\"h\"}", "engine"),
        ] {
            let text = shown(url);
            assert!(text.starts_with("error: ") && text.contains(part), "{url} gave {text}");
        }
    }

    #[test]
    fn key_values_and_secrets() {
        assert_eq!(
            shown("host = h port=5432\n user='a b' password='it\\'s \\\\' dbname=a\\ b options=''"),
            "host='h' port='5432' user='a b' password='it's \\' dbname='a b' options=''"
        );
        assert!(shown("password='abc").contains("no end"));
        let rds = r#"{"username":"u","password":"p'@/","engine":"aurora-postgresql","host":"h","port":5432,"dbname":"d","dbClusterIdentifier":"c"}"#;
        let mut pairs = split(rds).unwrap();
        pairs.sort();
        let expected =
            [("dbname", "d"), ("host", "h"), ("password", "p'@/"), ("port", "5432"), ("user", "u")];
        assert_eq!(pairs, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    #[test]
    fn no_message_holds_a_password() {
        for text in [
            "postgresql://u:hunter2@x@h",
            "postgresql://u:hunter2%@h",
            "postgresql://u:p%/hunter2?x@h",
            "host=h password=x hunter",
            "password='hunter2",
        ] {
            let e = split(text).unwrap_err();
            assert!(!format!("{e} {e:?}").contains("hunter"), "{e}");
        }
    }
}
