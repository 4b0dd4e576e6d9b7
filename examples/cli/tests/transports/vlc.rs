//! VLC as a camera: another server than GStreamer's, with another packetizer, by UDP only.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::skip;

/// Killed when dropped.
pub(crate) struct Vlc {
    child: Child,
    pub(crate) url: String,
}

impl Drop for Vlc {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Vlc {
    /// Plays a file that anybody may read; `None`, loudly, where VLC is not installed.
    pub(crate) fn start(file: &Path) -> Option<Self> {
        let there = Command::new("vlc").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        // As root it refuses to run, after it has said so.
        let Ok(_) = there else {
            skip("VIGIE_REQUIRE_INTEROP", "VLC (vlc-bin, vlc-plugin-base) is not installed");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url = format!("rtsp://127.0.0.1:{port}/v");
        let mut command = unprivileged();
        command.args(["vlc", "-I", "dummy", "--loop", "--sout-keep", "--sout"]);
        command.arg(format!("#rtp{{sdp={url}}}")).arg(file).env("HOME", "/nonexistent");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut vlc = Self { child: child.expect("VLC starts"), url };
        let patience = Instant::now() + Duration::from_secs(20);
        while !vlc.describes().unwrap_or(false) {
            assert!(vlc.child.try_wait().unwrap().is_none(), "VLC has ended");
            assert!(Instant::now() < patience, "VLC does not serve {}", vlc.url);
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(vlc)
    }

    /// Does it say what it has? It listens some time before it has anything.
    fn describes(&self) -> std::io::Result<bool> {
        let address = self.url.trim_start_matches("rtsp://").trim_end_matches("/v");
        let mut tcp = TcpStream::connect(address)?;
        tcp.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(tcp, "DESCRIBE {} RTSP/1.0\r\nCSeq: 1\r\n\r\n", self.url)?;
        let mut answer = [0; 2_048];
        let n = tcp.read(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer[..n]);
        Ok(answer.starts_with("RTSP/1.0 200") && answer.contains("m=video"))
    }
}

/// `env`, as nobody where this is root.
fn unprivileged() -> Command {
    let id = Command::new("id").arg("-u").output().expect("id");
    if id.stdout.trim_ascii() != b"0" {
        return Command::new("env");
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    command
}

/// Lets anybody read what is in a folder.
pub(crate) fn open_to_all(folder: &Path) {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}
