//! A PostgreSQL server of another version, as far as this machine has one, for archives that its own pg_dump makes.

use std::{
    fs,
    net::TcpListener,
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use pgbaton_tests::unique;

/// A server with everybody's trust on a port of 127.0.0.1; stopped and removed when dropped.
pub struct OldServer {
    child: Child,
    folder: PathBuf,
    bin: PathBuf,
    port: u16,
}

impl OldServer {
    /// Starts one of the programs in `bin`; none, with a notice, when they are not there.
    pub fn start(bin: &Path) -> Option<Self> {
        if !bin.join("initdb").exists() || !bin.join("pg_dump").exists() {
            println!("no PostgreSQL in {}: not tried", bin.display());
            return None;
        }
        let folder = std::env::temp_dir().join(unique("pgbaton_old"));
        fs::create_dir_all(&folder).unwrap();
        if let Some((uid, gid)) = ordinary_user() {
            std::os::unix::fs::chown(&folder, Some(uid), Some(gid)).unwrap();
        }
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let data = folder.join("data");
        let made = command(&bin.join("initdb"))
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N", "-D"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let child = command(&bin.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])
            .arg("-c")
            .arg(format!("unix_socket_directories={}", folder.display()))
            .stderr(fs::File::create(folder.join("log")).unwrap())
            .spawn()
            .unwrap();
        let server = Self { child, folder, bin: bin.to_owned(), port };
        let begun = Instant::now();
        while !server.program("psql", &["-qXc", "SELECT 1", &server.url("postgres")]).status.success() {
            let log = || fs::read_to_string(server.folder.join("log")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_secs(30), "not ready: {}", log());
            std::thread::sleep(Duration::from_millis(200));
        }
        Some(server)
    }

    /// The URL of a database on it.
    pub fn url(&self, database: &str) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs one of its own programs; psql of the common set where it has none.
    pub fn program(&self, name: &str, arguments: &[&str]) -> std::process::Output {
        if self.bin.join(name).exists() {
            return command(&self.bin.join(name)).args(arguments).output().unwrap();
        }
        pgbaton_tests::database::program(name, arguments)
    }
}

impl Drop for OldServer {
    fn drop(&mut self) {
        // SIGINT: a fast shutdown.
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
    if let Some((uid, gid)) = ordinary_user() {
        command.uid(uid).gid(gid);
    }
    command
}

/// (uid, gid) of an ordinary user when the test runs as root, whom initdb refuses.
fn ordinary_user() -> Option<(u32, u32)> {
    if !fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0) {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let of = |name: &str| {
        let line = users.lines().find(|l| l.starts_with(&format!("{name}:")))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    of("postgres").or_else(|| of("nobody")).or(Some((65534, 65534)))
}
