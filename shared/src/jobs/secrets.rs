//! Secrets by reference: what a configuration, an event or the registry names, read from where it is kept.

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};

use crate::base::{Error, Kind, Result, Secret};

/// Reads the secret that `reference` names: an SSM parameter for an SSM ARN (`arn:…:ssm:…:parameter/…`) or a name that begins
/// with `/`, else a Secrets Manager secret by ARN or name. Reads anew each time: rotation needs no deployment.
///
/// # Errors
/// Each names the reference, never the value: [`Kind::InvalidInput`] when it is empty or looks like a connection string (it
/// is not repeated then), [`Kind::NotFound`], [`Kind::Permission`], [`Kind::Config`] for a secret that is empty or binary,
/// [`Kind::Unreachable`], [`Kind::Aws`].
pub async fn read(reference: &str, aws: &SdkConfig) -> Result<Secret> {
    check_reference(reference)?;
    let value = if is_parameter(reference) {
        let client = aws_sdk_ssm::Client::new(aws);
        let got = client.get_parameter().name(reference).with_decryption(true).send().await;
        let got = got.map_err(|e| fault(e, "ssm:GetParameter", reference))?;
        got.parameter.and_then(|p| p.value)
    } else {
        let client = aws_sdk_secretsmanager::Client::new(aws);
        let got = client.get_secret_value().secret_id(reference).send().await;
        got.map_err(|e| fault(e, "secretsmanager:GetSecretValue", reference))?.secret_string
    };
    match value.filter(|v| !v.trim().is_empty()) {
        Some(value) => Ok(Secret::new(value)),
        None => Err(Error::new(Kind::Config, format!("the secret {reference} holds no text"))),
    }
}

/// Whether text has the form of a reference: an ARN or the name of a secret or parameter. A connection string put in its
/// place by mistake is refused, without repeating it.
///
/// # Errors
/// [`Kind::InvalidInput`].
pub fn check_reference(text: &str) -> Result<()> {
    // The characters of ARNs, Secrets Manager names and SSM names, but "=", which key=value connection strings have.
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_+.@:-".contains(c);
    if (1..=2048).contains(&text.len()) && text.chars().all(plain) && !text.contains("://") {
        return Ok(());
    }
    Err(Error::new(
        Kind::InvalidInput,
        "a secret is named by its ARN, its Secrets Manager name or its SSM name; connection strings are not taken here",
    ))
}

fn is_parameter(reference: &str) -> bool {
    reference.starts_with('/')
        || (reference.starts_with("arn:") && reference.split(':').nth(2) == Some("ssm"))
}

fn fault<E, R>(error: SdkError<E, R>, action: &str, reference: &str) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let (kind, message) = match &error {
        SdkError::ServiceError(service) => match service.err().code().unwrap_or("no code") {
            "ResourceNotFoundException" | "ParameterNotFound" | "ParameterVersionNotFound" => {
                (Kind::NotFound, format!("the secret {reference} does not exist"))
            }
            code @ ("AccessDeniedException"
            | "UnrecognizedClientException"
            | "DecryptionFailure"
            | "InvalidKeyId") => {
                (Kind::Permission, format!("the function's role may not do {action} on {reference} ({code})"))
            }
            code => {
                let text = service.err().message().unwrap_or("");
                (Kind::Aws, format!("{action} on {reference} failed: {code} {text}"))
            }
        },
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) => (
            Kind::Unreachable,
            format!("{action} for {reference} got no answer; check the VPC's endpoints and the region"),
        ),
        _ => (Kind::Aws, format!("{action} on {reference} failed")),
    };
    Error::with_source(kind, message, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_secrets_are_told_apart() {
        assert!(is_parameter("/shop/url"));
        assert!(is_parameter("arn:aws:ssm:eu-central-1:123456789012:parameter/shop/url"));
        assert!(!is_parameter("arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-AbCdEf"));
        assert!(!is_parameter("shop/url"));
    }

    #[test]
    fn a_connection_string_is_no_reference_and_is_not_repeated() {
        for bad in ["postgresql://u:hunter2@h/d", "host=h password=hunter2", "password=hunter2", "", "a b\n"]
        {
            let e = check_reference(bad).unwrap_err();
            assert_eq!(e.kind(), Kind::InvalidInput);
            assert!(!e.to_string().contains("hunter2"));
        }
        assert!(
            check_reference("arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-AbCdEf").is_ok()
        );
    }
}
