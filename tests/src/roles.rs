//! Roles of one test's own: they are the server's, not a database's.

use crate::database::{beside, program, successful};

/// Roles that are dropped with this value. Declare it before the databases that use them, so that those go first.
pub struct Roles {
    prefix: String,
    all: Vec<String>,
}

impl Roles {
    /// Creates one role for each suffix, with what `CREATE ROLE` takes after the name.
    pub fn create(suffixes: &[&str], options: &str) -> Self {
        let mut roles = Self { prefix: crate::unique("role"), all: Vec::new() };
        for suffix in suffixes {
            let name = roles.name(suffix);
            let sql = format!("CREATE ROLE {} {options}", quoted(&name));
            successful(
                "psql",
                &["-qX", "-v", "ON_ERROR_STOP=1", "-d", &crate::variable("PGBATON_TEST_PG_URL"), "-c", &sql],
            );
            roles.all.push(name);
        }
        roles
    }

    /// The name of the role with this suffix, unquoted.
    pub fn name(&self, suffix: &str) -> String {
        format!("{}{suffix}", self.prefix)
    }

    /// SQL that names other roles, with those names replaced by roles of this value: pairs of text and suffix.
    pub fn put_into(&self, sql: &str, pairs: &[(&str, &str)]) -> String {
        pairs.iter().fold(sql.to_owned(), |sql, (text, suffix)| {
            sql.replace(text, &self.name(suffix).replace('"', "\"\""))
        })
    }
}

/// An identifier in quotes.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The URL of `database` for another role of the same server.
pub fn url_as(role: &str, password: &str, database: &str) -> String {
    let url = beside(&crate::variable("PGBATON_TEST_PG_URL"), database);
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (_, host) = rest.rsplit_once('@').expect("a URL with a user");
    format!("{scheme}://{role}:{password}@{host}")
}

impl Drop for Roles {
    fn drop(&mut self) {
        for name in &self.all {
            let sql = format!("DROP ROLE IF EXISTS {}", quoted(name));
            let _ = program("psql", &["-qX", "-d", &crate::variable("PGBATON_TEST_PG_URL"), "-c", &sql]);
        }
    }
}
