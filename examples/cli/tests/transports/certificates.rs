//! Certificates, and their fingerprints, as OpenSSL makes them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::skip;

/// A certificate and its key, in PEM files.
pub(crate) struct Certificate {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// Is OpenSSL there?
pub(crate) fn openssl() -> bool {
    let there = Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_ok();
    if !there {
        skip("VIGIE_REQUIRE_INTEROP", "openssl is not installed");
    }
    there
}

impl Certificate {
    /// Signed by itself.
    pub(crate) fn lone(dir: &Path, name: &str) -> Self {
        Self::request(dir, name, &["-addext", "subjectAltName=IP:127.0.0.1"])
    }

    /// Of an authority.
    pub(crate) fn authority(dir: &Path, name: &str) -> Self {
        Self::request(dir, name, &[])
    }

    /// Signed by this authority.
    pub(crate) fn sign(&self, dir: &Path, name: &str) -> Self {
        let options = ["-CA", self.certificate(), "-CAkey", self.key()];
        let plain =
            ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"];
        Self::request(dir, name, &[options, plain].concat())
    }

    fn request(dir: &Path, name: &str, options: &[&str]) -> Self {
        let made = Self {
            certificate: dir.join(name).with_extension("pem"),
            key: dir.join(name).with_extension("key"),
        };
        let output = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ])
            .args(["-subj", &format!("/CN={name}"), "-out", made.certificate(), "-keyout", made.key()])
            .args(options)
            .output()
            .expect("openssl");
        assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
        made
    }

    pub(crate) fn certificate(&self) -> &str {
        self.certificate.to_str().expect("UTF-8")
    }

    pub(crate) fn key(&self) -> &str {
        self.key.to_str().expect("UTF-8")
    }

    /// `AB:CD:…`, as OpenSSL says it.
    pub(crate) fn fingerprint(&self) -> String {
        let output = Command::new("openssl")
            .args(["x509", "-noout", "-fingerprint", "-sha256", "-in", self.certificate()])
            .output()
            .expect("openssl");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        text.trim().rsplit('=').next().expect("a fingerprint").to_owned()
    }
}
