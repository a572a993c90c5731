//! A connection string written out again, for handing it to another function or into a secret.

use std::time::Duration;

use crate::base::Secret;

use super::{
    conn_info::{ChannelBinding, ConnInfo, Host, Pem, Place, RootCert, TargetSession},
    conn_params::SSL_MODES,
};

/// Writes what [`super::conn_params::understand`] reads back to the same.
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
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    type Entry = (String, u16, Option<Ipv4Addr>);

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            user in "[^\0]{1,12}", password in "[^\0]{0,12}", database in "[^\0]{1,12}", options in "[^\0]{0,12}",
            hosts in proptest::collection::vec(("[a-z0-9.-]{1,10}|/[a-z/]{1,8}|::[0-9]{1,3}", 1u16.., any::<Option<Ipv4Addr>>()), 1..4),
            mode in 0usize..=SSL_MODES.len(), shuffle: bool, timeout in 0u32..1000,
        ) {
            let list = |f: &dyn Fn(&Entry) -> String| hosts.iter().map(f).collect::<Vec<_>>().join(",");
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
