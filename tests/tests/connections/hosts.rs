//! Several hosts, hosts that do not answer, and what the server must be.

use std::time::{Duration, Instant};

use pgbaton::{
    base::Kind,
    pg::{self, ConnInfo},
};

use super::server::{Server, free_port, need, value};

async fn fails(text: &str, part: &str) {
    let Err(e) = pg::connect(&ConnInfo::parse(text).unwrap()).await else { panic!("{text} succeeded") };
    assert_eq!(e.kind(), Kind::Unreachable, "{e:?}");
    assert!(e.to_string().contains(part), "\"{e}\" lacks \"{part}\"");
}

#[tokio::test]
async fn hosts_that_do_not_answer_are_named() {
    let dead = free_port();
    fails(
        &format!("host=127.0.0.1 port={dead} user=u"),
        &format!("cannot reach 127.0.0.1:{dead}: connection refused"),
    )
    .await;
    fails("host=/no/such/folder user=u", "cannot reach /no/such/folder:5432").await;
    fails("host=no-such-host.invalid user=u", "the name \"no-such-host.invalid\" cannot be resolved").await;
    // One that accepts and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let start = Instant::now();
    fails(&format!("host=127.0.0.1 port={port} user=u connect_timeout=1"), "no answer within 1 s").await;
    assert!(start.elapsed() < Duration::from_secs(5));
    fails(
        &format!("host=127.0.0.1,127.0.0.1 port={dead},{port} user=u connect_timeout=1"),
        "refused; cannot reach",
    )
    .await;
}

#[tokio::test]
async fn the_next_host_is_taken_and_kept() {
    let live = ConnInfo::parse(&need("PGBATON_TEST_PG_URL")).unwrap();
    let at = &live.hosts()[0];
    let dead = free_port();
    let text = live.to_secret();
    let info = ConnInfo::parse(&format!(
        "{} host='127.0.0.1,{}' hostaddr='' port={dead},{}",
        text.expose(),
        at.to_string().trim_end_matches(&format!(":{}", at.port)),
        at.port
    ))
    .unwrap();
    let session = pg::connect(&info).await.unwrap();
    assert_eq!(session.host().port, at.port);
    assert!(session.version().major() >= 13);
    let again = pg::connect(&session.same_server()).await.unwrap();
    assert_eq!(again.host().port, at.port);
    assert_eq!(value(&again, "SHOW application_name").await, "pgbaton");
    let random =
        ConnInfo::parse(&format!("{} load_balance_hosts=random", info.to_secret().expose())).unwrap();
    for _ in 0..5 {
        assert_eq!(pg::connect(&random).await.unwrap().host().port, at.port);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn target_session_attrs() {
    let hba = "host all all all trust";
    let primary = Server::start("primary", "", hba).await;
    let standby = Server::start("seed", "", hba)
        .await
        .stopped(async |data| Server::standby_of(data, "standby", "", hba).await)
        .await;
    let (p, s) = (primary.port, standby.port);
    let text = |ports: &str, attrs: &str| {
        let hosts = vec!["127.0.0.1"; ports.split(',').count()].join(",");
        format!("host={hosts} port={ports} user=postgres target_session_attrs={attrs}")
    };
    for (ports, attrs, taken) in [
        (format!("{s},{p}"), "any", s),
        (format!("{s},{p}"), "primary", p),
        (format!("{s},{p}"), "read-write", p),
        (format!("{p},{s}"), "standby", s),
        (format!("{p},{s}"), "read-only", s),
        (format!("{p},{s}"), "prefer-standby", s),
        (format!("{p},{p}"), "prefer-standby", p),
    ] {
        let session = pg::connect(&ConnInfo::parse(&text(&ports, attrs)).unwrap()).await.unwrap();
        assert_eq!(session.host().port, taken, "{attrs}");
    }
    fails(&text(&p.to_string(), "standby"), "it is no standby").await;
    fails(&text(&p.to_string(), "read-only"), "it allows writes").await;
    fails(&text(&s.to_string(), "read-write"), "it does not allow writes").await;
    fails(&text(&format!("{s},{s}"), "primary"), "it is a standby; ").await;
    primary.run_sql("ALTER ROLE postgres SET default_transaction_read_only = on").await;
    fails(&text(&p.to_string(), "read-write"), "does not allow writes").await;
}
