//! The whole way: a database is backed up by the function, restored by the function and by stock pg_restore, and is the same again.

use pgbaton::ledger::Status;
use pgbaton_tests::{
    database::{Database, program, successful},
    deployment::Deployment,
};
use serde_json::json;

const SHOP: &str = include_str!("../../infra/sample/shop.sql");

#[tokio::test(flavor = "multi_thread")]
async fn the_shop_comes_back_by_our_restore_and_by_pg_restore() {
    let deployment = Deployment::start().await;
    let shop = Database::empty("shop").await;
    let file = std::env::temp_dir().join(format!("{}.sql", shop.name));
    std::fs::write(&file, SHOP).unwrap();
    successful("psql", &["-qX", "-v", "ON_ERROR_STOP=1", "-d", &shop.url, "-f", file.to_str().unwrap()]);
    std::fs::remove_file(&file).unwrap();
    let (schema, contents) = (shop.schema(), shop.contents().await);
    assert!(contents.len() > 14, "{contents:?}");

    for compression in ["gzip", "none", "zstd"] {
        let backup = deployment.backup(&shop.url, json!({"compression": compression})).await.unwrap();
        assert_eq!(backup.status, Status::Completed, "{backup:?}");
        assert!(backup.warnings.is_empty(), "{:?}", backup.warnings);

        let copy = Database::absent("shop_copy");
        let restored = deployment
            .restore(&copy.url, json!({"backupId": backup.id, "createDatabase": true}))
            .await
            .unwrap_or_else(|e| panic!("{compression}: {e}"));
        assert_eq!(restored.status, Status::Completed);
        assert_eq!(restored.record_count, backup.record_count);
        assert_eq!(copy.contents().await, contents, "{compression}");
        assert_eq!(copy.schema(), schema, "{compression}");

        let folder = std::env::temp_dir().join(&copy.name);
        deployment.download(&deployment.folder(&backup), &folder).await;
        let stock = Database::empty("shop_stock").await;
        let output = program("pg_restore", &["-j4", "-d", &stock.url, folder.to_str().unwrap()]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        std::fs::remove_dir_all(&folder).unwrap();
        if compression == "zstd" && errors.contains("does not support compression") {
            println!("this pg_restore was built without zstd: only its listing was tried");
            continue;
        }
        assert!(output.status.success(), "{compression}: {errors}");
        assert_eq!(stock.contents().await, contents, "{compression}");
        assert_eq!(stock.schema(), schema, "{compression}");
    }
}
