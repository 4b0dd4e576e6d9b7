//! What any recorder must do: read the sockets, and write what came, as few and as large pieces as the recorder's own. No
//! RTP is looked at, nothing is checked, no index is kept. One thread, one read per camera and round, a megabyte per write,
//! one sync for it.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use vigie::store::{File, FileStorage, Storage as _};

/// What is written at a time: two seconds of 4 Mb/s.
const PIECE: usize = 1 << 20;

struct Camera {
    tcp: TcpStream,
    storage: FileStorage,
    file: File,
    buffer: Vec<u8>,
    filled: usize,
}

/// Records until a camera ends: for as long as the process lives. Counts bytes in `seen`.
///
/// # Errors
/// All that sockets and disks fail by.
pub fn record(urls: &[String], folder: &Path, round: Duration, seen: &AtomicU64) -> io::Result<()> {
    let mut cameras = Vec::new();
    for (n, url) in urls.iter().enumerate() {
        let tcp = play(url)?;
        tcp.set_nonblocking(true)?;
        let mut storage = FileStorage::new(folder);
        let file = storage.create_new(&format!("{n}.rtp")).map_err(io::Error::other)?;
        cameras.push(Camera { tcp, storage, file, buffer: vec![0; PIECE], filled: 0 });
    }
    let mut next = Instant::now();
    loop {
        for camera in &mut cameras {
            camera.read(seen)?;
        }
        next += round;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

impl Camera {
    fn read(&mut self, seen: &AtomicU64) -> io::Result<()> {
        loop {
            let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
            let (n, all) = match self.tcp.read(room) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(n) => (n, n == room.len()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            self.filled += n;
            seen.fetch_add(n as u64, Ordering::Relaxed);
            if !all {
                return Ok(());
            }
            let written = self.storage.append(self.file, &[&self.buffer]);
            written.and_then(|()| self.storage.sync(self.file)).map_err(io::Error::other)?;
            self.filled = 0;
        }
    }
}

/// As little RTSP as GStreamer's server wants.
fn play(url: &str) -> io::Result<TcpStream> {
    let host = url.strip_prefix("rtsp://").and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let mut tcp = TcpStream::connect(host)?;
    let mut answers = BufReader::with_capacity(1, tcp.try_clone()?);
    let mut ask = |request: String| -> io::Result<String> {
        tcp.write_all(request.as_bytes())?;
        let (mut head, mut length) = (String::new(), 0);
        while answers.read_line(&mut head)? > 2 {
            let line = head.lines().last().unwrap_or_default();
            if let Some(said) = line.strip_prefix("Content-Length: ") {
                length = said.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        answers.read_exact(&mut body)?;
        if head.starts_with("RTSP/1.0 200") { Ok(head) } else { Err(io::Error::other(head)) }
    };
    ask(format!("DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n"))?;
    let setup = format!(
        "SETUP {url}/stream=0 RTSP/1.0\r\nCSeq: 2\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
    );
    let head = ask(setup)?;
    let session = head.lines().find_map(|line| line.strip_prefix("Session: ")).unwrap_or_default();
    let session = session.split(';').next().unwrap_or_default();
    ask(format!("PLAY {url}/ RTSP/1.0\r\nCSeq: 3\r\nSession: {session}\r\nRange: npt=0-\r\n\r\n"))?;
    Ok(tcp)
}
