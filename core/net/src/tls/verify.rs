//! The check of a camera's certificate, and what TLS says when it fails.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    AlertDescription as Alert, CertificateError, DigitallySignedStruct, OtherError, SignatureScheme,
};

use super::Fingerprint;
use crate::error::{Error, Kind};

/// Why a certificate is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Distrust {
    /// No authority that is trusted has signed it: self-signed, most often.
    #[error("no trusted authority signed the certificate")]
    Issuer,
    /// It is not for the name or address that was dialled.
    #[error("the certificate is for another name")]
    Name,
    /// Its time is over, or not yet come; or a clock is wrong.
    #[error("the certificate is out of date")]
    Date,
    /// It breaks another rule.
    #[error("the certificate breaks the rules")]
    Rules,
}

/// Who is trusted.
#[derive(Clone)]
pub(super) enum Trust {
    Authorities(Arc<WebPkiServerVerifier>),
    Pinned(Arc<[Fingerprint]>),
    Anybody,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authorities(_) => f.write_str("Authorities"),
            Self::Pinned(pinned) => f.debug_tuple("Pinned").field(pinned).finish(),
            Self::Anybody => f.write_str("Anybody"),
        }
    }
}

/// Says no in our words.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) trust: Trust,
    pub(super) provider: Arc<CryptoProvider>,
}

/// Our words, on their way through rustls.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refusal(Kind);

fn refusal(kind: Kind) -> rustls::Error {
    CertificateError::Other(OtherError(Arc::new(Refusal(kind)))).into()
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let found = Fingerprint::of(end_entity);
        match &self.trust {
            Trust::Authorities(verifier) => verifier
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .map_err(|error| refusal(Kind::Certificate { why: distrust(&error), found })),
            Trust::Pinned(pinned) => match pinned.first() {
                Some(expected) if !pinned.contains(&found) => {
                    Err(refusal(Kind::CertificateChanged { expected: *expected, found }))
                }
                Some(_) => Ok(ServerCertVerified::assertion()),
                None => Err(refusal(Kind::Certificate { why: Distrust::Issuer, found })),
            },
            Trust::Anybody => Ok(ServerCertVerified::assertion()),
        }
    }

    // Whoever is trusted must hold the certificate's key: a certificate is no secret.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn distrust(error: &rustls::Error) -> Distrust {
    use CertificateError as C;
    match error {
        rustls::Error::InvalidCertificate(why) => match why {
            C::UnknownIssuer | C::BadSignature => Distrust::Issuer,
            C::NotValidForName | C::NotValidForNameContext { .. } => Distrust::Name,
            C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. } => {
                Distrust::Date
            }
            _ => Distrust::Rules,
        },
        _ => Distrust::Rules,
    }
}

/// What an error of a TLS stream means. One that is not of TLS is the socket's.
pub(crate) fn failure(error: &io::Error) -> Kind {
    let inner = error.get_ref();
    // A tunnel that was refused says so by a read that fails.
    if let Some(ours) = inner.and_then(|inner| inner.downcast_ref::<Error>()) {
        return ours.kind;
    }
    match inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(other)))) => {
            other.downcast_ref::<Refusal>().map_or(Kind::Handshake, |refusal| refusal.0)
        }
        Some(rustls::Error::InvalidMessage(_)) => Kind::NotTls,
        Some(rustls::Error::AlertReceived(alert)) => match alert {
            Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnknownCA
            | Alert::UnsupportedCertificate
            | Alert::CertificateExpired
            | Alert::CertificateRevoked
            | Alert::CertificateUnknown
            // RFC 8446 §6.2: a signature that cannot be verified, and the only ones that we make are the certificate's.
            | Alert::DecryptError
            | Alert::AccessDenied => Kind::ClientCertificate,
            _ => Kind::Handshake,
        },
        Some(_) => Kind::Handshake,
        None => match error.kind() {
            // Closed in the middle of the handshake: nothing in common, and too rude to say so.
            io::ErrorKind::UnexpectedEof => Kind::Handshake,
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::WriteZero
            | io::ErrorKind::TimedOut => Kind::Broken,
            kind => Kind::Socket(kind),
        },
    }
}
