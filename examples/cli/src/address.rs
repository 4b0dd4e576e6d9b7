//! The address of a camera, and the user and password that go with it.

use vigie::rtsp::{self, Credentials, Url};

use crate::args::Login;
use crate::failure::Failure;

/// Reads an address. User and password come from the address itself, else from `--user` and `--password-file`, else
/// from the environment variables `VIGIE_USER` and `VIGIE_PASSWORD`.
///
/// # Errors
/// What is wrong with the address, or with the password's file.
pub fn camera(text: &str, login: &Login) -> Result<(Url, Option<Credentials>), Failure> {
    let (url, inside) = Url::parse(text).map_err(|error| {
        let remedy = match error.kind {
            rtsp::Kind::UrlScheme => "write an address like rtsp://192.0.2.7:554/stream1",
            rtsp::Kind::UrlPort => "give a port from 1 to 65535, as in rtsp://192.0.2.7:554/stream1",
            _ => "give a host, as in rtsp://192.0.2.7/stream1; write @ and / in a password as %40 and %2F",
        };
        Failure::new(format!("{text} is not the address of a camera: {}", error.kind), remedy)
            .numbered(&error)
    })?;
    match inside {
        Some(credentials) => Ok((url, Some(credentials))),
        None => Ok((url, credentials(login)?)),
    }
}

/// User and password out of options and environment; `None` where neither names a user.
///
/// # Errors
/// A password without a user, or a password file that cannot be read.
pub fn credentials(login: &Login) -> Result<Option<Credentials>, Failure> {
    let password = match &login.password_file {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| Failure::file("read", path, &e))?;
            let line = text.lines().next().unwrap_or_default().to_owned();
            if line.is_empty() {
                let what = format!("the password file {} has no first line", path.display());
                return Err(Failure::new(what, "write the password into its first line"));
            }
            Some(line)
        }
        None => std::env::var("VIGIE_PASSWORD").ok().filter(|p| !p.is_empty()),
    };
    let user = login.user.clone().or_else(|| std::env::var("VIGIE_USER").ok()).filter(|u| !u.is_empty());
    match (user, password) {
        (Some(user), password) => Ok(Some(Credentials::new(user, password.unwrap_or_default()))),
        (None, Some(_)) => Err(Failure::new(
            "there is a password, but no user name",
            "give the user with --user or the environment variable VIGIE_USER",
        )),
        (None, None) => Ok(None),
    }
}
