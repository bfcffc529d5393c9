//! Certificates for HTTPS: those that the host trusts, and the client's own.

use std::path::{Path, PathBuf};

use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, parse_pem};

use crate::modules::api::{Fail, HostPath, Look};

/// Where distributions keep the certificates that they trust.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The certificates to check servers with: those of `file`, else the host's own.
///
/// # Errors
/// A `file` without certificates.
pub(super) fn roots(host: &dyn Look, file: Option<&HostPath>) -> Result<RootCerts, Fail> {
    if let Some(file) = file {
        let found = certificates(host, &file.on(host));
        if found.is_empty() {
            return Err(Fail::new(format!("there is no certificate in {file}")));
        }
        return Ok(RootCerts::new_with_certs(&found));
    }
    let named = host.env("SSL_CERT_FILE").map(PathBuf::from);
    for path in named.iter().map(PathBuf::as_path).chain(BUNDLES.iter().map(Path::new)) {
        let found = certificates(host, path);
        if !found.is_empty() {
            return Ok(RootCerts::new_with_certs(&found));
        }
    }
    // A host without any certificates still gets the well-known ones.
    Ok(RootCerts::WebPki)
}

fn certificates(host: &dyn Look, path: &Path) -> Vec<Certificate<'static>> {
    let text = host.read(path).ok().flatten().unwrap_or_default();
    let items = parse_pem(&text).filter_map(Result::ok);
    items
        .filter_map(|item| match item {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect()
}

/// The client's own certificate.
///
/// # Errors
/// A file without certificate or key.
pub(super) fn client(host: &dyn Look, cert: &HostPath, key: Option<&HostPath>) -> Result<ClientCert, Fail> {
    let chain = certificates(host, &cert.on(host));
    let path = key.unwrap_or(cert).on(host);
    let text = host.read(&path)?.unwrap_or_default();
    let key = PrivateKey::from_pem(&text)
        .map_err(|_| Fail::new(format!("there is no private key in {}", path.display())))?;
    if chain.is_empty() {
        return Err(Fail::new(format!("there is no certificate in {cert}")));
    }
    Ok(ClientCert::new_with_certs(&chain, key))
}
