#![allow(clippy::unwrap_used, clippy::expect_used)]

use alloc::string::ToString as _;
use alloc::vec::Vec;
use alloc::{format, vec};

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::ftyp::Ftyp;
use super::mfra::{Mfra, tfra};
use super::moof::{Moof, RunSample};
use super::moov::Moov;
use super::moov::mvex::{Mvex, Trex};
use super::moov::mvhd::Mvhd;
use super::moov::trak::Trak;
use super::moov::trak::edts::{Edit, Edts};
use super::moov::trak::mdia::Mdia;
use super::moov::trak::mdia::mdhd::Mdhd;
use super::moov::trak::mdia::minf::Minf;
use super::moov::trak::mdia::minf::stbl::Stbl;
use super::moov::trak::mdia::minf::stbl::ctts::Ctts;
use super::moov::trak::mdia::minf::stbl::stco::Stco;
use super::moov::trak::mdia::minf::stbl::stsc::{Run, Stsc};
use super::moov::trak::mdia::minf::stbl::stsd::audio::{self, AudioEntry};
use super::moov::trak::mdia::minf::stbl::stsd::avcc::{AvcC, High};
use super::moov::trak::mdia::minf::stbl::stsd::hvcc::{Array, HvcC};
use super::moov::trak::mdia::minf::stbl::stsd::{self, BitRate, Colour, Configuration, Stsd, VideoEntry};
use super::moov::trak::mdia::minf::stbl::stss::Stss;
use super::moov::trak::mdia::minf::stbl::stsz::Stsz;
use super::moov::trak::mdia::minf::stbl::stts::Stts;
use super::moov::trak::tkhd::Tkhd;
use super::prft::Prft;
use super::sidx::{Reference, Sidx};
use super::testing::{there_and_back, written};
use super::*;
use crate::time::NtpTime;

fn nals() -> impl Strategy<Value = Vec<Bytes>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40).prop_map(Bytes::from), 0..4)
}

prop_compose! {
    fn avcc()(profile in prop::sample::select(vec![66_u8, 77, 88, 100, 110, 244]), compatibility: u8, level: u8,
              length_size in prop::sample::select(vec![1_u8, 2, 4]), sps in nals(), pps in nals(), sps_ext in nals(),
              chroma_format in 0_u8..4, luma_bits in 8_u8..15, chroma_bits in 8_u8..15) -> AvcC {
        let high = (profile >= 100).then_some(High { chroma_format, luma_bits, chroma_bits, sps_ext });
        AvcC { profile, compatibility, level, length_size, sps, pps, high }
    }
}

prop_compose! {
    fn hvcc()(profile_tier_level: [u8; 12], min_spatial_segmentation in 0_u16..4096, parallelism in 0_u8..4,
              chroma_format in 0_u8..4, luma_bits in 8_u8..16, chroma_bits in 8_u8..16, average_frame_rate: u16,
              constant_frame_rate in 0_u8..4, temporal_layers in 0_u8..8, temporal_id_nested: bool,
              arrays in prop::collection::vec((any::<bool>(), 0_u8..64, nals()), 0..4)) -> HvcC {
        let arrays = arrays.into_iter().map(|(complete, nal_type, nals)| Array { complete, nal_type, nals }).collect();
        HvcC { profile_tier_level, min_spatial_segmentation, parallelism, chroma_format, luma_bits, chroma_bits,
               average_frame_rate, constant_frame_rate, temporal_layers, temporal_id_nested, length_size: 4, arrays }
    }
}

prop_compose! {
    fn entry()(avc in avcc(), hevc in hvcc(), kind in 0_usize..4, width: u16, height: u16,
               pixel_aspect in any::<Option<(u32, u32)>>(), rate in any::<Option<(u32, u32, u32)>>(),
               colour in any::<Option<(u16, u16, u16, bool)>>()) -> VideoEntry {
        let kind = [stsd::AVC1, stsd::AVC3, stsd::HVC1, stsd::HEV1][kind];
        let configuration = if matches!(kind, stsd::AVC1 | stsd::AVC3) { Configuration::Avc(avc) } else { Configuration::Hevc(hevc) };
        let mut entry = VideoEntry::new(kind, width.into(), height.into(), configuration);
        entry.pixel_aspect = pixel_aspect;
        entry.bit_rate = rate.map(|(buffer, max, average)| BitRate { buffer, max, average });
        entry.colour = colour.map(|(primaries, transfer, matrix, full_range)| Colour { primaries, transfer, matrix, full_range });
        entry
    }
}

prop_compose! {
    fn stbl()(entry in entry(), times in prop::collection::vec(any::<(u32, u32)>(), 0..5),
              composition in prop::option::of(prop::collection::vec(any::<(u32, i32)>(), 0..5)),
              sync in prop::option::of(prop::collection::vec(any::<u32>(), 0..5)),
              chunks in prop::collection::vec(any::<(u32, u32, u32)>(), 0..5),
              sizes in prop::collection::vec(any::<u32>(), 0..5), same in any::<Option<(u32, u32)>>(),
              offsets in prop::collection::vec(prop_oneof![0_u64..1000, any::<u64>()], 0..5)) -> Stbl {
        Stbl {
            times: Stts { runs: times },
            composition: composition.map(|runs| Ctts { runs }),
            sync: sync.map(|samples| Stss { samples }),
            chunks: Stsc { runs: chunks.into_iter().map(|(first_chunk, samples, description)| Run { first_chunk, samples, description }).collect() },
            sizes: same.filter(|s| s.1 != 0).map_or(Stsz::Each(sizes), |(n, size)| Stsz::Same(n, size)),
            offsets: Stco { offsets },
            ..Stbl::fragmented(Stsd::of(entry))
        }
    }
}

prop_compose! {
    fn moov()(tables in stbl(), timescale: u32, durations: [u64; 3], dates: [u64; 2], size: (u32, u32),
              edits in prop::option::of(prop::collection::vec((any::<u64>(), prop_oneof![-1_i64..1000, any::<i64>()]), 0..3)),
              extends in any::<Option<(Option<u64>, u32, u32, u32, u32)>>()) -> Moov {
        let media = Mdia::video(Mdhd { created: dates[0], ..Mdhd::new(timescale, durations[0]) }, Minf::new(tables));
        let header = Tkhd { modified: dates[1], duration: durations[1], width: size.0, height: size.1, ..Tkhd::video(7, 1, 1, (1, 1)) };
        let mut track = Trak::new(header, media);
        track.edits = edits.map(|e| Edts { edits: e.into_iter().map(|(duration, media_time)| Edit { duration, media_time }).collect() });
        let mut moov = Moov::fragmented(track);
        moov.header = Mvhd { created: dates[0], next_track: 8, ..Mvhd::new(timescale, durations[2]) };
        moov.extends = extends.map(|(duration, description, d, size, sample_flags)| Mvex {
            duration, ..Mvex::of(Trex { description, duration: d, size, sample_flags, ..Trex::new(7) })
        });
        moov
    }
}

fn samples() -> impl Strategy<Value = Vec<RunSample>> {
    let sample = (
        any::<u32>(),
        prop_oneof![Just(3600_u32), any::<u32>()],
        prop_oneof![Just(0), any::<i32>()],
        any::<bool>(),
    );
    let sample = sample.prop_map(|(size, duration, composition, sync)| RunSample {
        size,
        duration,
        composition,
        sync,
    });
    prop::collection::vec(sample, 1..12)
}

prop_compose! {
    fn audio_entry()(kind in 0_usize..5, channels in 1_u8..=8, rate in 8_000_u32..65_536,
                     configuration in prop::collection::vec(any::<u8>(), 0..300)) -> AudioEntry {
        let kind = [audio::MP4A, audio::OPUS, audio::ULAW, audio::ALAW, audio::TWOS][kind];
        AudioEntry::new(kind, channels, rate, if kind == audio::MP4A { &configuration } else { &[] })
    }
}

proptest! {
    #[test]
    fn a_track_of_sound_there_and_back(moov in moov(), entry in audio_entry()) {
        let tables = Stbl::fragmented(Stsd::of_audio(entry));
        let sound = Trak::new(Tkhd::sound(2), Mdia::sound(Mdhd::new(90_000, 7), Minf::sound(tables)));
        let moov = moov.with(sound);
        let back = there_and_back(&moov);
        prop_assert_eq!(back.audio(), moov.tracks.last());
        prop_assert_eq!(back, moov);
    }

    #[test]
    fn moov_there_and_back(moov in moov()) {
        prop_assert_eq!(there_and_back(&moov), moov);
    }

    #[test]
    fn ftyp_there_and_back(major: [u8; 4], minor: u32, compatible: Vec<[u8; 4]>) {
        let ftyp = Ftyp { major: FourCc(major), minor, compatible: compatible.into_iter().map(FourCc).collect() };
        prop_assert_eq!(there_and_back(&ftyp), ftyp);
    }

    #[test]
    fn prft_there_and_back(flags in 0_u32..1 << 24, track: u32, ntp: u64, media_time: u64) {
        let prft = Prft { flags, ..Prft::captured(track, NtpTime(ntp), media_time) };
        prop_assert_eq!(there_and_back(&prft), prft);
    }

    #[test]
    fn sidx_there_and_back(track: u32, timescale: u32, earliest: u64, first: u64,
                           refs in prop::collection::vec((any::<bool>(), 0_u32..1 << 31, any::<u32>(), any::<bool>(), 0_u8..8), 0..5)) {
        let references = refs.into_iter().map(|(to_index, size, duration, starts_with_sap, sap_type)| Reference { to_index, size, duration, starts_with_sap, sap_type }).collect::<Vec<_>>();
        let sidx = Sidx { earliest_presentation: earliest, first_offset: first, references, ..Sidx::new(track, timescale) };
        prop_assert_eq!(written(&sidx).len(), sidx::EMPTY_LEN + sidx.references.len() * sidx::REFERENCE_LEN);
        prop_assert_eq!(there_and_back(&sidx), sidx);
    }

    #[test]
    fn mfra_there_and_back_and_found_from_the_tail(track: u32, wide: bool, times: Vec<(u64, u64)>, n: (u8, u8, u32)) {
        let entry = |(time, moof)| tfra::Entry { time, moof, traf: n.0.into(), trun: n.1.into(), sample: if wide { n.2 } else { n.2 & 0xff } };
        let mfra = Mfra { tracks: vec![tfra::Tfra { track, entries: times.into_iter().map(entry).collect() }] };
        let bytes = written(&mfra);
        prop_assert_eq!(Mfra::len_from_tail(&bytes), Some(bytes.len() as u32));
        prop_assert_eq!(there_and_back(&mfra), mfra);
    }

    #[test]
    fn moof_there_and_back(samples in samples(), sequence: u32, track: u32, decode_time: u64) {
        let mut out = BytesMut::new();
        moof::write(&mut out, sequence, track, decode_time, samples.iter().copied());
        let found = Boxes::new(&out, 0).next().unwrap().unwrap();
        let moof = Moof::parse(&found).unwrap();
        prop_assert_eq!((moof.sequence, moof.len, moof.tracks.len()), (sequence, out.len(), 1));
        let traf = moof.track(track).unwrap();
        prop_assert_eq!((traf.decode_time, traf.header.base_is_moof), (Some(decode_time), true));
        prop_assert_eq!(traf.runs[0].data_offset, Some(out.len() as i32 + 8));
        let back: Vec<_> = traf.samples(&Trex::new(track)).map(|s| RunSample { size: s.size, duration: s.duration, composition: s.composition, sync: s.is_sync() }).collect();
        prop_assert_eq!(back, samples);
        for end in 8..out.len() {
            let mut cut = out[..end].to_vec();
            cut[..4].copy_from_slice(&(end as u32).to_be_bytes());
            let _ = Moof::parse(&Boxes::new(&cut, 0).next().unwrap().unwrap());
        }
    }

    #[test]
    fn any_bytes_are_walked(bytes: Vec<u8>) {
        let _ = walk(Boxes::new(&bytes, 0), &Limits::default(), &mut |_, _| Ok(()));
    }

    #[test]
    fn a_moov_with_flipped_bytes_is_read_or_refused(moov in moov(), flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = written(&moov);
        for (at, with) in flips {
            let at = at.index(bytes.len());
            bytes[at] = with;
        }
        if let Ok(found) = Boxes::new(&bytes, 0).need(Moov::KIND) {
            let _ = found.parse::<Moov>();
        }
    }
}

#[test]
fn errors_say_what_and_where() {
    let mut out = BytesMut::new();
    Ftyp::fragmented().write(&mut out);
    out.extend_from_slice(b"\0\0\0\x20moov\0\0\0\x04mvhd");
    let cut = Boxes::new(&out, 1000).last().unwrap().unwrap_err();
    assert_eq!(cut.to_string(), "the file ends inside box moov (byte 1024)");
    out[27] = 16;
    let moov = Boxes::new(&out, 1000).need(Moov::KIND).unwrap();
    let small = moov.parse::<Moov>().unwrap_err();
    assert_eq!(format!("{small}, {}", small.code()), "the size of box mvhd is impossible (byte 1032), V0401");
    let absent = Boxes::new(&out, 0).need(Mfra::KIND).unwrap_err();
    assert_eq!(absent.to_string(), "box mfra is missing (byte 0)");
}

#[test]
fn boxes_nested_without_end_are_refused() {
    let mut out = BytesMut::new();
    fn nest(out: &mut BytesMut, depth: usize) {
        write_box(out, Moov::KIND, |out| {
            if depth > 0 {
                nest(out, depth - 1)
            }
        });
    }
    nest(&mut out, 200);
    let refused = walk(Boxes::new(&out, 0), &Limits::default(), &mut |_, _| Ok(())).unwrap_err();
    assert_eq!(refused.kind, Kind::TooDeep(Moov::KIND));
}

#[test]
fn large_boxes_have_a_64_bit_size() {
    for (body, len) in [(0, 8), (u64::from(u32::MAX) - 8, 8), (u64::from(u32::MAX) - 7, 16), (1 << 40, 16)] {
        let mut out = BytesMut::new();
        Header::write(&mut out, moof::MDAT, body);
        assert_eq!((out.len() as u64, Header::len_for(body)), (len, len));
        let header = Header::parse(&out, 0).unwrap().unwrap();
        assert_eq!((header.kind, header.header_len, header.len), (moof::MDAT, len, Some(body + len)));
        assert_eq!(Header::parse(&out[..7], 0), Ok(None));
    }
}

#[test]
fn a_table_that_claims_more_than_there_is_reserves_nothing() {
    let mut out = BytesMut::new();
    write_box(&mut out, Stsz::KIND, |out| {
        out.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 1, 2])
    });
    let refused = Boxes::new(&out, 0).next().unwrap().unwrap().parse::<Stsz>().unwrap_err();
    assert_eq!(refused.kind, Kind::Truncated(Stsz::KIND));
}
