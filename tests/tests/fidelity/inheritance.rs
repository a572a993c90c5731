//! Statements drawn from numbers about one subject: tables that inherit, and partitions. What a column, its default, its NOT NULL and a
//! CHECK are a table's own and what its parents' is the part of a schema that is easiest to get wrong. Names of NOT NULL constraints need no
//! quotes: pg_dump 18.4 forgets them where the column is inherited, and its archive does not restore.

use crate::statements::Dice;

/// The tables that stand so far.
#[derive(Debug, Default)]
pub struct Family {
    tables: Vec<String>,
    number: usize,
}

const COLUMNS: &[&str] = &["a", "b", "c", "\"D d\""];

const NOT_NULL: &[&str] =
    &["", "", "", " NOT NULL", " CONSTRAINT named_nn NOT NULL", " CONSTRAINT nn2 NOT NULL NO INHERIT"];

const VALUE: &[&str] =
    &["", "", "", " DEFAULT 1", " DEFAULT 2", " DEFAULT NULL", " GENERATED ALWAYS AS (7) STORED"];

impl Family {
    fn table(&self, dice: &mut Dice<'_>) -> String {
        if self.tables.is_empty() {
            "none".to_owned()
        } else {
            self.tables[dice.upto(self.tables.len())].clone()
        }
    }

    fn columns(dice: &mut Dice<'_>) -> String {
        let mut columns: Vec<String> = Vec::new();
        for column in COLUMNS {
            if dice.upto(3) > 0 {
                columns.push(format!("{column} integer{}{}", dice.one(NOT_NULL), dice.one(VALUE)));
            }
        }
        if dice.upto(5) == 0 {
            columns.push("CONSTRAINT positive CHECK (a > 0)".to_owned());
        }
        if dice.upto(6) == 0 {
            columns.push("CONSTRAINT own CHECK (b > 0) NO INHERIT".to_owned());
        }
        if dice.upto(4) == 0 {
            columns.push("PRIMARY KEY (a)".to_owned());
        }
        columns.join(", ")
    }

    /// A statement, and the table it makes when the server takes it.
    pub fn statement(&mut self, numbers: &[u16]) -> (String, Option<String>) {
        let mut dice = Dice::new(numbers);
        let d = &mut dice;
        self.number += 1;
        // Not in the order in which they are made.
        let new = format!("public.t{}", (self.number * 7919) % 1009);
        let (one, other) = (self.table(d), self.table(d));
        let column = d.one(COLUMNS);
        match d.upto(16) {
            0 | 1 => (format!("CREATE TABLE {new} ({})", Self::columns(d)), Some(new)),
            2 | 3 => (format!("CREATE TABLE {new} ({}) INHERITS ({one})", Self::columns(d)), Some(new)),
            4 => (format!("CREATE TABLE {new} ({}) INHERITS ({one}, {other})", Self::columns(d)), Some(new)),
            5 => {
                let by = d.one(&["RANGE (a)", "LIST (b)", "HASH (a)"]);
                (
                    format!(
                        "CREATE TABLE {new} (a integer{}, b integer{}, c integer) PARTITION BY {by}",
                        d.one(NOT_NULL),
                        d.one(VALUE)
                    ),
                    Some(new),
                )
            }
            6 => {
                let bounds = d.one(&[
                    "FOR VALUES FROM (0) TO (9)",
                    "FOR VALUES IN (1, 2)",
                    "FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
                    "DEFAULT",
                ]);
                let own = d.one(&[
                    "",
                    "(a DEFAULT 5)",
                    "(b NOT NULL)",
                    "(CONSTRAINT of_part NOT NULL c, a DEFAULT 3)",
                    "(CONSTRAINT c5 CHECK (c > 5))",
                ]);
                let sub = d.one(&["", "", "PARTITION BY LIST (c)"]);
                (format!("CREATE TABLE {new} PARTITION OF {one} {own} {bounds} {sub}"), Some(new))
            }
            7 => {
                let bounds = d.one(&[
                    "FOR VALUES FROM (20) TO (30)",
                    "FOR VALUES IN (7)",
                    "FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
                    "DEFAULT",
                ]);
                (format!("ALTER TABLE {one} ATTACH PARTITION {other} {bounds}"), None)
            }
            8 => (
                format!(
                    "ALTER TABLE {one} {} {other}",
                    d.one(&["INHERIT", "NO INHERIT", "DETACH PARTITION"])
                ),
                None,
            ),
            9 => (
                format!("ALTER TABLE {one} ALTER {column} {}", d.one(&["SET NOT NULL", "DROP NOT NULL"])),
                None,
            ),
            10 => (
                format!(
                    "ALTER TABLE ONLY {one} ALTER {column} {}",
                    d.one(&["SET NOT NULL", "SET DEFAULT 9", "DROP DEFAULT", "DROP EXPRESSION"])
                ),
                None,
            ),
            11 => (format!("ALTER TABLE {one} {} {column}", d.one(&["DROP COLUMN", "DROP"])), None),
            12 => (
                format!("ALTER TABLE {one} ADD COLUMN {column} integer{}{}", d.one(NOT_NULL), d.one(VALUE)),
                None,
            ),
            13 => {
                let what = d.one(&[
                    "CHECK (a > 1)",
                    "CHECK (b > 1) NOT VALID",
                    "CHECK (c > 1) NO INHERIT",
                    "NOT NULL b",
                    "NOT NULL c NO INHERIT",
                    "NOT NULL a NOT VALID",
                    "CHECK (a > 2) NOT ENFORCED",
                    "PRIMARY KEY (a)",
                    "UNIQUE (a)",
                ]);
                let name = d.one(&["named_nn", "k", "positive", "other_nn"]);
                (format!("ALTER TABLE {one} ADD CONSTRAINT {name} {what}"), None)
            }
            14 => {
                let what = d.one(&[
                    "DROP CONSTRAINT positive",
                    "DROP CONSTRAINT named_nn",
                    "VALIDATE CONSTRAINT k",
                    "RENAME CONSTRAINT k TO k2",
                    "ALTER CONSTRAINT named_nn INHERIT",
                    "DROP CONSTRAINT k",
                ]);
                (format!("ALTER TABLE {} {one} {what}", d.one(&["", "ONLY"])), None)
            }
            _ => {
                let what = d.one(&[
                    "COMMENT ON CONSTRAINT named_nn ON {t} IS 'nn'",
                    "COMMENT ON CONSTRAINT positive ON {t} IS 'p'",
                    "INSERT INTO {t} (a) VALUES (1)",
                    "CREATE INDEX ON {t} (b)",
                    "CREATE INDEX ON ONLY {t} (c)",
                ]);
                (what.replace("{t}", &one), None)
            }
        }
    }

    /// Keeps a table that the server made.
    pub fn done(&mut self, made: Option<String>) {
        self.tables.extend(made);
    }
}
