//! The names of connection parameters: those that are served, those of libpq that cannot be, and the advice for those that other
//! clients know and libpq does not.

use crate::base::{Error, Kind, Result};

use super::{
    conn_params::{Raw, invalid, wrong},
    conn_syntax::shown_name,
};

/// Parameters of libpq that cannot be served, and why.
const REFUSED: &[(&str, &str)] = &[
    ("passfile", "there is no password file in a function; put the password into the secret"),
    ("service", "there is no service file in a function; write the parameters out"),
    ("servicefile", "there is no service file in a function; write the parameters out"),
    ("sslcrl", "certificate revocation lists are not checked; leave it out"),
    ("sslcrldir", "certificate revocation lists are not checked; leave it out"),
    ("sslpassword", "encrypted keys are not supported; store the key unencrypted in the secret"),
    ("sslkeylogfile", "session keys are never written to a file"),
    ("requirepeer", "the owner of a Unix socket is not checked; leave it out"),
    ("require_auth", "the method of login cannot be chosen; channel_binding=require demands SCRAM over TLS"),
    ("replication", "a replication connection cannot be used here"),
    ("scram_client_key", "log in with the password itself"),
    ("scram_server_key", "log in with the password itself"),
    ("oauth_issuer", "OAuth logins are not supported"),
    ("oauth_client_id", "OAuth logins are not supported"),
    ("oauth_client_secret", "OAuth logins are not supported"),
    ("oauth_scope", "OAuth logins are not supported"),
];

/// Parameters of libpq that change nothing here: they concern Kerberos, or old servers and libraries.
const NO_EFFECT: &[&str] = &[
    "krbsrvname",
    "gsslib",
    "gssdelegation",
    "sslcompression",
    "min_protocol_version",
    "max_protocol_version",
];

/// Parameters of other clients, and what to do instead.
const FOREIGN: &[(&str, &str)] = &[
    ("schema", "it is Prisma's; leave it out, and name the tables in the request instead"),
    ("currentSchema", "it is JDBC's; leave it out, and name the tables in the request instead"),
    ("connection_limit", "it is Prisma's; leave it out"),
    ("pool_timeout", "it is Prisma's; leave it out"),
    ("socket_timeout", "it is Prisma's; leave it out"),
    ("statement_cache_size", "it is Prisma's; leave it out"),
    ("sslaccept", "it is Prisma's; use sslmode"),
    ("sslidentity", "it is Prisma's; use sslcert and sslkey"),
    ("ssl", "use sslmode"),
    ("sslfactory", "it is JDBC's; use sslmode and sslrootcert"),
    ("tcpKeepAlive", "it is JDBC's; use keepalives"),
    ("loginTimeout", "it is JDBC's; use connect_timeout"),
    ("socketTimeout", "it is JDBC's; leave it out"),
    ("prepareThreshold", "it is JDBC's; leave it out"),
    ("targetServerType", "it is JDBC's; use target_session_attrs"),
    ("ApplicationName", "it is JDBC's; use application_name"),
    ("uselibpqcompat", "it is node-postgres's; leave it out"),
    ("pool_max_conns", "it is pgx's; leave it out"),
    ("pool_mode", "leave it out"),
    ("search_path", "leave it out; names are always read with their schema"),
    ("statement_timeout", "leave it out; timeouts are switched off while a backup runs"),
    ("username", "the parameter is called user"),
    ("database", "the parameter is called dbname"),
];

const KNOWN: &[&str] = &[
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "connect_timeout",
    "client_encoding",
    "options",
    "application_name",
    "fallback_application_name",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
    "sslmode",
    "sslnegotiation",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "sslcertmode",
    "sslsni",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
    "channel_binding",
    "gssencmode",
    "target_session_attrs",
    "load_balance_hosts",
];

/// Refuses names that cannot be served; gives those that have no effect.
pub(super) fn check_names(raw: &Raw) -> Result<Vec<String>> {
    let mut ignored = Vec::new();
    for (name, value) in &raw.values {
        let name = name.as_str();
        let why = |list: &[(&str, &'static str)]| list.iter().find(|(n, _)| *n == name).map(|(_, why)| *why);
        if KNOWN.contains(&name) {
            continue;
        }
        if let Some(why) = why(REFUSED) {
            if !value.is_empty() {
                return Err(wrong(name, why));
            }
        } else if NO_EFFECT.contains(&name) {
            ignored.push(name.to_owned());
        } else if name == "pgbouncer" && value == "true" {
            return Err(Error::new(
                Kind::Pooler,
                "the connection string says pgbouncer=true, which means a pooler in transaction mode; give the address of the server itself",
            ));
        } else if let Some(why) = why(FOREIGN) {
            return Err(invalid(format!("unknown connection parameter \"{name}\": {why}")));
        } else {
            return Err(invalid(format!("unknown connection parameter {}", shown_name(name))));
        }
    }
    if raw
        .get("client_encoding")
        .is_some_and(|v| !["utf8", "utf-8", "unicode", "auto"].contains(&v.to_lowercase().as_str()))
    {
        ignored.push("client_encoding".into());
    }
    if raw.choice("gssencmode", &[("disable", false), ("prefer", false), ("require", true)])? == Some(true) {
        return Err(wrong("gssencmode", "GSSAPI encryption is not supported; use TLS"));
    }
    if raw.choice("sslcertmode", &[("disable", false), ("allow", false), ("require", true)])? == Some(true) {
        return Err(wrong(
            "sslcertmode",
            "whether the server asks for a certificate cannot be demanded; leave it out",
        ));
    }
    Ok(ignored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_of_libpq_has_an_answer() {
        // PostgreSQL 18's PQconninfoOptions, src/interfaces/libpq/fe-connect.c.
        for name in "service servicefile user password passfile channel_binding connect_timeout dbname host hostaddr port client_encoding \
            options application_name fallback_application_name keepalives keepalives_idle keepalives_interval keepalives_count \
            tcp_user_timeout sslmode sslnegotiation sslcompression sslcert sslkey sslkeylogfile sslcertmode sslpassword sslrootcert sslcrl \
            sslcrldir sslsni requirepeer require_auth min_protocol_version max_protocol_version ssl_min_protocol_version \
            ssl_max_protocol_version gssencmode krbsrvname gsslib gssdelegation replication target_session_attrs load_balance_hosts \
            scram_client_key scram_server_key oauth_issuer oauth_client_id oauth_client_secret oauth_scope"
            .split_whitespace()
        {
            let known =
                KNOWN.contains(&name) || NO_EFFECT.contains(&name) || REFUSED.iter().any(|(n, _)| *n == name);
            assert!(known, "{name}");
        }
    }
}
