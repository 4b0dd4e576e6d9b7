//! `mp4-atom` reads everything, `mp4` and `mp4parse` what is H.264: each must find the right codec, size and samples.

use std::io::Cursor;

use mp4_atom::{Any, Atom as _, ReadFrom as _};
use vigie::h26x::Codec;
use vigie::limits::Limits;
use vigie::view::View;
use vigie::view::export::Export;

use crate::media::{self, Stream};

/// What a judge found.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    entry: String,
    size: (u16, u16),
    samples: usize,
    bytes: u64,
    sync: usize,
}

fn expected(stream: &Stream, entry: &str) -> Found {
    let format = &stream.fragments[0].init.format;
    Found {
        entry: entry.into(),
        size: (format.width as u16, format.height as u16),
        samples: stream.pictures,
        bytes: stream.fragments.iter().flat_map(|f| &f.body).map(|b| b.len() as u64).sum(),
        sync: stream.fragments.iter().filter(|f| f.flags.random_access && !f.flags.continues_gop).count(),
    }
}

/// `mp4-atom`, with every atom of the file decoded.
fn mp4_atom(file: &[u8]) -> Found {
    let mut reader = Cursor::new(file);
    let mut found = Found { entry: String::new(), size: (0, 0), samples: 0, bytes: 0, sync: 0 };
    let mut data = 0;
    while reader.position() < file.len() as u64 {
        match Any::read_from(&mut reader).unwrap() {
            Any::Moov(moov) => {
                let table = &moov.trak[0].mdia.minf.stbl;
                let visual = match &table.stsd.codecs[0] {
                    mp4_atom::Codec::Avc1(c) => (mp4_atom::Avc1::KIND, &c.visual),
                    mp4_atom::Codec::Avc3(c) => (mp4_atom::Avc3::KIND, &c.visual),
                    mp4_atom::Codec::Hvc1(c) => (mp4_atom::Hvc1::KIND, &c.visual),
                    mp4_atom::Codec::Hev1(c) => (mp4_atom::Hev1::KIND, &c.visual),
                    other => panic!("{other:?}"),
                };
                found.entry = visual.0.to_string();
                found.size = (visual.1.width, visual.1.height);
                match &table.stsz.samples {
                    mp4_atom::StszSamples::Identical { count, size } => {
                        found.samples += *count as usize;
                        found.bytes += u64::from(*count) * u64::from(*size);
                    }
                    mp4_atom::StszSamples::Different { sizes } => {
                        found.samples += sizes.len();
                        found.bytes += sizes.iter().map(|s| u64::from(*s)).sum::<u64>();
                    }
                }
                found.sync += table.stss.as_ref().map_or(0, |s| s.entries.len());
            }
            Any::Moof(moof) => {
                let traf = &moof.traf[0];
                assert!(traf.tfdt.is_some());
                let first = traf.tfhd.default_sample_flags.unwrap();
                for sample in traf.trun.iter().flat_map(|t| t.samples.iter()) {
                    found.samples += 1;
                    found.bytes += u64::from(sample.size.unwrap());
                    found.sync += usize::from(sample.flags.unwrap_or(first) & 0x1_0000 == 0);
                }
            }
            Any::Mdat(mdat) => data += mdat.data.len() as u64,
            Any::Unknown(kind, _) => panic!("{kind}"),
            _ => {}
        }
    }
    assert_eq!(data, found.bytes, "the samples fill mdat");
    found
}

/// Alfg's `mp4`.
fn mp4(file: &[u8]) -> Found {
    let mut reader = mp4::Mp4Reader::read_header(Cursor::new(file), file.len() as u64).unwrap();
    let track = reader.tracks().get(&1).unwrap();
    let mut found = Found {
        entry: track.box_type().unwrap().to_string(),
        size: (track.width(), track.height()),
        samples: reader.sample_count(1).unwrap() as usize,
        bytes: 0,
        sync: 0,
    };
    for i in 1..=found.samples {
        let sample = reader.read_sample(1, i as u32).unwrap().unwrap();
        found.bytes += sample.bytes.len() as u64;
        found.sync += usize::from(sample.is_sync);
        let length = u32::from_be_bytes(sample.bytes[..4].try_into().unwrap());
        assert!(length as usize + 4 <= sample.bytes.len(), "a sample starts with the length of a NAL unit");
    }
    found
}

/// Firefox's own parser.
fn mp4parse(file: &[u8]) -> Found {
    let context = mp4parse::read_mp4(&mut Cursor::new(file)).unwrap();
    let track = &context.tracks[0];
    let mp4parse::SampleEntry::Video(entry) = &track.stsd.as_ref().unwrap().descriptions[0] else { panic!() };
    assert_eq!(entry.codec_type, mp4parse::CodecType::H264);
    let fragmented = context.mvex.is_some();
    let origin = track.media_time.map_or(0, |t| t.0 as i64);
    let table = mp4parse::unstable::create_sample_table(track, (-origin).into());
    let table = table.filter(|_| !fragmented);
    Found {
        entry: String::new(),
        size: (entry.width, entry.height),
        samples: table.as_ref().map_or(0, |t| t.len()),
        bytes: table.iter().flat_map(|t| t.iter()).map(|i| i.end_offset.0 - i.start_offset.0).sum(),
        sync: table.iter().flat_map(|t| t.iter()).filter(|i| i.sync).count(),
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
            let plain = stream.fragments.first().is_some_and(|f| f.init.format.width < 1 << 16)
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
