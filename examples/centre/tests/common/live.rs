//! A viewer: RTSP over WebSocket, by core's own client.

use std::collections::VecDeque;

use tokio::time::Instant;
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
    pub async fn new(centre: &Centre, camera: &str) -> Self {
        Self::with_token(centre, camera, &centre.token).await
    }

    pub async fn with_token(centre: &Centre, camera: &str, token: &str) -> Self {
        let socket = Socket::new(centre).await;
        let (url, _) = Url::parse(&format!("rtsp://{}/{camera}", centre.host())).unwrap();
        let config = Config::new(url, [7; 32]).authorization(Some(format!("Bearer {token}")));
        let config = config.media_timeout(Some(60_000_000));
        let mut viewer = Self {
            socket,
            ingest: Ingest::new(config, Micros(0)),
            start: Instant::now(),
            waiting: VecDeque::new(),
        };
        viewer.drain().await;
        viewer
    }

    pub async fn see(&mut self) -> Seen {
        loop {
            if let Some(seen) = self.waiting.pop_front() {
                return seen;
            }
            let Some(bytes) = self.socket.receive().await else { return Seen::Closed };
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
