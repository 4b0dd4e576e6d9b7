//! What the demo records: found again by the timeline and the archive, whole after Ctrl-C, with a gap where a camera
//! was away.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
use std::path::Path;
use std::time::Duration;

use common::{Centre, files, program};
use vigie::gix::Span;
use vigie::store::hold::{self, Request};
use vigie::store::journal::Journal;
use vigie::store::{Cause, FileStorage, Listing, Source, verify};

const CAMERAS: [(&str, &str); 4] =
    [("annoeullin", "mairie"), ("annoeullin", "place"), ("provin", "ecole"), ("provin", "gare")];

fn ranges(centre: &Centre, tenant: &str, camera: &str) -> Vec<(String, String)> {
    let timeline = centre.get(&format!("/api/timeline/{tenant}/{camera}")).json();
    let range = |range: &serde_json::Value| {
        (range["from"].as_str().unwrap().to_owned(), range["to"].as_str().unwrap().to_owned())
    };
    timeline["ranges"].as_array().unwrap().iter().map(range).collect()
}

fn recorded(centre: &Centre) {
    for (tenant, camera) in CAMERAS {
        centre.until(30, "something recorded of each", |centre| {
            (!ranges(centre, tenant, camera).is_empty()).then_some(())
        });
    }
}

#[test]
fn what_is_recorded_is_found_over_http_and_is_whole_after_ctrl_c() {
    let mut centre = Centre::demo();
    recorded(&centre);
    std::thread::sleep(Duration::from_secs(3));
    for (tenant, camera) in CAMERAS {
        let [(from, to)] = &ranges(&centre, tenant, camera)[..] else {
            panic!("{tenant}/{camera}: one range")
        };
        assert!(from < to, "{from} {to}");
        let folder = centre.store.join(tenant).join(camera);
        let found = files(&folder);
        assert!(found.iter().any(|file| file.extension().is_some_and(|e| e == "m4v")), "{found:?}");
        for file in found.iter().filter(|file| file.extension().is_some_and(|e| e == "m4v" || e == "gix")) {
            let path = format!("/archive/{tenant}/{camera}/{}", file.display());
            let head = centre.get_with(&path, &[("Range", "bytes=0-15")]);
            assert_eq!((head.status, head.body.len()), (206, 16), "{path}");
            assert!(head.body.starts_with(b"GIX1") || &head.body[4..8] == b"ftyp", "{path}");
        }
    }
    assert!(centre.interrupt(), "ended in order");
    for (tenant, camera) in CAMERAS {
        assert!(ends_in_order(&centre.store, tenant, camera), "{tenant}/{camera}");
    }
}

/// Every file passes the store's own check, and the last span was ended.
fn ends_in_order(store: &Path, tenant: &str, camera: &str) -> bool {
    let source = Source::new(tenant, camera).unwrap();
    let mut storage = FileStorage::new(store);
    let listing = Listing::load(&mut storage, &source, Span::ALL).unwrap();
    let pictures: u64 = listing.segments.iter().map(|segment| segment.samples).sum();
    assert!(pictures >= 50, "{tenant}/{camera}: {pictures} pictures");
    let checked = verify(&mut storage, &source).unwrap();
    let wrong = checked.missing + checked.unindexed + checked.damaged + checked.headless;
    assert!(wrong == 0 && checked.differ.is_empty(), "{checked:?}");
    files(&store.join(tenant).join(camera))
        .iter()
        .any(|file| file.extension().is_some_and(|e| e == "m4v_end"))
}

#[test]
fn a_camera_that_was_away_leaves_one_gap_with_its_cause() {
    let centre = Centre::demo();
    recorded(&centre);
    assert_eq!(centre.post("/api/demo/camera/provin/ecole/stop").status, 204);
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(centre.post("/api/demo/camera/provin/ecole/start").status, 204);
    let gap = centre.until(20, "two ranges and the gap between", |centre| {
        let timeline = centre.get("/api/timeline/provin/ecole").json();
        let (ranges, gaps) = (timeline["ranges"].as_array().unwrap(), timeline["gaps"].as_array().unwrap());
        assert!(gaps.len() <= 1, "{timeline}");
        (ranges.len() == 2).then(|| gaps[0].clone())
    });
    assert_eq!(gap["cause"], Cause::Camera.name(), "{gap}");
    let other = centre.get("/api/timeline/provin/gare").json();
    assert_eq!(other["gaps"].as_array().unwrap().len(), 0, "{other}");
}

#[test]
fn the_timeline_tells_what_is_held_of_a_camera_and_for_which_case() {
    let centre = Centre::demo();
    recorded(&centre);
    let timeline = |camera: &str| centre.get(&format!("/api/timeline/annoeullin/{camera}")).json();
    assert_eq!(timeline("mairie")["holds"].as_array().map(Vec::len), Some(0));
    let now = vigie::time::UtcMicros(
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros() as i64,
    );
    let name = |text| Source::new("annoeullin", text).unwrap();
    let request = Request {
        case: "2026-118".into(),
        cameras: vec![name("mairie").camera],
        span: Span::new(now.plus(-60_000_000), now.plus(60_000_000)),
        who: "agent 4711".into(),
        why: "requisition".into(),
    };
    let mut storage = FileStorage::new(&centre.store);
    let mut journal = Journal::open(&mut storage, name("mairie").tenant, now).unwrap();
    hold::add(&mut journal, &mut storage, now, &request).unwrap();
    journal.close(&mut storage);
    let held = centre.until(20, "the hold is told", |_| {
        timeline("mairie")["holds"].as_array().filter(|holds| !holds.is_empty()).cloned()
    });
    assert_eq!((held.len(), held[0]["case"].as_str()), (1, Some("2026-118")), "{held:?}");
    assert_eq!(held[0]["from"].as_str(), Some(&*request.span.from.to_string()));
    assert_eq!(timeline("place")["holds"].as_array().map(Vec::len), Some(0), "of another camera");
    let before = "/api/timeline/annoeullin/mairie?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z";
    assert_eq!(centre.get(before).json()["holds"].as_array().map(Vec::len), Some(0), "at another time");
}

#[test]
fn a_crash_costs_seconds_and_leaves_a_gap_that_says_so() {
    let mut centre = Centre::demo();
    recorded(&centre);
    std::thread::sleep(Duration::from_secs(4));
    centre.crash_and_restart();
    let gap = centre.until(20, "recorded before and after", |centre| {
        let timeline = centre.get("/api/timeline/annoeullin/mairie").json();
        (timeline["ranges"].as_array().unwrap().len() == 2).then(|| timeline["gaps"].clone())
    });
    assert_eq!(
        (gap.as_array().unwrap().len(), &gap[0]["cause"]),
        (1, &Cause::Recorder.name().into()),
        "{gap}"
    );
    assert!(centre.interrupt());
    for (tenant, camera) in CAMERAS {
        assert!(ends_in_order(&centre.store, tenant, camera), "{tenant}/{camera}");
    }
}

#[test]
fn the_token_is_in_its_file_for_this_user_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = common::Folder::new();
    let file = folder.write("token", "of an earlier start");
    let mut centre = Centre::demo_with(&["--token-file", file.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), centre.token);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(centre.interrupt());
}

#[test]
fn two_centres_cannot_write_one_store() {
    let centre = Centre::demo();
    let second =
        program().args(["demo", "--listen", "127.0.0.1:0", "--store"]).arg(&centre.store).output().unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains("another process is recording"), "{said}");
}

#[test]
fn the_dome_is_moved_by_the_desk_and_by_nobody_else() {
    let centre = Centre::demo_with(&["--dome"]);
    let cameras = centre.get("/api/cameras").json();
    let moves: Vec<_> = cameras["tenants"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|tenant| tenant["cameras"].as_array().unwrap())
        .map(|camera| (camera["id"].as_str().unwrap(), camera["moves"].as_bool().unwrap()))
        .collect();
    assert_eq!(
        moves,
        [("mairie", false), ("place", false), ("ecole", false), ("gare", false), ("rue", true)]
    );
    let (host, bearer) = (centre.host(), format!("Bearer {}", centre.token));
    let post = |camera: &str, authorization: &str, body: &str| {
        let headers = [("Host", &*host), ("Authorization", authorization)];
        centre.send_body("POST", &format!("/api/demo/camera/{camera}/move"), &headers, body).status
    };
    assert_eq!(post("provin/rue", &bearer, r#"{"pan": 0.5}"#), 204);
    assert_eq!(post("provin/rue", &bearer, r#"{"pan": "left"}"#), 400);
    assert_eq!(post("provin/rue", &bearer, r#"{"speed": 1}"#), 400);
    assert_eq!(post("provin/ecole", &bearer, r#"{"pan": 0.5}"#), 404);
    assert_eq!(post("provin/none", &bearer, r#"{"pan": 0.5}"#), 404);
    assert_eq!(post("provin/rue", "Bearer none", r#"{"pan": 0.5}"#), 401);
    let wanted = r#"{"cameras": ["provin/rue"], "seconds": 60}"#;
    let headers = [("Host", &*host), ("Authorization", &*bearer)];
    let issued = centre.send_body("POST", "/api/tokens", &headers, wanted).json();
    let guest = format!("Bearer {}", issued["token"].as_str().unwrap());
    assert_eq!(post("provin/rue", &guest, r#"{"pan": 0.5}"#), 403, "who may look may not move");
}
