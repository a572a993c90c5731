//! The meaning of each connection parameter (PostgreSQL 18 manual, "Parameter Key Words").

use std::{borrow::Cow, net::IpAddr, path::PathBuf, time::Duration};

use crate::base::{Error, Kind, Result, Secret};

use super::{
    conn_info::{
        ChannelBinding, ConnInfo, Host, KeepAlive, Pem, Place, RootCert, SslMode, TargetSession, Tls,
    },
    conn_names::check_names,
    conn_syntax::Pairs,
};

const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn invalid(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(Kind::InvalidInput, message)
}

pub(super) fn wrong(name: &str, why: &str) -> Error {
    invalid(format!("connection parameter {name}: {why}"))
}

/// What the pairs say, before defaults and the checks of one against another.
pub(super) struct Raw {
    pub(super) values: Vec<(String, String)>,
}

impl Raw {
    /// The last non-empty value: an empty one means the default, as in libpq.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.values.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        value.filter(|v| !v.is_empty())
    }

    pub(super) fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>> {
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
        minted: None,
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

pub(super) const SSL_MODES: &[(&str, SslMode)] = &[
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

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(text: &str) -> Error {
        ConnInfo::parse(text).unwrap_err()
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
}
