//! The law of the house: functions → jobs → rooms → base. An arrow that runs backwards fails here.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// What code in each part of `shared/src` may name of the crate.
const ALLOWED: &[(&str, &[&str])] = &[
    ("base", &["base"]),
    ("pg", &["base", "pg"]),
    ("catalog", &["base", "catalog", "pg"]),
    ("archive", &["archive", "base"]),
    ("store", &["base", "store"]),
    ("ledger", &["base", "ledger"]),
    ("fanout", &["base", "fanout"]),
    ("format", &["base", "format"]),
    ("notify", &["base", "notify"]),
    ("seal", &["base", "seal"]),
    (
        "jobs",
        &[
            "archive", "base", "catalog", "fanout", "format", "jobs", "ledger", "notify", "pg", "seal",
            "store",
        ],
    ),
];

/// Names of files and folders that say nothing of what they hold.
const DRAWERS: &[&str] = &["utils", "util", "common", "helpers", "helper", "misc", "tools", "stuff"];

/// Top level of the repository, dot files apart.
const TOP: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "functions",
    "infra",
    "rustfmt.toml",
    "deny.toml",
    "samconfig.toml",
    "shared",
    "template.yaml",
    "tests",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

fn all_rust_files() -> Vec<PathBuf> {
    let mut all = Vec::new();
    for folder in ["functions", "infra", "shared", "tests"] {
        rust_files(&root().join(folder), &mut all);
    }
    assert!(all.len() > 100, "the tree was not found");
    all
}

/// First segments of all paths that begin with `crate::`, also within braces: `use crate::{base::X, pg}`.
fn named_parts(source: &str) -> Vec<String> {
    let code: String =
        source.lines().map(|l| l.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let word = |s: &str| s.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        let Some(inner) = rest.strip_prefix('{') else {
            found.push(word(rest));
            continue;
        };
        let (mut depth, mut start) = (0usize, true);
        for (i, c) in inner.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                c if start && depth == 0 && !c.is_whitespace() => {
                    found.push(word(&inner[i..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn no_arrow_runs_backwards() {
    let source = root().join("shared/src");
    let rooms: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let mut there: Vec<String> = fs::read_dir(&source)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir())
        .map(|p| p.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    there.sort();
    let mut known: Vec<&str> = rooms.keys().copied().collect();
    known.sort_unstable();
    assert_eq!(there, known, "a new room needs its place in ALLOWED");
    let mut wrong = Vec::new();
    for (room, allowed) in rooms {
        let mut files = Vec::new();
        rust_files(&source.join(room), &mut files);
        for file in files {
            for part in named_parts(&fs::read_to_string(&file).unwrap()) {
                let is_room = ALLOWED.iter().any(|(r, _)| *r == part);
                if is_room && !allowed.contains(&part.as_str()) {
                    wrong.push(format!("{} names crate::{part}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that run backwards:\n{}", wrong.join("\n"));
}

#[test]
fn the_reader_of_paths_sees_what_is_there() {
    let source = "use crate::base::X; // crate::jobs\nuse crate::{\n  pg::{a, b},\n  store,\n};\nlet x = crate::ledger::Y;";
    assert_eq!(named_parts(source), ["base", "pg", "store", "ledger"]);
}

#[test]
fn functions_only_wire() {
    for function in ["scheduled-backup", "restore", "worker", "verify", "retention-cleanup", "api"] {
        let main = fs::read_to_string(root().join(format!("functions/{function}/src/main.rs"))).unwrap();
        assert!(main.lines().count() <= 45, "functions/{function}/src/main.rs is longer than wiring needs");
    }
}

#[test]
fn no_file_is_a_drawer_and_none_is_endless() {
    for file in all_rust_files() {
        for part in file.strip_prefix(root()).unwrap().components() {
            let name = Path::new(part.as_os_str()).file_stem().unwrap().to_str().unwrap().to_owned();
            assert!(!DRAWERS.contains(&name.as_str()), "{}: say what it is for", file.display());
        }
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 700, "{} has {lines} lines: has it still one subject?", file.display());
    }
}

#[test]
fn every_file_says_what_it_is() {
    for file in all_rust_files() {
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//!"), "{} does not begin with a sentence on what it is", file.display());
    }
}

#[test]
fn the_top_level_is_as_agreed() {
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known = name.starts_with('.') || name == "target" || TOP.contains(&name.as_str());
        assert!(known, "{name} does not belong to the top level");
    }
}
