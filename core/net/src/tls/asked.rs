//! Did the camera ask who we are? Some end the connection without a word (GnuTLS, and so GStreamer) where the answer does
//! not please them, and then nothing else tells why.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;

use crate::error::{Error, Kind};

/// Of one connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked(Arc<AtomicBool>);

impl Asked {
    /// What an error means before the camera said anything: its own where it has one, else that we were not welcome.
    pub(crate) fn explain(&self, error: io::Error) -> io::Error {
        let told = error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>() || inner.is::<Error>());
        if !told && self.0.load(Ordering::Relaxed) { unwelcome() } else { error }
    }

    /// The same of an end without an error.
    pub(crate) fn end(&self) -> io::Result<()> {
        if self.0.load(Ordering::Relaxed) { Err(unwelcome()) } else { Ok(()) }
    }
}

fn unwelcome() -> io::Error {
    io::Error::other(Error::from(Kind::ClientCertificate))
}

/// Answers as `inner` does, and keeps in mind that it was asked.
#[derive(Debug)]
pub(super) struct Resolver {
    pub(super) inner: Arc<dyn ResolvesClientCert>,
    pub(super) asked: Asked,
}

impl ResolvesClientCert for Resolver {
    fn resolve(&self, authorities: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.0.store(true, Ordering::Relaxed);
        self.inner.resolve(authorities, schemes)
    }

    fn has_certs(&self) -> bool {
        self.inner.has_certs()
    }
}
