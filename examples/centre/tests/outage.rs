//! Half a minute without a camera, and half a minute without its network: one gap with the right cause each, the other
//! cameras untouched, and viewers who see it again within 5 s of its return.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
use std::time::{Duration, Instant};

use common::Centre;
use common::live::{Seen, Viewer, stamp};
use vigie::time::UtcMicros;

const OUTAGE: Duration = Duration::from_secs(30);

fn utc() -> UtcMicros {
    vigie_net::Clock::start().utc()
}

/// Watches as the page does: whenever the stream ends, comes again 2 s later. Returns when a picture is seen that was
/// taken after `since`.
async fn see_after(centre: &Centre, camera: &str, since: UtcMicros) {
    loop {
        let mut viewer = Viewer::impatient(centre, camera).await;
        loop {
            match viewer.see().await {
                Seen::Picture(unit) if stamp(&unit).utc > since => return,
                Seen::Failed(_) | Seen::Closed => break,
                _ => {}
            }
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

async fn out_and_back(centre: &Centre, camera: &str, order: &str) {
    assert_eq!(centre.post(&format!("/api/demo/camera/{camera}/{order}")).status, 204);
    let since = UtcMicros(utc().0 + OUTAGE.as_micros() as i64);
    let watching = see_after(centre, camera, since);
    let back = async {
        tokio::time::sleep(OUTAGE).await;
        assert_eq!(centre.post(&format!("/api/demo/camera/{camera}/start")).status, 204);
        Instant::now()
    };
    let seen = async {
        watching.await;
        Instant::now()
    };
    let (begun, seen) = tokio::join!(back, seen);
    let took = seen.saturating_duration_since(begun);
    println!("{camera} {order}: seen again {took:?} after its return");
    assert!(took < Duration::from_secs(5), "{camera} {order}: {took:?}");
}

#[tokio::test]
async fn half_a_minute_away() {
    let centre = Centre::demo();
    for camera in ["annoeullin/mairie", "provin/gare"] {
        Viewer::new(&centre, camera).await.picture().await;
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    tokio::join!(
        out_and_back(&centre, "annoeullin/mairie", "stop"),
        out_and_back(&centre, "provin/gare", "cut")
    );
    for (camera, cause) in [("annoeullin/mairie", "camera"), ("provin/gare", "network")] {
        let gap = centre.until(15, "recorded again", |centre| {
            let timeline = centre.get(&format!("/api/timeline/{camera}")).json();
            let (ranges, gaps) =
                (timeline["ranges"].as_array().unwrap(), timeline["gaps"].as_array().unwrap());
            assert!(gaps.len() <= 1, "{camera}: {timeline}");
            (ranges.len() == 2).then(|| gaps[0].clone())
        });
        assert_eq!(gap["cause"], cause, "{camera}: {gap}");
        let moment = |end: &str| gap[end].as_str().unwrap().parse::<UtcMicros>().unwrap().0;
        let seconds = (moment("to") - moment("from")) / 1_000_000;
        assert!((28..=37).contains(&seconds), "{camera}: {gap}");
    }
    for camera in ["annoeullin/place", "provin/ecole"] {
        let timeline = centre.get(&format!("/api/timeline/{camera}")).json();
        assert_eq!(timeline["ranges"].as_array().unwrap().len(), 1, "{camera}: {timeline}");
        assert_eq!(timeline["gaps"].as_array().unwrap().len(), 0, "{camera}: {timeline}");
    }
}
