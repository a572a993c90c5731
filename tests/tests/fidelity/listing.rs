//! What stock `pg_restore -l` says of our table of contents: the programs of all versions at hand must read it, entry by entry.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use pgbaton::archive::{Toc, toc::Entry};
use pgbaton_tests::variable;

/// `pg_restore` of each version at hand.
fn programs() -> Vec<PathBuf> {
    let others = env::var("PGBATON_TEST_PG_DUMPS").unwrap_or_default();
    let others =
        others.split_whitespace().filter_map(|o| o.split_once('=')).map(|(_, folder)| folder.to_owned());
    let mut all: Vec<String> = others.collect();
    all.push(variable("PGBATON_TEST_PG_BIN"));
    all.iter().map(|folder| Path::new(folder).join("pg_restore")).collect()
}

fn partitioned_with_method(entry: &Entry) -> bool {
    entry.relkind == Some('p') && entry.table_am.is_some()
}

/// Compares what each pg_restore lists with what the archive holds.
pub fn compare(toc: &Toc, archive: &Path) -> Result<(), String> {
    let expected = expected(toc);
    for program in programs() {
        let output = Command::new(&program).args(["-l", "-v"]).arg(archive).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        // Access methods of partitioned tables need version 1.16, which only 17 and later read.
        if told.contains("unsupported version (1.16)") && toc.entries.iter().any(partitioned_with_method) {
            continue;
        }
        if !output.status.success() || !told.is_empty() {
            return Err(format!("{} -l: {told}", program.display()));
        }
        let got = String::from_utf8_lossy(&output.stdout).into_owned();
        let count = format!(";     TOC Entries: {}", toc.entries.len());
        if !got.lines().any(|l| l == count) {
            return Err(format!("{} -l does not say `{count}`", program.display()));
        }
        let got: Vec<&str> =
            got.lines().filter(|l| !l.starts_with(';') || l.starts_with(";\tdepends on:")).collect();
        let differs = expected.iter().zip(&got).position(|(a, b)| a != b);
        if let Some(at) = differs {
            return Err(format!(
                "{} -l\n  expected: {}\n  got:      {}",
                program.display(),
                expected[at],
                got[at]
            ));
        }
        if expected.len() != got.len() {
            return Err(format!("{} -l has {} lines, not {}", program.display(), got.len(), expected.len()));
        }
    }
    Ok(())
}

/// What the program of `PGBATON_TEST_PG_BIN` lists, without the numbers that differ from server to server.
pub fn masked(archive: &Path) -> String {
    let program = Path::new(&variable("PGBATON_TEST_PG_BIN")).join("pg_restore");
    let output = Command::new(program).arg("-l").arg(archive).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listed = String::from_utf8(output.stdout).unwrap();
    let entries = listed.lines().filter(|l| !l.starts_with(';'));
    let entry = |line: &str| {
        let mut words = line.splitn(4, ' ');
        let (id, _catalog, _oid) = (words.next().unwrap(), words.next(), words.next());
        format!("{id} {}\n", words.next().unwrap())
    };
    entries.map(entry).collect()
}

/// As `PrintTOCSummary` in pg_backup_archiver.c writes entries, verbosely: names on one line, a hyphen where there is no schema.
fn expected(toc: &Toc) -> Vec<String> {
    let one_line = |text: &str| text.replace(['\n', '\r'], " ");
    let mut lines = Vec::new();
    for e in &toc.entries {
        let schema = e.namespace.as_deref().filter(|n| !n.is_empty()).map_or("-".to_owned(), one_line);
        let (tag, owner) = (one_line(&e.tag), one_line(e.owner.as_deref().unwrap_or_default()));
        lines.push(format!("{}; {} {} {} {schema} {tag} {owner}", e.dump_id, e.table_oid, e.oid, e.desc));
        if !e.dependencies.is_empty() {
            let ids: Vec<String> = e.dependencies.iter().map(i32::to_string).collect();
            lines.push(format!(";\tdepends on: {}", ids.join(" ")));
        }
    }
    lines
}
