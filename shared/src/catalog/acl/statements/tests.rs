//! Statements against expected text, and against a model of the server: applied to the base they must give the target.

use proptest::prelude::*;

use super::*;

fn texts(items: &[&str]) -> Vec<String> {
    items.iter().map(|&i| i.to_owned()).collect()
}

fn table(name: &str) -> Subject<'_> {
    Subject { kind: AclKind::Table, name, column: None, prefix: "" }
}

const OWNER_15: &str = "o=arwdDxt/o";
const OWNER_18: &str = "o=arwdDxtm/o";

#[test]
fn statements_as_pg_dump_writes_them() {
    let cases: [(Subject<'_>, &[&str], &[&str], &str); 9] = [
        (table("s.t"), &[OWNER_15], &[OWNER_15], ""),
        (
            table("s.t"),
            &[OWNER_15, "bob=r*w/o", "=r/bob"],
            &[OWNER_15],
            "GRANT UPDATE ON TABLE s.t TO bob;\nGRANT SELECT ON TABLE s.t TO bob WITH GRANT OPTION;\nSET SESSION AUTHORIZATION bob;\nGRANT SELECT ON TABLE s.t TO PUBLIC;\nRESET SESSION AUTHORIZATION;\n",
        ),
        (table("t"), &[], &[OWNER_18], "REVOKE ALL ON TABLE t FROM o;\n"),
        (
            table("t"),
            &["bob=arwdDxtm/o", "o=r/o"],
            &[OWNER_18],
            "REVOKE ALL ON TABLE t FROM o;\nGRANT SELECT ON TABLE t TO o;\nGRANT ALL ON TABLE t TO bob;\n",
        ),
        (
            table("t"),
            &[OWNER_15, "bob=arwdDxt/o"],
            &[OWNER_15],
            "GRANT SELECT,INSERT,REFERENCES,DELETE,TRIGGER,TRUNCATE,UPDATE ON TABLE t TO bob;\n",
        ),
        (
            Subject { column: Some("\"c d\""), ..table("t") },
            &["\"Bob X\"=rw/o", "x=arwx/o"],
            &[],
            "GRANT SELECT(\"c d\"),UPDATE(\"c d\") ON TABLE t TO \"Bob X\";\nGRANT ALL(\"c d\") ON TABLE t TO x;\n",
        ),
        (
            Subject { kind: AclKind::Function, name: "s.f(integer)", column: None, prefix: "" },
            &["o=X/o"],
            &["=X/o", "o=X/o"],
            "REVOKE ALL ON FUNCTION s.f(integer) FROM PUBLIC;\n",
        ),
        (
            Subject {
                kind: AclKind::Tables,
                name: "",
                column: None,
                prefix: "ALTER DEFAULT PRIVILEGES FOR ROLE o ",
            },
            &[OWNER_18, "bob=r/o"],
            &[OWNER_18],
            "ALTER DEFAULT PRIVILEGES FOR ROLE o GRANT SELECT ON TABLES TO bob;\n",
        ),
        (
            Subject { kind: AclKind::Schema, name: "s", column: None, prefix: "" },
            &["o=UC/o", "bob=U*C*/o"],
            &["o=UC/o"],
            "GRANT ALL ON SCHEMA s TO bob WITH GRANT OPTION;\n",
        ),
    ];
    for (subject, acl, base, sql) in cases {
        assert_eq!(statements(&subject, "o", &texts(acl), &texts(base)).unwrap(), sql);
    }
}

#[test]
fn a_privilege_of_the_future_is_an_error() {
    let e = statements(&table("s.t"), "o", &texts(&["bob=rZ/o"]), &[]).unwrap_err();
    assert_eq!(e.kind(), Kind::Unsupported);
    assert!(e.message().contains("TABLE s.t"), "{e}");
}

/// What a server keeps of grants: an entry for each grantee and grantor, in the order of the first grant.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Model(Vec<AclItem>);

impl Model {
    fn may_grant(&self, role: &str, letter: char) -> bool {
        role == "o"
            || self
                .0
                .iter()
                .any(|i| i.grantee.as_deref() == Some(role) && i.privileges.contains(&(letter, true)))
    }

    fn grant(&mut self, grantor: &str, grantee: Option<&str>, letter: char, option: bool) {
        let at = self.0.iter().position(|i| i.grantee.as_deref() == grantee && i.grantor == grantor);
        let at = at.unwrap_or_else(|| {
            self.0.push(AclItem {
                grantee: grantee.map(str::to_owned),
                privileges: Vec::new(),
                grantor: grantor.to_owned(),
            });
            self.0.len() - 1
        });
        let privileges = &mut self.0[at].privileges;
        match privileges.iter_mut().find(|(c, _)| *c == letter) {
            Some((_, has)) => *has |= option,
            None => privileges.push((letter, option)),
        }
        privileges.sort_unstable();
    }

    fn revoke(&mut self, grantor: &str, grantee: Option<&str>, letters: &str) {
        for i in &mut self.0 {
            if i.grantee.as_deref() == grantee && i.grantor == grantor {
                i.privileges.retain(|(c, _)| !letters.contains(*c));
            }
        }
        self.0.retain(|i| !i.privileges.is_empty());
    }

    fn run(&mut self, sql: &str) {
        let mut session = "o";
        for line in sql.lines() {
            let words: Vec<&str> = line.trim_end_matches(';').split(' ').collect();
            match words.as_slice() {
                ["SET", "SESSION", "AUTHORIZATION", role] => session = role,
                ["RESET", "SESSION", "AUTHORIZATION"] => session = "o",
                [verb, list, "ON", "SEQUENCE", "q", _, role, ending @ ..] => {
                    let letters: String = list
                        .split(',')
                        .map(|w| match w {
                            "ALL" => "rwU",
                            "SELECT" => "r",
                            "UPDATE" => "w",
                            "USAGE" => "U",
                            other => panic!("unknown privilege {other}"),
                        })
                        .collect();
                    let grantee = (*role != "PUBLIC").then_some(*role);
                    if *verb == "REVOKE" {
                        self.revoke(session, grantee, &letters);
                    } else {
                        for letter in letters.chars() {
                            assert!(
                                self.may_grant(session, letter),
                                "{session} may not run {line}\n{self:?}"
                            );
                            self.grant(session, grantee, letter, ending == ["WITH", "GRANT", "OPTION"]);
                        }
                    }
                }
                other => panic!("unexpected statement {other:?}"),
            }
        }
    }

    fn text(&self) -> Vec<String> {
        self.0
            .iter()
            .map(|i| {
                let letters: String =
                    i.privileges.iter().map(|(c, o)| format!("{c}{}", if *o { "*" } else { "" })).collect();
                format!("{}={letters}/{}", i.grantee.as_deref().unwrap_or_default(), i.grantor)
            })
            .collect()
    }

    fn sorted(mut self) -> Vec<AclItem> {
        self.0.sort_by(|a, b| (&a.grantee, &a.grantor).cmp(&(&b.grantee, &b.grantor)));
        self.0
    }
}

fn base() -> Model {
    let mut base = Model(Vec::new());
    for letter in "rwU".chars() {
        base.grant("o", Some("o"), letter, false);
    }
    base
}

proptest! {
    /// A history of grants and of the owner's revokes, as a server could have seen it.
    #[test]
    fn statements_lead_from_base_to_target(
        history in prop::collection::vec((0..4usize, 0..5usize, 0..3usize, any::<bool>(), 0..12u8), 0..96)
    ) {
        let roles = ["o", "a", "b", "c"];
        let mut target = base();
        for (grantor, grantee, letter, option, action) in history {
            let letter = "rwU".as_bytes()[letter] as char;
            let grantee = roles.get(grantee).copied();
            if action == 0 {
                let holds_option = grantee.is_some_and(|g| g != "o" && target.may_grant(g, letter));
                if !holds_option {
                    target.revoke("o", grantee, &letter.to_string());
                }
            } else if target.may_grant(roles[grantor], letter)
                && grantee != Some(roles[grantor])
                && grantee != Some("o")
            {
                target.grant(roles[grantor], grantee, letter, option && grantee.is_some());
            }
        }
        let subject = Subject { kind: AclKind::Sequence, name: "q", column: None, prefix: "" };
        let sql = statements(&subject, "o", &target.text(), &base().text()).unwrap();
        let mut reached = base();
        reached.run(&sql);
        prop_assert_eq!(reached.sorted(), target.sorted(), "{}", sql);
    }
}
