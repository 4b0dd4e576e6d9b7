//! MP4 readers of other people, each asked for the codec, the size and the samples of a file. They panic at what they cannot
//! read. The tests of the command line ask them too.

use std::io::Cursor;

use mp4_atom::{Any, Atom as _, ReadFrom as _};

/// What a judge found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Kind of the sample entry, where the judge tells it.
    pub(crate) entry: String,
    pub(crate) size: (u16, u16),
    pub(crate) samples: usize,
    /// Of all samples.
    pub(crate) bytes: u64,
    /// Sync samples.
    pub(crate) sync: usize,
}

/// `mp4-atom`, with every atom of the file decoded.
pub(crate) fn mp4_atom(file: &[u8]) -> Found {
    let mut reader = Cursor::new(file);
    let mut found = Found { entry: String::new(), size: (0, 0), samples: 0, bytes: 0, sync: 0 };
    let (mut data, mut beside) = (0, 0);
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
                for track in &moov.trak[1..] {
                    if let mp4_atom::StszSamples::Different { sizes } = &track.mdia.minf.stbl.stsz.samples {
                        beside += sizes.iter().map(|s| u64::from(*s)).sum::<u64>();
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
    assert_eq!(data, found.bytes + beside, "the samples fill mdat");
    found
}

/// Alfg's `mp4`.
pub(crate) fn mp4(file: &[u8]) -> Found {
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
pub(crate) fn mp4parse(file: &[u8]) -> Found {
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
