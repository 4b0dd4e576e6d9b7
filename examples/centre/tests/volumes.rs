//! A centre on two volumes: each of two cameras on one, all read as one, and one moved when its volume fails.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
use common::{Centre, Folder, files};
use vigie::store::{FileStorage, Volume, VolumeId};
use vigie_cli::simulator::{Config, Simulator};

fn config(folder: &Folder, urls: &[String]) -> std::path::PathBuf {
    let cameras: String = urls
        .iter()
        .enumerate()
        .map(|(n, url)| format!("[[tenant.camera]]\nid = \"c{n}\"\nurl = \"{url}\"\n"))
        .collect();
    let text =
        format!("listen = \"127.0.0.1:0\"\nstore = [\"one\", \"two\"]\n[[tenant]]\nid = \"t\"\n{cameras}");
    folder.write("centre.toml", text)
}

#[test]
fn cameras_are_spread_and_read_as_one() {
    let folder = Folder::new();
    let roots = [folder.0.join("one"), folder.0.join("two")];
    for (root, id) in roots.iter().zip(1..) {
        std::fs::create_dir_all(root).unwrap();
        Volume::create(FileStorage::new(root), VolumeId([id; 16]), 0).unwrap();
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let simulator = runtime.block_on(Simulator::start(Config::new(2))).unwrap();
    let urls = [simulator.url(0), simulator.url(1)];
    let mut centre = Centre::run(&config(&folder, &urls), roots[0].clone(), |_| {});

    let timeline = |centre: &Centre, camera: &str| {
        let ranges = centre.get(&format!("/api/timeline/t/{camera}")).json()["ranges"].clone();
        ranges.as_array().filter(|ranges| ranges.len() == 1).map(|ranges| ranges[0].clone())
    };
    let mut on = Vec::new();
    for camera in ["c0", "c1"] {
        let range = centre.until(30, "something recorded of each", |centre| timeline(centre, camera));
        // Both are on one disk: which of them is first is for the rule to say.
        let [one, two] = roots.each_ref().map(|root| files(&root.join("t").join(camera)));
        assert!(one.is_empty() != two.is_empty(), "on one of them");
        on.push(one.is_empty());
        let there = [one, two].concat();
        for file in there.iter().filter(|file| file.extension().is_some_and(|e| e == "m4v" || e == "gix")) {
            let path = format!("/archive/t/{camera}/{}", file.display());
            let head = centre.get_with(&path, &[("Range", "bytes=0-15")]);
            assert_eq!((head.status, head.body.len()), (206, 16), "{path}");
        }
        let at = range["from"].as_str().unwrap();
        assert_eq!(centre.get(&format!("/api/picture/t/{camera}?at={at}")).status, 200);
        let list = centre.get(&format!("/api/hls/t/{camera}/index.m3u8?from={at}"));
        let text = String::from_utf8(list.body).unwrap();
        assert!(text.contains("#EXTINF") && !text.contains("#EXT-X-GAP"), "{text}");
    }
    assert_ne!(on[0], on[1], "a volume each");
    assert!(centre.interrupt(), "ended in order");
}

#[test]
fn a_store_whose_volumes_are_not_there_is_refused_and_nothing_is_made() {
    let folder = Folder::new();
    let config = config(&folder, &["rtsp://127.0.0.1:9/none".to_owned()]);
    let out = common::program().arg("run").arg(config).output().unwrap();
    assert!(!out.status.success());
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(said.contains("not mounted"), "{said}");
    assert!(!folder.0.join("one").exists() && !folder.0.join("two").exists());
}
