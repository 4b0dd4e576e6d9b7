//! `vigie record`.

mod keeper;
mod sound;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use serde_json::json;
use vigie::fault::Fault as _;
use vigie::record::Health;
use vigie::sdp::Presentation;
use vigie::session::Lower;
use vigie::store::Source;
use vigie::timeline::UtcSource;
use vigie_net::inbox::Message;
use vigie_net::{Camera, Event, Wanted};

use self::keeper::{Keeper, Kept};
use self::sound::Sound;
use super::until_stopped;
use crate::args::Record;
use crate::capture::Capture;
use crate::failure::Failure;
use crate::moment::{count, show_bytes, show_span};
use crate::output::{Format, Progress};
use crate::stores::{Places, Stores};
use crate::{address, explain, health};

/// The connection is read so often: nobody sees the pictures before they are on the disk, a GOP at a time.
const READ: Duration = Duration::from_millis(200);

/// Ticks of half a second between two words of the camera's health.
const HEALTH: u32 = 10;

pub(super) async fn run(options: &Record, format: Format) -> Result<ExitCode, Failure> {
    let (url, mut net) = address::camera(&options.url, &options.login, &options.way)?;
    let source = explain::names(&options.tenant, &options.camera)?;
    let places = Places::new(Stores::new(options.stores.clone()));
    net.limits.policy = options.tolerance.policy;
    net.read_delay = READ;
    if options.once {
        net.backoff = None;
    }
    net.wanted = Wanted::default().audio(options.audio);
    let sound =
        if options.audio { Some(Sound::of(options, &places, &source, net.clock, net.limits)?) } else { None };
    let capture = match &options.capture {
        Some(path) => Some(Capture::create(path, options.no_media, &net.limits, net.clock)?),
        None => None,
    };
    net.tap = capture.as_ref().map(Capture::tap);
    let keeper = Keeper::open(places, source, net.clock, net.limits, options.rpo).await?;
    let mut recording = Recording {
        source,
        format,
        progress: Progress::line(&format!("connecting to {url}")),
        started: Instant::now(),
        presentation: None,
        transport: Lower::Tcp,
        connected: false,
        failing: false,
        retained: None,
        gaps: 0,
        sound,
        health: Health::default(),
    };
    let outcome = recording.follow(Camera::connect(url, net), &keeper, options).await;
    // A disk that does not answer must not hold whoever presses Ctrl-C once more.
    tokio::spawn(async {
        let _ = tokio::signal::ctrl_c().await;
        std::process::exit(130);
    });
    let captured = capture.map_or(Ok(()), Capture::finish);
    let kept = keeper.finish().await;
    let heard = match recording.sound.take() {
        Some(sound) => sound.finish().await,
        None => Ok(None),
    };
    recording.progress.done();
    let (kept, heard) = (kept?, heard?);
    outcome?;
    captured?;
    recording.summary(options, &kept, heard.as_ref())?;
    Ok(ExitCode::SUCCESS)
}

/// A recording as it is told to whoever watches.
struct Recording {
    source: Source,
    format: Format,
    progress: Progress,
    started: Instant,
    presentation: Option<Arc<Presentation>>,
    transport: Lower,
    connected: bool,
    failing: bool,
    /// What was said of deletion last.
    retained: Option<String>,
    gaps: u64,
    /// Where it was asked for.
    sound: Option<Sound>,
    /// As it was last, while there was a connection.
    health: Health,
}

impl Recording {
    /// Until the time is over or somebody stops it; with `--once`, until the camera or the store fails.
    async fn follow(&mut self, mut camera: Camera, keeper: &Keeper, options: &Record) -> Result<(), Failure> {
        let mut stop = std::pin::pin!(until_stopped(options.span));
        let mut stopping = false;
        let mut tick = tokio::time::interval(Duration::from_millis(500));
        let (mut synced, mut dropped, mut ticks) = (0, 0, 0_u32);
        loop {
            tokio::select! {
                biased;
                () = &mut stop, if !stopping => {
                    stopping = true;
                    camera.stop();
                }
                _ = tick.tick() => {
                    let kept = keeper.kept();
                    self.show(&kept);
                    self.health = camera.health();
                    ticks += 1;
                    if self.connected && ticks.is_multiple_of(HEALTH) {
                        self.tell("health", health::json(&self.health))?;
                    }
                    if kept.failure.is_some() != self.failing {
                        self.failing = !self.failing;
                        if options.once && self.failing {
                            return Ok(());
                        }
                        self.storage(kept.failure.as_ref())?;
                    }
                    if kept.dropped != dropped {
                        let more = kept.dropped - dropped;
                        dropped = kept.dropped;
                        self.gaps += 1;
                        self.note(&format!("the disk is too slow: {} dropped", count(more, "picture")));
                        self.tell("dropped", json!({"pictures": more}))?;
                    }
                    if kept.retained != self.retained {
                        self.retained.clone_from(&kept.retained);
                        if let Some(text) = &kept.retained {
                            self.note(text);
                            self.tell("retention", json!({"what": text}))?;
                        }
                    }
                    if kept.synced != synced {
                        synced = kept.synced;
                        self.tell("synced", json!({"fragments": synced, "bytes": kept.bytes}))?;
                    }
                }
                event = camera.next() => {
                    let Some(event) = event else { return Ok(()) };
                    self.take(event, &camera, keeper, options).await?;
                }
            }
        }
    }

    async fn take(
        &mut self,
        event: Event,
        camera: &Camera,
        keeper: &Keeper,
        options: &Record,
    ) -> Result<(), Failure> {
        match event {
            Event::AccessUnit(unit) => keeper.send(Message::Picture(unit)),
            Event::Picture(unit) => keeper.send(Message::Plain(unit.into())),
            Event::SenderReport { report, .. } => keeper.send(Message::Report(report)),
            Event::Anchor { source, timestamp, utc } => {
                keeper.send(Message::Anchor(source, timestamp, utc));
            }
            Event::Discontinuity => keeper.send(Message::Discontinuity),
            Event::SetUp { transport, .. } => self.transport = transport.lower(),
            Event::Audio(unit) => {
                if let Some(sound) = &mut self.sound {
                    sound.take(unit).await?;
                }
            }
            Event::AudioSenderReport { report, .. } => {
                if let Some(sound) = &mut self.sound {
                    sound.report(report).await;
                }
            }
            Event::Described(presentation) => {
                if self.sound.is_some() && presentation.audio().is_none() {
                    self.note("the camera has no sound that can be read: its pictures are recorded alone");
                }
                self.presentation = Some(presentation);
            }
            Event::Playing(playing) => {
                self.connected = true;
                let by = explain::transport(self.transport);
                self.note(&format!("connected to {}, pictures come by {by}", camera.url()));
                self.tell("connected", json!({"url": camera.url().to_string(), "transport": by}))?;
                let start = playing.range.and_then(|range| range.clock_start());
                let timestamp = playing.rtp_info.and_then(|info| info.rtptime);
                if let (Some(utc), Some(timestamp)) = (start, timestamp) {
                    keeper.send(Message::Anchor(UtcSource::RangeClock, timestamp, utc));
                }
            }
            Event::Redirected(to) => self.note(&format!("the camera sends us to {to}")),
            Event::Disconnected { error, retry_in } => {
                keeper.send(Message::Interrupted(error.cause, error.code().0));
                if let Some(sound) = &self.sound {
                    sound.interrupted(error.cause, error.code().0).await;
                }
                let failure = explain::camera(camera, &error, self.presentation.as_deref());
                if options.once && retry_in.is_none() {
                    return Err(failure);
                }
                if std::mem::take(&mut self.connected) {
                    self.gaps += 1;
                }
                let wait = retry_in.unwrap_or_default();
                let micros = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
                let cause = error.cause;
                self.note(&format!(
                    "no picture ({cause}): {}; again in {}",
                    failure.what(),
                    show_span(micros)
                ));
                self.tell(
                    "disconnected",
                    json!({"cause": cause.name(), "code": error.code().to_string(), "what": failure.what(),
                        "remedy": failure.remedy(), "retry_seconds": wait.as_secs_f64()}),
                )?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The store has failed, or has come back.
    fn storage(&mut self, failure: Option<&Failure>) -> Result<(), Failure> {
        let Some(failure) = failure else {
            self.note("the store can be written again");
            return self.tell("store", json!({"failing": false}));
        };
        self.gaps += 1;
        self.note(&format!(
            "not recording (storage): {}; trying again\n  try: {}",
            failure.what(),
            failure.remedy()
        ));
        self.tell("store", json!({"failing": true, "what": failure.what(), "remedy": failure.remedy()}))
    }

    fn show(&self, kept: &Kept) {
        let elapsed = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let state = match (self.failing, self.connected) {
            (true, _) => "waiting for the store",
            (false, true) => "recording",
            (false, false) => "waiting for the camera",
        };
        self.progress.say(format!(
            "{state}: {}, {}, {} in {}, {}; Ctrl-C ends it",
            show_span(elapsed),
            count(kept.pictures, "picture"),
            show_bytes(kept.bytes),
            count(kept.files, "file"),
            count(self.gaps, "gap"),
        ));
    }

    fn note(&self, text: &str) {
        if self.format == Format::Text {
            self.progress.note(text);
        }
    }

    fn tell(&self, event: &str, mut json: serde_json::Value) -> Result<(), Failure> {
        if self.format == Format::Json {
            json["event"] = event.into();
            json["utc"] = crate::moment::utc_now().to_string().into();
            return self.format.print("", &json);
        }
        Ok(())
    }

    fn summary(&self, options: &Record, kept: &Kept, heard: Option<&Kept>) -> Result<(), Failure> {
        let mut text = format!(
            "{}/{}: {}, {} in {}, {}\n",
            Stores::new(options.stores.clone()),
            self.source,
            count(kept.pictures, "picture"),
            show_bytes(kept.bytes),
            count(kept.files, "file"),
            count(self.gaps, "gap"),
        );
        let json = json!({
            "event": "done", "store": options.stores.first(), "stores": options.stores, "tenant": self.source.tenant.as_str(),
            "camera": self.source.camera.as_str(), "pictures": kept.pictures, "bytes": kept.bytes,
            "files": kept.files, "fragments": kept.fragments, "gaps": self.gaps,
            "audio": heard.map(|heard| json!({
                "camera": format!("{}-audio", self.source.camera), "bytes": heard.bytes, "files": heard.files,
                "fragments": heard.fragments,
            })),
            "health": health::json(&self.health),
        });
        if let Some(heard) = heard {
            let files = count(heard.files, "file");
            text +=
                &format!("sound         {} in {files}, as {}-audio\n", show_bytes(heard.bytes), self.source);
        }
        self.format.print(text, &json)
    }
}
