//! TLS by rustls, with the crypto provider passed explicitly (aws-lc-rs, as the AWS SDK has it).
//!
//! Trusted by default: the platform's roots, and those of Amazon RDS, which no platform has (`rds-roots.pem`). With `sslrootcert` only
//! what it names, as in libpq.

use std::sync::{Arc, OnceLock};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::{CryptoProvider, aws_lc_rs},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::base::{Error, Kind, Result};

use super::{
    conn_info::{ConnInfo, Pem, RootCert, SslMode},
    verifier::{Check, Verifier},
};

const RDS_ROOTS: &[u8] = include_bytes!("rds-roots.pem");

/// The TLS client for `info`; one serves every connection to it. Reads the files that `sslrootcert`, `sslcert` and `sslkey` name.
///
/// # Errors
/// [`Kind::Tls`] naming the parameter whose certificates or key cannot be read.
pub(super) fn connector(info: &ConnInfo) -> Result<MakeRustlsConnect> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let tls = &info.tls;
    let versions: &[&rustls::SupportedProtocolVersion] = match tls.versions {
        (true, _) => &[&rustls::version::TLS13],
        (_, true) => &[&rustls::version::TLS12],
        _ => &[&rustls::version::TLS13, &rustls::version::TLS12],
    };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(|e| Error::with_source(Kind::Tls, "the TLS versions asked for cannot be used", e))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier(info, &provider)?));
    let mut config = match &tls.client {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => {
            let chain = certificates("sslcert", cert)?;
            let key = PrivateKeyDer::from_pem_slice(&read("sslkey", key)?).map_err(|e| {
                Error::with_source(Kind::Tls, "sslkey holds no unencrypted private key in PEM form", e)
            })?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|e| Error::with_source(Kind::Tls, "sslcert and sslkey do not belong together", e))?
        }
    };
    config.enable_sni = tls.sni;
    // PostgreSQL 17 demands it for direct negotiation; servers before 17 do not look at it.
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(MakeRustlsConnect::new(config))
}

fn verifier(info: &ConnInfo, provider: &CryptoProvider) -> Result<Verifier> {
    let check = match info.tls.mode {
        SslMode::VerifyFull => Check::ChainAndName,
        _ if info.verifies_ca() => Check::Chain,
        _ => Check::Nothing,
    };
    let (roots, given) = match (&info.tls.root, check) {
        (_, Check::Nothing) => (Arc::new(RootCertStore::empty()), Vec::new()),
        (RootCert::Given(pem), _) => {
            let given = certificates("sslrootcert", pem)?;
            let mut roots = RootCertStore::empty();
            for cert in &given {
                roots.add(cert.clone()).map_err(|e| {
                    Error::with_source(Kind::Tls, "sslrootcert holds a certificate that cannot be used", e)
                })?;
            }
            (Arc::new(roots), given)
        }
        (RootCert::System, _) => (platform_roots(), Vec::new()),
        (RootCert::Default, _) => (default_roots(), Vec::new()),
    };
    Ok(Verifier::new(check, roots, given, provider.signature_verification_algorithms))
}

/// Read once for each process: some 150 certificates.
fn platform_roots() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    Arc::clone(ROOTS.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "some of the platform's root certificates cannot be read");
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        Arc::new(roots)
    }))
}

fn default_roots() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    Arc::clone(ROOTS.get_or_init(|| {
        let mut roots = RootCertStore { roots: platform_roots().roots.clone() };
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(RDS_ROOTS).filter_map(Result::ok));
        Arc::new(roots)
    }))
}

fn certificates(parameter: &'static str, pem: &Pem) -> Result<Vec<CertificateDer<'static>>> {
    let text = read(parameter, pem)?;
    let certs: Vec<_> = CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().map_err(|e| {
        Error::with_source(Kind::Tls, format!("{parameter} holds a certificate that is not PEM"), e)
    })?;
    if certs.is_empty() {
        return Err(Error::new(Kind::Tls, format!("{parameter} holds no certificate in PEM form")));
    }
    Ok(certs)
}

fn read(parameter: &'static str, pem: &Pem) -> Result<Vec<u8>> {
    match pem {
        Pem::Inline(text) => Ok(text.expose().as_bytes().to_vec()),
        Pem::Path(path) => std::fs::read(path).map_err(|e| {
            let message = format!("{parameter}: the file {} cannot be read: {}", path.display(), e.kind());
            Error::with_source(Kind::Tls, message, e)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rds_root_parses_and_can_be_trusted() {
        let mut roots = RootCertStore::empty();
        let mut count = 0;
        for cert in CertificateDer::pem_slice_iter(RDS_ROOTS) {
            roots.add(cert.unwrap()).unwrap();
            count += 1;
        }
        assert_eq!(count, RDS_ROOTS.split(|c| *c == b'\n').filter(|l| l.starts_with(b"-----BEGIN")).count());
        assert!(count > 60, "{count}");
        assert!(default_roots().len() >= count);
    }

    #[test]
    fn a_missing_file_is_named() {
        let c = ConnInfo::parse("host=h user=u sslrootcert=/no/such/ca.pem").unwrap();
        let e = connector(&c).err().unwrap();
        assert_eq!(e.kind(), Kind::Tls);
        assert!(e.to_string().contains("sslrootcert") && e.to_string().contains("/no/such/ca.pem"), "{e}");
        let c = ConnInfo::parse("host=h user=u sslrootcert='-----BEGIN nothing'").unwrap();
        assert_eq!(connector(&c).err().unwrap().kind(), Kind::Tls);
    }
}
