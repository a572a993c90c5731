//! Databases made up at random, judged as all others.
//!
//! Each step draws a statement and runs it; what the server refuses is no part of the database. A failure prints the statements that made
//! it, after proptest has taken away those that do not matter: together they are an area.

use std::env;

use proptest::{
    collection::vec,
    prelude::any,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner},
};

use pgbaton_tests::servers::{self, Server};

use crate::{Area, inheritance::Family, judging, scratch::Scratch, statements::Maker};

/// Databases for each server, the same in every run; `PGBATON_TEST_GENERATED` asks for another number, and for new ones.
const CASES: u32 = 1;

/// Databases made in search of a smaller one that fails; `PGBATON_TEST_SHRINK` asks for another number.
const SHRINK: u32 = 60;

/// Steps of one database.
const STEPS: std::ops::Range<usize> = 40..120;

/// What the statements are drawn from.
#[derive(Debug, Clone, Copy)]
pub enum Flavour {
    /// Every kind of object.
    Everything,
    /// Tables that inherit, and partitions.
    Inheritance,
}

/// Runs the statements that the numbers stand for in a database of their own; gives those that the server took.
async fn script(server: &Server, flavour: Flavour, numbers: &[[u16; 24]]) -> String {
    let scratch = Scratch::new();
    judging::create(server, &[&scratch.names.source]).await;
    let client = server.connect(&scratch.names.source).await;
    let (mut maker, mut family, mut script) = (Maker::default(), Family::default(), Vec::new());
    for numbers in numbers {
        match flavour {
            Flavour::Everything => {
                let (sql, made) = maker.statement(numbers);
                if client.batch_execute(&sql).await.is_ok() {
                    maker.done(made);
                    script.push(sql);
                }
            }
            Flavour::Inheritance => {
                let (sql, made) = family.statement(numbers);
                if client.batch_execute(&sql).await.is_ok() {
                    family.done(made);
                    script.push(sql);
                }
            }
        }
    }
    drop(client);
    scratch.remove([server, server]).await;
    script.join(";\n")
}

async fn judge(server: &Server, flavour: Flavour, numbers: &[[u16; 24]]) -> Result<(), TestCaseError> {
    let client = server.connect("postgres").await;
    for role in ["fidelity_a", "\"fidelity \"\"B\"\"\""] {
        // Another test may have made it.
        let _ = client.batch_execute(&format!("CREATE ROLE {role}")).await;
    }
    let area = Area::new("generated".to_owned(), script(server, flavour, numbers).await);
    let scratch = Scratch::new();
    let verdict = judging::judge(&area, server, server, &scratch.names).await;
    scratch.remove([server, server]).await;
    verdict.map_err(|why| {
        TestCaseError::fail(format!("PostgreSQL {}: {why}\n\nmade by\n{}", server.major, area.sql))
    })
}

/// Judges generated databases on every server.
pub fn run(flavour: Flavour) {
    let number = |name: &str, usual| env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(usual);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for server in runtime.block_on(servers::all()) {
        let config = Config {
            cases: number("PGBATON_TEST_GENERATED", CASES),
            max_shrink_iters: number("PGBATON_TEST_SHRINK", SHRINK),
            failure_persistence: None,
            ..Config::default()
        };
        let mut runner = match env::var_os("PGBATON_TEST_GENERATED") {
            Some(_) => TestRunner::new(config),
            None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
        };
        let outcome = runner.run(&vec(any::<[u16; 24]>(), STEPS), |numbers| {
            runtime.block_on(judge(server, flavour, &numbers))
        });
        match outcome {
            Ok(()) => {}
            // The numbers say nothing that the statements do not.
            Err(TestError::Fail(why, _)) => panic!("{why}"),
            Err(e) => panic!("{e}"),
        }
    }
}
