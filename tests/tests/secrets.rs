//! Secrets by reference, from the stand-ins of Secrets Manager and SSM.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use pgbaton::{base::Kind, jobs::secrets};
use pgbaton_tests::tables::{aws, aws_at};

fn name() -> String {
    let mut suffix = [0u8; 6];
    getrandom::fill(&mut suffix).unwrap();
    format!("pgbaton-test/{}", hex::encode(suffix))
}

#[tokio::test]
async fn a_secret_is_read_by_arn_and_by_name_and_anew_each_time() {
    let aws = aws().await;
    let client = aws_sdk_secretsmanager::Client::new(&aws);
    let name = name();
    let made = client.create_secret().name(&name).secret_string("first").send().await.unwrap();
    let arn = made.arn.unwrap();
    assert_eq!(secrets::read(&arn, &aws).await.unwrap().expose(), "first");
    client.put_secret_value().secret_id(&name).secret_string("second").send().await.unwrap();
    assert_eq!(secrets::read(&name, &aws).await.unwrap().expose(), "second");
}

#[tokio::test]
async fn a_parameter_is_read_decrypted_by_name_and_by_arn() {
    let aws = aws().await;
    let client = aws_sdk_ssm::Client::new(&aws);
    let name = format!("/{}", name());
    let secure = aws_sdk_ssm::types::ParameterType::SecureString;
    client.put_parameter().name(&name).value("hidden").r#type(secure).send().await.unwrap();
    assert_eq!(secrets::read(&name, &aws).await.unwrap().expose(), "hidden");
    let got = client.get_parameter().name(&name).send().await.unwrap();
    let arn = got.parameter.unwrap().arn.unwrap();
    assert_eq!(secrets::read(&arn, &aws).await.unwrap().expose(), "hidden");
}

#[tokio::test]
async fn errors_name_the_reference_and_not_the_value() {
    let aws = aws().await;
    for missing in ["pgbaton-test/no-such-secret", "/pgbaton-test/no-such-parameter"] {
        let error = secrets::read(missing, &aws).await.unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound, "{error:?}");
        assert!(error.to_string().contains(missing), "{error}");
    }
    let client = aws_sdk_secretsmanager::Client::new(&aws);
    let name = name();
    client.create_secret().name(&name).secret_string("  ").send().await.unwrap();
    let error = secrets::read(&name, &aws).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Config, "{error:?}");
    let error = secrets::read("postgresql://u:hunter2@h/d", &aws).await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    let cut_off = aws_at("http://127.0.0.1:9").await;
    let error = secrets::read(&name, &cut_off).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable, "{error:?}");
}
