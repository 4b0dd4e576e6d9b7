//! The files of the store over HTTP ranges.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
use common::Centre;

/// A store with one file of the bytes 0, 1, 2 … 255, 0 ….
fn with_a_file(size: usize) -> (Centre, Vec<u8>) {
    let centre = Centre::lonely();
    let bytes: Vec<u8> = (0..size).map(|i| i as u8).collect();
    std::fs::create_dir_all(centre.store.join("x/y")).unwrap();
    std::fs::write(centre.store.join("x/y/2026-11-22.gix"), &bytes).unwrap();
    (centre, bytes)
}

const FILE: &str = "/archive/x/y/2026-11-22.gix";

#[test]
fn ranges() {
    let (centre, bytes) = with_a_file(700_000);
    let whole = centre.get(FILE);
    assert_eq!((whole.status, whole.header("accept-ranges")), (200, Some("bytes")));
    assert_eq!(whole.body, bytes);
    for (range, from, to) in [
        ("bytes=0-0", 0, 1),
        ("bytes=5-300004", 5, 300_005),
        ("bytes=699999-", 699_999, 700_000),
        ("bytes=-7", 699_993, 700_000),
    ] {
        let part = centre.get_with(FILE, &[("Range", range)]);
        assert_eq!(part.status, 206, "{range}");
        assert_eq!(part.header("content-range"), Some(format!("bytes {from}-{}/700000", to - 1).as_str()));
        assert_eq!(part.header("content-length"), Some((to - from).to_string().as_str()));
        assert!(part.body == bytes[from..to], "{range}");
    }
    for range in ["bytes=700000-", "bytes=-0"] {
        let nothing = centre.get_with(FILE, &[("Range", range)]);
        assert_eq!((nothing.status, nothing.header("content-range")), (416, Some("bytes */700000")));
    }
    assert_eq!(centre.get_with(FILE, &[("Range", "bytes=0-1,5-6")]).status, 200);
}

#[test]
fn the_tag_tells_states_apart() {
    let (centre, _) = with_a_file(10);
    let first = centre.get(FILE).header("etag").unwrap().to_owned();
    assert!(first.starts_with('"'), "a strong one: {first}");
    assert_eq!(centre.get(FILE).header("etag"), Some(first.as_str()));
    assert_eq!(centre.get_with(FILE, &[("If-None-Match", &first)]).status, 304);
    let range = [("Range", "bytes=1-2"), ("If-Range", first.as_str())];
    assert_eq!(centre.get_with(FILE, &range).status, 206);
    std::fs::write(centre.store.join("x/y/2026-11-22.gix"), b"something else").unwrap();
    assert_ne!(centre.get(FILE).header("etag"), Some(first.as_str()));
    assert_eq!(centre.get_with(FILE, &range).status, 200, "another file now: the whole of it");
}

#[test]
fn only_files_of_the_store() {
    let (centre, _) = with_a_file(10);
    std::fs::write(centre.store.join("x/secret.txt"), "s").unwrap();
    std::fs::write(centre.store.join("../outside.gix"), "s").unwrap();
    std::os::unix::fs::symlink(centre.store.join("../outside.gix"), centre.store.join("x/link.gix")).unwrap();
    for path in [
        "/archive/../outside.gix",
        "/archive/x/../../outside.gix",
        "/archive/%2e%2e/outside.gix",
        "/archive/x/%2e%2e/%2e%2e/outside.gix",
        "/archive/x%2fy%2f2026-11-22.gix",
        "/archive//x/y/2026-11-22.gix",
        "/archive/x/link.gix",
        "/archive/x/secret.txt",
        "/archive/x/y",
        "/archive/x/y/",
        "/archive/",
        "/archive",
        "/archive/x/y/2026-11-23.gix",
        "/player/../index.html",
        "/player/../../store/x/y/2026-11-22.gix",
        "/../store/x/y/2026-11-22.gix",
    ] {
        let answer = centre.get(path);
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
    }
}

#[test]
fn a_page_directory_is_made_of_each_index() {
    let centre = Centre::lonely();
    assert_eq!(centre.get("/archive/a/c/2026-11-22.pages").status, 404, "no index");
    let index = pages::index();
    std::fs::create_dir_all(centre.store.join("a/c")).unwrap();
    std::fs::write(centre.store.join("a/c/2026-11-22.gix"), &index).unwrap();
    let range = [("Range", "bytes=0-16383")];
    let answer = centre.get_with("/archive/a/c/2026-11-22.pages", &range);
    let bytes = answer.body.len();
    assert_eq!(answer.header("content-range"), Some(format!("bytes 0-{}/{bytes}", bytes - 1).as_str()));
    let directory = vigie::gix::PageDirectory::parse(&answer.body).unwrap();
    assert_eq!((answer.status, directory.records(), directory.len()), (206, 203, 3));
    let same = centre.get("/archive/a/c/2026-11-22.pages");
    assert_eq!((same.status, same.header("etag")), (200, answer.header("etag")));
    for bad in
        ["/archive/a/2026-11-22.pages", "/archive/a/c/d/2026-11-22.pages", "/archive/a/../c/2026-11-22.pages"]
    {
        assert_eq!(centre.get(bad).status, 404, "{bad}");
    }
}

mod pages {
    use vigie::gix::{Builder, FileMark, Flags, FragmentMark, Id, Key, Kid, Text};
    use vigie::time::{Ticks, UtcMicros};

    /// The index of 200 fragments in a file, with its two records of an init segment.
    pub(super) fn index() -> Vec<u8> {
        let utc: UtcMicros = "2026-11-22T10:00:00Z".parse().unwrap();
        let key = Key { utc, counter: 0 };
        let text = |text| Text::new(text).unwrap();
        let file = FileMark {
            ordinal: 0,
            key,
            init_len: 700,
            head_len: 3_068,
            id: FileMark::id_of("a", "c", key),
            kid: Kid::default(),
            size: (640, 360),
            codec: Text::new("avc1.640028").unwrap(),
            tenant: text("a"),
            camera: text("c"),
            trimmed: false,
        };
        let (mut builder, mut index) = (Builder::new(), Vec::new());
        builder.file(&file, &[0; 700]);
        for n in 0..200 {
            let mark = FragmentMark {
                source: 2,
                flags: Flags::RANDOM_ACCESS,
                utc: utc.plus(n * 2_000_000),
                error: 0,
                lost: 0,
                dts: Ticks(n * 180_000),
                offset: 0,
                duration: 180_000,
                samples: 50,
                first_sample_end: 500,
                len: 1_000,
                number: n as u32,
                file: Id::default(),
                crc: 0,
            };
            builder.fragment(3_068 + n as u64 * 1_000, &mark, &mut index);
        }
        index
    }
}
