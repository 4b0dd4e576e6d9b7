//! What a tap is shown is enough to drive the same machine to the same output.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use std::sync::{Arc, Mutex};

use common::{camera, serve, watch};
use vigie::record::{Ingest, IngestOutput};
use vigie::session;
use vigie::time::Micros;
use vigie_net::{DoorOptions, Tap, TapEvent, Tapped};

/// A call of the machine.
enum Call {
    Open(Box<session::Config>),
    Received(Vec<u8>),
    Timeout,
    Closed,
    Teardown,
}

#[derive(Default)]
struct Log {
    calls: Vec<(Micros, Call)>,
    sent: Vec<u8>,
    ends: usize,
}

struct Recorder(Mutex<Log>);

impl Tap for Recorder {
    fn tap(&self, event: TapEvent<'_>) {
        let mut log = self.0.lock().unwrap();
        let call = match event.what {
            Tapped::Open { config, .. } => Call::Open(Box::new(config.clone())),
            Tapped::Received { bytes } => Call::Received(bytes.to_vec()),
            Tapped::Timeout => Call::Timeout,
            Tapped::Closed => Call::Closed,
            Tapped::Teardown => Call::Teardown,
            Tapped::Sent { bytes } => return log.sent.extend(bytes),
            Tapped::End { .. } => return log.ends += 1,
            Tapped::Output { .. } | Tapped::Drained => return,
            other => panic!("{other:?}"),
        };
        log.calls.push((event.now, call));
    }
}

/// Drives a machine by the calls: what it sent, and all else that it said.
fn replay(calls: &[(Micros, Call)]) -> (Vec<u8>, Vec<String>) {
    let (mut sent, mut said) = (Vec::new(), Vec::new());
    let mut machine: Option<Ingest> = None;
    for (now, call) in calls {
        if let Call::Open(config) = call {
            machine = Some(Ingest::new((**config).clone(), *now));
        }
        let machine = machine.as_mut().expect("opened first");
        let mut rest: &[u8] = &[];
        match call {
            Call::Open(_) => {}
            Call::Received(bytes) => rest = bytes,
            Call::Timeout => machine.handle_timeout(*now),
            Call::Closed => machine.handle_closed(*now),
            Call::Teardown => machine.teardown(*now),
        }
        loop {
            if !rest.is_empty() {
                let taken = machine.handle_input(*now, rest);
                rest = &rest[taken..];
            }
            while let Some(output) = machine.poll_output() {
                match output {
                    IngestOutput::Send(bytes) => sent.extend_from_slice(&bytes),
                    output => said.push(format!("{output:?}")),
                }
            }
            if rest.is_empty() {
                break;
            }
        }
    }
    (sent, said)
}

#[tokio::test]
async fn what_a_tap_saw_drives_a_fresh_machine_to_the_same_output() {
    let address = serve(DoorOptions::default()).await;
    let recorder = Arc::new(Recorder(Mutex::default()));
    let tap = Arc::clone(&recorder);
    let mut camera = camera(&format!("http://{address}/clip"), |options| options.tap = Some(tap));
    let shown = common::units(&watch(&mut camera, 50).await);
    camera.stop();
    watch(&mut camera, usize::MAX).await;

    let log = recorder.0.lock().unwrap();
    assert_eq!(log.ends, 1);
    assert!(matches!(log.calls[..], [(_, Call::Open(_)), ..]));
    let (sent, said) = replay(&log.calls);
    assert!(sent == log.sent, "the same requests");
    assert!(sent.starts_with(b"OPTIONS ") && String::from_utf8_lossy(&sent).contains("\r\nTEARDOWN "));
    assert_eq!(said, replay(&log.calls).1);
    let units = said.iter().filter(|s| s.starts_with("AccessUnit(")).count();
    assert!(units >= shown.len(), "{units} of {}", shown.len());
}
