//! Rows of odd values and tables of odd names, the areas that tests/fidelity judges on every server, by way of the functions.

use pgbaton_tests::{database::Database, deployment::Deployment};

use super::round_trip;

/// Those that need no extension and no library beyond the server's own.
const AREAS: [(u32, &str); 15] = [
    (13, include_str!("../fidelity/areas/rows_numbers.sql")),
    (14, include_str!("../fidelity/areas/rows_numbers_14.sql")),
    (13, include_str!("../fidelity/areas/rows_times.sql")),
    (17, include_str!("../fidelity/areas/rows_times_17.sql")),
    (13, include_str!("../fidelity/areas/rows_text.sql")),
    (13, include_str!("../fidelity/areas/rows_arrays.sql")),
    (14, include_str!("../fidelity/areas/rows_arrays_14.sql")),
    (13, include_str!("../fidelity/areas/rows_shapes.sql")),
    (13, include_str!("../fidelity/areas/rows_system_types.sql")),
    (13, include_str!("../fidelity/areas/rows_composites.sql")),
    (13, include_str!("../fidelity/areas/rows_columns.sql")),
    (13, include_str!("../fidelity/areas/rows_partitions.sql")),
    (13, include_str!("../fidelity/areas/rows_foreign_keys.sql")),
    (13, include_str!("../fidelity/areas/rows_wide.sql")),
    (13, include_str!("../fidelity/areas/names_hostile.sql")),
];

#[tokio::test(flavor = "multi_thread")]
async fn odd_rows_and_hostile_names_come_back() {
    let deployment = Deployment::start().await;
    let source = Database::empty("happy_odd").await;
    let version: u32 = source.column("SHOW server_version_num").await[0].parse().unwrap();
    for (_, sql) in AREAS.iter().filter(|(since, _)| version / 10000 >= *since) {
        // Each area is one query, as tests/fidelity runs it: psql would take some of its lines for commands of its own.
        source.run(sql).await;
    }
    round_trip(&deployment, &source, "gzip").await;
    for trace in ["x", "y"] {
        assert!(!std::path::Path::new(trace).exists(), "a name has run a command");
    }
}
