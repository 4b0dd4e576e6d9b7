//! The server's doors: what a viewer that connected wants to speak RTSP in.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::error::{Error, Kind};
use crate::http::{Head, send};
use crate::stream::{ByteStream, Carrier, Link};
use crate::tls::ServerTls;
use crate::tunnel::{COOKIE, Far, MEDIA_TYPE};
use crate::web_socket::{self, WebSocket};

/// The first byte of TLS: a handshake record (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;
/// The answer to what opens no door.
const NO: &str = "HTTP/1.0 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/// The answer where a tunnel more would be one too many.
const BUSY: &str = "HTTP/1.0 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/// Characters of a tunnel's cookie.
const LONGEST_COOKIE: usize = 256;

/// Which transports a server takes. One port serves them all: the first bytes tell them apart.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DoorOptions {
    /// RTSP, tunnels and WebSockets without TLS.
    pub plain: bool,
    /// All of them within TLS.
    pub tls: Option<ServerTls>,
    /// RTSP in HTTP tunnels.
    pub tunnels: bool,
    /// RTSP in WebSockets.
    pub web_sockets: bool,
    /// What a client has to say what it wants, handshakes and the second half of a tunnel included.
    pub patience: Duration,
    /// Tunnels that wait for their second half, at any time.
    pub halves: usize,
}

impl Default for DoorOptions {
    fn default() -> Self {
        Self {
            plain: true,
            tls: None,
            tunnels: true,
            web_sockets: true,
            patience: Duration::from_secs(10),
            halves: 64,
        }
    }
}

/// The doors of one server. Share it among the tasks that its connections run in.
///
/// ```no_run
/// # async fn example(tls: vigie_net::ServerTls) -> std::io::Result<()> {
/// use std::sync::Arc;
/// use vigie_net::{DoorOptions, Doors};
///
/// let mut options = DoorOptions::default();
/// options.tls = Some(tls);
/// let doors = Arc::new(Doors::new(options));
/// let listener = tokio::net::TcpListener::bind("0.0.0.0:554").await?;
/// loop {
///     let (tcp, peer) = listener.accept().await?;
///     let doors = Arc::clone(&doors);
///     tokio::spawn(async move {
///         match doors.accept(tcp).await {
///             Ok(Some(stream)) => println!("{peer}: a viewer; encrypted: {}", stream.is_encrypted()),
///             Ok(None) => println!("{peer}: the second half of a tunnel"),
///             Err(error) => println!("{peer}: {error}"),
///         }
///     });
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Doors {
    options: DoorOptions,
    halves: Mutex<HashMap<String, oneshot::Sender<Link>>>,
}

impl Doors {
    /// With these transports.
    #[must_use]
    pub fn new(options: DoorOptions) -> Self {
        Self { options, halves: Mutex::new(HashMap::new()) }
    }

    /// Finds out what a connection carries and opens it, so that core's [`server`](vigie::server) can be driven over it.
    /// `None` where it was the second half of a tunnel, whose first half is returned elsewhere.
    ///
    /// # Errors
    /// [`Kind::Silent`], [`Kind::Door`], [`Kind::Crowded`], [`Kind::NotHttp`], those of TLS, or of the socket. The
    /// client was told what there is to tell.
    pub async fn accept(&self, tcp: TcpStream) -> Result<Option<ByteStream>, Error> {
        match timeout(self.options.patience, self.open(tcp)).await {
            Ok(opened) => opened,
            Err(_) => Err(Kind::Silent.into()),
        }
    }

    async fn open(&self, tcp: TcpStream) -> Result<Option<ByteStream>, Error> {
        let _ = tcp.set_nodelay(true);
        let mut first = [0];
        let n = tcp.peek(&mut first).await.map_err(|error| crate::tls::failure(&error))?;
        let mut link = match (first, &self.options.tls) {
            _ if n == 0 => return Err(Kind::Silent.into()),
            ([HANDSHAKE], Some(tls)) => Link::tls(tls.accept(tcp).await?),
            ([HANDSHAKE], None) => return Err(Kind::Door.into()),
            _ if self.options.plain => Link::tcp(tcp),
            _ => return Err(Kind::Door.into()),
        };
        let ends = link.ends().map_err(|error| Kind::Socket(error.kind()))?;
        let carrier = match begins(&mut link).await? {
            Begins::Get => self.get(link).await?,
            Begins::Post => return self.post(link).await.map(|()| None),
            Begins::Other => Carrier::Link(link),
        };
        Ok(Some(ByteStream::new(&ends, carrier)))
    }

    /// A WebSocket, or the first half of a tunnel.
    async fn get(&self, mut link: Link) -> Result<Carrier, Error> {
        let head = Head::read(&mut link).await?;
        if !head.is_request() {
            return refuse(&mut link, NO, Kind::Door).await;
        }
        if let Some((answer, yes)) = web_socket::answer(&head).filter(|_| self.options.web_sockets) {
            send(&mut link, answer.as_bytes()).await?;
            if !yes {
                return Err(Kind::Door.into());
            }
            return Ok(Carrier::WebSocket(Box::new(WebSocket::new(link, Role::Server).await)));
        }
        let Some(cookie) = self.cookie(&head) else { return refuse(&mut link, NO, Kind::Door).await };
        let Some((half, mut waits)) = self.wait_for(cookie) else {
            return refuse(&mut link, BUSY, Kind::Crowded).await;
        };
        let yes = format!(
            "HTTP/1.0 200 OK\r\nContent-Type: {MEDIA_TYPE}\r\nCache-Control: no-store\r\nPragma: no-cache\r\n\
             Connection: close\r\n\r\n"
        );
        send(&mut link, yes.as_bytes()).await?;
        // The first half has nothing more to say: if it ends, nobody waits for the second.
        let mut byte = [0];
        tokio::select! {
            post = &mut waits => {
                drop(half);
                let post = post.map_err(|_| Kind::Silent)?;
                Ok(Carrier::Tunnelled(Box::new(Far::new(link, post))))
            }
            _ = link.read(&mut byte) => Err(Kind::Door.into()),
        }
    }

    /// The second half of a tunnel.
    async fn post(&self, mut link: Link) -> Result<(), Error> {
        let head = Head::read(&mut link).await?;
        let first = self.cookie(&head).and_then(|cookie| self.lock().remove(cookie));
        match first.map(|first| first.send(link)) {
            Some(Ok(())) => Ok(()),
            // The first half has gone in this moment.
            Some(Err(mut link)) => refuse(&mut link, NO, Kind::Door).await,
            None => Err(Kind::Door.into()),
        }
    }

    fn cookie<'a>(&self, head: &'a Head) -> Option<&'a str> {
        let cookie = head.field(COOKIE).filter(|_| self.options.tunnels);
        cookie.filter(|cookie| (1..=LONGEST_COOKIE).contains(&cookie.len()))
    }

    /// `None` where too many wait, or another waits with this cookie.
    fn wait_for(&self, cookie: &str) -> Option<(Half<'_>, oneshot::Receiver<Link>)> {
        let mut halves = self.lock();
        if halves.len() >= self.options.halves || halves.contains_key(cookie) {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        halves.insert(cookie.to_owned(), sender);
        Some((Half { doors: self, cookie: cookie.to_owned() }, receiver))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Link>>> {
        self.halves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A first half that waits. Dropped, it waits no more.
struct Half<'a> {
    doors: &'a Doors,
    cookie: String,
}

impl Drop for Half<'_> {
    fn drop(&mut self) {
        let mut halves = self.doors.lock();
        // Another may wait with the same cookie by now: its channel is open.
        if halves.get(&self.cookie).is_some_and(oneshot::Sender::is_closed) {
            halves.remove(&self.cookie);
        }
    }
}

enum Begins {
    Get,
    Post,
    Other,
}

/// Reads just so much that `GET ` and `POST ` are told from RTSP, whose `GET_PARAMETER` begins alike.
async fn begins(link: &mut Link) -> Result<Begins, Error> {
    let mut bytes = BytesMut::with_capacity(1_024);
    let begins = loop {
        let like = |word: &[u8]| {
            let n = word.len().min(bytes.len());
            bytes[..n] == word[..n]
        };
        match bytes.len() {
            4.. if like(b"GET ") => break Begins::Get,
            5.. if like(b"POST ") => break Begins::Post,
            _ if !like(b"GET ") && !like(b"POST ") => break Begins::Other,
            _ => {}
        }
        match link.read_buf(&mut bytes).await {
            Ok(0) => return Err(Kind::Silent.into()),
            Ok(_) => {}
            Err(error) => return Err(crate::tls::failure(&error).into()),
        }
    };
    link.unread(bytes.freeze());
    Ok(begins)
}

/// Says no.
async fn refuse<T>(link: &mut Link, answer: &str, why: Kind) -> Result<T, Error> {
    let _ = send(link, answer.as_bytes()).await;
    Err(why.into())
}
