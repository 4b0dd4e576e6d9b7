//! TLS from viewers.

use std::fmt;
use std::sync::Arc;

use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::{Identity, certificates, failure, provider};
use crate::error::{Error, Kind};
use crate::tcp::Tcp;

/// Who a server is, and whether its clients must show a certificate. Cheap to clone. `Debug` shows no key.
#[derive(Clone)]
pub struct ServerTls {
    identity: Arc<Identity>,
    config: Arc<ServerConfig>,
}

impl ServerTls {
    /// With a certificate's chain, the certificate itself first, and its key, both PEM.
    ///
    /// # Errors
    /// [`Kind::Identity`].
    pub fn new(chain: &[u8], key: &[u8]) -> Result<Self, Error> {
        Self::build(Arc::new(Identity::parse(chain, key)?), None)
    }

    /// Lets in only clients with a certificate of one of the authorities in `pem`.
    ///
    /// # Errors
    /// [`Kind::Identity`].
    pub fn with_client_authorities(self, pem: &[u8]) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(pem)? {
            roots.add(certificate).map_err(|_| Kind::Identity)?;
        }
        Self::build(self.identity, Some(roots))
    }

    fn build(identity: Arc<Identity>, clients: Option<RootCertStore>) -> Result<Self, Error> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|_| Kind::Handshake)?;
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(roots) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
                builder.with_client_cert_verifier(verifier.build().map_err(|_| Kind::Identity)?)
            }
        };
        let config = builder
            .with_single_cert(identity.chain.clone(), identity.key.clone_key())
            .map_err(|_| Kind::Identity)?;
        Ok(Self { identity, config: Arc::new(config) })
    }

    /// The handshake.
    pub(crate) async fn accept(
        &self,
        stream: TcpStream,
    ) -> Result<tokio_rustls::server::TlsStream<Tcp>, Error> {
        let accepting = TlsAcceptor::from(Arc::clone(&self.config)).accept(stream.into());
        accepting.await.map_err(|error| failure(&error).into())
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").finish_non_exhaustive()
    }
}
