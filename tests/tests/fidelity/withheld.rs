//! What a backup does not hold on purpose or cannot read, and says: passwords of subscriptions, what only superusers see.

use pgbaton_tests::judge::archive;

use super::{judging, scratch::Scratch, servers};

const SQL: &str = "
CREATE FOREIGN DATA WRAPPER w;
CREATE SERVER s FOREIGN DATA WRAPPER w;
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (password 'mapped');
CREATE USER MAPPING FOR PUBLIC SERVER s;
CREATE SUBSCRIPTION with_password CONNECTION 'host=h password=''it\\''s a secret'' dbname=d' PUBLICATION p WITH (connect = false);
CREATE SUBSCRIPTION in_uri CONNECTION 'postgresql://u:secret@h/d?sslmode=disable' PUBLICATION p WITH (connect = false);
CREATE SUBSCRIPTION without CONNECTION 'host=h dbname=d' PUBLICATION p WITH (connect = false);
DO $$ BEGIN CREATE ROLE fidelity_plain; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_stay_out_and_what_is_left_out_is_said() {
    for server in servers::all().await {
        let scratch = Scratch::new();
        judging::create(&server, &[&scratch.names.source]).await;
        let source = server.connect(&scratch.names.source).await;
        {
            let _alone = server.filling.lock().await;
            source.batch_execute(SQL).await.unwrap();
        }

        let catalog = archive::read(&source).await;
        source.batch_execute("COMMIT").await.unwrap();
        let told = |subscription: &str| {
            format!(
                "the password of subscription {subscription} is not in the backup: set it after a restore with ALTER SUBSCRIPTION … CONNECTION"
            )
        };
        assert_eq!(catalog.warnings, [told("in_uri"), told("with_password")]);
        let of = |name: &str| {
            let entry = catalog.entries.iter().find(|e| e.desc == "SUBSCRIPTION" && e.tag == name).unwrap();
            entry.definition.split(" PUBLICATION ").next().unwrap()
        };
        assert_eq!(of("with_password"), "CREATE SUBSCRIPTION with_password CONNECTION 'host=h dbname=d'");
        assert_eq!(
            of("in_uri"),
            "CREATE SUBSCRIPTION in_uri CONNECTION 'postgresql://u@h/d?sslmode=disable'"
        );
        let bytes = archive::toc(&catalog).to_bytes().unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("secret"));
        assert!(String::from_utf8_lossy(&bytes).contains("mapped"), "options of mappings are pg_dump's");

        source.batch_execute("SET ROLE fidelity_plain").await.unwrap();
        let seen = archive::read(&source).await;
        source.batch_execute("COMMIT; RESET ROLE").await.unwrap();
        assert!(!seen.entries.iter().any(|e| e.desc == "SUBSCRIPTION"));
        for what in [
            "the options of the user mapping for public on server s",
            "subscription in_uri",
            "subscription with_password",
            "subscription without",
        ] {
            let about =
                |w: &&String| w.starts_with(what) && w.contains("not in the backup: only a superuser");
            assert_eq!(seen.warnings.iter().filter(about).count(), 1, "{what} in {:#?}", seen.warnings);
        }
        drop(source);
        scratch.remove([&server, &server]).await;
    }
}
