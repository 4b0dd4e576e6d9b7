//! A TCP connection that is read as soon as bytes come, or only now and then.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// A read of so many bytes may have emptied a receive window that was full (Linux begins with one of 64 KiB and lets it grow
/// as it is emptied): the sender must not wait long.
const MUCH: usize = 48 << 10;
/// So long at most.
const SOON: Duration = Duration::from_millis(10);

/// A TCP connection.
///
/// A camera sends a segment per packet, some hundreds in a second, and each of them wakes whoever waits for the socket.
/// One that is [paced](Self::pace) waits for a tick of the clock instead, and the system tells it nothing in between: what
/// has come by then is one read, and the cameras of a process are read in one waking.
#[derive(Debug)]
pub(crate) struct Tcp {
    way: Way,
}

#[derive(Debug)]
enum Way {
    Ready(TcpStream),
    Paced(Paced),
    /// Between the two; or the system has refused to go from one to the other.
    Gone,
}

#[derive(Debug)]
struct Paced {
    tcp: std::net::TcpStream,
    delay: Duration,
    tick: Pin<Box<Sleep>>,
    /// Until the tick there is nothing to do.
    waiting: bool,
}

impl From<TcpStream> for Tcp {
    fn from(tcp: TcpStream) -> Self {
        Self { way: Way::Ready(tcp) }
    }
}

fn gone() -> io::Error {
    io::ErrorKind::NotConnected.into()
}

impl Tcp {
    /// Reads once in `delay` from now on; `None`: whenever bytes come.
    pub(crate) fn pace(&mut self, delay: Option<Duration>) -> io::Result<()> {
        self.way = match (std::mem::replace(&mut self.way, Way::Gone), delay) {
            (Way::Ready(tcp), Some(delay)) => {
                let tick = Box::pin(tokio::time::sleep_until(next(delay)));
                // Bytes may be there already, of which nobody will be told.
                Way::Paced(Paced { tcp: tcp.into_std()?, delay, tick, waiting: false })
            }
            (Way::Paced(mut paced), Some(delay)) => {
                paced.delay = delay;
                paced.tick.as_mut().reset(next(delay));
                Way::Paced(paced)
            }
            (Way::Paced(paced), None) => Way::Ready(TcpStream::from_std(paced.tcp)?),
            (way, _) => way,
        };
        Ok(())
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.way {
            Way::Ready(tcp) => tcp.peer_addr(),
            Way::Paced(paced) => paced.tcp.peer_addr(),
            Way::Gone => Err(gone()),
        }
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.way {
            Way::Ready(tcp) => tcp.local_addr(),
            Way::Paced(paced) => paced.tcp.local_addr(),
            Way::Gone => Err(gone()),
        }
    }
}

/// The next tick. All who wait equally long wait for the same moments, so that one waking serves them all.
fn next(delay: Duration) -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    let now = Instant::now();
    let since = now.saturating_duration_since(*EPOCH.get_or_init(|| now));
    let into = since.as_nanos().checked_rem(delay.as_nanos()).unwrap_or(0);
    now + delay.saturating_sub(Duration::from_nanos(u64::try_from(into).unwrap_or(0)))
}

impl Paced {
    /// Ready at a tick, and as long as there is something to do since.
    fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.waiting {
            ready!(self.tick.as_mut().poll(cx));
            self.waiting = false;
        }
        Poll::Ready(())
    }

    fn wait(&mut self, delay: Duration) {
        self.tick.as_mut().reset(next(delay));
        self.waiting = true;
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_tick(cx));
            let room = buf.initialize_unfilled();
            let all = room.len();
            match self.tcp.read(room) {
                Ok(n) => {
                    buf.advance(n);
                    // The end is told at once to whoever asks again.
                    if n > 0 && n < all {
                        self.wait(if n < MUCH { self.delay } else { self.delay.min(SOON) });
                    }
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait(self.delay),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Requests are small: where there is no room for one, a tick later will do.
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            match self.tcp.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !self.waiting {
                        self.wait(self.delay);
                    }
                    ready!(self.poll_tick(cx));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return Poll::Ready(done),
            }
        }
    }
}

impl AsyncRead for Tcp {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.way {
            Way::Ready(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Way::Paced(paced) => paced.poll_read(cx, buf),
            Way::Gone => Poll::Ready(Err(gone())),
        }
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.way {
            Way::Ready(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Way::Paced(paced) => paced.poll_write(cx, buf),
            Way::Gone => Poll::Ready(Err(gone())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.way {
            Way::Ready(tcp) => Pin::new(tcp).poll_flush(cx),
            // Neither keeps anything back.
            Way::Paced(_) | Way::Gone => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.way {
            Way::Ready(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Way::Paced(paced) => Poll::Ready(paced.tcp.shutdown(Shutdown::Write)),
            Way::Gone => Poll::Ready(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use futures::poll;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::Tcp;

    const HOUR: Option<Duration> = Some(Duration::from_secs(3_600));
    const TICK: Option<Duration> = Some(Duration::from_millis(5));

    async fn pair() -> (Tcp, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (near.into(), listener.accept().await.unwrap().0)
    }

    async fn send(far: &mut TcpStream, bytes: &[u8]) {
        far.write_all(bytes).await.unwrap();
        // Until it has come; who waits for the socket would be woken now.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    #[tokio::test]
    async fn what_comes_between_two_ticks_is_one_read() {
        let (mut near, mut far) = pair().await;
        let mut buffer = [0; 100];
        send(&mut far, b"before").await;
        near.pace(HOUR).unwrap();
        // What is there already is not left lying.
        assert_eq!(near.read(&mut buffer).await.unwrap(), 6);
        for bytes in [b"a", b"b", b"c"] {
            send(&mut far, bytes).await;
            assert!(poll!(std::pin::pin!(near.read(&mut buffer))).is_pending());
        }
        near.write_all(b"keep-alive").await.unwrap();
        assert_eq!(far.read(&mut buffer).await.unwrap(), 10);
        near.pace(TICK).unwrap();
        assert_eq!(near.read(&mut buffer).await.unwrap(), 3);
        assert_eq!(&buffer[..3], b"abc");
    }

    #[tokio::test]
    async fn one_that_is_not_paced_any_more_is_read_at_once() {
        let (mut near, mut far) = pair().await;
        let mut buffer = [0; 100];
        near.pace(HOUR).unwrap();
        assert!(poll!(std::pin::pin!(near.read(&mut buffer))).is_pending());
        send(&mut far, b"there").await;
        near.pace(None).unwrap();
        assert_eq!(near.read(&mut buffer).await.unwrap(), 5);
        assert!(poll!(std::pin::pin!(near.read(&mut buffer))).is_pending());
        send(&mut far, b"later").await;
        assert_eq!(near.read(&mut buffer).await.unwrap(), 5);
        assert_eq!(near.peer_addr().unwrap(), far.local_addr().unwrap());
    }

    #[tokio::test]
    async fn the_end_is_seen_at_a_tick() {
        let (mut near, mut far) = pair().await;
        let (mut buffer, mut large) = ([0; 100], vec![0; 200_000]);
        near.pace(TICK).unwrap();
        far.shutdown().await.unwrap();
        assert_eq!(near.read(&mut buffer).await.unwrap(), 0);
        // More than the other end's window holds goes out as it is read.
        let (sent, read) = tokio::join!(near.write_all(&[7; 8 << 20]), async {
            let mut all = 0;
            while all < 8 << 20 {
                all += far.read(&mut large).await.unwrap();
            }
            all
        });
        sent.unwrap();
        assert_eq!(read, 8 << 20);
        near.shutdown().await.unwrap();
        assert_eq!(far.read(&mut buffer).await.unwrap(), 0);
        drop(far);
        assert_eq!(near.local_addr().unwrap().ip().to_string(), "127.0.0.1");
    }
}
