//! The real PgBouncer in its pool modes.

use std::path::{Path, PathBuf};

use pgbaton::{
    base::Kind,
    pg::{self, ConnInfo, pooler::refuse_transaction_pooling},
};

use super::server::{Program, command, folder, free_port, need, wait_for, write};

struct PgBouncer {
    _program: Program,
    info: ConnInfo,
}

impl PgBouncer {
    async fn start(program: &Path, mode: &str, more: &str) -> Self {
        let server: tokio_postgres::Config = need("PGBATON_TEST_PG_URL").parse().unwrap();
        let tokio_postgres::config::Host::Tcp(host) = &server.get_hosts()[0] else { panic!("not over TCP") };
        let user = server.get_user().unwrap();
        let password = String::from_utf8(server.get_password().unwrap_or_default().to_vec()).unwrap();
        // PgBouncer refuses an empty one.
        let password = if password.is_empty() { password } else { format!("password='{password}'") };
        let (dir, port) = (folder("pgbouncer"), free_port());
        write(
            &dir.join("pgbouncer.ini"),
            &format!(
                "[databases]\npostgres = host={host} port={} user={user} {password}\n\
                [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = {mode}\n{more}\n",
                server.get_ports().first().copied().unwrap_or(5432)
            ),
        );
        let mut run = command(program);
        run.arg(dir.join("pgbouncer.ini"));
        let program = Program::start(run, dir);
        let info =
            ConnInfo::parse(&format!("host=127.0.0.1 port={port} user={user} dbname=postgres")).unwrap();
        wait_for(&program.dir, || {
            let info = info.clone();
            async move { pg::connect(&info).await.is_ok() }
        })
        .await;
        Self { _program: program, info }
    }
}

fn program() -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/usr/local/sbin";
    let found = path.split(':').map(|d| Path::new(d).join("pgbouncer")).find(|p| p.is_file());
    if found.is_none() {
        println!("skipped: pgbouncer is not installed (apt-get install pgbouncer)");
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn transaction_mode_is_refused() {
    let Some(program) = program() else { return };
    for more in ["", "server_round_robin = 1\nmin_pool_size = 4", "default_pool_size = 2"] {
        let pooler = PgBouncer::start(&program, "transaction", more).await;
        // Others who use the pool at the same time, so that it holds several server connections.
        let busy = [pg::connect(&pooler.info).await.unwrap(), pg::connect(&pooler.info).await.unwrap()];
        if more.contains("round_robin") {
            for session in &busy {
                session.batch_execute("BEGIN").await.unwrap();
            }
            for session in &busy {
                session.batch_execute("COMMIT").await.unwrap();
            }
        }
        let session = pg::connect(&pooler.info).await.unwrap();
        let e = refuse_transaction_pooling(&session).await.unwrap_err();
        assert_eq!(e.kind(), Kind::Pooler, "{more}: {e}");
        assert!(e.to_string().contains("127.0.0.1:"), "{e}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn session_mode_and_the_server_itself_pass() {
    let direct = pg::connect(&ConnInfo::parse(&need("PGBATON_TEST_PG_URL")).unwrap()).await.unwrap();
    refuse_transaction_pooling(&direct).await.unwrap();
    let Some(program) = program() else { return };
    let pooler = PgBouncer::start(&program, "session", "").await;
    let session = pg::connect(&pooler.info).await.unwrap();
    refuse_transaction_pooling(&session).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn statement_mode_and_refused_parameters() {
    let Some(program) = program() else { return };
    let pooler = PgBouncer::start(&program, "statement", "").await;
    let session = pg::connect(&pooler.info).await.unwrap();
    assert_eq!(refuse_transaction_pooling(&session).await.unwrap_err().kind(), Kind::Pooler);
    let options =
        ConnInfo::parse(&format!("{} options='-c geqo=off'", pooler.info.to_secret().expose())).unwrap();
    let e = pg::connect(&options).await.unwrap_err();
    assert_eq!(e.kind(), Kind::Pooler, "{e}");
    assert!(e.to_string().contains("unsupported startup parameter"), "{e}");
}
