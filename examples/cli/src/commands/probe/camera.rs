//! A camera, watched for a while.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use futures::StreamExt as _;
use serde_json::{Value, json};
use vigie::rtp::rtcp::SenderReport;
use vigie::sdp::{Media, Presentation};
use vigie::session::Lower;
use vigie::time::Micros;
use vigie_net::{Camera, Clock, Event, Fingerprint};

use super::findings::Findings;
use crate::args::Probe;
use crate::commands::until_stopped;
use crate::failure::Failure;
use crate::moment::{count, show_span};
use crate::output::{Format, Progress};
use crate::{address, explain, health};

/// What a camera showed of itself.
struct Seen {
    clock: Clock,
    /// Of the camera, with TLS: to be pinned.
    certificate: Option<Fingerprint>,
    transport: Lower,
    presentation: Option<Arc<Presentation>>,
    findings: Findings,
    /// RTP timestamps, extended.
    timestamp: Option<(u32, i64)>,
    /// The camera's clock less this machine's, microseconds, each time that it said so.
    offsets: Vec<i64>,
}

pub(super) async fn run(options: &Probe, format: Format) -> Result<ExitCode, Failure> {
    let (url, mut net) = address::camera(&options.input, &options.login, &options.way)?;
    net.limits.policy = options.tolerance.policy;
    net.backoff = None;
    let mut seen = Seen {
        clock: net.clock,
        certificate: None,
        transport: Lower::Tcp,
        presentation: None,
        findings: Findings::default(),
        timestamp: None,
        offsets: Vec::new(),
    };
    let mut camera = Camera::connect(url, net);
    let span = show_span(u64::try_from(options.span.as_micros()).unwrap_or(u64::MAX));
    let progress = Progress::line(&format!("watching {} for {span}", camera.url()));
    let ended = seen.watch(&mut camera, options).await;
    progress.done();
    // A camera that sent pictures and then went away is worth a report; one that sent none is not.
    if let Some(failure) = ended {
        if seen.findings.pictures() == 0 {
            return Err(failure);
        }
        progress.note(&format!("watched less than {span}: {}", failure.what()));
    }
    if seen.findings.pictures() == 0 {
        return Err(Failure::new(
            format!("{} plays, but sent no picture in {span}", camera.url()),
            "watch longer with --for 30s; some cameras send their first key picture late",
        ));
    }
    format.print(seen.text(&camera), &seen.json(&camera))?;
    Ok(ExitCode::SUCCESS)
}

impl Seen {
    /// Until the time is over; or why it ended before.
    async fn watch(&mut self, camera: &mut Camera, options: &Probe) -> Option<Failure> {
        let mut stop = std::pin::pin!(until_stopped(Some(options.span)));
        let mut stopping = false;
        loop {
            let event = tokio::select! {
                biased;
                () = &mut stop, if !stopping => {
                    stopping = true;
                    camera.stop();
                    continue;
                }
                event = camera.next() => event?,
            };
            match event {
                Event::Connected { certificate, .. } => self.certificate = certificate,
                Event::Described(presentation) => self.presentation = Some(presentation),
                Event::SetUp { transport, .. } => self.transport = transport.lower(),
                Event::AccessUnit(unit) => {
                    let pts = self.extend(unit.timestamp);
                    let key = unit.random_access.is_some_and(|r| r.starts_gop());
                    self.findings.picture(pts, unit.data.len() as u64, key);
                    if let Some(format) = unit.parameters.and_then(|sets| sets.format()) {
                        self.findings.format = Some(format);
                    }
                }
                Event::Picture(unit) => {
                    let pts = self.extend(unit.timestamp);
                    self.findings.picture(pts, unit.data.len() as u64, unit.random_access);
                    self.findings.plain = Some(unit.format);
                }
                Event::SenderReport { report, received } => self.report(&report, received),
                Event::Disconnected { error, .. } => {
                    return Some(explain::camera(camera, &error, self.presentation.as_deref()));
                }
                _ => {}
            }
        }
    }

    fn extend(&mut self, timestamp: u32) -> i64 {
        let pts = match self.timestamp {
            Some((last, pts)) => pts + i64::from(timestamp.wrapping_sub(last) as i32),
            None => 0,
        };
        self.timestamp = Some((timestamp, pts));
        pts
    }

    fn report(&mut self, report: &SenderReport, received: Micros) {
        if report.ntp.0 == 0 {
            return;
        }
        let age = i64::try_from(self.clock.now().since(received)).unwrap_or(0);
        let here = self.clock.utc().plus(-age);
        self.offsets.push(report.ntp.to_utc().0 - here.0);
    }

    /// The report that came with the least delay: the offset farthest ahead.
    fn offset(&self) -> Option<i64> {
        self.offsets.iter().copied().max()
    }

    fn text(&self, camera: &Camera) -> String {
        let mut out = format!("{}\n", camera.url());
        let media = self.presentation.as_ref().map(|p| &p.media[..]).unwrap_or_default();
        for (i, media) in media.iter().enumerate() {
            let _ = writeln!(out, "stream {i}      {}", stream(media));
        }
        let _ = writeln!(out, "transport     {}", explain::transport(self.transport));
        if let Some(fingerprint) = self.certificate {
            let _ = writeln!(out, "certificate   SHA-256 {fingerprint}");
        }
        out += &self.findings.text();
        let _ = match self.offset() {
            Some(micros) => writeln!(out, "clock         {}", offset(micros)),
            None => writeln!(
                out,
                "clock         the camera does not say what its clock shows (no RTCP sender report)"
            ),
        };
        let lost = camera.stats().reorder.lost;
        if lost > 0 {
            let _ = writeln!(out, "lost          {}", count(lost, "RTP packet"));
        }
        out += &health::text(&camera.health());
        let quirks = camera.quirks();
        if quirks.iter().next().is_none() {
            out.push_str("tolerated     nothing\n");
        }
        out + &explain::quirk_lines(&quirks)
    }

    fn json(&self, camera: &Camera) -> Value {
        let media = self.presentation.as_ref().map(|p| &p.media[..]).unwrap_or_default();
        let streams: Vec<Value> = media.iter().map(stream_json).collect();
        json!({
            "url": camera.url().to_string(), "streams": streams, "video": self.findings.json(),
            "transport": explain::transport(self.transport),
            "certificate": self.certificate.map(|fingerprint| fingerprint.to_string()),
            "clock_offset_seconds": self.offset().map(|micros| micros as f64 / 1e6),
            "lost_packets": camera.stats().reorder.lost, "quirks": explain::quirks(&camera.quirks()),
            "health": health::json(&camera.health()),
        })
    }
}

/// `video H264, payload type 96, 25 a second`.
fn stream(media: &Media) -> String {
    let encoding = if media.encoding().is_empty() { "unknown" } else { media.encoding() };
    let rate = media.frame_rate.as_ref().map(|r| format!(", {r} a second")).unwrap_or_default();
    format!("{} {encoding}, payload type {}{rate}", explain::kind(&media.kind), media.payload_type)
}

fn stream_json(media: &Media) -> Value {
    json!({
        "kind": explain::kind(&media.kind), "encoding": media.encoding(), "payload_type": media.payload_type,
        "clock_rate": media.clock_rate, "frame_rate": media.frame_rate,
    })
}

fn offset(micros: i64) -> String {
    let way = if micros < 0 { "behind" } else { "ahead of" };
    match micros.unsigned_abs() {
        0..20_000 => "agrees with this machine's to 0.02 s".to_owned(),
        span => format!("{} {way} this machine's", show_span(span)),
    }
}
