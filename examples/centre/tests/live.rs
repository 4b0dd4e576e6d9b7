//! The demo's cameras over RTSP in WebSocket: the picture at once, all of them, at their times, and back by themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
use std::time::{Duration, Instant};

use common::Centre;
use common::live::{Seen, Viewer, moment, stamp};
use common::socket::Socket;
use vigie::codec::Codec;
use vigie::time::UtcMicros;

const CAMERAS: [&str; 4] = ["annoeullin/mairie", "annoeullin/place", "provin/ecole", "provin/gare"];

fn state(centre: &Centre, camera: &str) -> String {
    let (tenant, id) = camera.split_once('/').unwrap();
    let all = centre.get("/api/cameras").json();
    let tenants = all["tenants"].as_array().unwrap();
    let tenant = tenants.iter().find(|known| known["id"] == tenant).unwrap();
    let camera = tenant["cameras"].as_array().unwrap().iter().find(|known| known["id"] == id).unwrap();
    camera["state"].as_str().unwrap().to_owned()
}

/// A demo whose cameras have all sent more than a key picture.
async fn demo() -> Centre {
    let centre = Centre::demo();
    centre.until(20, "all cameras recording", |centre| {
        CAMERAS.iter().all(|camera| state(centre, camera) == "recording").then_some(())
    });
    tokio::time::sleep(Duration::from_millis(700)).await;
    centre
}

fn utc() -> UtcMicros {
    vigie_net::Clock::start().utc()
}

#[tokio::test]
async fn all_four_play_the_gop_first() {
    let centre = demo().await;
    for camera in CAMERAS {
        let asked = Instant::now();
        let mut viewer = Viewer::new(&centre, camera).await;
        let playing = viewer.playing().await;
        let info = playing.rtp_info.unwrap();
        let Seen::Report(report) = viewer.see().await else { panic!("{camera}: no report first") };
        let mut units = vec![viewer.picture().await];
        assert!(asked.elapsed() < Duration::from_secs(1), "{camera}: {:?}", asked.elapsed());
        let first = &units[0];
        assert!(first.random_access.is_some_and(|r| r.starts_gop()), "{camera}");
        assert_eq!(info.rtptime, Some(first.timestamp), "{camera}");
        assert_eq!(first.codec == Codec::H265, camera == "provin/gare");
        assert!(stamp(first).number.is_multiple_of(50), "{camera}: the GOP from its start");
        while units.len() < 60 {
            units.push(viewer.picture().await);
        }
        // Each once, none missing: by the numbers that the camera gave them.
        let mut numbers: Vec<i64> =
            units.iter().map(stamp).map(|s| i64::from(s.round * 1_500 + s.number)).collect();
        let decoding_order = numbers.clone();
        numbers.sort_unstable();
        assert!(
            numbers.windows(2).filter(|pair| pair[1] != pair[0] + 1).count() <= 2,
            "{camera}: {decoding_order:?}"
        );
        assert!(units.iter().all(|unit| unit.loss.packets == 0 && !unit.loss.incomplete), "{camera}");
        assert_eq!(decoding_order != numbers, camera == "annoeullin/place", "only place has B pictures");
        for unit in &units {
            let off = moment(&report, unit).0 - stamp(unit).utc.0;
            assert!(off.abs() < 20_000, "{camera}: {off} µs off");
        }
        // Caught up with the camera.
        let late = utc().0 - stamp(units.last().unwrap()).utc.0;
        assert!(late < 1_000_000, "{camera}: {late} µs late");
        let again = viewer.report().await;
        assert_eq!(again.ssrc, report.ssrc);
    }
}

#[tokio::test]
async fn the_url_that_is_not_a_camera_and_the_wrong_token() {
    let centre = demo().await;
    for camera in ["annoeullin/gare", "annoeullin", "", "annoeullin/mairie/x/y", "../annoeullin/mairie"] {
        let mut viewer = Viewer::new(&centre, camera).await;
        match viewer.see().await {
            Seen::Failed(error) => assert!(error.to_string().contains("no stream"), "{camera}: {error}"),
            other => panic!("{camera}: {other:?}"),
        }
    }
    let mut viewer =
        Viewer::with_token(&centre, "annoeullin/mairie", "0123456789abcdef0123456789abcdef").await;
    match viewer.see().await {
        Seen::Failed(error) => assert!(error.to_string().contains("refuses"), "{error}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_camera_that_stops_and_starts_again_is_back_within_5_seconds() {
    let centre = demo().await;
    let camera = "annoeullin/mairie";
    for order in ["stop", "cut"] {
        let mut viewer = Viewer::new(&centre, camera).await;
        viewer.picture().await;
        assert_eq!(centre.post(&format!("/api/demo/camera/{camera}/{order}")).status, 204);
        centre.until(5, "stale", |centre| (state(centre, camera) == "stale").then_some(()));
        assert_eq!(state(&centre, "annoeullin/place"), "recording");
        if order == "stop" {
            // Who comes now is told to come again.
            match Viewer::new(&centre, camera).await.see().await {
                Seen::Failed(error) => assert!(error.to_string().contains("503"), "{error}"),
                other => panic!("{other:?}"),
            }
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        let stopped_until = utc();
        assert_eq!(centre.post(&format!("/api/demo/camera/{camera}/start")).status, 204);
        let back = Instant::now();
        let first = loop {
            let unit = viewer.picture().await;
            if stamp(&unit).utc > stopped_until {
                break unit;
            }
        };
        assert!(back.elapsed() < Duration::from_secs(5), "{order}: {:?}", back.elapsed());
        assert!(first.random_access.is_some_and(|r| r.starts_gop()) || order == "cut", "{order}");
        // The clock was told anew, and the pictures go on.
        let report = viewer.report().await;
        for _ in 0..30 {
            let unit = viewer.picture().await;
            let off = moment(&report, &unit).0 - stamp(&unit).utc.0;
            assert!(off.abs() < 20_000, "{order}: {off} µs off");
        }
        assert_eq!(state(&centre, camera), "recording");
    }
}

#[tokio::test]
async fn a_viewer_that_stops_reading_costs_the_others_nothing() {
    let centre = demo().await;
    let stuck = Viewer::new(&centre, "provin/ecole").await;
    let mut other = Viewer::new(&centre, "provin/ecole").await;
    for _ in 0..50 {
        other.picture().await;
    }
    drop(stuck);
}

/// Firefox takes a connection whose Close is not answered for a failed one, and makes the next one wait.
#[tokio::test]
async fn a_viewer_that_goes_is_seen_off() {
    let centre = demo().await;
    assert!(Socket::new(&centre).await.close().await, "before it said anything");
    for camera in CAMERAS {
        let mut viewer = Viewer::new(&centre, camera).await;
        viewer.picture().await;
        assert!(viewer.close().await, "{camera}, while it plays");
    }
}
