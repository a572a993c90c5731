//! One `aclitem` in its text form: `grantee=privileges/grantor`, privileges as letters, each followed by `*` where it was granted with
//! grant option (PostgreSQL manual, "Privileges"; `aclitemout` in acl.c).

use crate::base::{Error, Kind, Result};

/// One grantor's grants to one grantee on one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AclItem {
    /// Role name; `None` is PUBLIC.
    pub grantee: Option<String>,
    /// Letter and grant option, in the order of the text.
    pub privileges: Vec<(char, bool)>,
    /// Role name.
    pub grantor: String,
}

impl AclItem {
    /// Parses an item.
    ///
    /// # Errors
    /// [`Kind::Unsupported`] when the text has another form.
    pub fn parse(text: &str) -> Result<Self> {
        Self::parts(text)
            .ok_or_else(|| Error::new(Kind::Unsupported, format!("cannot read the privilege entry {text:?}")))
    }

    fn parts(text: &str) -> Option<Self> {
        let (grantee, rest) = role(text)?;
        let (letters, rest) = rest.strip_prefix('=')?.split_once('/')?;
        let (grantor, rest) = role(rest)?;
        let mut privileges: Vec<(char, bool)> = Vec::new();
        for c in letters.chars() {
            match c {
                '*' => match privileges.last_mut() {
                    Some((_, option)) if !*option => *option = true,
                    _ => return None,
                },
                c if c.is_ascii_alphabetic() => privileges.push((c, false)),
                _ => return None,
            }
        }
        let grantee = (!grantee.is_empty()).then_some(grantee);
        (rest.is_empty() && !grantor.is_empty()).then_some(Self { grantee, privileges, grantor })
    }
}

/// A role name at the start of the text, and what follows. Which characters are quoted differs between versions, so both forms are taken
/// for any.
fn role(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut quoted = false;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' if chars.peek().is_some_and(|(_, next)| *next == '"') && quoted => {
                name.push('"');
                chars.next();
            }
            '"' => quoted = !quoted,
            '=' | '/' if !quoted => return Some((name, &text[at..])),
            c => name.push(c),
        }
    }
    (!quoted).then_some((name, ""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn item(grantee: &str, privileges: &[(char, bool)], grantor: &str) -> AclItem {
        AclItem {
            grantee: (!grantee.is_empty()).then(|| grantee.to_owned()),
            privileges: privileges.to_vec(),
            grantor: grantor.to_owned(),
        }
    }

    #[test]
    fn items_as_the_server_writes_them() {
        for (text, expected) in [
            ("=r/postgres", item("", &[('r', false)], "postgres")),
            ("bob=r*w/alice", item("bob", &[('r', true), ('w', false)], "alice")),
            ("\"a=b/c\"=U/\"Q\"\"x\"", item("a=b/c", &[('U', false)], "Q\"x")),
            ("jürgen=/o", item("jürgen", &[], "o")),
        ] {
            assert_eq!(AclItem::parse(text).unwrap(), expected);
        }
    }

    #[test]
    fn other_text_is_refused() {
        for text in
            ["", "bob", "bob=r", "bob=*/o", "bob=r**/o", "bob=r/", "bob=r/o=", "\"bob=r/o", "bob=r w/o"]
        {
            assert_eq!(AclItem::parse(text).unwrap_err().kind(), Kind::Unsupported, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_role_name_comes_back(grantee in ".{0,12}", grantor in ".{1,12}") {
            let quote = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
            let shown = if grantee.is_empty() { String::new() } else { quote(&grantee) };
            let parsed = AclItem::parse(&format!("{shown}=r*/{}", quote(&grantor))).unwrap();
            prop_assert_eq!(parsed, item(&grantee, &[('r', true)], &grantor));
        }

        #[test]
        fn never_panics(text in "[a\"=/*r]{0,16}") {
            let _ = AclItem::parse(&text);
        }
    }
}
