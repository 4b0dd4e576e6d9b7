//! `mp4-atom` reads everything, `mp4` and `mp4parse` what is H.264: each must find the right codec, size and samples.

use vigie::h26x::Codec;
use vigie::limits::Limits;
use vigie::view::View;
use vigie::view::export::Export;

use crate::media::{self, Stream};
use crate::readers::{Found, mp4, mp4_atom, mp4parse};

fn expected(stream: &Stream, entry: &str) -> Found {
    let format = stream.fragments[0].init.video().unwrap();
    Found {
        entry: entry.into(),
        size: (format.width as u16, format.height as u16),
        samples: stream.pictures,
        bytes: stream.fragments.iter().flat_map(|f| &f.body).map(|b| b.len() as u64).sum(),
        sync: stream.fragments.iter().filter(|f| f.flags.random_access && !f.flags.continues_gop).count(),
    }
}

fn judge(name: &str, stream: &Stream) {
    let (stored, shown) = match stream.codec {
        Codec::H264 => ("avc3", "avc1"),
        Codec::H265 => ("hev1", "hvc1"),
    };
    let exact = stream.fragmented(View::Exact);
    assert_eq!(mp4_atom(&exact), expected(stream, stored), "{name}");
    let playback = stream.fragmented(View::Playback);
    assert_eq!(mp4_atom(&playback), expected(stream, shown), "{name}");
    let files = stream.export(Export::whole(&Limits::default()).in_one_file());
    assert_eq!(files.len(), 1, "{name}");
    let progressive = &files[0].1;
    let wanted = expected(stream, shown);
    let mut found = mp4_atom(progressive);
    if found.sync == 0 {
        // No `stss`: all are.
        found.sync = found.samples;
    }
    assert_eq!(found, wanted, "{name}");
    if stream.codec == Codec::H264 {
        assert_eq!(mp4(progressive), wanted, "{name}");
        let size = wanted.size;
        let parsed = mp4parse(progressive);
        assert_eq!(parsed, Found { entry: String::new(), ..wanted }, "{name}");
        assert_eq!(mp4parse(&exact).size, size);
        assert_eq!(mp4parse(&playback).size, size);
    }
}

#[test]
fn clips_before_other_readers() {
    for clip in media::clips() {
        judge(clip.to_str().unwrap(), &media::read(&clip).unwrap());
    }
}

#[test]
fn vectors_before_other_readers() {
    for folder in ["es264", "es265"] {
        let Some(folder) = media::vectors(folder) else { continue };
        let mut judged = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let Some(stream) = media::read(&path) else { continue };
            let plain = stream.fragments.first().is_some_and(|f| f.init.size().0 < 1 << 16)
                && stream.fragments.windows(2).all(|w| w[0].init == w[1].init);
            if plain && expected(&stream, "").sync > 0 {
                judge(path.to_str().unwrap(), &stream);
                judged += 1;
            }
        }
        println!("{judged} streams judged");
        assert!(judged > 25);
    }
}
