//! A network of its own for a server: a namespace, and two ends of a cable.

use std::process::{Command, Output};

use crate::support::skip;

/// Gone when dropped.
pub(crate) struct Network {
    name: String,
    /// Our end.
    pub(crate) here: String,
    /// Its end.
    pub(crate) there: String,
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let said = |output: Output| match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    };
    Command::new("ip").args(arguments).output().map_err(|error| error.to_string()).and_then(said)
}

impl Network {
    /// `None`, loudly, where this machine or this user cannot make one.
    pub(crate) fn make() -> Option<Self> {
        let id = std::process::id();
        let (high, low) = (128 + id / 256 % 64, id % 256);
        // A quarter of a thousand tests at once have networks that differ.
        let network = Self {
            name: format!("vigie-{id}"),
            here: format!("10.{high}.{low}.1"),
            there: format!("10.{high}.{low}.2"),
        };
        match network.lay() {
            Ok(()) => Some(network),
            Err(why) => {
                skip(
                    "VIGIE_REQUIRE_INTEROP",
                    &format!("no network namespace can be made (root and iproute2 can): {why}"),
                );
                None
            }
        }
    }

    fn lay(&self) -> Result<(), String> {
        let Self { name, here, there } = self;
        // Names of interfaces have 15 characters.
        let id = std::process::id() % 10_000_000;
        let (near, far) = (format!("vgn{id}"), format!("vgf{id}"));
        ip(&["netns", "add", name])?;
        ip(&["link", "add", &near, "type", "veth", "peer", "name", &far, "netns", name])?;
        ip(&["address", "add", &format!("{here}/30"), "dev", &near])?;
        ip(&["link", "set", &near, "up"])?;
        ip(&["-n", name, "address", "add", &format!("{there}/30"), "dev", &far])?;
        ip(&["-n", name, "link", "set", "lo", "up"])?;
        ip(&["-n", name, "link", "set", &far, "up"])?;
        // The groups of `rtsp_server.py`.
        ip(&["-n", name, "route", "add", "224.3.0.0/16", "dev", &far])
    }

    /// What goes before a command that is to run there.
    pub(crate) fn within(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.name]
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // The cable goes with one of its ends.
        let _ = ip(&["netns", "delete", &self.name]);
    }
}
