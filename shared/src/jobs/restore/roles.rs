//! Which roles an archive's owners, grants and policies name, read from its SQL: a restore asks for them before it changes anything.

use std::collections::BTreeSet;

use super::{
    plan::is_of_database,
    statement::{Leave, is_privilege},
};
use crate::archive::toc::Entry;

/// One token of SQL: enough to find role names in statements that pg_dump writes.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    /// A bare word, lower case, or a quoted identifier, unquoted.
    Name { text: String, quoted: bool },
    /// Anything else: one character, or a whole string literal.
    Other(char),
}

/// Roles that must exist for `entries` to be restored, without those that PostgreSQL itself has.
pub fn needed(entries: &[Entry], leave: Leave) -> BTreeSet<String> {
    let mut roles = BTreeSet::new();
    for e in entries.iter().filter(|e| !is_of_database(e)) {
        if !leave.owner
            && let Some(owner) = e.owner.as_deref().filter(|o| !o.is_empty())
        {
            roles.insert(owner.to_owned());
        }
        let defn = e.defn.as_deref().unwrap_or_default();
        if is_privilege(e) && !leave.privileges {
            named_in(defn, &mut roles);
        } else if e.desc == "POLICY" {
            let end = defn.find(" USING (").or_else(|| defn.find(" WITH CHECK (")).unwrap_or(defn.len());
            named_in(&defn[..end], &mut roles);
        } else if e.desc == "USER MAPPING" {
            let end = defn.find(" OPTIONS (").unwrap_or(defn.len());
            named_in(&defn[..end], &mut roles);
        }
    }
    roles.retain(|r| r != "public" && !r.starts_with("pg_"));
    roles
}

/// Names after TO, FROM, FOR (of user mappings), ROLE, GRANTED BY and SESSION AUTHORIZATION, with commas between several.
fn named_in(sql: &str, roles: &mut BTreeSet<String>) {
    let tokens = tokens(sql);
    let word =
        |n: usize, w: &str| matches!(tokens.get(n), Some(Token::Name { text, quoted: false }) if text == w);
    let mut n = 0;
    while n < tokens.len() {
        let introduces = word(n, "to")
            || word(n, "from")
            || word(n, "role")
            || word(n, "authorization")
            || word(n, "by")
            || (n > 0 && word(n - 1, "mapping") && word(n, "for"));
        n += 1;
        if !introduces {
            continue;
        }
        while let Some(Token::Name { text, quoted }) = tokens.get(n) {
            let keyword = !quoted
                && matches!(
                    text.as_str(),
                    "public" | "current_user" | "session_user" | "current_role" | "default"
                );
            if !keyword {
                roles.insert(text.clone());
            }
            n += 1;
            if tokens.get(n) != Some(&Token::Other(',')) {
                break;
            }
            n += 1;
        }
    }
}

fn tokens(sql: &str) -> Vec<Token> {
    let mut all = Vec::new();
    let mut rest = sql.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' | '\'' => {
                let mut text = String::new();
                while let Some(d) = rest.next() {
                    if d != c {
                        text.push(d);
                    } else if rest.peek() == Some(&c) {
                        text.push(c);
                        rest.next();
                    } else {
                        break;
                    }
                }
                all.push(if c == '"' { Token::Name { text, quoted: true } } else { Token::Other(c) });
            }
            c if c.is_alphabetic() || c == '_' => {
                let mut text = c.to_lowercase().to_string();
                while let Some(d) = rest.next_if(|d| d.is_alphanumeric() || matches!(d, '_' | '$')) {
                    text.extend(d.to_lowercase());
                }
                all.push(Token::Name { text, quoted: false });
            }
            c if c.is_whitespace() => {}
            c => all.push(Token::Other(c)),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(desc: &str, defn: &str, owner: &str) -> Entry {
        Entry { desc: desc.into(), defn: Some(defn.into()), owner: Some(owner.into()), ..Entry::default() }
    }

    #[test]
    fn owners_grants_and_policies() {
        let entries = [
            entry("TABLE", "CREATE TABLE t (a integer);\n", "Owner One"),
            entry(
                "ACL",
                "REVOKE ALL ON TABLE public.\"from x\" FROM old;\nGRANT SELECT ON TABLE public.t TO \"we\"\"ird\" WITH GRANT OPTION;\n",
                "o",
            ),
            entry(
                "DEFAULT ACL",
                "ALTER DEFAULT PRIVILEGES FOR ROLE boss IN SCHEMA s GRANT SELECT ON TABLES TO PUBLIC;\n",
                "boss",
            ),
            entry(
                "POLICY",
                "CREATE POLICY p ON public.t FOR SELECT TO reader, writer USING ((owner = 'to nobody'::text));\n",
                "o",
            ),
            entry(
                "ACL",
                "SET SESSION AUTHORIZATION grantor;\nGRANT ALL ON TABLE t TO pg_monitor;\nRESET SESSION AUTHORIZATION;\n",
                "o",
            ),
        ];
        let mut entries = entries.to_vec();
        entries.push(entry(
            "USER MAPPING",
            "CREATE USER MAPPING FOR mapped SERVER s OPTIONS (\n    x 'y'\n);\n",
            "o",
        ));
        let mut of_database = entry("ACL", "GRANT ALL ON DATABASE d TO guest;\n", "lord");
        of_database.tag = "DATABASE d".into();
        entries.push(of_database);
        entries.push(entry("DATABASE", "CREATE DATABASE d;\n", "lord"));
        let all: Vec<String> = needed(&entries, Leave::default()).into_iter().collect();
        assert_eq!(
            all,
            ["Owner One", "boss", "grantor", "mapped", "o", "old", "reader", "we\"ird", "writer"]
        );
        let none = needed(&entries, Leave { owner: true, privileges: true });
        assert_eq!(none.into_iter().collect::<Vec<_>>(), ["mapped", "reader", "writer"]);
    }

    #[test]
    fn unterminated_text_ends() {
        let mut roles = BTreeSet::new();
        named_in("GRANT x TO \"abc", &mut roles);
        assert_eq!(roles.len(), 1);
    }
}
