//! RTSP over TLS: whom a camera is taken for, both ends over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use std::sync::Arc;

use common::{assert_shown, serve, why};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio_rustls::TlsAcceptor;
use vigie_net::{Cause, Distrust, DoorOptions, Event, Fingerprint, Kind, Options, ServerTls, Tls};

/// A certificate and its key, PEM, and what identifies it.
struct Made {
    certificate: String,
    key: String,
    fingerprint: Fingerprint,
}

fn made(certificate: &rcgen::Certificate, key: &KeyPair) -> Made {
    let fingerprint = Fingerprint::of(certificate.der());
    Made { certificate: certificate.pem(), key: key.serialize_pem(), fingerprint }
}

fn self_signed(name: &str) -> Made {
    let key = KeyPair::generate().unwrap();
    made(&CertificateParams::new([name.to_owned()]).unwrap().self_signed(&key).unwrap(), &key)
}

/// An authority: its certificate, PEM, and what it signs for these names.
struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().pem();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    fn sign(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Made {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        made(&params.signed_by(&key, &self.issuer).unwrap(), &key)
    }
}

fn tls(made: &Made) -> ServerTls {
    ServerTls::new(made.certificate.as_bytes(), made.key.as_bytes()).unwrap()
}

/// The port of a server with this certificate.
async fn with(tls: ServerTls) -> u16 {
    let mut options = DoorOptions::default();
    options.tls = Some(tls);
    serve(options).await.port()
}

fn trusting(tls: Tls) -> impl FnOnce(&mut Options) {
    move |options| options.tls = Some(tls)
}

#[tokio::test]
async fn the_pinned_certificate_is_good_under_any_name_and_a_changed_one_is_not() {
    let (was, is) = (self_signed("camera.example"), self_signed("camera.example"));
    let port = with(tls(&is)).await;
    let url = format!("rtsps://u:s3cr3t@127.0.0.1:{port}/clip");
    let events = assert_shown(&url, trusting(Tls::pinned(&[was.fingerprint, is.fingerprint]).unwrap())).await;
    let shown = events.iter().find_map(|event| match event {
        Event::Connected { certificate, .. } => *certificate,
        _ => None,
    });
    assert_eq!(shown, Some(is.fingerprint));

    let error = why(&url, trusting(Tls::pinned(&[was.fingerprint]).unwrap())).await;
    assert_eq!(error.kind, Kind::CertificateChanged { expected: was.fingerprint, found: is.fingerprint });
    let said = error.to_string();
    assert!(
        said.contains(&was.fingerprint.to_string()) && said.contains(&is.fingerprint.to_string()),
        "{said}"
    );
    assert!(Tls::pinned(&[]).is_err());
}

#[tokio::test]
async fn nobody_is_trusted_unless_somebody_says_so() {
    let is = self_signed("127.0.0.1");
    let url = format!("rtsps://127.0.0.1:{}/clip", with(tls(&is)).await);
    let distrusted = Kind::Certificate { why: Distrust::Issuer, found: is.fingerprint };
    // By default, and with an authority that did not sign it.
    match why(&url, |_| {}).await.kind {
        // A machine without any authorities trusts nobody either.
        Kind::NoAuthorities => {}
        kind => assert_eq!(kind, distrusted),
    }
    let other = Tls::authorities(Authority::new().certificate.as_bytes()).unwrap();
    assert_eq!(why(&url, trusting(other)).await.kind, distrusted);
    assert_shown(&url, trusting(Tls::unverified().unwrap())).await;
}

#[tokio::test]
async fn an_authority_vouches_for_names_and_dates() {
    let authority = Authority::new();
    let trust = || trusting(Tls::authorities(authority.certificate.as_bytes()).unwrap());
    let good = authority.sign("127.0.0.1", |_| {});
    let port = with(tls(&good)).await;
    assert_shown(&format!("rtsps://127.0.0.1:{port}/clip"), trust()).await;
    let error = why(&format!("rtsps://localhost:{port}/clip"), trust()).await;
    assert_eq!(error.kind, Kind::Certificate { why: Distrust::Name, found: good.fingerprint });

    let old = authority.sign("127.0.0.1", |params| params.not_after = date_time_ymd(2020, 1, 1));
    let error = why(&format!("rtsps://127.0.0.1:{}/clip", with(tls(&old)).await), trust()).await;
    assert_eq!(error.kind, Kind::Certificate { why: Distrust::Date, found: old.fingerprint });
}

#[tokio::test]
async fn a_camera_may_ask_who_we_are() {
    let (is, clients) = (self_signed("127.0.0.1"), Authority::new());
    let port = with(tls(&is).with_client_authorities(clients.certificate.as_bytes()).unwrap()).await;
    let url = format!("rtsps://127.0.0.1:{port}/clip");
    let pinned = || Tls::pinned(&[is.fingerprint]).unwrap();
    let known = clients.sign("vigie", |_| {});
    let stranger = Authority::new().sign("vigie", |_| {});
    for (who, welcome) in [(None, false), (Some(&stranger), false), (Some(&known), true)] {
        let tls = match who {
            None => pinned(),
            Some(m) => pinned().with_identity(m.certificate.as_bytes(), m.key.as_bytes()).unwrap(),
        };
        let shown = format!("{tls:?}");
        assert!(!shown.contains("PRIVATE") && shown.len() < 400, "{shown}");
        if welcome {
            assert_shown(&url, trusting(tls)).await;
        } else {
            let error = why(&url, trusting(tls)).await;
            assert_eq!((error.kind, error.cause), (Kind::ClientCertificate, Cause::Authentication));
        }
    }
    let mixed = pinned().with_identity(known.certificate.as_bytes(), stranger.key.as_bytes());
    assert_eq!(mixed.unwrap_err().kind, Kind::Identity);
    assert_eq!(Tls::authorities(b"not PEM").unwrap_err().kind, Kind::Identity);
}

/// The port of a server that is silent behind the handshake and hangs up; in it, it may ask who we are.
async fn hangs_up(made: &Made, clients: Option<&Authority>) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(clients.certificate.as_bytes()).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.allow_unauthenticated().build().unwrap())
        }
    };
    let chain = vec![CertificateDer::from_pem_slice(made.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(made.key.as_bytes()).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).unwrap()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        drop(acceptor.accept(tcp).await.unwrap());
    });
    port
}

#[tokio::test]
async fn who_asks_who_we_are_and_hangs_up_does_not_like_the_answer() {
    let (is, clients) = (self_signed("127.0.0.1"), Authority::new());
    let url = format!("rtsps://127.0.0.1:{}/clip", hangs_up(&is, Some(&clients)).await);
    let error = why(&url, trusting(Tls::unverified().unwrap())).await;
    assert_eq!((error.kind, error.cause), (Kind::ClientCertificate, Cause::Authentication));
    // One that did not ask has another reason.
    let url = format!("rtsps://127.0.0.1:{}/clip", hangs_up(&is, None).await);
    let error = why(&url, trusting(Tls::unverified().unwrap())).await;
    assert!(matches!(error.kind, Kind::Session(_) | Kind::Broken), "{error:?}");
}

#[tokio::test]
async fn a_port_without_tls_is_told() {
    let port = serve(DoorOptions::default()).await.port();
    let error = why(&format!("rtsps://127.0.0.1:{port}/clip"), trusting(Tls::unverified().unwrap())).await;
    // Our own server closes where it has no TLS; others answer in the clear.
    assert!(matches!(error.kind, Kind::Handshake | Kind::Broken), "{error:?}");

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        let (mut tcp, _) = listener.accept().await.unwrap();
        tcp.write_all(b"RTSP/1.0 400 Bad Request\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    let error = why(&format!("rtsps://127.0.0.1:{port}/clip"), trusting(Tls::unverified().unwrap())).await;
    assert_eq!(error.kind, Kind::NotTls);
}
