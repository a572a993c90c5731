//! What a backup does not hold on purpose or cannot read, and says: passwords of subscriptions, what only superusers see.

use pgbaton_tests::{judge::archive, servers};

use super::{judging, scratch::Scratch};

/// What an ordinary role finds: nothing, and much of everything.
const READ_BY_ALL: [&str; 5] = [
    "",
    include_str!("areas/mixture_kinds.sql"),
    include_str!("areas/mixture_shop.sql"),
    include_str!("areas/mixture_views.sql"),
    include_str!("areas/foreign_servers.sql"),
];

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
        judging::create(server, &[&scratch.names.source]).await;
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
        scratch.remove([server, server]).await;
    }
}

/// The entries but for what only superusers see; and the warnings.
async fn read_by(source: &tokio_postgres::Client, role: &str) -> (Vec<String>, Vec<String>) {
    source.batch_execute(&format!("SET ROLE {role}")).await.unwrap();
    let catalog = archive::read(source).await;
    source.batch_execute("COMMIT; RESET ROLE").await.unwrap();
    let entries = catalog.entries.iter().filter(|e| e.desc != "USER MAPPING");
    (entries.map(|e| format!("{} {} {}", e.desc, e.tag, e.definition)).collect(), catalog.warnings)
}

/// A role that may read all rows, and is no superuser, archives what a superuser does: managed services give no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ordinary_role_archives_what_a_superuser_does() {
    for server in servers::all().await {
        for sql in READ_BY_ALL {
            // Before 14 there was no role for it, so there is nothing but the catalogs to read.
            if server.major < 14 && !sql.is_empty() {
                continue;
            }
            let scratch = Scratch::new();
            judging::create(server, &[&scratch.names.source]).await;
            let source = server.connect(&scratch.names.source).await;
            {
                let _alone = server.filling.lock().await;
                let reader = "DO $$ BEGIN CREATE ROLE fidelity_reads_all; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;";
                let may =
                    if server.major < 14 { "" } else { "GRANT pg_read_all_data TO fidelity_reads_all;" };
                source.batch_execute(&format!("{reader}{may}{sql}")).await.unwrap();
            }
            let (all, none) = read_by(&source, "NONE").await;
            assert!(none.is_empty(), "{none:#?}");
            let (seen, mut told) = read_by(&source, "fidelity_reads_all").await;
            let differ: Vec<_> = all.iter().filter(|e| !seen.contains(e)).collect();
            assert!(differ.is_empty(), "PostgreSQL {}: not seen {differ:#?}", server.major);
            assert_eq!(seen.len(), all.len());
            told.retain(|w| !w.starts_with("the options of the user mapping for "));
            assert!(told.is_empty(), "PostgreSQL {}: {told:#?}", server.major);
            drop(source);
            scratch.remove([server, server]).await;
        }
    }
}
