//! The address of a camera, and what goes with it: user and password, the way there.

use std::path::Path;

use vigie::rtsp::{self, Credentials, Scheme, Url};
use vigie::session::Lower;
use vigie_net::{Address, Options, Tls, Tunnel};

use crate::args::{self, Login, Way};
use crate::failure::Failure;

/// Reads an address, and how to connect to it. User and password come from the address itself, else from `--user` and
/// `--password-file`, else from the environment variables `VIGIE_USER` and `VIGIE_PASSWORD`.
///
/// # Errors
/// What is wrong with the address, with a file, or with an option that would have no effect there.
pub fn camera(text: &str, login: &Login, way: &Way) -> Result<(Url, Options), Failure> {
    let address = Address::parse(text).map_err(|error| {
        let remedy = match error.kind {
            rtsp::Kind::UrlScheme => "write an address like rtsp://192.0.2.7:554/stream1",
            rtsp::Kind::UrlPort => "give a port from 1 to 65535, as in rtsp://192.0.2.7:554/stream1",
            _ => "give a host, as in rtsp://192.0.2.7/stream1; write @ and / in a password as %40 and %2F",
        };
        Failure::new(format!("{text} is not the address of a camera: {}", error.kind), remedy)
            .numbered(&error)
    })?;
    let inside = address.credentials.clone();
    let mut options = Options::new(match inside {
        Some(credentials) => Some(credentials),
        None => credentials(login)?,
    });
    options.tunnel = tunnel(&address, way)?;
    options.transports = transports(&options.tunnel, way)?;
    options.multicast_interface = way.interface;
    options.tls = tls(&address.url, way)?;
    Ok((address.url, options))
}

/// What the address says, or `--tunnel`.
fn tunnel(address: &Address, way: &Way) -> Result<Tunnel, Failure> {
    let asked = match way.tunnel {
        None => return Ok(address.tunnel.clone()),
        Some(args::Tunnel::Http) => Tunnel::Http,
        Some(args::Tunnel::Websocket) => Tunnel::WebSocket { path: None },
    };
    if address.tunnel == Tunnel::None || address.tunnel == asked {
        return Ok(asked);
    }
    Err(Failure::new(
        "the address names another tunnel than --tunnel",
        "leave out --tunnel, or begin the address with rtsp:// or rtsps://",
    ))
}

fn transports(tunnel: &Tunnel, way: &Way) -> Result<Vec<Lower>, Failure> {
    let lower = |transport: &args::Transport| match transport {
        args::Transport::Tcp => Lower::Tcp,
        args::Transport::Udp => Lower::Udp,
        args::Transport::Multicast => Lower::Multicast,
    };
    let mut asked: Vec<Lower> = Vec::new();
    for transport in way.transports.iter().map(lower) {
        if !asked.contains(&transport) {
            asked.push(transport);
        }
    }
    if asked.is_empty() {
        asked.push(Lower::Tcp);
    }
    if *tunnel != Tunnel::None && asked != [Lower::Tcp] {
        return Err(Failure::new(
            "in a tunnel pictures travel with the session, and not by udp or multicast",
            "leave out --transport, or begin the address with rtsp:// and leave out --tunnel",
        ));
    }
    if way.interface.is_some() && !asked.contains(&Lower::Multicast) {
        return Err(Failure::new(
            "--interface is for multicast, which is not asked for",
            "add --transport multicast, or leave out --interface",
        ));
    }
    Ok(asked)
}

/// Whom to trust, and who we are. An option that protects nothing is refused: whoever gives it believes that it does.
fn tls(url: &Url, way: &Way) -> Result<Option<Tls>, Failure> {
    let given = !way.fingerprints.is_empty()
        || way.insecure
        || way.authorities.is_some()
        || way.certificate.is_some();
    if url.scheme() != Scheme::Rtsps {
        if !given {
            return Ok(None);
        }
        return Err(Failure::new(
            "the address is one without encryption, where certificates mean nothing",
            "begin it with rtsps:// (https:// or wss:// for a tunnel), or leave out what begins with --tls",
        ));
    }
    let trusted = if !way.fingerprints.is_empty() {
        Tls::pinned(&way.fingerprints)
    } else if way.insecure {
        Tls::unverified()
    } else if let Some(path) = &way.authorities {
        let pem = read(path)?;
        let trusted = Tls::authorities(&pem).map_err(|error| {
            let what = format!("{} holds no certificates of authorities that can be used", path.display());
            Failure::new(what, "give a PEM file: it begins with -----BEGIN CERTIFICATE-----").numbered(&error)
        });
        return own(trusted?, way);
    } else if given {
        Tls::system()
    } else {
        // Asked for where it is needed, so that the error is that of the connection.
        return Ok(None);
    };
    let failed = |error| Failure::fault("TLS cannot be set up", &error, "give --tls-fingerprint or --tls-ca");
    own(trusted.map_err(failed)?, way)
}

/// Adds the client's certificate.
fn own(tls: Tls, way: &Way) -> Result<Option<Tls>, Failure> {
    let (Some(certificate), Some(key)) = (&way.certificate, &way.key) else { return Ok(Some(tls)) };
    let (chain, secret) = (read(certificate)?, read(key)?);
    let own = tls.with_identity(&chain, &secret).map_err(|error| {
        let what =
            format!("{} and {} are not a certificate and its key", certificate.display(), key.display());
        Failure::new(what, "give two PEM files that belong together; the key without a password")
            .numbered(&error)
    });
    own.map(Some)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::file("read", path, &error))
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
