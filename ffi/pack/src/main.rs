//! Writes what a C program needs beside the library: the headers, one per noun; what pkg-config and CMake find it by; Debian
//! packages.
//!
//! ```text
//! cargo run -p vigie-ffi-pack                      # ffi/include/vigie/*.h from the sources
//! cargo run -p vigie-ffi-pack -- --check           # exit 1 where a committed header is not what they give
//! cargo run -p vigie-ffi-pack -- --install PREFIX  # library, headers, vigie.pc, CMake config below PREFIX
//! cargo run -p vigie-ffi-pack -- --deb FOLDER      # libvigie*.deb and libvigie-dev.deb in a folder
//! ```
//!
//! With `DESTDIR` set, `--install` writes below that folder what is meant for `PREFIX`. The library is the one of
//! `cargo build --release -p vigie-ffi`.

mod deb;
mod headers;
mod install;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        [] => headers::write(false),
        ["--check"] => headers::write(true),
        ["--install", prefix] => install::run(Path::new(prefix)),
        ["--deb", folder] => deb::run(Path::new(folder)),
        _ => {
            eprintln!("usage: vigie-ffi-pack [--check | --install PREFIX | --deb FOLDER]");
            return ExitCode::from(2);
        }
    };
    done.map_or_else(
        |error| {
            eprintln!("vigie-ffi-pack: {error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

/// The folder `ffi/` of the checkout.
fn ffi() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// With the path in front, as people read it.
fn told(path: &Path) -> impl Fn(std::io::Error) -> String {
    let path = path.display().to_string();
    move |error| format!("{path}: {error}")
}
