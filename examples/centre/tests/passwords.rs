//! Cameras that want a password: right, wrong, and never to be read anywhere.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
use std::time::Duration;

use common::live::Viewer;
use common::{Centre, Folder};
use vigie::rtsp::Credentials;
use vigie_cli::simulator::{Config, Simulator};

const PASSWORD: &str = "geheim-0815";
const WRONG: &str = "falsch-4711";

#[tokio::test(flavor = "multi_thread")]
async fn the_right_one_records_the_wrong_one_says_so_and_neither_is_shown() {
    let mut config = Config::default();
    config.credentials = Some(Credentials::new("vigie", PASSWORD));
    let simulator = Simulator::start(config).await.unwrap();
    let folder = Folder::new();
    folder.write("right", PASSWORD);
    folder.write("wrong", format!("{WRONG}\n"));
    let camera = |id: &str, n: usize, login: &str| {
        format!("[[tenant.camera]]\nid = \"{id}\"\nurl = \"{}\"\n{login}\n", simulator.url(n))
    };
    let text = [
        "listen = \"127.0.0.1:0\"\nstore = \"store\"\n[[tenant]]\nid = \"t\"\n".to_owned(),
        camera("right", 0, "user = \"vigie\"\npassword_file = \"right\""),
        camera("wrong", 1, "user = \"vigie\"\npassword_file = \"wrong\""),
        camera("none", 2, ""),
        camera("environment", 3, "user = \"vigie\"\npassword_env = \"VIGIE_TEST_PASSWORD\""),
    ];
    let config = folder.write("centre.toml", text.concat());
    let log = folder.0.join("log");
    let mut centre = Centre::run(&config, folder.0.join("store"), |command| {
        command.env("VIGIE_TEST_PASSWORD", PASSWORD).env("RUST_LOG", "trace");
        command.stderr(std::fs::File::create(&log).unwrap());
    });
    let cameras = tokio::task::block_in_place(|| {
        centre.until(20, "two recording, two refused", |centre| {
            let cameras = centre.get("/api/cameras").json()["tenants"][0]["cameras"].clone();
            let states: Vec<_> = (0..4).map(|n| cameras[n]["state"].as_str().unwrap().to_owned()).collect();
            (states == ["recording", "unauthorized", "unauthorized", "recording"]).then_some(cameras)
        })
    });
    let reason = |n: usize| cameras[n]["reason"].as_str().unwrap_or_default().to_owned();
    assert!(reason(1).contains("refuses the user or the password"), "{}", reason(1));
    assert_eq!(
        (cameras[1]["reason_code"].as_str(), cameras[2]["reason_code"].as_str()),
        (Some("V0701"), Some("V0700"))
    );
    assert!(reason(2).contains("asks for a user and a password"), "{}", reason(2));
    Viewer::new(&centre, "t/right").await.picture().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (api, metrics) = (centre.get("/api/cameras"), centre.get("/metrics"));
    assert!(centre.interrupt());
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.len() > 1_000, "there is a log");
    assert!(!log.contains(&centre.token), "the token is not logged");
    for secret in [PASSWORD, WRONG] {
        assert!(!log.contains(secret) && !api.text().contains(secret) && !metrics.text().contains(secret));
    }
}
