//! A camera, watched for a while: what goes over its connection is judged as it comes.

use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt as _;
use vigie::limits::Limits;
use vigie::time::{Micros, UtcMicros};
use vigie_net::{Camera, Clock, Event, Tap, TapEvent, Tapped};

use super::connection::Connection;
use crate::args;
use crate::commands::{block_on, until_stopped};
use crate::failure::Failure;
use crate::moment::show_span;
use crate::output::Progress;
use crate::vet::Report;
use crate::{address, explain};

/// Listens in.
struct Judge {
    connection: Mutex<Connection>,
    clock: Clock,
}

impl Judge {
    fn utc(&self, now: Micros) -> Option<UtcMicros> {
        let age = i64::try_from(self.clock.now().since(now)).unwrap_or(0);
        Some(self.clock.utc().plus(-age))
    }
}

impl Tap for Judge {
    fn tap(&self, event: TapEvent<'_>) {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        match event.what {
            Tapped::Open { .. } => connection.reopen(),
            Tapped::Received { bytes } => connection.received(bytes, self.utc(event.now)),
            Tapped::Datagram { media, rtcp, bytes } => {
                connection.datagram(media, rtcp, bytes, self.utc(event.now));
            }
            Tapped::Sent { bytes } => connection.sent(bytes),
            _ => {}
        }
    }
}

pub(super) fn vet(options: &args::Vet, source: &str) -> Result<Report, Failure> {
    block_on(watch(options, source))
}

async fn watch(options: &args::Vet, source: &str) -> Result<Report, Failure> {
    let (url, mut net) = address::camera(source, &options.login, &options.way)?;
    net.backoff = None;
    let judge = Arc::new(Judge {
        connection: Mutex::new(Connection::new(&Limits::default(), options.mutate)),
        clock: net.clock,
    });
    net.tap = Some(Arc::clone(&judge) as Arc<dyn Tap>);
    let mut camera = Camera::connect(url, net);
    let name = camera.url().to_string();
    let span = show_span(u64::try_from(options.span.as_micros()).unwrap_or(u64::MAX));
    let progress = Progress::line(&format!("watching {name} for {span}"));
    let mut stop = std::pin::pin!(until_stopped(Some(options.span)));
    let mut stopping = false;
    let mut described = None;
    let failure = loop {
        let event = tokio::select! {
            biased;
            () = &mut stop, if !stopping => {
                stopping = true;
                camera.stop();
                continue;
            }
            event = camera.next() => event,
        };
        match event {
            Some(Event::Described(presentation)) => described = Some(presentation),
            // Where there is a next try, it is for another transport: of this one nothing came.
            Some(Event::Disconnected { error, retry_in: None, .. }) => {
                break Some(explain::camera(&camera, &error, described.as_deref()));
            }
            Some(_) => {}
            None => break None,
        }
    };
    progress.done();
    let empty = Connection::new(&Limits::default(), false);
    let connection = {
        let mut held = judge.connection.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *held, empty)
    };
    let report = connection.finish(&name);
    match failure {
        Some(failure) if report.pictures() == 0 => Err(failure),
        Some(failure) => {
            progress.note(&format!("watched less than {span}: {}", failure.what()));
            Ok(report)
        }
        None if report.pictures() == 0 => Err(Failure::new(
            format!("{name} plays, but sent no picture of H.264 or H.265 in {span}"),
            "watch longer with --for 30s; some cameras send their first key picture late",
        )),
        None => Ok(report),
    }
}
