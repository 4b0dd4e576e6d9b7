//! One viewer: a WebSocket, core's RTSP server machine, and a seat at a camera's fan.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, future};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use vigie::rtsp::auth::Authorization;
use vigie::rtsp::headers::{Range, RtpInfo};
use vigie::rtsp::{Status, Url};
use vigie::server::{Config, Connection, Event, Output, RequestId};

use crate::camera::Camera;
use crate::centre::Centre;
use crate::clock;
use crate::fan::Queue;
use crate::issuer::{Pass, Right};

/// How long a connection may live without a token.
const STRANGER: Duration = Duration::from_secs(5);

/// How long DESCRIBE waits for a camera that is away: who asks now is shown the camera the moment it is back.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a viewer may take nothing at all of what it is sent.
const STUCK: Duration = Duration::from_secs(20);

/// How long the last frame may take.
const CLOSING: Duration = Duration::from_secs(2);

/// Why a connection ends.
enum End {
    /// The peer is gone, or takes nothing.
    Gone,
    /// The peer said that it goes.
    Closed,
    /// No token in time, or a wrong one.
    Stranger,
    /// The token that it was let in with is good no longer, or another was shown that is not good.
    Expired,
    /// The machine is done with the peer.
    Done,
    /// The camera sends something else now, or the centre ends.
    Over,
}

/// A connection at `/rtsp`.
pub(crate) struct Viewer {
    centre: Arc<Centre>,
    connection: Connection,
    /// Held until a token came.
    stranger: Option<OwnedSemaphorePermit>,
    /// What the token that was shown last is good for, once one was.
    pass: Option<Pass>,
    /// How it was shown.
    shown: Option<Authorization>,
    /// What was asked for, and until when the answer may wait.
    asked: Option<(RequestId, Arc<Camera>, Instant)>,
    /// What PLAY may ask for.
    camera: Option<Arc<Camera>>,
    /// What plays, and of which camera.
    seat: Option<(Arc<Camera>, Arc<Queue>)>,
}

impl Viewer {
    /// Of somebody unknown, who holds a place among the strangers.
    pub(crate) fn new(centre: Arc<Centre>, seed: [u8; 32], stranger: OwnedSemaphorePermit) -> Self {
        let connection = Connection::new(Config::new(seed), clock::now());
        Self {
            centre,
            connection,
            stranger: Some(stranger),
            pass: None,
            shown: None,
            asked: None,
            camera: None,
            seat: None,
        }
    }

    /// To the end.
    pub(crate) async fn run(mut self, socket: WebSocket) {
        let (mut sink, mut stream) = socket.split();
        let end = self.serve(&mut sink, &mut stream).await;
        let (code, reason) = match end {
            End::Gone => return,
            End::Closed => {
                // RFC 6455 §5.5.1: a Close is answered. Firefox takes a connection that ends without for a failed one, and makes
                // the next one to the same host wait for 200 to 400 ms.
                let _ = timeout(CLOSING, sink.close()).await;
                return;
            }
            End::Stranger => (close_code::POLICY, "the first request must carry a token"),
            End::Expired => (close_code::POLICY, "the token is good no longer"),
            End::Done => (close_code::NORMAL, "done"),
            End::Over => (close_code::AGAIN, "the stream ended, connect again"),
        };
        let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        let _ = timeout(CLOSING, sink.send(close)).await;
    }

    async fn serve(
        &mut self,
        sink: &mut SplitSink<WebSocket, Message>,
        stream: &mut SplitStream<WebSocket>,
    ) -> End {
        let patience = Instant::now() + STRANGER;
        loop {
            if let Some(end) = self.flush(sink).await {
                return end;
            }
            let until = self.until();
            if until.is_some_and(|until| until <= Instant::now()) {
                self.centre.counters.refused();
                return End::Expired;
            }
            let due = self.connection.poll_timeout().map(clock::instant);
            let patience = self.stranger.is_some().then_some(patience);
            tokio::select! {
                message = stream.next() => match message {
                    Some(Ok(Message::Binary(bytes))) => {
                        if let Some(end) = self.hear(&bytes, sink).await {
                            return end;
                        }
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    // RTSP comes in binary messages only (ONVIF Streaming, "WebSocket Message Frame Format").
                    Some(Ok(Message::Text(_))) => return End::Done,
                    Some(Ok(Message::Close(_))) => return End::Closed,
                    Some(Err(_)) | None => return End::Gone,
                },
                bytes = next(self.seat.as_ref()) => match bytes {
                    // Refused only after PAUSE or TEARDOWN, when nothing is wanted any more.
                    Some(bytes) => drop(self.connection.send(bytes)),
                    None => return End::Over,
                },
                () = live(self.asked.as_ref()) => self.describe(),
                () = at(due) => self.connection.handle_timeout(clock::now()),
                () = at(patience) => return End::Stranger,
                () = at(until) => {}
            }
        }
    }

    /// Gives the machine what came, in as many bites as it takes.
    async fn hear(&mut self, mut bytes: &[u8], sink: &mut SplitSink<WebSocket, Message>) -> Option<End> {
        while !bytes.is_empty() {
            let taken = self.connection.handle_input(clock::now(), bytes);
            bytes = bytes.get(taken..).unwrap_or_default();
            if let Some(end) = self.flush(sink).await {
                return Some(end);
            }
            if taken == 0 {
                return Some(End::Done);
            }
        }
        None
    }

    /// Sends what waits. Only then is more taken from the queue, so that what waits for a slow viewer waits there,
    /// where it is bounded.
    async fn flush(&mut self, sink: &mut SplitSink<WebSocket, Message>) -> Option<End> {
        while let Some(output) = self.connection.poll_output() {
            match output {
                Output::Send(bytes) => {
                    let most = Instant::now() + STUCK;
                    let until = self.until().map_or(most, |until| until.min(most));
                    match timeout_at(until, sink.send(Message::Binary(bytes))).await {
                        Ok(Ok(())) => {}
                        _ => return Some(End::Gone),
                    }
                }
                Output::Event(event) => self.answer(event),
                _ => {
                    return Some(if self.stranger.is_some() { End::Stranger } else { End::Done });
                }
            }
        }
        self.renew()
    }

    /// When the token is good no longer.
    fn until(&self) -> Option<Instant> {
        self.pass.as_ref().and_then(Pass::until).map(clock::instant)
    }

    /// Another token that came with a request which the machine answered by itself, a keep-alive, takes the place of the one
    /// before.
    fn renew(&mut self) -> Option<End> {
        let shown = self.connection.authorization();
        if self.pass.is_none() || shown == self.shown.as_ref() {
            return None;
        }
        let shown = shown.cloned();
        let refused = self.admit(shown.as_ref()).is_err();
        refused.then(|| {
            self.centre.counters.refused();
            End::Expired
        })
    }

    fn answer(&mut self, event: Event) {
        match event {
            Event::Describe { request, url, authorization, .. } => {
                match self.admit(authorization.as_ref()).and_then(|pass| self.find(&url, &pass)) {
                    Ok(camera) => self.asked = Some((request, camera, Instant::now() + PATIENCE)),
                    Err(status) => self.refuse(request, status),
                }
            }
            Event::Play { request, authorization, .. } => {
                match self.admit(authorization.as_ref()).and_then(|pass| self.play(&pass)) {
                    Ok(info) => answered(self.connection.accept_play(request, Some(Range::NOW), &[info])),
                    Err(status) => self.refuse(request, status),
                }
            }
            Event::Pause | Event::Teardown => self.seat = None,
            Event::Failed(error) => tracing::debug!(%error, "viewer failed"),
            _ => {}
        }
    }

    /// The camera that was asked for is there, or has been waited for long enough.
    fn describe(&mut self) {
        let Some((request, camera, _)) = self.asked.take() else { return };
        match camera.fan.describe() {
            Some(description) => {
                self.camera = Some(camera);
                answered(self.connection.describe(request, description));
            }
            // The player asks again.
            None => self.refuse(request, Status::SERVICE_UNAVAILABLE),
        }
    }

    /// Whoever has no token is told nothing more, and shown the door.
    fn refuse(&mut self, request: RequestId, status: Status) {
        answered(self.connection.refuse(request, status));
        if status == Status::UNAUTHORIZED {
            self.centre.counters.refused();
            self.connection.close();
        }
    }

    /// Looked at for every request that shows anything.
    fn admit(&mut self, authorization: Option<&Authorization>) -> Result<Pass, Status> {
        let pass = authorization.and_then(|value| self.centre.pass(value.as_str()));
        let pass = pass.ok_or(Status::UNAUTHORIZED)?;
        // What plays is never by leave of a token that is for something else.
        if let Some((camera, _)) = &self.seat {
            shows(&pass, camera).map_err(|_| Status::UNAUTHORIZED)?;
        }
        self.stranger = None;
        self.shown = authorization.cloned();
        self.pass = Some(pass.clone());
        Ok(pass)
    }

    fn find(&self, url: &Url, pass: &Pass) -> Result<Arc<Camera>, Status> {
        let mut names = url.path().trim_matches('/').split('/');
        let (Some(tenant), Some(camera), None) = (names.next(), names.next(), names.next()) else {
            return Err(Status::NOT_FOUND);
        };
        let camera = self.centre.camera(tenant, camera).ok_or(Status::NOT_FOUND)?;
        shows(pass, camera).map(|()| camera.clone())
    }

    fn play(&mut self, pass: &Pass) -> Result<RtpInfo, Status> {
        let camera = self.camera.as_ref().ok_or(Status::NOT_FOUND)?;
        shows(pass, camera)?;
        let seat = camera.fan.sit(clock::now()).ok_or(Status::SERVICE_UNAVAILABLE)?;
        self.seat = Some((camera.clone(), seat.queue));
        let (seq, rtptime) = seat.first.unzip();
        Ok(RtpInfo { url: String::new(), seq, rtptime, ssrc: None })
    }
}

/// A camera that it does not cover is answered as one that there is not.
fn shows(pass: &Pass, camera: &Camera) -> Result<(), Status> {
    match (pass.covers(camera), pass.allows(Right::Live)) {
        (false, _) => Err(Status::NOT_FOUND),
        (_, false) => Err(Status::FORBIDDEN),
        _ => Ok(()),
    }
}

async fn next(seat: Option<&(Arc<Camera>, Arc<Queue>)>) -> Option<Bytes> {
    match seat {
        Some((_, queue)) => queue.next().await,
        None => future::pending().await,
    }
}

async fn live(asked: Option<&(RequestId, Arc<Camera>, Instant)>) {
    match asked {
        Some((_, camera, until)) => drop(timeout_at(*until, camera.fan.live()).await),
        None => future::pending().await,
    }
}

/// The machine hands a request out once and reads no other before it is answered: each answer has its request.
fn answered(answer: Result<(), vigie::server::Error>) {
    debug_assert!(answer.is_ok(), "{answer:?}");
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => future::pending().await,
    }
}
