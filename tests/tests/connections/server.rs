//! Programs that a test starts for itself and stops again: PostgreSQL and PgBouncer, as an ordinary user where the test runs as root.

use std::{
    fs,
    net::TcpListener,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use pgbaton::pg::{self, ConnInfo, Session};

/// The value of a variable that infra/local sets.
pub fn need(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: start the stack with infra/local test"))
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// (uid, gid) of an ordinary user when the test runs as root.
fn ordinary_user() -> Option<(u32, u32)> {
    let root = fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0);
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let find = |name: &str| {
        let fields: Vec<&str> =
            users.lines().map(|l| l.split(':').collect::<Vec<_>>()).find(|f| f[0] == name)?;
        Some((fields[2].parse().ok()?, fields[3].parse().ok()?))
    };
    root.then(|| find("postgres").or_else(|| find("nobody")).unwrap_or((65534, 65534)))
}

/// A folder for one program, its own user's.
pub fn folder(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("pgbaton-{name}-{}-{count}", std::process::id()));
    fs::create_dir_all(&path).unwrap();
    own(&path, 0o700);
    path
}

fn own(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    if let Some((uid, gid)) = ordinary_user() {
        std::os::unix::fs::chown(path, Some(uid), Some(gid)).unwrap();
    }
}

/// Writes a file that only the program may read.
pub fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    own(path, 0o600);
}

/// A command as the ordinary user.
pub fn command(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    command.current_dir("/").stdin(Stdio::null());
    if let Some((uid, gid)) = ordinary_user() {
        command.uid(uid).gid(gid);
    }
    command
}

/// A program in the background; stopped and its folder removed when dropped.
pub struct Program {
    child: Child,
    pub dir: PathBuf,
}

impl Program {
    pub fn start(mut command: Command, dir: PathBuf) -> Self {
        let log = fs::File::create(dir.join("log")).unwrap();
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Self { child, dir }
    }

    fn stop(&mut self) {
        // Once it was waited for, its number may belong to somebody else.
        if matches!(self.child.try_wait(), Ok(None)) {
            // SIGINT: a fast shutdown of PostgreSQL, and an immediate one of PgBouncer.
            let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
            let _ = self.child.wait();
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// A PostgreSQL server of the test's own on 127.0.0.1 and a socket in its folder. Its superuser is `postgres`, trusted on the socket.
pub struct Server {
    pub program: Program,
    pub port: u16,
}

impl Server {
    pub async fn start(name: &str, settings: &str, hba: &str) -> Self {
        let dir = folder(name);
        let status = command(bin("initdb"))
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N", "-D"])
            .arg(dir.join("data"))
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "initdb failed");
        Self::run(dir, settings, hba).await
    }

    /// A copy of the cluster of a stopped server.
    pub async fn copy_of(data: &Path, name: &str, settings: &str, hba: &str) -> Self {
        Self::run(copy(data, name), settings, hba).await
    }

    /// A standby: such a copy, in recovery for ever.
    pub async fn standby_of(data: &Path, name: &str, settings: &str, hba: &str) -> Self {
        let dir = copy(data, name);
        write(&dir.join("data/standby.signal"), "");
        Self::run(dir, settings, hba).await
    }

    async fn run(dir: PathBuf, settings: &str, hba: &str) -> Self {
        let port = free_port();
        let conf = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{}'\nfsync = off\nmax_connections = 30\n{settings}\n",
            dir.display()
        );
        write(&dir.join("data/postgresql.auto.conf"), &conf);
        write(&dir.join("data/pg_hba.conf"), &format!("local all all trust\n{hba}\n"));
        let mut postgres = command(bin("postgres"));
        postgres.arg("-D").arg(dir.join("data"));
        let server = Self { program: Program::start(postgres, dir), port };
        let info = server.superuser();
        wait_for(&server.program.dir, || {
            let info = info.clone();
            async move { pg::connect(&info).await.is_ok() }
        })
        .await;
        server
    }

    /// The superuser, over the socket.
    pub fn superuser(&self) -> ConnInfo {
        let text = format!("host={} port={} user=postgres", self.program.dir.display(), self.port);
        ConnInfo::parse(&text).unwrap()
    }

    pub async fn run_sql(&self, sql: &str) {
        let session = pg::connect(&self.superuser()).await.unwrap();
        for statement in sql.split(";\n") {
            session.batch_execute(statement).await.unwrap_or_else(|e| panic!("{statement}: {e:?}"));
        }
        session.close().await;
    }

    /// Stops the server and keeps its data for the closure.
    pub async fn stopped<T>(mut self, with: impl AsyncFnOnce(&Path) -> T) -> T {
        self.program.stop();
        with(&self.program.dir.join("data")).await
    }
}

fn copy(data: &Path, name: &str) -> PathBuf {
    let dir = folder(name);
    let status = command("cp").arg("-a").arg(data).arg(dir.join("data")).status().unwrap();
    assert!(status.success());
    dir
}

fn bin(program: &str) -> PathBuf {
    Path::new(&need("PGBATON_TEST_SSL_PG_BIN")).join(program)
}

/// Waits up to 30 s, then shows the program's log.
pub async fn wait_for<F: Future<Output = bool>>(dir: &Path, ready: impl Fn() -> F) {
    let start = Instant::now();
    while !ready().await {
        if start.elapsed() > Duration::from_secs(30) {
            panic!("not ready:\n{}", fs::read_to_string(dir.join("log")).unwrap_or_default());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A fresh database on the common server.
pub struct Database {
    pub info: ConnInfo,
    name: String,
}

impl Database {
    pub async fn create(name: &str, options: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("pg_{name}_{}_{count}", std::process::id());
        let admin = ConnInfo::parse(&need("PGBATON_TEST_PG_URL")).unwrap();
        let session = pg::connect(&admin).await.unwrap();
        session.batch_execute(&format!("CREATE DATABASE {name} {options}")).await.unwrap();
        Self { info: admin.with_database(&name), name }
    }

    pub async fn session(&self) -> Session {
        pg::connect(&self.info).await.unwrap()
    }

    /// Not in `drop`, which cannot wait.
    pub async fn remove(self) {
        let admin = ConnInfo::parse(&need("PGBATON_TEST_PG_URL")).unwrap();
        let session = pg::connect(&admin).await.unwrap();
        session.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await.unwrap();
    }
}

/// The first column of the first row.
pub async fn value(session: &Session, sql: &str) -> String {
    let messages = session.simple_query(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    let row = messages.iter().find_map(|m| match m {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    row.unwrap_or_default()
}
