//! The meaning of each connection parameter (PostgreSQL 18 manual, "Parameter Key Words"), and the advice for those that other clients
//! know and libpq does not.

use std::{borrow::Cow, net::IpAddr, path::PathBuf, time::Duration};

use crate::base::{Error, Kind, Result, Secret};

use super::{
    conn_info::{
        ChannelBinding, ConnInfo, Host, KeepAlive, Pem, Place, RootCert, SslMode, TargetSession, Tls,
    },
    conn_syntax::{Pairs, shown_name},
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

const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

fn invalid(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(Kind::InvalidInput, message)
}

fn wrong(name: &str, why: &str) -> Error {
    invalid(format!("connection parameter {name}: {why}"))
}

/// What the pairs say, before defaults and the checks of one against another.
#[derive(Default)]
struct Raw {
    values: Vec<(String, String)>,
}

impl Raw {
    /// The last non-empty value: an empty one means the default, as in libpq.
    fn get(&self, name: &str) -> Option<&str> {
        let value = self.values.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        value.filter(|v| !v.is_empty())
    }

    fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match choices.iter().find(|(text, _)| *text == value) {
            Some((_, chosen)) => Ok(Some(*chosen)),
            None => {
                let names: Vec<&str> = choices.iter().map(|(text, _)| *text).collect();
                Err(wrong(name, &format!("it must be one of {}", names.join(", "))))
            }
        }
    }

    fn number(&self, name: &str) -> Result<Option<u32>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.trim().parse::<i32>() {
            Ok(n) => Ok(Some(u32::try_from(n).unwrap_or(0))),
            Err(_) => Err(wrong(name, "it must be a whole number")),
        }
    }

    /// A number of units of which zero and less mean none.
    fn time(&self, name: &str, unit: fn(u64) -> Duration) -> Result<Option<Duration>> {
        Ok(self.number(name)?.filter(|n| *n > 0).map(|n| unit(n.into())))
    }
}

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

/// Makes a [`ConnInfo`] of parameters.
pub(super) fn understand(pairs: Pairs) -> Result<ConnInfo> {
    let raw = Raw { values: pairs };
    // First of all: a "/" in a password makes its beginning a port and its rest names of parameters, which must not be shown.
    let hosts = hosts(&raw)?;
    let ignored = check_names(&raw)?;
    let user = raw.get("user").ok_or_else(|| invalid("the connection string names no user"))?.to_owned();
    let tls = tls(&raw, hosts.iter().all(Host::is_local))?;
    let channel_binding = raw
        .choice(
            "channel_binding",
            &[
                ("disable", ChannelBinding::Disable),
                ("prefer", ChannelBinding::Prefer),
                ("require", ChannelBinding::Require),
            ],
        )?
        .unwrap_or(ChannelBinding::Prefer);
    if channel_binding == ChannelBinding::Require && tls.mode == SslMode::Disable {
        return Err(wrong("channel_binding", "require needs TLS, which sslmode=disable forbids"));
    }
    let target = [
        ("any", TargetSession::Any),
        ("read-write", TargetSession::ReadWrite),
        ("read-only", TargetSession::ReadOnly),
        ("primary", TargetSession::Primary),
        ("standby", TargetSession::Standby),
        ("prefer-standby", TargetSession::PreferStandby),
    ];
    for name in ["user", "dbname", "application_name", "fallback_application_name", "options"] {
        if raw.get(name).is_some_and(|v| v.contains('\0')) {
            return Err(wrong(name, "it holds a zero byte"));
        }
    }
    let name = raw.get("application_name").or(raw.get("fallback_application_name")).unwrap_or("pgbaton");
    Ok(ConnInfo {
        database: raw.get("dbname").unwrap_or(&user).to_owned(),
        user,
        password: raw.get("password").map(Secret::new),
        application_name: name.to_owned(),
        options: raw.get("options").map(str::to_owned),
        connect_timeout: match raw.get("connect_timeout") {
            None => Some(DEFAULT_CONNECT_TIMEOUT),
            Some(_) => raw.time("connect_timeout", Duration::from_secs)?,
        },
        keepalive: KeepAlive {
            on: raw.number("keepalives")?.is_none_or(|n| n != 0),
            idle: raw.time("keepalives_idle", Duration::from_secs)?,
            interval: raw.time("keepalives_interval", Duration::from_secs)?,
            count: raw.number("keepalives_count")?.filter(|n| *n > 0),
            user_timeout: raw.time("tcp_user_timeout", Duration::from_millis)?,
        },
        channel_binding,
        target: raw.choice("target_session_attrs", &target)?.unwrap_or(TargetSession::Any),
        shuffle: raw.choice("load_balance_hosts", &[("disable", false), ("random", true)])?.unwrap_or(false),
        hosts,
        tls,
        ignored,
    })
}

/// Refuses names that cannot be served; gives those that have no effect.
fn check_names(raw: &Raw) -> Result<Vec<String>> {
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

fn hosts(raw: &Raw) -> Result<Vec<Host>> {
    let list = |name: &str| {
        raw.get(name).map(|v| v.split(',').map(str::trim).collect::<Vec<_>>()).unwrap_or_default()
    };
    let (names, addrs, ports) = (list("host"), list("hostaddr"), list("port"));
    let count = names.len().max(addrs.len());
    let ports = ports
        .iter()
        .map(|p| match p.parse::<u16>() {
            _ if p.is_empty() => Ok(5432),
            Ok(port) if port != 0 => Ok(port),
            _ => Err(wrong(
                "port",
                "it must be a number from 1 to 65535 (in a URL, \"/\", \"?\", \"@\" and \":\" of a password must be percent-encoded)",
            )),
        })
        .collect::<Result<Vec<u16>>>()?;
    if count == 0 {
        return Err(invalid("the connection string names no host"));
    }
    if !names.is_empty() && !addrs.is_empty() && names.len() != addrs.len() {
        return Err(wrong("hostaddr", "it must have as many entries as host"));
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(wrong("port", "it must have one entry, or as many as host"));
    }
    (0..count)
        .map(|i| {
            let addr = match addrs.get(i).copied().filter(|a| !a.is_empty()) {
                Some(text) => Some(
                    text.parse::<IpAddr>()
                        .map_err(|_| wrong("hostaddr", "it must be a numeric IP address"))?,
                ),
                None => None,
            };
            let place = match (names.get(i).copied().filter(|n| !n.is_empty()), addr) {
                (Some(path), _) if path.starts_with('/') => Place::Socket(PathBuf::from(path)),
                (Some(name), _) if name.contains(['@', ' ', '\0']) => {
                    return Err(wrong("host", "a name holds an \"@\" or a blank"));
                }
                (Some(name), _) => Place::Name(name.to_owned()),
                (None, Some(addr)) => Place::Name(addr.to_string()),
                (None, None) => return Err(wrong("host", &format!("number {} is empty", i + 1))),
            };
            let port = ports.get(i).or(ports.first()).copied().unwrap_or(5432);
            Ok(Host { place, addr, port })
        })
        .collect()
}

const SSL_MODES: &[(&str, SslMode)] = &[
    ("disable", SslMode::Disable),
    ("allow", SslMode::Allow),
    ("prefer", SslMode::Prefer),
    ("require", SslMode::Require),
    ("verify-ca", SslMode::VerifyCa),
    ("verify-full", SslMode::VerifyFull),
];

/// `true` where TLS 1.3 is meant; versions before 1.2 exist for no server that is still kept.
const TLS_VERSIONS: &[(&str, u8)] = &[("TLSv1", 10), ("TLSv1.1", 11), ("TLSv1.2", 12), ("TLSv1.3", 13)];

fn tls(raw: &Raw, local: bool) -> Result<Tls> {
    let given = raw.choice("sslmode", SSL_MODES)?;
    let root = match raw.get("sslrootcert") {
        None => RootCert::Default,
        Some("system") => RootCert::System,
        Some(value) => RootCert::Given(pem(value)),
    };
    // libpq: the platform's roots are only as good as the check of the name.
    let default = if local && root != RootCert::System { SslMode::Prefer } else { SslMode::VerifyFull };
    let mode = given.unwrap_or(default);
    if root == RootCert::System && mode != SslMode::VerifyFull {
        return Err(wrong("sslmode", "with sslrootcert=system it must be verify-full"));
    }
    let direct = raw.choice("sslnegotiation", &[("postgres", false), ("direct", true)])?.unwrap_or(false);
    if direct && matches!(mode, SslMode::Disable | SslMode::Allow | SslMode::Prefer) {
        return Err(wrong("sslnegotiation", "direct needs sslmode require, verify-ca or verify-full"));
    }
    let client = match (raw.get("sslcert"), raw.get("sslkey")) {
        (Some(cert), Some(key)) => Some((pem(cert), pem(key))),
        (None, None) => None,
        (Some(_), None) => return Err(wrong("sslcert", "sslkey is missing")),
        (None, Some(_)) => return Err(wrong("sslkey", "sslcert is missing")),
    };
    let least = raw.choice("ssl_min_protocol_version", TLS_VERSIONS)?.unwrap_or(12);
    let most = raw.choice("ssl_max_protocol_version", TLS_VERSIONS)?.unwrap_or(13);
    if most < 12 {
        return Err(wrong("ssl_max_protocol_version", "TLS before 1.2 is not supported"));
    }
    if least > most {
        return Err(wrong("ssl_min_protocol_version", "it is above ssl_max_protocol_version"));
    }
    Ok(Tls {
        mode,
        mode_given: given.is_some(),
        direct,
        root,
        client,
        sni: raw.choice("sslsni", &[("0", false), ("1", true)])?.unwrap_or(true),
        versions: (least == 13, most == 12),
    })
}

fn pem(value: &str) -> Pem {
    // An environment variable or JSON often carries line ends as the two characters "\n".
    if value.trim_start().starts_with("-----BEGIN") {
        Pem::Inline(Secret::new(value.replace("\\n", "\n")))
    } else {
        Pem::Path(PathBuf::from(value))
    }
}

/// Writes what [`understand`] reads back to the same.
pub(super) fn write(c: &ConnInfo) -> Secret {
    let mut out = String::new();
    let mut put = |name: &str, value: &str| {
        let value = value.replace('\\', "\\\\").replace('\'', "\\'");
        out.push_str(&format!("{}{name}='{value}'", if out.is_empty() { "" } else { " " }));
    };
    let join = |each: &dyn Fn(&Host) -> String| c.hosts.iter().map(each).collect::<Vec<_>>().join(",");
    put(
        "host",
        &join(&|h| match &h.place {
            Place::Name(name) => name.clone(),
            Place::Socket(folder) => folder.display().to_string(),
        }),
    );
    if c.hosts.iter().any(|h| h.addr.is_some()) {
        put("hostaddr", &join(&|h| h.addr.map(|a| a.to_string()).unwrap_or_default()));
    }
    put("port", &join(&|h| h.port.to_string()));
    put("user", &c.user);
    put("password", c.password.as_ref().map_or("", Secret::expose));
    put("dbname", &c.database);
    put("application_name", &c.application_name);
    put("options", c.options.as_deref().unwrap_or(""));
    put("connect_timeout", &c.connect_timeout.map_or(0, |t| t.as_secs()).to_string());
    let seconds = |t: Option<Duration>| t.map_or(0, |t| t.as_secs()).to_string();
    put("keepalives", if c.keepalive.on { "1" } else { "0" });
    put("keepalives_idle", &seconds(c.keepalive.idle));
    put("keepalives_interval", &seconds(c.keepalive.interval));
    put("keepalives_count", &c.keepalive.count.unwrap_or(0).to_string());
    put("tcp_user_timeout", &c.keepalive.user_timeout.map_or(0, |t| t.as_millis()).to_string());
    let text = |p: &Pem| match p {
        Pem::Path(path) => path.display().to_string(),
        Pem::Inline(text) => text.expose().to_owned(),
    };
    let mode =
        SSL_MODES.iter().find(|(_, m)| *m == c.tls.mode && c.tls.mode_given).map_or("", |(name, _)| name);
    put("sslmode", mode);
    put("sslnegotiation", if c.tls.direct { "direct" } else { "" });
    match &c.tls.root {
        RootCert::Default => {}
        RootCert::System => put("sslrootcert", "system"),
        RootCert::Given(p) => put("sslrootcert", &text(p)),
    }
    if let Some((cert, key)) = &c.tls.client {
        put("sslcert", &text(cert));
        put("sslkey", &text(key));
    }
    put("sslsni", if c.tls.sni { "1" } else { "0" });
    put("ssl_min_protocol_version", if c.tls.versions.0 { "TLSv1.3" } else { "" });
    put("ssl_max_protocol_version", if c.tls.versions.1 { "TLSv1.2" } else { "" });
    put(
        "channel_binding",
        match c.channel_binding {
            ChannelBinding::Disable => "disable",
            ChannelBinding::Prefer => "prefer",
            ChannelBinding::Require => "require",
        },
    );
    put(
        "target_session_attrs",
        match c.target {
            TargetSession::Any => "any",
            TargetSession::ReadWrite => "read-write",
            TargetSession::ReadOnly => "read-only",
            TargetSession::Primary => "primary",
            TargetSession::Standby => "standby",
            TargetSession::PreferStandby => "prefer-standby",
        },
    );
    put("load_balance_hosts", if c.shuffle { "random" } else { "disable" });
    for name in &c.ignored {
        put(name, if name == "client_encoding" { "other" } else { "" });
    }
    Secret::new(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fails(text: &str) -> Error {
        ConnInfo::parse(text).unwrap_err()
    }

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

    #[test]
    fn wrong_parameters_are_named_without_their_value() {
        for (text, part) in [
            ("host=h user=u schema=SECRET", "Prisma"),
            ("host=h user=u zap=SECRET", "\"zap\""),
            ("host=h user=u port=SECRET", "port"),
            ("host=h user=u port=0", "port"),
            ("host=h,g user=u port=1,2,3", "port"),
            ("host=h hostaddr=SECRET user=u", "hostaddr"),
            ("host=h hostaddr=1.1.1.1,1.1.1.2 user=u", "hostaddr"),
            ("host=h user=u sslmode=SECRET", "verify-full"),
            ("host=h user=u sslmode=require sslrootcert=system", "verify-full"),
            ("host=h user=u sslcert=/SECRET", "sslkey"),
            ("host=h user=u sslcrl=/SECRET", "sslcrl"),
            ("host=h user=u passfile=/SECRET", "passfile"),
            ("host=h user=u gssencmode=require", "gssencmode"),
            ("host=h user=u require_auth=password", "channel_binding"),
            ("host=localhost user=u sslnegotiation=direct", "sslnegotiation"),
            ("host=h user=u ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2", "above"),
            ("host=h user=u sslmode=disable channel_binding=require", "channel_binding"),
            ("host=h user=u connect_timeout=SECRET", "connect_timeout"),
            ("host=h user=u target_session_attrs=SECRET", "prefer-standby"),
            ("host=h,,g user=u", "number 2"),
            ("host=h", "no user"),
            ("user=u", "no host"),
            ("postgresql://u:SEC/RET?x=1", "port"),
        ] {
            let e = fails(text);
            assert_eq!(e.kind(), Kind::InvalidInput, "{text}");
            assert!(e.to_string().contains(part), "{text} gave {e}");
            assert!(!format!("{e:?}").contains("SEC"), "{e:?}");
        }
        let e = fails("postgresql://u:p@h:6543/d?pgbouncer=true");
        assert_eq!(e.kind(), Kind::Pooler);
    }

    #[test]
    fn lists_of_hosts() {
        let c = ConnInfo::parse("host=a,/run/pg,c hostaddr=10.0.0.1,,::1 port=1,,3 user=u").unwrap();
        assert_eq!(c.describe(), "u@a:1,/run/pg:5432,c:3/u");
        assert_eq!(c.hosts[2].addr, Some("::1".parse().unwrap()));
        assert!(c.hosts[2].is_local() && !c.hosts[0].is_local());
        let one_port = ConnInfo::parse("host=a,b port=7 user=u").unwrap();
        assert_eq!(one_port.describe(), "u@a:7,b:7/u");
    }

    #[test]
    fn no_effect_is_said() {
        let c =
            ConnInfo::parse("host=localhost user=u krbsrvname=x client_encoding=LATIN1 gssencmode=prefer")
                .unwrap();
        assert_eq!(c.warnings().len(), 2);
        assert!(c.warnings().join(" ").contains("client_encoding"));
    }

    #[test]
    fn inline_certificates_survive_escaped_line_ends() {
        let c =
            ConnInfo::parse("host=h user=u sslrootcert='-----BEGIN CERTIFICATE-----\\\\nAA\\\\n'").unwrap();
        let RootCert::Given(Pem::Inline(text)) = &c.tls.root else { panic!("not inline") };
        assert_eq!(text.expose(), "-----BEGIN CERTIFICATE-----\nAA\n");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            user in "[^\0]{1,12}", password in "[^\0]{0,12}", database in "[^\0]{1,12}", options in "[^\0]{0,12}",
            hosts in proptest::collection::vec(("[a-z0-9.-]{1,10}|/[a-z/]{1,8}|::[0-9]{1,3}", 1u16.., any::<Option<std::net::Ipv4Addr>>()), 1..4),
            mode in 0usize..=SSL_MODES.len(), shuffle: bool, timeout in 0u32..1000,
        ) {
            type Host = (String, u16, Option<std::net::Ipv4Addr>);
            let list = |f: &dyn Fn(&Host) -> String| hosts.iter().map(f).collect::<Vec<_>>().join(",");
            let quote = |s: &str| format!("'{}'", s.replace('\\', "\\\\").replace('\'', "\\'"));
            let mut text = format!(
                "host={} port={} user={} password={} dbname={} options={} connect_timeout={timeout} load_balance_hosts={}",
                list(&|h| h.0.clone()), list(&|h| h.1.to_string()), quote(&user), quote(&password), quote(&database), quote(&options),
                if shuffle { "random" } else { "disable" },
            );
            if hosts.iter().all(|h| h.2.is_some()) {
                text += &format!(" hostaddr={}", list(&|h| h.2.map(|a| a.to_string()).unwrap_or_default()));
            }
            if let Some((name, _)) = SSL_MODES.get(mode) {
                text += &format!(" sslmode={name}");
            }
            let first = ConnInfo::parse(&text).unwrap();
            prop_assert_eq!(&first.user, &user);
            prop_assert_eq!(&first.database, &database);
            prop_assert_eq!(first.password.as_ref().map_or("", Secret::expose), password.as_str());
            let again = ConnInfo::parse_secret(&first.to_secret()).unwrap();
            prop_assert!(first == again, "{:?} {:?}", first, again);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,60}", url in "[a-z0-9:@/?&=%,\\[\\]']{0,40}") {
            let _ = ConnInfo::parse(&text);
            let _ = ConnInfo::parse(&format!("postgresql://{url}"));
            let _ = ConnInfo::parse(&format!("host={url}"));
        }
    }
}
