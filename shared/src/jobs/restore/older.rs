//! What pg_dump 18 writes into archives of older servers and those servers do not take: a restore into the server's own version goes without.

use crate::archive::toc::Entry;

/// Options of subscriptions that say what an older server does anyway, and the version that came to know them.
const SUBSCRIPTION_OPTIONS: [(&str, u32); 2] = [(", streaming = off", 14), (", run_as_owner = true", 16)];

/// The entry's statement as a server of this major version takes it.
pub(super) fn for_server(entry: &Entry, sql: String, major: u32) -> String {
    if entry.desc != "SUBSCRIPTION" {
        return sql;
    }
    // No option holds this text, and all that is free text comes before.
    let Some((definition, options)) = sql.rsplit_once(" WITH (") else { return sql };
    let mut options = options.to_owned();
    for (option, _) in SUBSCRIPTION_OPTIONS.iter().filter(|(_, since)| major < *since) {
        options = options.replacen(option, "", 1);
    }
    format!("{definition} WITH ({options}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_lose_what_the_server_does_not_know() {
        let entry = |desc: &str| Entry { desc: desc.into(), ..Entry::default() };
        let of = |major, options: &str| {
            let sql = format!(
                "CREATE SUBSCRIPTION \", streaming = off\" CONNECTION '' PUBLICATION p WITH ({options});\n"
            );
            for_server(&entry("SUBSCRIPTION"), sql, major)
                .strip_prefix("CREATE SUBSCRIPTION \", streaming = off\" CONNECTION '' PUBLICATION p WITH (")
                .and_then(|sql| sql.strip_suffix(");\n"))
                .map(str::to_owned)
                .unwrap()
        };
        let all = "connect = false, slot_name = 's', streaming = off, run_as_owner = true, synchronous_commit = local";
        assert_eq!(of(18, all), all);
        assert_eq!(of(14, all), all.replace(", run_as_owner = true", ""));
        assert_eq!(of(13, all), "connect = false, slot_name = 's', synchronous_commit = local");
        assert_eq!(of(13, "connect = false, streaming = on"), "connect = false, streaming = on");
        assert_eq!(
            for_server(&entry("TABLE"), " WITH (, streaming = off".into(), 13),
            " WITH (, streaming = off"
        );
    }
}
