//! TLS and logins: each sslmode against right and wrong certificates, client certificates, channel binding, refusals.

use pgbaton::{
    base::{Error, Kind, Secret},
    pg::{self, ConnInfo},
};

use super::{
    certs::{Authority, Leaf, self_signed},
    server::{Server, value, write},
};

const HBA: &str = "hostssl all certified all cert
host all trusted all trust
host all md5 all md5
hostssl all all all scram-sha-256
hostnossl all open all scram-sha-256";

const SETUP: &str = "CREATE ROLE app LOGIN PASSWORD 'right-password';
CREATE ROLE one LOGIN PASSWORD 'right-password' CONNECTION LIMIT 1;
CREATE ROLE open LOGIN PASSWORD 'right-password';
CREATE ROLE trusted LOGIN;
CREATE ROLE certified LOGIN;
SET password_encryption = 'md5';
CREATE ROLE md5 LOGIN PASSWORD 'right-password'";

struct Bench {
    server: Server,
    authority: Authority,
}

impl Bench {
    async fn start() -> Self {
        let authority = Authority::new("test authority");
        let server = Server::start("tls", "ssl = off", HBA).await;
        server.run_sql(SETUP).await;
        let bench = Self { server, authority };
        write(&bench.server.program.dir.join("ca.crt"), &bench.authority.pem);
        bench.show(&bench.authority.server(&["db.test"])).await;
        bench
    }

    /// Makes the server show this certificate from now on.
    async fn show(&self, leaf: &Leaf) {
        let dir = &self.server.program.dir;
        write(&dir.join("server.crt"), &leaf.cert);
        write(&dir.join("server.key"), &leaf.key);
        let shown = dir.display();
        self.server
            .run_sql(&format!(
                "ALTER SYSTEM SET ssl = on;\nALTER SYSTEM SET ssl_cert_file = '{shown}/server.crt';\n\
                ALTER SYSTEM SET ssl_key_file = '{shown}/server.key';\nALTER SYSTEM SET ssl_ca_file = '{shown}/ca.crt';\nSELECT pg_reload_conf()"
            ))
            .await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }

    /// `db.test` at 127.0.0.1, user app with the right password, and what is given.
    fn info(&self, more: &str) -> ConnInfo {
        let text = format!(
            "host=db.test hostaddr=127.0.0.1 port={} user=app password=right-password dbname=postgres {more}",
            self.server.port
        );
        ConnInfo::parse(&text).unwrap()
    }

    fn trusting(&self, more: &str) -> ConnInfo {
        self.info(&format!("sslrootcert='{}' {more}", self.authority.pem))
    }

    /// Whether TLS is on in the session.
    async fn succeeds(&self, info: &ConnInfo) -> bool {
        let session = pg::connect(info).await.unwrap_or_else(|e| panic!("{info:?}: {e:?}"));
        let on = value(&session, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").await == "t";
        let said = session.protection();
        assert_eq!((said.encrypted, said.mode), (on, info.ssl_mode()), "{info:?}");
        assert_eq!(said.host_verified, on && info.ssl_mode().name() == "verify-full", "{info:?}");
        on
    }

    async fn fails(&self, info: &ConnInfo, kind: Kind, part: &str) -> Error {
        let Err(e) = pg::connect(info).await else { panic!("{info:?} succeeded") };
        assert_eq!(e.kind(), kind, "{e:?}");
        assert!(e.to_string().contains(part), "\"{e}\" lacks \"{part}\"");
        assert!(!format!("{e:?}").contains("password\""), "{e:?}");
        for secret in ["right-password", "wrong-password"] {
            assert!(!format!("{e:?} {info:?}").contains(secret));
        }
        e
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_and_logins() {
    let b = Bench::start().await;
    modes(&b).await;
    logins(&b).await;
    client_certificates(&b).await;
    odd_certificates(&b).await;
    without_tls(&b).await;
}

async fn modes(b: &Bench) {
    assert!(b.succeeds(&b.trusting("sslmode=verify-full")).await);
    assert!(b.succeeds(&b.trusting("sslmode=verify-full sslnegotiation=direct")).await);
    assert!(b.succeeds(&b.trusting("sslmode=verify-full sslsni=0 ssl_max_protocol_version=TLSv1.2")).await);
    assert!(b.succeeds(&b.trusting("sslmode=verify-full ssl_min_protocol_version=TLSv1.3")).await);
    assert!(b.succeeds(&b.trusting("sslmode=verify-ca host=other.test")).await);
    assert!(
        b.succeeds(&b.trusting("sslmode=require host=other.test")).await,
        "require with a root is verify-ca"
    );
    for mode in ["require", "prefer", "allow"] {
        assert!(b.succeeds(&b.info(&format!("sslmode={mode}"))).await, "{mode}");
    }
    b.fails(&b.trusting("sslmode=verify-full host=other.test"), Kind::Tls, "db.test, not other.test").await;
    let unknown = Authority::new("another authority").pem;
    for mode in ["require", "verify-ca", "verify-full"] {
        let info = b.info(&format!("sslmode={mode} sslrootcert='{unknown}'"));
        b.fails(&info, Kind::Tls, "issuer of the server's certificate is not trusted").await;
    }
    b.fails(&b.info("sslmode=verify-full"), Kind::Tls, "sslrootcert").await;
    let in_file = b.server.program.dir.join("ca.crt");
    assert!(b.succeeds(&b.info(&format!("sslmode=verify-full sslrootcert={}", in_file.display()))).await);
    b.fails(&b.info("sslmode=disable"), Kind::Authentication, "no pg_hba.conf entry").await;
    assert!(!b.succeeds(&b.info("sslmode=disable user=open")).await);
    assert!(!b.succeeds(&b.info("sslmode=allow user=open")).await);
    let session = pg::connect(&b.trusting("sslmode=verify-full")).await.unwrap();
    let (asleep, _) = tokio::join!(session.batch_execute("SELECT pg_sleep(60)"), async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        session.cancel().await.unwrap();
    });
    assert_eq!(asleep.unwrap_err().code().unwrap().code(), "57014");
}

async fn logins(b: &Bench) {
    let full = "sslmode=verify-full";
    assert!(b.succeeds(&b.trusting(&format!("{full} channel_binding=require"))).await);
    assert!(b.succeeds(&b.trusting(&format!("{full} channel_binding=disable"))).await);
    assert!(b.succeeds(&b.trusting(&format!("{full} user=md5"))).await);
    for user in ["md5", "trusted"] {
        let info = b.trusting(&format!("{full} channel_binding=require user={user}"));
        b.fails(&info, Kind::Authentication, "channel binding").await;
    }
    let wrong = b.trusting(full).with_password(Secret::new("wrong-password"));
    b.fails(&wrong, Kind::Authentication, "refused the password of user \"app\"").await;
    b.fails(&b.trusting(&format!("{full} user=nobody")), Kind::Authentication, "\"nobody\"").await;
    b.fails(&b.trusting(&format!("{full} password=''")), Kind::Authentication, "none is given").await;
    let missing = b.trusting(full).with_database("no such");
    b.fails(&missing, Kind::NotFound, "database \"no such\" does not exist on db.test:").await;
    let one = b.trusting(&format!("{full} user=one"));
    let first = pg::connect(&one).await.unwrap();
    let e = b.fails(&one, Kind::Unreachable, "no connection to spare").await;
    assert!(e.kind().retryable());
    first.close().await;
}

async fn client_certificates(b: &Bench) {
    let with = |leaf: &Leaf| {
        b.trusting(&format!(
            "sslmode=verify-full user=certified sslcert='{}' sslkey='{}'",
            leaf.cert, leaf.key
        ))
    };
    assert!(b.succeeds(&with(&b.authority.client("certified"))).await);
    b.fails(&with(&b.authority.client("somebody")), Kind::Authentication, "certified").await;
    b.fails(&with(&Authority::new("another").client("certified")), Kind::Tls, "sslcert").await;
    b.fails(&b.trusting("sslmode=verify-full user=certified"), Kind::Authentication, "certificate").await;
    let (one, other) = (b.authority.client("certified"), b.authority.client("certified"));
    let mixed = Leaf { cert: one.cert, key: other.key };
    b.fails(&with(&mixed), Kind::Tls, "belong together").await;
}

async fn odd_certificates(b: &Bench) {
    b.show(&b.authority.expired(&["db.test"])).await;
    b.fails(&b.trusting("sslmode=verify-full"), Kind::Tls, "expired").await;
    assert!(b.succeeds(&b.info("sslmode=require")).await, "require looks at no certificate");
    b.show(&b.authority.server(&[])).await;
    b.fails(&b.trusting("sslmode=verify-full"), Kind::Tls, "no name in its subjectAltName").await;
    let own = self_signed(&["db.test"]);
    b.show(&own).await;
    let pinned = |more: &str| b.info(&format!("sslrootcert='{}' {more}", own.cert));
    assert!(b.succeeds(&pinned("sslmode=verify-full")).await);
    b.fails(&pinned("sslmode=verify-full host=other.test"), Kind::Tls, "other.test").await;
    b.fails(&b.trusting("sslmode=verify-full"), Kind::Tls, "certificate").await;
}

async fn without_tls(b: &Bench) {
    b.server.run_sql("ALTER SYSTEM SET ssl = off;\nSELECT pg_reload_conf()").await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    for mode in ["require", "verify-ca", "verify-full"] {
        b.fails(&b.trusting(&format!("sslmode={mode} user=open")), Kind::Tls, "does not offer TLS").await;
    }
    assert!(!b.succeeds(&b.info("sslmode=prefer user=open")).await);
    b.fails(
        &b.info("sslmode=prefer user=open channel_binding=require"),
        Kind::Authentication,
        "channel binding",
    )
    .await;
}
