//! Runs pg_dump and pg_restore, version 18.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use pgbaton::archive::Toc;

/// Planner statistics can be restored from this version on: below it, neither pg_dump nor we archive them.
const STATISTICS_SINCE: u32 = 18;

/// The programs of one installation, and the server's URL without its database.
#[derive(Debug, Clone)]
pub struct Programs {
    /// Folder of `pg_dump` and `pg_restore`.
    pub bin: PathBuf,
    /// `postgresql://user:password@host:port`.
    pub server: String,
    /// The server's major version.
    pub major: u32,
}

impl Programs {
    /// The URL of one of the server's databases.
    pub fn url(&self, database: &str) -> String {
        format!("{}/{database}", self.server)
    }

    /// pg_dump's own archive, uncompressed, in a new folder.
    pub fn dump(&self, database: &str, folder: &Path) {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder.parent().expect("a folder to write in")).expect("a folder");
        let statistics = self.statistics();
        let output =
            self.run("pg_dump", &["-Fd", "-Z0", statistics, "-d", &self.url(database), "-f", text(folder)]);
        assert!(output.status.success(), "pg_dump: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// The table of contents of pg_dump's own archive.
    pub fn toc(&self, database: &str, folder: &Path) -> Toc {
        self.dump(database, folder);
        let toc = Toc::parse(&fs::read(folder.join("toc.dat")).expect("toc.dat")).expect("pg_dump's toc.dat");
        fs::remove_dir_all(folder).expect("pg_dump's archive");
        toc
    }

    /// The database as a script, without the random key that differs in every dump.
    pub fn script(&self, database: &str) -> Vec<String> {
        let output = self.run("pg_dump", &[self.statistics(), "-d", &self.url(database)]);
        assert!(output.status.success(), "pg_dump: {}", String::from_utf8_lossy(&output.stderr));
        let script = String::from_utf8_lossy(&output.stdout).into_owned();
        let fixed = script.lines().filter(|l| !l.starts_with("\\restrict") && !l.starts_with("\\unrestrict"));
        fixed.map(str::to_owned).collect()
    }

    /// Restores an archive into an empty database; what pg_restore complained of, nothing when all went well.
    ///
    /// `transaction_timeout` is a setting that pg_restore 18 makes and servers before 17 do not know.
    pub fn restore(&self, archive: &Path, database: &str) -> Vec<String> {
        let output = self.run("pg_restore", &["-j2", "-d", &self.url(database), text(archive)]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let unknown_setting = "unrecognized configuration parameter \"transaction_timeout\"";
        let timeouts = told.lines().filter(|l| l.contains(unknown_setting)).count();
        let errors = told.lines().filter(|l| l.contains("error:") && !l.contains(unknown_setting)).count();
        if output.status.success() || (timeouts > 0 && errors == 0) {
            return Vec::new();
        }
        told.lines().map(str::to_owned).collect()
    }

    fn statistics(&self) -> &'static str {
        if self.major >= STATISTICS_SINCE { "--statistics" } else { "--no-statistics" }
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        Command::new(self.bin.join(program)).args(arguments).output().expect(program)
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
