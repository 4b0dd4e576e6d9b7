//! TLS to a camera and from a viewer: whom to trust, and who we are.

mod asked;
mod fingerprint;
mod server;
mod verify;

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::error::{Error, Kind};
use crate::tcp::Tcp;

pub(crate) use asked::Asked;
pub use fingerprint::Fingerprint;
pub use server::ServerTls;
pub use verify::Distrust;
pub(crate) use verify::failure;

use verify::{Trust, Verifier};

/// How to know a camera by its certificate, and how it may know us. Cheap to clone; give the same one to all cameras of
/// a site.
///
/// TLS 1.2 and 1.3 are spoken, with forward secrecy only. `Debug` shows no key.
#[derive(Clone)]
pub struct Tls {
    trust: Trust,
    identity: Option<Arc<Identity>>,
    config: Arc<ClientConfig>,
}

/// A certificate chain and its key.
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    fn parse(chain: &[u8], key: &[u8]) -> Result<Self, Error> {
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| Kind::Identity)?;
        Ok(Self { chain: certificates(chain)?, key })
    }
}

impl Tls {
    /// Trusts whom the system trusts. Few cameras have a certificate of such an authority: see
    /// [`pinned`](Self::pinned).
    ///
    /// # Errors
    /// [`Kind::NoAuthorities`].
    pub fn system() -> Result<Self, Error> {
        static SYSTEM: OnceLock<Option<Trust>> = OnceLock::new();
        let trust = SYSTEM.get_or_init(|| {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            authorities(roots).ok()
        });
        Self::build(trust.clone().ok_or(Kind::NoAuthorities)?, None)
    }

    /// Trusts the authorities whose certificates stand in `pem`, and no others. The name or address that is dialled
    /// must stand in the camera's certificate.
    ///
    /// # Errors
    /// [`Kind::Identity`].
    pub fn authorities(pem: &[u8]) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(pem)? {
            roots.add(certificate).map_err(|_| Kind::Identity)?;
        }
        Self::build(authorities(roots)?, None)
    }

    /// Trusts the certificates with these fingerprints, whoever signed them and whatever name and dates they bear, and
    /// no others. For the self-signed certificates that cameras make for themselves; more than one while a certificate
    /// is renewed.
    ///
    /// # Errors
    /// [`Kind::NotAFingerprint`] where none is given.
    pub fn pinned(fingerprints: &[Fingerprint]) -> Result<Self, Error> {
        if fingerprints.is_empty() {
            return Err(Kind::NotAFingerprint.into());
        }
        Self::build(Trust::Pinned(fingerprints.into()), None)
    }

    /// Trusts anybody: what is sent is hidden from those who listen, and not from those who stand between.
    ///
    /// # Errors
    /// None is known.
    pub fn unverified() -> Result<Self, Error> {
        Self::build(Trust::Anybody, None)
    }

    /// Shows this certificate to a camera that asks for one: its chain, the certificate itself first, and its key, both
    /// PEM.
    ///
    /// # Errors
    /// [`Kind::Identity`].
    pub fn with_identity(self, chain: &[u8], key: &[u8]) -> Result<Self, Error> {
        Self::build(self.trust, Some(Arc::new(Identity::parse(chain, key)?)))
    }

    fn build(trust: Trust, identity: Option<Arc<Identity>>) -> Result<Self, Error> {
        let config = Arc::new(config(&trust, identity.as_deref())?);
        Ok(Self { trust, identity, config })
    }

    /// The handshake; and whether the camera asked who we are.
    pub(crate) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<(tokio_rustls::client::TlsStream<Tcp>, Asked), Error> {
        // A zone (`fe80::1%eth0`) is no part of the address that a certificate names.
        let host = host.split('%').next().unwrap_or_default().to_owned();
        let name = ServerName::try_from(host).map_err(|_| Kind::NoSuchHost)?;
        let (asked, mut config) = (Asked::default(), ClientConfig::clone(&self.config));
        let inner = Arc::clone(&config.client_auth_cert_resolver);
        config.client_auth_cert_resolver = Arc::new(asked::Resolver { inner, asked: asked.clone() });
        match TlsConnector::from(Arc::new(config)).connect(name, stream.into()).await {
            Ok(stream) => Ok((stream, asked)),
            Err(error) => Err(failure(&asked.explain(error)).into()),
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("trust", &self.trust).field("identity", &self.identity.is_some()).finish()
    }
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(ring::default_provider())))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    read.ok().filter(|found| !found.is_empty()).ok_or(Kind::Identity.into())
}

fn authorities(roots: RootCertStore) -> Result<Trust, Error> {
    let built = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
    Ok(Trust::Authorities(built.map_err(|_| Kind::NoAuthorities)?))
}

fn config(trust: &Trust, identity: Option<&Identity>) -> Result<ClientConfig, Error> {
    let verifier = Arc::new(Verifier { trust: trust.clone(), provider: provider() });
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|_| Kind::Handshake)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    match identity {
        None => Ok(builder.with_no_client_auth()),
        Some(Identity { chain, key }) => {
            builder.with_client_auth_cert(chain.clone(), key.clone_key()).map_err(|_| Kind::Identity.into())
        }
    }
}
