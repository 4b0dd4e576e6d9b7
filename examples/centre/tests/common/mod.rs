//! A centre of one's own for a test, and the plainest of HTTP clients.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

pub mod live;
pub mod socket;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A new folder, gone when dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("vigie-centre-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The program.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigie-centre"));
    // What is remembered of volumes is not that of whoever runs the tests.
    command.env_remove("STATE_DIRECTORY").env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

/// A running centre.
pub struct Centre {
    child: Child,
    pub port: u16,
    pub token: String,
    pub store: PathBuf,
    folder: Option<Folder>,
}

impl Centre {
    /// The demo on a free port.
    pub fn demo() -> Self {
        Self::demo_with(&[])
    }

    /// Kills it as a crash would, and starts another on the same store.
    pub fn crash_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut command = program();
        command.args(["demo", "--listen", "127.0.0.1:0", "--store"]).arg(&self.store);
        *self = Self::start(&mut command, self.store.clone(), self.folder.take());
    }

    /// With further arguments.
    pub fn demo_with(arguments: &[&str]) -> Self {
        Self::demo_at("127.0.0.1:0", arguments)
    }

    /// At an address.
    pub fn demo_at(listen: &str, arguments: &[&str]) -> Self {
        let folder = Folder::new();
        let store = folder.0.join("store");
        let mut command = program();
        command.args(["demo", "--listen", listen, "--store"]).arg(&store).args(arguments);
        Self::start(&mut command, store, Some(folder))
    }

    /// A centre of one camera that is not there, with a page and a player of one file each.
    pub fn lonely() -> Self {
        let folder = Folder::new();
        folder.write("web/index.html", "<!doctype html><title>desk</title>");
        folder.write("player/vigie-worker.js", "// worker");
        folder.write("player/vigie.js", "// page");
        let config = folder.write(
            "centre.toml",
            "listen = \"127.0.0.1:0\"\nstore = \"store\"\norigins = [\"https://video.example.fr\"]\n\
             [[tenant]]\nid = \"a\"\n[[tenant.camera]]\nid = \"c\"\nurl = \"rtsp://127.0.0.1:9/none\"\n",
        );
        let mut command = program();
        command.arg("run").arg(config).arg("--web").arg(folder.0.join("web"));
        command.arg("--player").arg(folder.0.join("player"));
        Self::start(&mut command, folder.0.join("store"), Some(folder))
    }

    /// With a configuration, and whatever else the command is to be told.
    pub fn run(config: &Path, store: PathBuf, more: impl FnOnce(&mut Command)) -> Self {
        let mut command = program();
        command.arg("run").arg(config).stderr(Stdio::inherit());
        more(&mut command);
        Self::start(&mut command, store, None)
    }

    fn start(command: &mut Command, store: PathBuf, folder: Option<Folder>) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("the address is printed").unwrap();
            if let Some(address) = line.strip_prefix("Open http://127.0.0.1:") {
                break address.to_owned();
            }
        };
        // Whatever else it says is read, so that it never blocks.
        std::thread::spawn(move || lines.for_each(drop));
        let (port, token) = address.split_once("/#token=").unwrap();
        Self { child, port: port.parse().unwrap(), token: token.into(), store, folder }
    }

    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A request with these header lines.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send_body(method, path, headers, "")
    }

    /// The same with a body, whose length is told unless there is none.
    pub fn send_body(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length =
            if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        write!(stream, "{method} {path} HTTP/1.1\r\nConnection: close\r\n{lines}{length}\r\n{body}").unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        Answer::parse(&bytes)
    }

    /// As the page would ask: right name, right token, and these.
    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let (host, token) = (self.host(), format!("Bearer {}", self.token));
        let mut all = vec![("Host", host.as_str()), ("Authorization", token.as_str())];
        all.extend(headers);
        self.send("GET", path, &all)
    }

    /// As the page would ask.
    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    /// As the page would order.
    pub fn post(&self, path: &str) -> Answer {
        let token = format!("Bearer {}", self.token);
        self.send("POST", path, &[("Host", &self.host()), ("Authorization", &token), ("Content-Length", "0")])
    }

    /// Asks the issuer, as a portal does.
    pub fn ask_issuer(&self, wanted: &serde_json::Value) -> Answer {
        let token = format!("Bearer {}", self.token);
        let headers = [("Host", self.host()), ("Authorization", token)];
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.send_body("POST", "/api/tokens", &headers, &wanted.to_string())
    }

    /// A token for these cameras.
    pub fn issue(&self, cameras: &[&str], seconds: u32) -> String {
        let wanted = serde_json::json!({ "cameras": cameras, "seconds": seconds });
        self.ask_issuer(&wanted).json()["token"].as_str().unwrap().to_owned()
    }

    /// As whoever has that token would ask.
    pub fn get_as(&self, token: &str, path: &str) -> Answer {
        self.send("GET", path, &[("Host", &self.host()), ("Authorization", &format!("Bearer {token}"))])
    }

    /// Ends it as Ctrl-C does; true where it ended well.
    pub fn interrupt(&mut self) -> bool {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    }

    /// Asks until the answer is right.
    pub fn until<T>(&self, seconds: u64, what: &str, mut ask: impl FnMut(&Self) -> Option<T>) -> T {
        let until = Instant::now() + Duration::from_secs(seconds);
        loop {
            if let Some(answer) = ask(self) {
                return answer;
            }
            assert!(Instant::now() < until, "not within {seconds} s: {what}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Centre {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("a head");
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<_> = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        assert!(!chunked, "every body here has a length");
        Self { status, headers, body: bytes[end + 4..].to_vec() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        assert_eq!(self.status, 200, "{self:?}");
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// All files below a folder, relative to it.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    fn walk(folder: &Path, top: &Path, out: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, top, out)
            } else {
                out.push(path.strip_prefix(top).unwrap().to_owned())
            }
        }
    }
    let mut out = Vec::new();
    walk(folder, folder, &mut out);
    out.sort();
    out
}
