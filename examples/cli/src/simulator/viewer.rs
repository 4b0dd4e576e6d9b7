//! One viewer of honest cameras.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep_until, timeout};
use vigie::rtsp::Status;
use vigie::server::{Agreed, Connection, Event, Output};
use vigie_net::{ByteStream, Clock};

use super::datagrams::{self, Datagrams};
use super::feed::{Camera, Outage, Sent};
use super::service::{STUCK, Service, at, changed, next};

/// Between two sender reports to one viewer.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// One connection.
pub(super) struct Viewer {
    service: Arc<Service>,
    stream: ByteStream,
    connection: Connection,
    clock: Clock,
    /// The camera that the requests name, once one did.
    camera: Option<Arc<Camera>>,
    /// What happens to it.
    outage: Option<watch::Receiver<Outage>>,
    /// Its pictures, once PLAY was accepted.
    sent: Option<broadcast::Receiver<Sent>>,
    /// Where they go, where that is not the connection.
    datagrams: Option<Datagrams>,
    /// A key picture went out: what comes can be decoded.
    begun: bool,
    next_report: Instant,
}

impl Viewer {
    pub(super) fn new(service: Arc<Service>, stream: ByteStream) -> Self {
        let clock = Clock::start();
        Self {
            connection: Connection::new(service.server().udp(true), clock.now()),
            service,
            stream,
            clock,
            camera: None,
            outage: None,
            sent: None,
            datagrams: None,
            begun: false,
            next_report: Instant::now(),
        }
    }

    /// Serves until either side has had enough.
    pub(super) async fn run(mut self) -> io::Result<()> {
        while self.drain().await? {
            let outage = self.outage.as_ref().map_or(Outage::None, |o| *o.borrow());
            match outage {
                Outage::None => self.wait().await?,
                Outage::Off => return Ok(()),
                Outage::Cut => {
                    self.cut().await;
                    self.begun = false;
                }
            }
        }
        self.stream.shutdown().await
    }

    /// Sends what is to be sent and answers what was asked; false at the end.
    async fn drain(&mut self) -> io::Result<bool> {
        let mut written = false;
        while let Some(output) = self.connection.poll_output() {
            match output {
                Output::Send(bytes) => {
                    let write = timeout(STUCK, self.stream.write_all(&bytes));
                    write.await.map_err(|_| io::ErrorKind::TimedOut)??;
                    written = true;
                }
                Output::Event(event) => {
                    self.answer(event);
                    // A camera that is off, or behind a cut wire, answers nothing.
                    if self.outage.as_ref().is_some_and(|o| *o.borrow() != Outage::None) {
                        return Ok(true);
                    }
                }
                Output::Close => return Ok(false),
                _ => {}
            }
        }
        if written {
            let flush = timeout(STUCK, self.stream.flush());
            flush.await.map_err(|_| io::ErrorKind::TimedOut)??;
        }
        Ok(true)
    }

    /// Waits for the next thing to happen and takes it in.
    async fn wait(&mut self) -> io::Result<()> {
        let due = self.connection.poll_timeout().map(|at| self.clock.instant(at));
        let buffer = self.connection.receive_buffer();
        let readable = !buffer.is_empty();
        tokio::select! {
            n = self.stream.read(buffer), if readable => match n? {
                0 => self.connection.handle_closed(self.clock.now()),
                n => self.connection.handle_received(self.clock.now(), n),
            },
            heard = datagrams::heard(self.datagrams.as_ref()) => {
                heard?;
                self.connection.handle_datagram(self.clock.now());
            }
            picture = next(&mut self.sent) => self.picture(picture).await,
            () = sleep_until(self.next_report), if self.sent.is_some() => self.report().await,
            () = at(due) => self.connection.handle_timeout(self.clock.now()),
            () = changed(&mut self.outage) => {}
        }
        Ok(())
    }

    /// The wire is cut: nothing is read, nothing is written, until it is mended or the camera is switched off.
    async fn cut(&mut self) {
        while self.outage.as_ref().is_some_and(|o| *o.borrow() == Outage::Cut) {
            changed(&mut self.outage).await;
        }
    }

    fn answer(&mut self, event: Event) {
        let answered = match event {
            Event::Describe { request, url, .. } => match self.find(url.path()) {
                Some(camera) => self.connection.describe(request, camera.description().to_string()),
                None => self.connection.refuse(request, Status::NOT_FOUND),
            },
            Event::Bind { request, client_ports, .. } => match self.bind(client_ports) {
                Some(ports) => self.connection.accept_udp(request, ports),
                None => self.connection.refuse(request, Status::UNSUPPORTED_TRANSPORT),
            },
            Event::Setup { transport: Agreed::Interleaved(..), .. } => {
                self.datagrams = None;
                Ok(())
            }
            Event::Play { request, url, .. } => match self.find(url.path()) {
                Some(camera) => {
                    self.sent = Some(camera.watch());
                    self.begun = false;
                    self.next_report = Instant::now();
                    self.connection.accept_play(request, None, &[])
                }
                None => self.connection.refuse(request, Status::NOT_FOUND),
            },
            Event::Pause | Event::Teardown => {
                self.sent = None;
                Ok(())
            }
            Event::Failed(error) => {
                tracing::debug!(%error, "viewer");
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err(error) = answered {
            tracing::debug!(%error, "answer");
        }
    }

    /// Opens sockets for a viewer that wants datagrams at these ports, and says which.
    fn bind(&mut self, client: Option<(u16, u16)>) -> Option<(u16, u16)> {
        match Datagrams::open(self.stream.local().ip(), self.stream.peer().ip(), client?) {
            Ok((datagrams, ports)) => {
                self.datagrams = Some(datagrams);
                Some(ports)
            }
            Err(error) => {
                tracing::warn!(%error, "no sockets for a viewer");
                None
            }
        }
    }

    /// The camera of this path, from now on this connection's.
    fn find(&mut self, path: &str) -> Option<Arc<Camera>> {
        let camera = Arc::clone(self.service.camera(path)?);
        self.outage = Some(camera.outage.subscribe());
        self.camera = Some(Arc::clone(&camera));
        Some(camera)
    }

    async fn picture(&mut self, picture: Result<Sent, broadcast::error::RecvError>) {
        match picture {
            Ok(picture) if self.begun || picture.key => {
                self.begun = true;
                if let Some(datagrams) = &self.datagrams {
                    datagrams.send(&picture.packets).await;
                } else if self.connection.send(picture.packets).is_err() {
                    // Too slow for this picture: go on at the next that can be decoded.
                    self.begun = false;
                }
            }
            Ok(_) => {}
            Err(broadcast::error::RecvError::Lagged(_)) => self.begun = false,
            Err(broadcast::error::RecvError::Closed) => self.connection.close(),
        }
    }

    async fn report(&mut self) {
        self.next_report = Instant::now() + REPORT_EVERY;
        let Some(camera) = &self.camera else { return };
        let report = camera.sender_report();
        if let Some(datagrams) = &self.datagrams {
            return datagrams.report(&report).await;
        }
        let mut framed = Vec::with_capacity(4 + report.len());
        framed.extend([b'$', 1, 0, report.len() as u8]);
        framed.extend(report);
        // Refused only where the queue is full; the next one will do.
        let _ = self.connection.send(framed.into());
    }
}
