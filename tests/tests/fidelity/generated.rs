//! Databases made up at random, judged as all others.
//!
//! Each step draws a statement and runs it; what the server refuses is no part of the database. A failure prints the statements that made
//! it, after proptest has taken away those that do not matter.

use std::env;

use pgbaton_tests::{
    judge::{programs::Programs, verdict},
    unique,
};
use proptest::{
    collection::vec,
    prelude::any,
    test_runner::{Config, TestCaseError, TestError, TestRunner},
};
use tokio_postgres::Client;

use crate::statements::Maker;

/// Databases for each server; `PGBATON_TEST_GENERATED` asks for another number.
const CASES: u32 = 3;

/// Steps of one database.
const STEPS: std::ops::Range<usize> = 40..120;

/// Runs the statements that the numbers stand for; gives those that the server took.
async fn fill(client: &Client, numbers: &[[u16; 24]]) -> Vec<String> {
    let mut maker = Maker::default();
    for numbers in numbers {
        let (sql, made) = maker.statement(numbers);
        if client.batch_execute(&sql).await.is_ok() {
            maker.done(sql, made);
        }
    }
    maker.script
}

async fn judge(programs: &Programs, numbers: &[[u16; 24]]) -> Result<(), TestCaseError> {
    let server = verdict::connect(&programs.url("postgres")).await;
    for role in ["fidelity_a", "\"fidelity \"\"B\"\"\""] {
        // Another test may have made it.
        let _ = server.batch_execute(&format!("CREATE ROLE {role}")).await;
    }
    let name = unique("generated");
    server.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await.expect("a database");
    let source = verdict::connect(&programs.url(&name)).await;
    let script = fill(&source, numbers).await;
    drop(source);
    let wrong = verdict::of(programs, &name, &env::temp_dir().join(&name)).await;
    verdict::drop_database(&server, &name).await;
    if wrong.is_empty() {
        return Ok(());
    }
    let of =
        format!("PostgreSQL {}:\n{}\n\nmade by\n{};", programs.major, wrong.join("\n"), script.join(";\n"));
    Err(TestCaseError::fail(of))
}

/// Judges generated databases on one server.
pub fn run(programs: &Programs) {
    let cases = env::var("PGBATON_TEST_GENERATED").ok().and_then(|n| n.parse().ok()).unwrap_or(CASES);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let config = Config { cases, max_shrink_iters: 60, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let outcome =
        runner.run(&vec(any::<[u16; 24]>(), STEPS), |numbers| runtime.block_on(judge(programs, &numbers)));
    match outcome {
        Ok(()) => {}
        // The numbers say nothing that the statements do not.
        Err(TestError::Fail(why, _)) => panic!("{why}"),
        Err(e) => panic!("{e}"),
    }
}
