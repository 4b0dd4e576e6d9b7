//! What core brings into a host: no socket, no TLS, no runtime, and nothing that is not on this list.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeSet;
use std::process::Command;

/// Crates of the normal dependency graph, features `std` on. A new one is a decision, made here.
const ALLOWED: &[&str] = &[
    "aead",
    "aes",
    "aes-gcm",
    "base64",
    "bitflags",
    "block-buffer",
    "bytes",
    "cfg-if",
    "cipher",
    "cpufeatures",
    "crc",
    "crc32c",
    "crc-catalog",
    "crypto-common",
    "ctr",
    "digest",
    "generic-array",
    "ghash",
    "hmac",
    "inout",
    "itoa",
    "linux-raw-sys",
    "md-5",
    "memchr",
    "opaque-debug",
    "polyval",
    "proc-macro2",
    "quote",
    "serde",
    "serde_core",
    "serde_derive",
    "serde_json",
    "rustc_version",
    "rustix",
    "semver",
    "sha1",
    "sha2",
    "subtle",
    "syn",
    "thiserror",
    "thiserror-impl",
    "typenum",
    "unicode-ident",
    "universal-hash",
    "version_check",
    "vigie",
    "zmij",
];

#[test]
fn the_graph_is_what_it_says() {
    let out = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--offline",
            "-p",
            "vigie",
            "-e",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).unwrap();
    let found: BTreeSet<&str> =
        text.lines().filter_map(|l| l.split(' ').next()).filter(|n| !n.is_empty()).collect();
    let extra: Vec<_> = found.iter().filter(|n| !ALLOWED.contains(n)).collect();
    assert!(extra.is_empty(), "not on the list: {extra:?}");
}
