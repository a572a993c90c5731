//! Passwords that are made for one connect each, as tokens of RDS IAM authentication are.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use pgbaton::{
    base::{Error, Kind, Result, Secret},
    pg::{self, ConnInfo, Passwords, conn_info::Host},
};

use tokio_postgres::NoTls;

use super::server::{Server, value};

/// Gives the role a new password each time, so that one that was used before is wrong.
struct Changing {
    /// The superuser's connection string.
    superuser: String,
    port: u16,
    count: AtomicU32,
}

impl Passwords for Changing {
    fn password<'a>(&'a self, host: &'a Host) -> Pin<Box<dyn Future<Output = Result<Secret>> + Send + 'a>> {
        Box::pin(async {
            if host.port != self.port {
                return Err(Error::new(Kind::Config, "no password for this host"));
            }
            let password = format!("p{}", self.count.fetch_add(1, Relaxed));
            let (client, connection) = tokio_postgres::connect(&self.superuser, NoTls).await.unwrap();
            tokio::spawn(connection);
            client.batch_execute(&format!("ALTER ROLE minted PASSWORD '{password}'")).await.unwrap();
            Ok(Secret::new(password))
        })
    }
}

#[tokio::test]
async fn each_connect_has_a_password_of_its_own() {
    let server = Server::start("minted", "", "host all all 127.0.0.1/32 scram-sha-256").await;
    server.run_sql("CREATE ROLE minted LOGIN").await;
    let superuser = format!("host={} port={} user=postgres", server.program.dir.display(), server.port);
    let made = Arc::new(Changing { superuser, port: server.port, count: AtomicU32::new(0) });
    let text = format!("host=127.0.0.1 port={} user=minted dbname=postgres password=old", server.port);
    let info = ConnInfo::parse(&text).unwrap();
    assert_eq!(pg::connect(&info).await.unwrap_err().kind(), Kind::Authentication);

    let info = info.with_passwords(Arc::clone(&made) as Arc<dyn Passwords>);
    let first = pg::connect(&info).await.unwrap();
    let second = pg::connect(&info.with_application_name("again")).await.unwrap();
    // As readers and hand-overs connect.
    let third = pg::connect(&first.same_server()).await.unwrap();
    let fourth = pg::connect(&info.only(&second.place())).await.unwrap();
    for session in [&first, &second, &third, &fourth] {
        assert_eq!(value(session, "SELECT current_user").await, "minted");
        assert!(!session.protection().certificate_verified);
    }
    assert_eq!(made.count.load(Relaxed), 4);
    assert!(!format!("{info:?} {first:?}").contains("p0"));

    let elsewhere = ConnInfo::parse(&text.replace(&format!("port={}", server.port), "port=1")).unwrap();
    let e = pg::connect(&elsewhere.with_passwords(made)).await.unwrap_err();
    assert_eq!(e.kind(), Kind::Config, "{e}");
}
