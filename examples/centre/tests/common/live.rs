//! A viewer: RTSP over WebSocket, by core's own client.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use vigie::depacket::AccessUnit;
use vigie::record::{Ingest, IngestOutput};
use vigie::rtp::rtcp::SenderReport;
use vigie::rtp::timestamp_distance;
use vigie::rtsp::Url;
use vigie::session::{Config, Event, Playing};
use vigie::time::{Micros, Ticks, UtcMicros};
use vigie_cli::simulator::{Picture, read_stamp};

use super::Centre;
use super::socket::Socket;

pub struct Viewer {
    socket: Socket,
    ingest: Ingest,
    start: Instant,
    waiting: VecDeque<Seen>,
}

/// What a viewer sees.
#[derive(Debug)]
pub enum Seen {
    Playing(Playing),
    Report(SenderReport),
    Picture(AccessUnit),
    Failed(vigie::session::Error),
    /// The WebSocket was closed.
    Closed,
}

impl Viewer {
    /// One that waits a minute for pictures.
    pub async fn new(centre: &Centre, camera: &str) -> Self {
        Self::with(centre, camera, &centre.token, 60_000_000).await
    }

    /// One that gives up when there are no pictures for 10 s, as the page's does.
    pub async fn impatient(centre: &Centre, camera: &str) -> Self {
        Self::with(centre, camera, &centre.token, 10_000_000).await
    }

    pub async fn with_token(centre: &Centre, camera: &str, token: &str) -> Self {
        Self::with(centre, camera, token, 60_000_000).await
    }

    async fn with(centre: &Centre, camera: &str, token: &str, patience: u64) -> Self {
        let socket = Socket::new(centre).await;
        let (url, _) = Url::parse(&format!("rtsp://{}/{camera}", centre.host())).unwrap();
        let config = Config::new(url, [7; 32]).authorization(Some(format!("Bearer {token}")));
        let ingest = Ingest::new(config.media_timeout(Some(patience)), Micros(0));
        let mut viewer = Self { socket, ingest, start: Instant::now(), waiting: VecDeque::new() };
        viewer.drain().await;
        viewer
    }

    /// Shows another token and goes on.
    pub async fn renew(&mut self, token: &str) {
        let now = Micros(self.start.elapsed().as_micros() as u64);
        self.ingest.authorize(now, Some(format!("Bearer {token}")));
        self.drain().await;
    }

    /// Goes, as a page that is closed does; true: it was seen off.
    #[allow(dead_code)]
    pub async fn close(self) -> bool {
        self.socket.close().await
    }

    pub async fn see(&mut self) -> Seen {
        loop {
            if let Some(seen) = self.waiting.pop_front() {
                return seen;
            }
            let now = || Micros(self.start.elapsed().as_micros() as u64);
            let due = self.ingest.poll_timeout().map(|due| self.start + Duration::from_micros(due.0));
            let due = due.unwrap_or(self.start + Duration::from_secs(3_600));
            let Ok(received) = timeout_at(due, self.socket.receive()).await else {
                self.ingest.handle_timeout(now());
                self.drain().await;
                continue;
            };
            let Some(bytes) = received else { return Seen::Closed };
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let now = Micros(self.start.elapsed().as_micros() as u64);
                let taken = self.ingest.handle_input(now, rest);
                rest = &rest[taken..];
                self.drain().await;
            }
        }
    }

    pub async fn playing(&mut self) -> Playing {
        match self.see().await {
            Seen::Playing(playing) => playing,
            other => panic!("{other:?}"),
        }
    }

    /// The next picture, reports passed over.
    pub async fn picture(&mut self) -> AccessUnit {
        loop {
            match self.see().await {
                Seen::Picture(unit) => return unit,
                Seen::Report(_) | Seen::Playing(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub async fn report(&mut self) -> SenderReport {
        loop {
            match self.see().await {
                Seen::Report(report) => return report,
                Seen::Picture(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub fn lost(&self) -> String {
        format!("{:?}", self.ingest.stats().reorder)
    }

    async fn drain(&mut self) {
        while let Some(output) = self.ingest.poll_output() {
            self.waiting.push_back(match output {
                IngestOutput::Send(bytes) => {
                    self.socket.send(bytes).await;
                    continue;
                }
                IngestOutput::AccessUnit(unit) => Seen::Picture(unit),
                IngestOutput::SenderReport { report, .. } => Seen::Report(report),
                IngestOutput::Event(Event::Playing(playing)) => Seen::Playing(playing),
                IngestOutput::Event(Event::Failed(error)) => Seen::Failed(error),
                _ => continue,
            });
        }
    }
}

/// What the simulated camera says of the picture.
pub fn stamp(unit: &AccessUnit) -> Picture {
    read_stamp(unit.codec, &unit.data).expect("every simulated picture is stamped")
}

/// When a picture was taken, by the report.
pub fn moment(report: &SenderReport, unit: &AccessUnit) -> UtcMicros {
    let ticks = timestamp_distance(report.rtp_timestamp, unit.timestamp);
    report.ntp.to_utc().plus(Ticks::micros(i64::from(ticks)))
}
