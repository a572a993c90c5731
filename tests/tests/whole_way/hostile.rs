//! Names that try to run something: quotes, newlines, meta-commands of psql, comments, semicolons. Nothing runs, and everything comes back.

use pgbaton::ledger::Status;
use pgbaton_tests::{
    database::{Database, successful},
    deployment::Deployment,
    roles::{Roles, quoted},
};
use serde_json::json;

use super::{backed_up, picture, restored, same};

/// Statements that would leave a row in `public.canary`, in the places where a name ends too early.
const NAMES: &[&str] = &[
    "\"; SELECT public.sing(); --",
    "'; SELECT public.sing(); --",
    "x); SELECT public.sing(); --",
    "*/ SELECT public.sing(); /*",
    "\n; SELECT public.sing();\n",
    "\r; SELECT public.sing();\r",
    "\n\\! touch MARK\n",
    "\\! touch MARK",
    "\n\\copy (SELECT 1) TO PROGRAM 'touch MARK'\n",
    "\\.\n; SELECT public.sing();",
    "\\restrict x\n\\unrestrict x\n\\! touch MARK",
    "$$; SELECT public.sing(); $$",
    "$_$",
    "--",
    "/*",
    "\\",
    "\\'",
    "\t\u{b}\u{1}\u{7f}",
    "%s %I {0} ${x} `touch MARK`",
    " TO PUBLIC; x",
    "é ü 漢字 \u{202e}\u{2028}😀",
    "COPY x FROM stdin;",
    "select",
    "-- load via partition root public.canary",
    "sixty-three bytes: \"\"\"''';;;--\n\n\\\\$$ äöü 漢字 ......",
];

fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// Objects of every kind that have a name of their own, all with this one; `n` keeps apart what a database has once.
fn objects(n: usize, name: &str, role: &str) -> String {
    let (q, r, text) = (quoted(name), quoted(role), literal(name));
    let s = quoted(&cut(&format!("{n}{name}")));
    format!(
        "CREATE SCHEMA {s} AUTHORIZATION {r};
        CREATE TYPE {s}.\"e\" AS ENUM ({text}, 'other');
        CREATE TYPE {s}.\"c\" AS ({q} integer);
        CREATE DOMAIN {s}.\"d\" AS text CONSTRAINT {q} CHECK (VALUE <> {text});
        CREATE FUNCTION {s}.{q}({q} integer DEFAULT 1) RETURNS text LANGUAGE sql AS {text_of_function};
        ALTER FUNCTION {s}.{q}(integer) OWNER TO {r};
        GRANT EXECUTE ON FUNCTION {s}.{q}(integer) TO {r} WITH GRANT OPTION;
        CREATE PROCEDURE {s}.\"p\"() LANGUAGE plpgsql AS {text_of_procedure};
        CREATE AGGREGATE {s}.\"a\"({q} integer) (SFUNC = int4pl, STYPE = integer);
        CREATE SEQUENCE {s}.\"q\";
        CREATE TABLE {s}.{q} ({q} text DEFAULT {text} CONSTRAINT {check} CHECK ({q} <> {text} || 'x'), id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT {key} PRIMARY KEY);
        INSERT INTO {s}.{q} VALUES ({text}), (NULL), (DEFAULT);
        ALTER TABLE {s}.{q} OWNER TO {r};
        GRANT SELECT ({q}) ON {s}.{q} TO PUBLIC;
        CREATE TABLE {s}.\"t2\" ({q} integer CONSTRAINT {q} REFERENCES {s}.{q}, part text);
        INSERT INTO {s}.\"t2\" VALUES (1, {text});
        CREATE TABLE {s}.\"root\" ({q} text) PARTITION BY LIST ({q});
        CREATE TABLE {s}.\"leaf\" PARTITION OF {s}.\"root\" FOR VALUES IN ({text});
        INSERT INTO {s}.\"root\" VALUES ({text});
        CREATE INDEX {index} ON {s}.{q} (upper({q}), {q}) WHERE {q} <> {text};
        CREATE VIEW {s}.\"v\" AS SELECT {q} AS {q}, {text} AS \"literal\" FROM {s}.{q};
        CREATE RULE {q} AS ON DELETE TO {s}.\"v\" DO INSTEAD NOTHING;
        CREATE MATERIALIZED VIEW {s}.\"m\" AS SELECT {q} FROM {s}.{q};
        CREATE FUNCTION {s}.\"f\"() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER {q} BEFORE INSERT ON {s}.{q} FOR EACH ROW EXECUTE FUNCTION {s}.\"f\"({text});
        ALTER TABLE {s}.{q} ENABLE ROW LEVEL SECURITY;
        CREATE POLICY {q} ON {s}.{q} TO {r} USING ({q} <> {text});
        ALTER DEFAULT PRIVILEGES FOR ROLE {r} IN SCHEMA {s} GRANT SELECT ON TABLES TO {r};
        COMMENT ON SCHEMA {s} IS {text}; COMMENT ON TABLE {s}.{q} IS {text}; COMMENT ON COLUMN {s}.{q}.{q} IS {text};
        COMMENT ON FUNCTION {s}.{q}(integer) IS {text}; COMMENT ON CONSTRAINT {key} ON {s}.{q} IS {text}; COMMENT ON POLICY {q} ON {s}.{q} IS {text};
        COMMENT ON TRIGGER {q} ON {s}.{q} IS {text}; COMMENT ON TYPE {s}.\"e\" IS {text}; COMMENT ON INDEX {s}.{index} IS {text};
        SELECT lo_from_bytea({oid}, convert_to({text}, 'UTF8')); ALTER LARGE OBJECT {oid} OWNER TO {r}; COMMENT ON LARGE OBJECT {oid} IS {text};
        GRANT SELECT ON LARGE OBJECT {oid} TO {r};",
        text_of_function = literal(&format!("SELECT {} ::text", literal(name))),
        text_of_procedure = literal(&format!("BEGIN /* {} */ END", name.replace("*/", "").replace("/*", ""))),
        check = quoted(&cut(&format!("c{name}"))),
        key = quoted(&cut(&format!("k{n}{name}"))),
        index = quoted(&cut(&format!("i{n}{name}"))),
        oid = 900_000 + n,
    )
}

/// The kinds that stand beside tables, or on top of them.
fn objects_beside_tables(n: usize, name: &str, role: &str) -> String {
    let (q, r, text) = (quoted(name), quoted(role), literal(name));
    let (s, once) = (quoted(&cut(&format!("{n}{name}"))), quoted(&cut(&format!("w{n}{name}"))));
    format!(
        "CREATE FOREIGN DATA WRAPPER {once} OPTIONS ({q} {text});
        CREATE SERVER {once} TYPE {text} VERSION {text} FOREIGN DATA WRAPPER {once} OPTIONS ({q} {text});
        CREATE USER MAPPING FOR {r} SERVER {once} OPTIONS ({q} {text});
        CREATE FOREIGN TABLE {s}.\"ft\" ({q} integer OPTIONS ({q} {text})) SERVER {once} OPTIONS ({q} {text});
        GRANT USAGE ON FOREIGN SERVER {once} TO {r};
        COMMENT ON SERVER {once} IS {text};
        CREATE PUBLICATION {once} FOR TABLE {s}.{q} ({q}, id) WHERE ({q} <> {text});
        CREATE PUBLICATION {again} FOR TABLES IN SCHEMA {s};
        COMMENT ON PUBLICATION {once} IS {text};
        CREATE SUBSCRIPTION {once} CONNECTION {connection} PUBLICATION {q} WITH (connect = false, slot_name = NONE);
        CREATE STATISTICS {s}.{q} ON {q}, id FROM {s}.{q};
        CREATE COLLATION {s}.{q} (LOCALE = 'C');
        CREATE TEXT SEARCH DICTIONARY {s}.{q} (TEMPLATE = simple, STOPWORDS = english);
        CREATE TEXT SEARCH CONFIGURATION {s}.{q} (COPY = simple);
        CREATE OPERATOR FAMILY {s}.{q} USING btree;
        CREATE FUNCTION {s}.\"w\"() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
        CREATE EVENT TRIGGER {once} ON ddl_command_end EXECUTE FUNCTION {s}.\"w\"();
        COMMENT ON EVENT TRIGGER {once} IS {text};",
        again = quoted(&cut(&format!("x{n}{name}"))),
        connection = literal(&format!("host=nowhere.invalid application_name='{}'", name.replace('\\', "").replace('\'', "\\'"))),
    )
}

/// At most 63 bytes, which is what the server keeps.
fn cut(name: &str) -> String {
    let mut end = name.len().min(63);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_run_nothing_and_come_back() {
    let deployment = Deployment::start().await;
    let mark = std::env::temp_dir().join(pgbaton_tests::unique("pgbaton_mark"));
    let names: Vec<String> =
        NAMES.iter().map(|n| cut(&n.replace("MARK", &mark.display().to_string()))).collect();
    assert!(names.iter().any(|n| n.len() == 63));
    // Roles belong to the server: a database in EUC_JP, which other tests have, must be able to read their names.
    let everywhere = |c: &char| c.is_ascii() || "éäöü".contains(*c);
    let suffixes: Vec<String> =
        names.iter().map(|n| n.chars().filter(everywhere).take(24).collect()).collect();
    let suffixes: Vec<&str> = suffixes.iter().map(String::as_str).collect();
    let roles = Roles::create(&suffixes, "");

    let source = Database::empty("hostile").await;
    let canary = "CREATE TABLE public.canary (song text); CREATE FUNCTION public.sing() RETURNS void LANGUAGE sql AS 'INSERT INTO public.canary VALUES (''heard'')'";
    source.run(canary).await;
    for (n, (name, suffix)) in names.iter().zip(&suffixes).enumerate() {
        let role = roles.name(suffix);
        source.run(&objects(n, name, &role)).await;
        source.run(&objects_beside_tables(n, name, &role)).await;
    }
    let silent = async |database: &Database, what: &str| {
        assert_eq!(database.column("SELECT song FROM public.canary").await, Vec::<String>::new(), "{what}");
        assert!(!mark.exists(), "{what}: a program ran");
    };

    let expected = picture(&source).await;
    let backup = backed_up(&deployment, &source.url, json!({"compression": "gzip"})).await;
    let copy = Database::absent("hostile_copy");
    restored(&deployment, &backup, &copy).await;
    same(&picture(&copy).await, &expected, "our backup");
    silent(&copy, "our restore").await;

    // Every role gets another hostile name.
    let others = Roles::create(&suffixes, "");
    let map: serde_json::Map<String, serde_json::Value> =
        suffixes.iter().map(|s| (roles.name(s), others.name(s).into())).collect();
    let renamed = Database::empty("hostile_renamed").await;
    let event = json!({"backupId": backup.id, "roleMap": map});
    let record = deployment.restore(&renamed.url, event).await.unwrap();
    assert_eq!(record.status, Status::Completed);
    silent(&renamed, "roleMap").await;
    let owners = "SELECT DISTINCT nspowner::regrole FROM pg_namespace WHERE nspname ~ '^[0-9]' ORDER BY 1";
    let mut owners = renamed
        .column(&format!("SELECT rolname FROM pg_roles WHERE oid IN ({})", owners.replace("::regrole", "")))
        .await;
    owners.sort();
    let mut wanted: Vec<String> = suffixes.iter().map(|s| others.name(s)).collect();
    wanted.sort();
    wanted.dedup();
    assert_eq!(owners, wanted);
    drop(renamed);

    let files = std::env::temp_dir().join(pgbaton_tests::unique("hostile_dump"));
    successful("pg_dump", &["-Fd", "-f", files.to_str().unwrap(), &source.url]);
    deployment.upload(&files, "by/others/hostile/").await;
    std::fs::remove_dir_all(&files).unwrap();
    let copy = Database::empty("hostile_copy").await;
    let event = json!({"filepath": "by/others/hostile"});
    let record = deployment.restore(&copy.url, event).await.unwrap();
    assert_eq!((record.status, record.warnings.len()), (Status::Completed, 0), "{record:?}");
    same(&picture(&copy).await, &expected, "an archive of pg_dump");
    silent(&copy, "a restore of pg_dump's archive").await;
    silent(&source, "the source").await;

    // What an error says of such names is one line.
    let again = deployment.restore(&copy.url, json!({"filepath": "by/others/hostile"})).await.unwrap_err();
    assert!(again.contains("is not empty") && !again.contains('\n') && !again.contains('\r'), "{again}");
}
