//! Kinds that stand without relations, grants and comments: what the collectors read from one database is run on a fresh one, and stock
//! pg_dump must find both alike; what pg_dump's own archive lists must be what the collectors gave.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    process::Command,
};

use pgbaton::{
    catalog::{
        self, Entry, acl, class, comments,
        draft::{CatalogId, Context, DataSource, Draft, Drafts, Part, Section},
        kinds,
    },
    pg::{ServerVersion, ident, qualified},
};
use tokio_postgres::{Client, NoTls};

const ROLES: &str = r#"
DO $$ DECLARE r text; BEGIN
    FOREACH r IN ARRAY '{kinds_alice,kinds_bob,kinds_carol,"kinds \"Odd"}'::text[] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN EXECUTE format('CREATE ROLE %I', r); END IF;
    END LOOP;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$"#;

/// Transforms are not among the kinds tested here, but functions name them.
const TRANSFORM: &str = "CREATE TRANSFORM FOR integer LANGUAGE sql
    (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal))";

fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: start the stack with infra/local test"))
}

async fn connect(database: &str) -> Client {
    let mut config: tokio_postgres::Config = setting("PGBATON_TEST_PG_URL").parse().unwrap();
    if !database.is_empty() {
        config.dbname(database);
    }
    let (client, connection) =
        config.connect(NoTls).await.expect("PGBATON_TEST_PG_URL names a server that answers");
    tokio::spawn(connection);
    client
}

async fn fresh(database: &str) -> Client {
    let server = connect("").await;
    server.batch_execute(&format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)")).await.unwrap();
    server.batch_execute(&format!("CREATE DATABASE {database} TEMPLATE template0")).await.unwrap();
    connect(database).await
}

async fn run(client: &Client, sql: &str) {
    if let Err(e) = client.batch_execute(sql).await {
        let message = e.as_db_error().map_or_else(|| e.to_string(), ToString::to_string);
        let at = match e.as_db_error().and_then(|d| d.position()) {
            Some(tokio_postgres::error::ErrorPosition::Original(p)) => *p as usize - 1,
            _ => 0,
        };
        panic!("{message}: at {}", sql.chars().skip(at).take(300).collect::<String>());
    }
}

/// What stock pg_dump writes: also large objects, which it leaves out of a dump of definitions alone (the tables are empty).
fn pg_dump(database: &str, more: &[&str]) -> Vec<u8> {
    let mut config: tokio_postgres::Config = setting("PGBATON_TEST_PG_URL").parse().unwrap();
    config.dbname(database);
    let host = match &config.get_hosts()[0] {
        tokio_postgres::config::Host::Tcp(h) => h.clone(),
        tokio_postgres::config::Host::Unix(p) => p.display().to_string(),
    };
    let out = Command::new(format!("{}/pg_dump", setting("PGBATON_TEST_PG_BIN")))
        .args([
            "-h",
            &host,
            "-p",
            &config.get_ports()[0].to_string(),
            "-U",
            config.get_user().unwrap_or("postgres"),
        ])
        .env("PGPASSWORD", String::from_utf8_lossy(config.get_password().unwrap_or_default()).as_ref())
        .arg("-b")
        .args(more)
        .arg(database)
        .output()
        .expect("PGBATON_TEST_PG_BIN holds pg_dump");
    assert!(out.status.success(), "pg_dump: {}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

fn schema_text(database: &str) -> String {
    let text = String::from_utf8(pg_dump(database, &[])).unwrap();
    text.lines()
        .filter(|l| !l.starts_with("\\restrict") && !l.starts_with("\\unrestrict"))
        .collect::<Vec<_>>()
        .join("\n")
}

async fn context(client: &Client) -> Context<'_> {
    let version: String = client.query_one("SHOW server_version_num", &[]).await.unwrap().get(0);
    let pairs = |rows: Vec<tokio_postgres::Row>| -> HashMap<u32, String> {
        rows.iter().map(|r| (r.get(0), r.get(1))).collect()
    };
    let members = "SELECT classid, objid FROM pg_depend WHERE deptype = 'e'";
    Context {
        client,
        version: ServerVersion::from_num(version.parse().unwrap()),
        namespaces: pairs(
            client
                .query("SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'", &[])
                .await
                .unwrap(),
        ),
        roles: pairs(client.query("SELECT oid, rolname FROM pg_roles", &[]).await.unwrap()),
        extension_members: client
            .query(members, &[])
            .await
            .unwrap()
            .iter()
            .map(|r| CatalogId { class: r.get(0), oid: r.get(1) })
            .collect::<HashSet<_>>(),
    }
}

/// Entries for relations and what hangs on them, without SQL: these are made by `relations.sql`.
async fn relation_stubs(client: &Client, out: &mut Drafts) {
    for (class, sql) in [
        (
            class::PG_CLASS,
            "SELECT c.oid, pg_get_userbyid(relowner)::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
             WHERE nspname = 'app' AND relkind <> 'c' AND relname <> 't_pkey'",
        ),
        (
            class::PG_CONSTRAINT,
            "SELECT k.oid, pg_get_userbyid(relowner)::text FROM pg_constraint k JOIN pg_class c ON c.oid = conrelid
             WHERE contype IN ('p', 'f') AND conparentid = 0",
        ),
        (
            class::PG_TRIGGER,
            "SELECT g.oid, pg_get_userbyid(relowner)::text FROM pg_trigger g JOIN pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal",
        ),
        (
            class::PG_REWRITE,
            "SELECT r.oid, pg_get_userbyid(relowner)::text FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class
             WHERE r.oid >= 16384 AND rulename <> '_RETURN'",
        ),
        (
            class::PG_POLICY,
            "SELECT p.oid, pg_get_userbyid(relowner)::text FROM pg_policy p JOIN pg_class c ON c.oid = polrelid",
        ),
    ] {
        for row in client.query(sql, &[]).await.unwrap() {
            let key = class::definition(class, row.get(0));
            let stub = Draft { owner: row.get(1), ..Draft::blank(key, "STUB", Section::PreData, String::new()) };
            out.add(stub);
        }
    }
}

async fn collect(client: &Client) -> Drafts {
    client
        .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path TO ''")
        .await
        .unwrap();
    let cx = context(client).await;
    let mut out = Drafts::default();
    kinds::schemas::collect(&cx, &mut out).await.unwrap();
    kinds::extensions::collect(&cx, &mut out).await.unwrap();
    kinds::types::collect(&cx, &mut out).await.unwrap();
    kinds::routines::collect(&cx, &mut out).await.unwrap();
    kinds::aggregates::collect(&cx, &mut out).await.unwrap();
    kinds::large_objects::collect(&cx, &mut out).await.unwrap();
    kinds::default_acl::collect(&cx, &mut out).await.unwrap();
    relation_stubs(client, &mut out).await;
    acl::collect(&cx, &mut out).await.unwrap();
    comments::collect(&cx, &mut out).await.unwrap();
    client.batch_execute("COMMIT").await.unwrap();
    out
}

fn owner_statement(desc: &str, tag: &str, drop: &str, owner: &str) -> String {
    let name = match desc {
        "SCHEMA" => format!("SCHEMA {}", ident(tag)),
        "BLOB" => format!("LARGE OBJECT {tag}"),
        // As pg_restore does it.
        "TYPE" | "DOMAIN" | "FUNCTION" | "PROCEDURE" | "AGGREGATE" => {
            drop.trim_start_matches("DROP ").trim_end_matches(";\n").to_owned()
        }
        _ => return String::new(),
    };
    format!("ALTER {name} OWNER TO {};\n", ident(owner))
}

const RELATIONS: &str = include_str!("catalog_kinds/relations.sql");

/// Fills a database with all kinds its server knows; gives the extension that was there to be used.
async fn fill(source: &Client) -> Option<String> {
    let version: String = source.query_one("SHOW server_version_num", &[]).await.unwrap().get(0);
    let major: u32 = version.parse::<u32>().unwrap() / 10_000;
    let extension: Option<String> = source
        .query_opt("SELECT name::text FROM pg_available_extensions WHERE name IN ('hstore', 'vector') ORDER BY name LIMIT 1", &[])
        .await
        .unwrap()
        .map(|r| r.get(0));
    run(source, TRANSFORM).await;
    run(source, include_str!("catalog_kinds/objects.sql")).await;
    if major >= 14 {
        run(source, include_str!("catalog_kinds/since_14.sql")).await;
    }
    run(source, include_str!("catalog_kinds/large_objects.sql")).await;
    if let Some(extension) = &extension {
        run(source, &format!("CREATE EXTENSION {extension} SCHEMA \"Odd \"\"Schema\"")).await;
        run(source, include_str!("catalog_kinds/on_extension.sql")).await;
    }
    run(source, RELATIONS).await;
    run(source, include_str!("catalog_kinds/on_relations.sql")).await;
    if major >= 18 {
        run(source, include_str!("catalog_kinds/since_18.sql")).await;
    }
    extension
}

/// Runs definitions until none is left; what fails is tried again after the others, since the order is the framework's work.
async fn apply(client: &Client, drafts: Vec<&Draft>) {
    let mut pending = drafts;
    loop {
        let mut failed = Vec::new();
        let mut errors = Vec::new();
        for d in &pending {
            let sql = format!("{}{}", d.definition, owner_statement(d.desc, &d.tag, &d.drop, &d.owner));
            if let Err(e) = client.batch_execute(&sql).await {
                let message = e.as_db_error().map_or_else(|| e.to_string(), ToString::to_string);
                errors.push(format!("{message}: in {sql}"));
                failed.push(*d);
            }
        }
        if failed.is_empty() {
            return;
        }
        assert!(failed.len() < pending.len(), "{}", errors.join("\n"));
        pending = failed;
    }
}

#[tokio::test]
async fn definitions_bring_back_what_was_read() {
    run(&connect("").await, ROLES).await;
    let source = fresh("kinds_source").await;
    let extension = fill(&source).await;

    let found = collect(&source).await;
    run(&source, "SET ROLE kinds_bob").await;
    second_reading_is_equal(&found, &collect(&source).await);
    run(&source, "RESET ROLE").await;
    assert_eq!(found.warnings, Vec::<String>::new());
    let members = ["CREATE EXTENSION"];
    assert_eq!(
        found.entries.values().filter(|d| members.iter().any(|m| d.definition.starts_with(m))).count(),
        usize::from(extension.is_some())
    );

    let copy = fresh("kinds_copy").await;
    run(&copy, TRANSFORM).await;
    run(&copy, "SET search_path TO ''; SET check_function_bodies TO off").await;
    let of = |wanted: &[Section], parts: bool| -> Vec<&Draft> {
        found
            .entries
            .values()
            .filter(|d| wanted.contains(&d.section) && d.desc != "STUB")
            .filter(|d| parts == matches!(d.key.part, Part::Definition))
            .collect()
    };
    apply(
        &copy,
        of(&[Section::PreData, Section::PostData], true)
            .into_iter()
            .filter(|d| d.desc != "DEFAULT ACL")
            .collect(),
    )
    .await;
    run(&copy, RELATIONS).await;
    // pg_restore runs comments and grants after what they depend on; grants on columns follow those on their table.
    let mut rest = of(&[Section::None], false);
    rest.sort_by_key(|d| (d.key.part, d.key.id.class != class::PG_NAMESPACE));
    for d in rest {
        run(&copy, &d.definition).await;
    }
    for d in of(&[Section::PostData], true).into_iter().filter(|d| d.desc == "DEFAULT ACL") {
        run(&copy, &d.definition).await;
    }

    similar(&schema_text("kinds_source"), &schema_text("kinds_copy"));
    listed_as_by_pg_dump(&found);
    second_reading_is_equal(&found, &collect(&copy).await);
    every_comment_and_grant_depends_on_an_entry(&found);
    what_comes_with_a_type_counts_as_the_type(&source, &found).await;
    for database in ["kinds_source", "kinds_copy"] {
        run(&connect("").await, &format!("DROP DATABASE {database} WITH (FORCE)")).await;
    }
}

fn similar(a: &str, b: &str) {
    let (a, b): (Vec<&str>, Vec<&str>) = (a.lines().collect(), b.lines().collect());
    if let Some(i) = (0..a.len().max(b.len())).find(|&i| a.get(i) != b.get(i)) {
        let part = |t: &[&str]| t[i.saturating_sub(6).min(t.len())..(i + 6).min(t.len())].join("\n");
        panic!("dumps differ at line {}:\n--- source\n{}\n--- copy\n{}", i + 1, part(&a), part(&b));
    }
}

/// Everything that pg_dump's own archive lists for these kinds is there under the same description, schema, tag and owner.
fn listed_as_by_pg_dump(found: &Drafts) {
    let archive = pg_dump("kinds_source", &["-Fc"]);
    let mut listing = Command::new(format!("{}/pg_restore", setting("PGBATON_TEST_PG_BIN")))
        .arg("-l")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut listing.stdin.take().unwrap(), &archive).unwrap();
    let listing = String::from_utf8(listing.wait_with_output().unwrap().stdout).unwrap();
    // pg_dump 17 and later keep large objects in another way.
    let with_blobs = !listing.contains(" BLOB METADATA ");
    let theirs: BTreeSet<String> = listing
        .lines()
        .filter(|l| !l.starts_with(';'))
        .map(|l| l.splitn(4, ' ').nth(3).unwrap().to_owned())
        .filter(|l| with_blobs || !l.starts_with("BLOB"))
        .filter(|l| with_blobs || !l.contains(" - LARGE OBJECT"))
        .filter(|l| {
            [
                "BLOB ",
                "BLOBS ",
                "SCHEMA ",
                "EXTENSION ",
                "TYPE ",
                "DOMAIN ",
                "FUNCTION ",
                "PROCEDURE ",
                "AGGREGATE ",
                "COMMENT ",
                "ACL ",
                "DEFAULT ACL ",
            ]
            .iter()
            .any(|desc| l.starts_with(desc))
        })
        .collect();
    assert!(theirs.len() > 60, "{listing}");
    let one_line = |s: &str| s.replace('\n', " ");
    let ours: BTreeSet<String> = found
        .entries
        .values()
        .map(|d| {
            let schema = d.namespace.as_deref().unwrap_or("-");
            format!("{} {} {} {}", d.desc, one_line(schema), one_line(&d.tag), one_line(&d.owner))
        })
        .collect();
    let missing: Vec<_> = theirs.difference(&ours).collect();
    assert!(missing.is_empty(), "pg_dump lists what was not collected: {missing:#?}\nours: {ours:#?}");
    // What pg_dump leaves out or, from 17 on, writes otherwise.
    let own = |l: &&String| {
        ["STUB ", "SHELL TYPE "].iter().any(|d| l.starts_with(d))
            || (!with_blobs && (l.starts_with("BLOB") || l.contains(" LARGE OBJECT ")))
            || l.contains(" RULE \"_RETURN\" ON v")
            || l.contains(" CONSTRAINT parts_ref ON part_1")
            || l.starts_with("CHECK CONSTRAINT ")
    };
    let extra: Vec<_> = ours.difference(&theirs).filter(|l| !own(l)).collect();
    assert!(extra.is_empty(), "pg_dump does not list {extra:#?}\ntheirs: {theirs:#?}");
}

/// The same again from the copy, but for oids: nothing is lost that pg_dump does not show either.
fn second_reading_is_equal(source: &Drafts, copy: &Drafts) {
    let texts = |d: &Drafts| -> BTreeSet<(String, String, String, String)> {
        d.entries
            .values()
            .map(|e| (e.desc.to_owned(), e.tag.clone(), e.owner.clone(), e.definition.clone()))
            .collect()
    };
    let (a, b) = (texts(source), texts(copy));
    assert_eq!(a.difference(&b).collect::<Vec<_>>(), Vec::<&(String, String, String, String)>::new());
    assert_eq!(b.difference(&a).collect::<Vec<_>>(), Vec::<&(String, String, String, String)>::new());
    let large: Vec<_> = source.entries.values().filter_map(|d| d.data.clone()).collect();
    assert_eq!(large, [DataSource::LargeObjects(vec![770_001, 770_002, 4_294_967_290])]);
}

fn every_comment_and_grant_depends_on_an_entry(found: &Drafts) {
    let mut comments = 0;
    for d in found.entries.values().filter(|d| d.section == Section::None) {
        comments += usize::from(d.desc == "COMMENT");
        assert!(d.depends.iter().all(|k| found.entries.contains_key(k)), "{d:?}");
        let free = d.tag == "SCHEMA public"
            || d.tag == "LANGUAGE plpgsql"
            || d.namespace.as_deref() == Some("pg_catalog");
        assert!(free || !d.depends.is_empty(), "{d:?}");
    }
    assert!(comments >= 27, "{comments}");
}

async fn what_comes_with_a_type_counts_as_the_type(source: &Client, found: &Drafts) {
    let rows = source
        .query(
            "SELECT 1247::oid, t.oid, t.typname::text FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
             WHERE n.nspname = 'app'
             UNION ALL SELECT 1259::oid, c.oid, c.relname::text FROM pg_class c WHERE c.relkind = 'c' AND c.oid >= 16384
             UNION ALL SELECT 1255::oid, p.oid, p.proname::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
             WHERE n.nspname = 'app'
             UNION ALL SELECT 2606::oid, k.oid, k.conname::text FROM pg_constraint k WHERE k.contypid >= 16384",
            &[],
        )
        .await
        .unwrap();
    assert!(rows.len() > 50);
    for row in rows {
        let mut key = class::definition(row.get(0), row.get(1));
        while let Some(id) = found.aliases.get(&key.id) {
            key.id = *id;
        }
        assert!(found.entries.contains_key(&key), "{} stands for nothing", row.get::<_, String>(2));
    }
}

/// `public` given to another owner, without comment and with fewer grants; and a database from which it was dropped.
#[tokio::test]
async fn public_schema_as_it_was_left() {
    run(&connect("").await, ROLES).await;
    for (name, sql) in [
        ("kinds_public_a", "DROP SCHEMA public; CREATE SCHEMA public AUTHORIZATION kinds_alice"),
        (
            "kinds_public_b",
            "ALTER SCHEMA public OWNER TO kinds_alice; REVOKE ALL ON SCHEMA public FROM PUBLIC",
        ),
        ("kinds_public_c", "COMMENT ON SCHEMA public IS 'ours'; GRANT ALL ON SCHEMA public TO PUBLIC"),
        ("kinds_public_d", "REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
        ("kinds_public_e", "SELECT 1"),
    ] {
        let source = fresh(name).await;
        run(&source, sql).await;
        let found = collect(&source).await;
        let copy = fresh(&format!("{name}_copy")).await;
        let mut drafts: Vec<&Draft> = found.entries.values().collect();
        drafts.sort_by_key(|d| d.key.part);
        for d in drafts {
            run(&copy, &format!("{}{}", d.definition, owner_statement(d.desc, &d.tag, &d.drop, &d.owner)))
                .await;
        }
        similar(&schema_text(name), &schema_text(&format!("{name}_copy")));
        run(&connect("").await, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        run(&connect("").await, &format!("DROP DATABASE {name}_copy WITH (FORCE)")).await;
    }
}

/// A role that is gone stays in grants as a number when its dependencies were lost (as an old pg_upgrade left them).
#[tokio::test]
async fn grants_of_a_dropped_role_are_left_out_and_said() {
    run(&connect("").await, ROLES).await;
    let source = fresh("kinds_dropped").await;
    run(
        &source,
        "DROP ROLE IF EXISTS kinds_gone;
         CREATE ROLE kinds_gone;
         CREATE SCHEMA app;
         GRANT USAGE ON SCHEMA app TO kinds_gone, kinds_bob;
         DELETE FROM pg_shdepend WHERE refobjid = 'kinds_gone'::regrole;
         DROP ROLE kinds_gone",
    )
    .await;
    let found = collect(&source).await;
    assert_eq!(found.warnings, ["grants on SCHEMA app to or by a role that was dropped are not archived"]);
    let grants: Vec<&str> =
        found.entries.values().filter(|d| d.desc == "ACL").map(|d| d.definition.as_str()).collect();
    assert_eq!(
        grants.concat().replace(
            "REVOKE USAGE ON SCHEMA public FROM PUBLIC;\nGRANT ALL ON SCHEMA public TO PUBLIC;\n",
            ""
        ),
        "GRANT USAGE ON SCHEMA app TO kinds_bob;\n"
    );
    run(&connect("").await, "DROP DATABASE kinds_dropped WITH (FORCE)").await;
}

/// The same objects through the whole room: every definition runs in the archive's order, grants last as pg_restore does.
#[tokio::test]
async fn the_order_of_the_archive_holds() {
    run(&connect("").await, ROLES).await;
    let source = fresh("kinds_order").await;
    fill(&source).await;
    source
        .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path TO ''")
        .await
        .unwrap();
    let version: String = source.query_one("SHOW server_version_num", &[]).await.unwrap().get(0);
    let catalog = catalog::read(&source, ServerVersion::from_num(version.parse().unwrap())).await.unwrap();
    source.batch_execute("COMMIT").await.unwrap();

    let copy = fresh("kinds_order_copy").await;
    run(&copy, TRANSFORM).await;
    run(&copy, "SET search_path TO ''; SET check_function_bodies TO off").await;
    let (grants, others): (Vec<&Entry>, Vec<&Entry>) =
        catalog.entries.iter().partition(|e| e.desc == "ACL" || e.desc == "DEFAULT ACL");
    let of_database = |e: &&Entry| e.desc.starts_with("DATABASE") || e.tag.starts_with("DATABASE ");
    for e in others.into_iter().chain(grants).filter(|e| !of_database(e)) {
        run(&copy, &format!("{}{}", e.definition, owner_of_entry(e))).await;
    }
    similar(&schema_text("kinds_order"), &schema_text("kinds_order_copy"));
    for database in ["kinds_order", "kinds_order_copy"] {
        run(&connect("").await, &format!("DROP DATABASE {database} WITH (FORCE)")).await;
    }
}

fn owner_of_entry(e: &Entry) -> String {
    match e.desc {
        "TABLE" | "VIEW" | "MATERIALIZED VIEW" | "SEQUENCE" => {
            let name = qualified(e.namespace.as_deref().unwrap(), &e.tag);
            format!("ALTER {} {name} OWNER TO {};\n", e.desc, ident(&e.owner))
        }
        _ => owner_statement(e.desc, &e.tag, &e.drop, &e.owner),
    }
}
