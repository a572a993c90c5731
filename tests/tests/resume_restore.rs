//! Restores whose function is killed, freezes or runs out of time: another goes on where it stopped, nothing is done twice, and no trace of it stays in
//! the target.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{process::Command, time::Duration};

use pgbaton::ledger::{Record, RunKind, Status};
use pgbaton_tests::{
    database::{self, Database},
    deployment::{Deployment, Wishes},
    gate::{Gate, What},
    roles::{Roles, quoted, url_as},
};
use serde_json::{Value, json};

/// Slow in databases whose name begins with `resumed`, and only there. The sequence counts its calls, also of what is rolled back.
const SLOW: &str = "CREATE SEQUENCE public.calls; \
    CREATE FUNCTION public.slow(v int, seconds float8) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN \
      PERFORM nextval('public.calls'); \
      IF current_database() LIKE 'resumed%' THEN PERFORM pg_sleep(seconds); END IF; RETURN v; END $$;";

/// Tables without keys: a row that came twice would be there twice.
fn tables(count: usize, rows: usize, check: &str) -> String {
    let each = (0..count).map(|n| {
        format!(
            "CREATE TABLE public.t{n:03} (id int, name text {check}) WITH (autovacuum_enabled = false); \
             INSERT INTO public.t{n:03} SELECT g, 'row ' || g FROM generate_series(1, {rows}) g;"
        )
    });
    each.collect()
}

/// A source, its backup, and an empty target.
struct Scene {
    d: Deployment,
    gate: Gate,
    source: Database,
    target: Database,
    event: Value,
}

impl Scene {
    async fn set(sql: &str, wishes: Wishes) -> Self {
        let gate = Gate::start().await;
        let wishes = wishes.with("AWS_ENDPOINT_URL", &gate.url).with("RUN_LEASE_SECONDS", "5");
        let d = Deployment::with(wishes).await;
        let source = Database::of("source", sql).await;
        let backup = d.backup(&source.url, json!({})).await.unwrap();
        let target = Database::empty("resumed").await;
        let event = json!({"backupId": backup.id, "targetSecret": d.secret(&target.url).await, "eventId": "restore", "jobs": 2});
        Self { d, gate, source, target, event }
    }

    async fn restores(&self) -> Vec<Record> {
        self.d.records().await.into_iter().filter(|r| r.kind == RunKind::Restore).collect()
    }

    /// Waits until all restores have ended; gives them, the completed one first.
    async fn ended(&self) -> Vec<Record> {
        let ended = |all: &[Record]| {
            all.iter().any(|r| r.kind == RunKind::Restore)
                && all.iter().all(|r| r.status.is_final())
                && all.iter().any(|r| {
                    r.kind == RunKind::Restore && (r.status == Status::Completed || !r.was_abandoned())
                })
        };
        self.d.until("ended", ended).await;
        let mut all = self.restores().await;
        all.sort_by_key(|r| r.status != Status::Completed);
        all
    }

    /// The one restore, which must be complete, with everything that it should have brought and nothing else.
    async fn completed(&self) -> Record {
        let mut all = self.ended().await;
        assert_eq!(all.len(), 1, "{all:#?}");
        let record = all.remove(0);
        self.is_whole(&record).await;
        record
    }

    async fn is_whole(&self, record: &Record) {
        assert_eq!(record.status, Status::Completed, "{record:#?}");
        let without_calls = |all: Vec<String>| -> Vec<String> {
            all.into_iter().filter(|line| !line.starts_with("public.calls ")).collect()
        };
        assert_eq!(without_calls(self.target.contents().await), without_calls(self.source.contents().await));
        assert_eq!(self.target.schema(), self.source.schema());
        assert_eq!(
            self.target.column("SELECT 1 FROM pg_namespace WHERE nspname = 'pgbaton_restore'").await,
            [""; 0]
        );
        let rows = self.d.record(record.backup_id.as_ref().unwrap()).await.record_count;
        assert_eq!(record.record_count, rows, "{record:#?}");
        assert!(record.message.as_ref().unwrap().contains("all as the manifest says"), "{record:#?}");
        assert_eq!((record.phase.as_deref(), record.progress.unwrap().percent), (None, 100), "{record:#?}");
    }

    /// Sessions of restores in the target for which this holds.
    async fn sessions(&self, condition: &str) -> usize {
        let sql = format!(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'pgbaton restore %' AND {condition}"
        );
        self.target.column(&sql).await.len()
    }

    async fn until_session(&self, condition: &str) {
        for _ in 0..1200 {
            if self.sessions(condition).await > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no session where {condition}: {:#?}", self.restores().await);
    }

    async fn until_there(&self, query: &str) {
        for _ in 0..1200 {
            if let [found] = self.target.column(query).await.as_slice()
                && found == "t"
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("not so: {query}: {:#?}", self.restores().await);
    }

    /// How often the slow function was called in the target beyond what the sequence was restored to.
    async fn calls(&self) -> i64 {
        let at = async |database: &Database| -> i64 {
            database.column("SELECT last_value FROM public.calls").await[0].parse().unwrap()
        };
        at(&self.target).await - at(&self.source).await
    }

    fn started(&self) -> usize {
        self.d.host.log("restore").matches("START RequestId").count()
    }
}

const MARKED: &str = "SELECT (SELECT count(*) FROM pgbaton_restore.done) >=";

#[tokio::test(flavor = "multi_thread")]
async fn killed_among_the_definitions() {
    let sql = format!("{} CREATE TABLE public.zz (id int);", tables(90, 3, ""));
    let scene = Scene::set(&sql, Wishes::default()).await;
    // Definitions wait for a table of the same name that is not committed.
    let blocker = database::connect(&scene.target.url).await;
    blocker.batch_execute("BEGIN; CREATE TABLE public.zz (id int)").await.unwrap();
    scene.d.host.send("restore", &scene.event).await;
    scene.until_session("wait_event_type = 'Lock'").await;
    scene.until_there(&format!("{MARKED} 60")).await;
    scene.d.host.kill("restore").await;
    // The next function waits for what the dead one had sent, which the server then commits with its marks.
    scene.until_session("query LIKE 'INSERT INTO pgbaton_restore.done%' AND wait_event = 'transactionid' AND application_name LIKE '% fence 2'").await;
    assert_eq!(scene.sessions("wait_event_type = 'Lock' AND application_name LIKE '% fence 1'").await, 1);
    blocker.batch_execute("ROLLBACK").await.unwrap();
    let record = scene.completed().await;
    assert_eq!((record.hops, record.retry_of.clone()), (Some(1), None), "{record:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_among_the_rows() {
    let sql = format!(
        "{SLOW} {} CREATE TABLE public.last (id int CHECK (public.slow(id, 0.05) > 0)) WITH (autovacuum_enabled = false); \
         INSERT INTO public.last SELECT generate_series(1, 200); \
         SELECT lo_from_bytea(g, convert_to(repeat('object ' || g, 3000), 'UTF8')) FROM generate_series(70001, 70600) g;",
        tables(20, 100, "")
    );
    let scene = Scene::set(&sql, Wishes::default()).await;
    scene.d.host.send("restore", &scene.event).await;
    scene.until_session("query LIKE 'COPY public.last %'").await;
    scene.until_there("SELECT (SELECT count(*) FROM pgbaton_restore.done WHERE rows = 100) >= 4").await;
    scene.d.host.kill("restore").await;
    assert_eq!(scene.target.column("SELECT count(*) FROM public.last").await, ["0"]);
    let record = scene.completed().await;
    assert_eq!((record.hops, record.table_count), (Some(1), Some(21)), "{record:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_froze_holds_nobody_up_and_harms_nothing() {
    let sql = format!(
        "{SLOW} {} CREATE TABLE public.last (id int CHECK (public.slow(id, 0.05) > 0)) WITH (autovacuum_enabled = false); \
         INSERT INTO public.last SELECT generate_series(1, 200)",
        tables(5, 100, "")
    );
    let scene = Scene::set(&sql, Wishes::default()).await;
    // The rows of the last table wait at the gate: the server waits for its client in the middle of a COPY.
    scene.gate.stop("GET", ".dat.", What::Hold);
    scene.d.host.send("restore", &scene.event).await;
    scene.gate.met().await;
    scene.until_session("query LIKE 'COPY %' AND wait_event_type = 'Client'").await;
    let process = scene.d.host.processes("restore").await[0].to_string();
    let signal =
        |name: &str| assert!(Command::new("kill").args([name, &process]).status().unwrap().success());
    signal("-STOP");
    scene.gate.open();
    let answer = scene.d.host.invoke("restore", &scene.event).await.unwrap();
    assert_eq!((&answer["status"], &answer["hops"]), (&json!("completed"), &json!(1)), "{answer}");
    signal("-CONT");
    let record = scene.completed().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    scene.is_whole(&record).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_build_outlives_its_function_and_is_waited_for() {
    let sql = format!(
        "{SLOW} {} CREATE INDEX slow_index ON public.t000 (public.slow(id, 0.1)); CREATE INDEX quick ON public.t001 (id);",
        tables(3, 150, "")
    );
    let scene = Scene::set(&sql, Wishes::default()).await;
    scene.d.host.send("restore", &scene.event).await;
    scene.until_session("query LIKE '%CREATE INDEX slow_index%' AND wait_event = 'PgSleep'").await;
    scene.d.host.kill("restore").await;
    // The next function sends the same, and waits for the one that builds.
    scene.until_session("query LIKE '%CREATE INDEX slow_index%' AND wait_event_type = 'Lock'").await;
    assert_eq!(scene.sessions("query LIKE '%CREATE INDEX slow_index%' AND wait_event = 'PgSleep'").await, 1);
    let record = scene.completed().await;
    assert_eq!(record.hops, Some(1));
    assert_eq!(scene.calls().await, 150, "the index was built once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_goes_on_in_as_many_functions_as_it_needs() {
    let sql = format!(
        "{SLOW} {} CREATE INDEX slow_index ON public.t000 (public.slow(id, 0.2)); \
         CREATE TABLE public.seen (tag text); \
         CREATE FUNCTION public.see() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.seen VALUES (tg_tag); END $$; \
         CREATE MATERIALIZED VIEW public.m AS SELECT count(*) FROM public.t000; \
         CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION public.see(); \
         CREATE EVENT TRIGGER watch_drops ON sql_drop EXECUTE FUNCTION public.see(); \
         COMMENT ON EVENT TRIGGER watch IS 'sees';",
        tables(8, 60, "CHECK (public.slow(length(name), 0.02) > 0)")
    );
    let scene = Scene::set(&sql, Wishes { timeout: 8, ..Wishes::default() }).await;
    // What the comment on the event trigger told of itself.
    scene.source.run("TRUNCATE public.seen").await;
    let mut event = scene.event.clone();
    event["backupId"] = scene.d.backup(&scene.source.url, json!({})).await.unwrap().id.as_str().into();
    event["jobs"] = 1.into();
    scene.d.host.send("restore", &event).await;
    let record = scene.completed().await;
    let hops = record.hops.unwrap_or_default();
    assert!((2..20).contains(&hops), "{record:#?}");
    assert_eq!(scene.started() as u64, hops + 1, "each function was called once");
    // Rows are checked again when their load was rolled back; the index is built once.
    let calls = scene.target.column("SELECT count(*) FROM pg_indexes WHERE indexname = 'slow_index'").await;
    assert_eq!(calls, ["1"]);
    assert!(!scene.d.host.log("restore").contains("Status: error"), "{}", scene.d.host.log("restore"));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_when_no_further_function_may_go_on() {
    let sql = format!("{SLOW} {}", tables(12, 60, "CHECK (public.slow(length(name), 0.02) > 0)"));
    let wishes = Wishes { timeout: 8, ..Wishes::default() }.with("BACKUP_MAX_HOPS", "1");
    let scene = Scene::set(&sql, wishes).await;
    let mut event = scene.event.clone();
    event["jobs"] = 1.into();
    scene.d.host.send("restore", &event).await;
    let record = scene.ended().await.remove(0);
    assert_eq!(
        (record.status, record.error_code.as_deref()),
        (Status::Failed, Some("budget")),
        "{record:#?}"
    );
    assert_eq!(record.hops, Some(1));
    let told = record.message.unwrap();
    for says in [
        "the time of the function is up",
        "BACKUP_MAX_HOPS (1) lets no further function go on",
        "holds a part of the archive",
    ] {
        assert!(told.contains(says), "{told}");
    }
    assert_eq!(
        scene.target.column("SELECT 1 FROM pg_namespace WHERE nspname = 'pgbaton_restore'").await,
        [""; 0]
    );
    assert_eq!(scene.sessions("true").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_fits_into_no_function_ends_it() {
    let sql = format!("{SLOW} {}", tables(1, 500, "CHECK (public.slow(length(name), 0.05) > 0)"));
    let scene = Scene::set(&sql, Wishes { timeout: 8, ..Wishes::default() }).await;
    scene.d.host.send("restore", &scene.event).await;
    let record = scene.ended().await.remove(0);
    assert_eq!(
        (record.status, record.error_code.as_deref()),
        (Status::Failed, Some("budget")),
        "{record:#?}"
    );
    let told = record.message.unwrap();
    assert!(told.contains("TABLE DATA public.t000 takes longer than one function has time"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_its_last_transaction_it_is_complete() {
    let sql =
        format!("{} CREATE TABLE public.zz (id int); COMMENT ON TABLE public.zz IS 'last'", tables(3, 3, ""));
    let scene = Scene::set(&sql, Wishes::default()).await;
    let blocker = database::connect(&scene.target.url).await;
    blocker.batch_execute("BEGIN; CREATE TABLE public.zz (id int)").await.unwrap();
    scene.d.host.send("restore", &scene.event).await;
    scene.until_session("wait_event_type = 'Lock'").await;
    let reader = database::connect(&scene.target.url).await;
    reader.batch_execute("BEGIN; LOCK TABLE pgbaton_restore.done IN ACCESS SHARE MODE").await.unwrap();
    blocker.batch_execute("ROLLBACK").await.unwrap();
    scene.until_session("query LIKE 'DROP SCHEMA%' AND wait_event_type = 'Lock'").await;
    // From here on nothing reaches the record.
    scene.gate.stop("POST", " / ", What::Hold);
    reader.batch_execute("ROLLBACK").await.unwrap();
    scene.until_there("SELECT to_regnamespace('pgbaton_restore') IS NULL").await;
    scene.gate.met().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    scene.d.host.kill("restore").await;
    scene.gate.forget();
    let record = scene.completed().await;
    assert_eq!((record.hops, record.table_count), (Some(1), Some(4)), "{record:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_retry_of_a_run_that_the_reaper_closed_goes_on_with_its_target() {
    let sql = format!(
        "{SLOW} {} CREATE TABLE public.last (id int CHECK (public.slow(id, 0.05) > 0)) WITH (autovacuum_enabled = false); \
         INSERT INTO public.last SELECT generate_series(1, 200)",
        tables(20, 100, "")
    );
    let scene = Scene::set(&sql, Wishes { retry_delays: vec![9.0, 1.0], ..Wishes::default() }).await;
    scene.d.host.send("restore", &scene.event).await;
    scene.until_session("query LIKE 'COPY public.last %'").await;
    scene.until_there("SELECT (SELECT count(*) FROM pgbaton_restore.done WHERE rows = 100) >= 4").await;
    scene.d.host.kill("restore").await;
    scene.d.reap().await;
    let all = scene.ended().await;
    assert_eq!(all.len(), 2, "{all:#?}");
    assert_eq!(all[0].retry_of.as_ref(), Some(&all[1].id));
    assert_eq!(all[1].error_code.as_deref(), Some("function_stopped"));
    scene.is_whole(&all[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_a_killed_restore_created_is_gone_on_with() {
    let sql = format!(
        "{SLOW} {} CREATE TABLE public.last (id int CHECK (public.slow(id, 0.05) > 0)) WITH (autovacuum_enabled = false); \
         INSERT INTO public.last SELECT generate_series(1, 200)",
        tables(5, 100, "")
    );
    let mut scene = Scene::set(&sql, Wishes::default()).await;
    scene.target = Database::absent("resumed");
    scene.event["targetSecret"] = scene.d.secret(&scene.target.url).await.into();
    scene.event["createDatabase"] = true.into();
    scene.d.host.send("restore", &scene.event).await;
    // The database itself must be there before it can be looked into.
    scene
        .d
        .until("begun", |all| all.iter().any(|r| r.phase.as_deref() == Some("rows, indexes and constraints")))
        .await;
    scene.until_session("query LIKE 'COPY public.last %'").await;
    let oid = scene.target.column("SELECT oid FROM pg_database WHERE datname = current_database()").await;
    scene.d.host.kill("restore").await;
    let record = scene.completed().await;
    assert_eq!(record.hops, Some(1));
    let now = "SELECT oid FROM pg_database WHERE datname = current_database() AND shobj_description(oid, 'pg_database') IS NULL";
    assert_eq!(scene.target.column(now).await, oid, "the same database, no longer unfinished");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_create_no_schema_restores_without_marks() {
    let d = Deployment::start().await;
    let source = Database::of("source", &tables(4, 10, "")).await;
    let backup = d.backup(&source.url, json!({})).await.unwrap();
    let roles = Roles::create(&["restorer"], "LOGIN PASSWORD 'x'");
    let role = roles.name("restorer");
    let target = Database::empty("resumed").await;
    target.run(&format!("GRANT CREATE, USAGE ON SCHEMA public TO {}", quoted(&role))).await;
    let event = json!({"backupId": backup.id, "noOwner": true, "noPrivileges": true});
    let record = d.restore(&url_as(&role, "x", &target.name), event).await;
    let contents = target.contents().await;
    let record = record.unwrap();
    assert_eq!((record.status, record.record_count), (Status::Completed, Some(40)), "{record:#?}");
    assert!(
        record.warnings.iter().any(|w| w.contains("could not make the schema pgbaton_restore")),
        "{record:#?}"
    );
    assert_eq!(contents, source.contents().await);
}

/// Tables of which the last is slow to load.
fn slow_rows() -> String {
    format!(
        "{SLOW} {} CREATE TABLE public.last (id int CHECK (public.slow(id, 0.05) > 0)) WITH (autovacuum_enabled = false); \
         INSERT INTO public.last SELECT generate_series(1, 200); \
         SELECT lo_from_bytea(g, convert_to(repeat('object ' || g, 300), 'UTF8')) FROM generate_series(70001, 70600) g;",
        tables(20, 100, "")
    )
}

/// Kills the function when some tables are loaded and the last one is at work.
async fn killed_among_slow_rows(scene: &Scene) {
    scene.d.host.send("restore", &scene.event).await;
    scene.until_session("query LIKE 'COPY public.last %'").await;
    scene.until_there("SELECT (SELECT count(*) FROM pgbaton_restore.done WHERE rows = 100) >= 4").await;
    scene.d.host.kill("restore").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_alone_are_gone_on_with_and_not_doubled() {
    let mut scene = Scene::set(&slow_rows(), Wishes::default()).await;
    scene.target.run(&scene.source.schema()).await;
    scene.event["dataOnly"] = true.into();
    killed_among_slow_rows(&scene).await;
    let record = scene.completed().await;
    assert_eq!((record.hops, record.table_count), (Some(1), Some(21)), "{record:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_first_function_restored_is_not_dropped_by_the_second() {
    let mut scene = Scene::set(&slow_rows(), Wishes::default()).await;
    scene.target.run(&scene.source.schema()).await;
    scene.target.run("INSERT INTO public.t000 VALUES (7, 'old'); SELECT lo_create(70001)").await;
    scene.event["dropExisting"] = true.into();
    killed_among_slow_rows(&scene).await;
    let oids = "SELECT oid FROM pg_class WHERE relname ~ '^t0' ORDER BY 1";
    let made = scene.target.column(oids).await;
    let record = scene.completed().await;
    assert_eq!((record.hops, record.table_count), (Some(1), Some(21)), "{record:#?}");
    assert_eq!(scene.target.column(oids).await, made);
}
