#![allow(clippy::unwrap_used, clippy::expect_used)]

use alloc::borrow::ToOwned as _;
use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;

use bytes::BytesMut;
use proptest::prelude::*;

use super::export::{Export, File, Fragmented};
use super::*;
use crate::bmff::moov::Moov;
use crate::bmff::moov::trak::mdia::minf::stbl::stsd::{Configuration, Entry};
use crate::bmff::moov::trak::mdia::minf::stbl::stsz::Stsz;
use crate::bmff::{Boxed as _, Boxes, Kind};
use crate::codec::Codec;
use crate::fragment::testing::{START, fragments, more_sets, sets, stream, whole};
use crate::fragment::{Fragment, MOOF_AT};
use crate::gix::FragmentMark;
use crate::limits::Limits;
use crate::time::{Ticks, UtcMicros};
use crate::timeline::{Group, Sample};

#[test]
fn playback_relabels_and_changes_nothing_else() {
    for (codec, from, to) in [(Codec::H264, "avc3", "avc1"), (Codec::H265, "hev1", "hvc1")] {
        let (init, _) = fragments(stream(&sets(codec), 0, 1, 2, false));
        let shown = playback(&init.bytes).unwrap();
        assert_eq!(shown.len(), init.bytes.len());
        let entry = |bytes: &[u8]| {
            let moov: Moov = Boxes::new(bytes, 0).need(Moov::KIND).unwrap().parse().unwrap();
            match moov.video().unwrap().media.information.tables.descriptions.entries[0].clone() {
                Entry::Video(entry) => entry,
                other => panic!("{other:?}"),
            }
        };
        let (stored, mut relabelled) = (entry(&init.bytes), entry(&shown));
        assert_eq!((stored.kind.to_string(), relabelled.kind.to_string()), (from.into(), to.into()));
        if let Configuration::Hevc(record) = &mut relabelled.configuration {
            assert!(record.arrays.iter().all(|a| a.complete));
            record.arrays.iter_mut().for_each(|a| a.complete = false);
        }
        assert_eq!(relabelled.configuration, stored.configuration);
        let differ = init.bytes.iter().zip(&shown).filter(|(a, b)| a != b).count();
        assert_eq!(differ, if codec == Codec::H264 { 1 } else { 2 + 3 });
        assert_eq!(playback(&shown).unwrap(), shown);
    }
}

#[test]
fn live_and_stored_fragments_are_shown_alike() {
    let (_, made) = fragments(stream(&sets(Codec::H264), 100, 3, 6, true));
    let mut view = Playback::new();
    view.rebase(made[0].dts, Ticks(0));
    for (i, fragment) in made.iter().enumerate() {
        let mut live = BytesMut::from(&b"before"[..]);
        let from_live = view.live(fragment, &mut live).unwrap();
        let mut stored = whole(fragment);
        let from_store = view.fragment(&mut stored).unwrap();
        assert_eq!(live[from_live.bytes.clone()], stored[from_store.bytes.clone()]);
        assert_eq!(
            (from_live.dts, from_live.pts),
            (Ticks(i as i64 * 21_600), Ticks(i as i64 * 21_600 + 3_600))
        );
        assert_eq!((from_live.duration, from_live.samples, from_live.sync), (21_600, 6, true));
        let kinds: Vec<_> =
            Boxes::new(&stored[from_store.bytes], 0).map(|b| b.unwrap().kind.to_string()).collect();
        assert_eq!(kinds, ["moof", "mdat"]);
    }
}

#[test]
fn what_would_be_shown_before_zero_is_refused_unchanged() {
    let (_, made) = fragments(stream(&sets(Codec::H264), 0, 2, 4, false));
    let mut view = Playback::new();
    view.rebase(made[1].dts, Ticks(0));
    let (before, mut bytes) = (whole(&made[0]), whole(&made[0]));
    assert!(matches!(view.fragment(&mut bytes).unwrap_err().kind, Kind::BadValue(_)));
    assert_eq!(before, bytes);
    assert!(view.fragment(&mut bytes[..40]).is_err());
}

/// The file written, from the fragments that it refers to.
fn written(file: &File, stored: &[Vec<u8>]) -> Vec<u8> {
    let mut out = file.head.to_vec();
    for part in &file.parts {
        out.extend(&stored[part.fragment as usize][part.offset as usize..][..part.len as usize]);
    }
    assert_eq!(out.len() as u64, file.len);
    out
}

/// What a player shows of a file: the bytes of the pictures in order of presentation, each with its time.
fn shown(file: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let moov: Moov = Boxes::new(file, 0).need(Moov::KIND).unwrap().parse().unwrap();
    let track = moov.video().unwrap();
    let tables = &track.media.information.tables;
    let durations = tables.times.runs.iter().flat_map(|(n, d)| vec![*d; *n as usize]);
    let offsets: Vec<i32> = match &tables.composition {
        Some(c) => c.runs.iter().flat_map(|(n, o)| vec![*o; *n as usize]).collect(),
        None => vec![0; durations.clone().count()],
    };
    assert!(offsets.iter().all(|o| *o >= 0));
    let Stsz::Each(sizes) = &tables.sizes else { panic!() };
    assert_eq!((sizes.len(), offsets.len()), (durations.clone().count(), durations.clone().count()));
    // Chunk by chunk.
    let mut places = vec![];
    for (i, at) in tables.offsets.offsets.iter().enumerate() {
        let run = tables.chunks.runs.iter().rev().find(|r| r.first_chunk as usize <= i + 1).unwrap();
        let mut at = *at as usize;
        for _ in 0..run.samples {
            let size = sizes[places.len()] as usize;
            places.push(at..at + size);
            at += size;
        }
    }
    assert_eq!(places.len(), sizes.len());
    let mut samples: Vec<(i64, Vec<u8>)> = vec![];
    let mut dts = 0;
    for ((duration, offset), place) in durations.zip(&offsets).zip(places) {
        samples.push((dts + i64::from(*offset), file[place].to_vec()));
        dts += i64::from(duration);
    }
    assert_eq!(track.media.header.duration, dts as u64);
    samples.sort();
    let Some(edits) = &track.edits else { return samples.into_iter().map(|(t, b)| (t as u64, b)).collect() };
    let mut out = vec![];
    let mut at = 0;
    for edit in &edits.edits {
        let range = edit.media_time..edit.media_time + edit.duration as i64;
        out.extend(
            samples
                .iter()
                .filter(|(t, _)| range.contains(t))
                .map(|(t, b)| (at + (t - range.start) as u64, b.clone())),
        );
        at += edit.duration;
    }
    assert_eq!((track.header.duration, moov.header.duration), (at, at));
    out
}

fn export(mut plan: Export, made: &[Fragment]) -> Vec<(File, Vec<u8>)> {
    let stored: Vec<_> = made.iter().map(whole).collect();
    for (i, fragment) in made.iter().enumerate() {
        plan.init(&fragment.init.bytes).unwrap();
        plan.fragment(i as u64, &fragment.head).unwrap();
    }
    plan.finish().into_iter().map(|f| (f.clone(), written(&f, &stored))).collect()
}

/// The pictures of a range in order of presentation.
fn wanted(groups: &[Group], from: UtcMicros, to: UtcMicros) -> Vec<&Sample> {
    let all = groups.iter().flat_map(|g| &g.samples);
    let mut wanted: Vec<_> = all.filter(|s| from <= s.utc.utc && s.utc.utc < to).collect();
    wanted.sort_by_key(|s| s.pts);
    wanted
}

#[test]
fn a_whole_stream_without_reordering_needs_no_edit_list() {
    let groups = stream(&sets(Codec::H264), 7, 2, 5, false);
    let (_, made) = fragments(groups.clone());
    let files = export(Export::whole(&Limits::default()), &made);
    assert_eq!(files.len(), 1);
    let (file, bytes) = &files[0];
    assert_eq!((file.pictures, file.hidden, file.duration, file.parts.len()), (10, 0, 36_000, 2));
    assert_eq!((file.first, file.last), (START.plus(280_000), START.plus(640_000)));
    let kinds: Vec<_> = Boxes::new(bytes, 0).map(|b| b.unwrap().kind.to_string()).collect();
    assert_eq!(kinds, ["ftyp", "moov", "mdat"]);
    let moov: Moov = Boxes::new(bytes, 0).need(Moov::KIND).unwrap().parse().unwrap();
    let track = moov.video().unwrap();
    assert_eq!((&track.edits, moov.extends.is_none()), (&None, true));
    let tables = &track.media.information.tables;
    assert_eq!(tables.sync.as_ref().unwrap().samples, [1, 6]);
    assert_eq!((tables.times.runs.as_slice(), &tables.composition), (&[(10, 3_600)][..], &None));
    assert!(matches!(&tables.descriptions.entries[0], Entry::Video(e) if e.kind.to_string() == "avc1"));
}

#[test]
fn a_file_for_each_init_segment_or_one_for_all() {
    let mut groups = stream(&sets(Codec::H264), 0, 2, 5, false);
    groups.extend(stream(&more_sets(), 10, 1, 5, false));
    groups.extend(stream(&sets(Codec::H264), 15, 1, 5, false));
    let (_, made) = fragments(groups.clone());
    let files = export(Export::whole(&Limits::default()), &made);
    // The second init segment has all that the first one has: the pictures behind need no third.
    assert_eq!(files.iter().map(|f| f.0.pictures).collect::<Vec<_>>(), [10, 10]);
    let one = export(Export::whole(&Limits::default()).in_one_file(), &made);
    assert_eq!(one.len(), 1);
    let moov: Moov = Boxes::new(&one[0].1, 0).need(Moov::KIND).unwrap().parse().unwrap();
    let tables = &moov.video().unwrap().media.information.tables;
    assert_eq!(tables.descriptions.entries.len(), 2);
    assert_eq!(
        tables.chunks.runs.iter().map(|r| (r.first_chunk, r.description)).collect::<Vec<_>>(),
        [(1, 1), (3, 2)]
    );
    assert_eq!(shown(&one[0].1).len(), 20);
    // A range in the second file only.
    let range = Export::new(START.plus(440_000), START.plus(520_000), &Limits::default());
    let files = export(range, &made);
    assert_eq!(files.iter().map(|f| (f.0.pictures, f.0.hidden)).collect::<Vec<_>>(), [(2, 1)]);
}

#[test]
fn breaks_keep_their_length_and_leaps_of_the_timestamps_go_by_the_clock() {
    let mut groups = stream(&sets(Codec::H264), 0, 4, 5, false);
    // 10 s pass before the second group; the third starts a new epoch, 2 s later, its times somewhere else.
    for (g, (ticks, clock)) in [(0, 0), (900_000, 10_000_000), (-100_000, 12_000_000), (-100_000, 12_000_000)]
        .into_iter()
        .enumerate()
    {
        for s in &mut groups[g].samples {
            (s.dts, s.pts) = (s.dts.plus(ticks + 200_000), s.pts.plus(ticks + 200_000));
            s.utc.utc = s.utc.utc.plus(clock);
        }
        groups[g].epoch = u32::from(g > 1);
    }
    let (_, made) = fragments(groups);
    let files = export(Export::whole(&Limits::default()), &made);
    let times: Vec<_> = shown(&files[0].1).iter().map(|(t, _)| *t / 3_600).collect();
    let expected: Vec<_> = [0, 255, 310, 315].iter().flat_map(|t| (0..5).map(move |i| t + i)).collect();
    assert_eq!(times, expected);
}

/// Two GOPs of 5. The second starts with a CRA, shown after the two pictures that follow it in decoding order.
fn leading() -> Vec<Group> {
    let mut groups = stream(&sets(Codec::H265), 0, 2, 5, false);
    for s in groups.iter_mut().flat_map(|g| &mut g.samples) {
        (s.pts, s.utc.utc) = (s.pts.plus(7_200), s.utc.utc.plus(80_000));
    }
    let second = &mut groups[1].samples;
    second[0].unit.random_access = Some(crate::depacket::RandomAccess::Cra);
    for (i, frames) in [(0, 2), (1, -1), (2, -1)] {
        let ticks = frames * 3_600;
        (second[i].pts, second[i].utc.utc) =
            (second[i].pts.plus(ticks), second[i].utc.utc.plus(Ticks::micros(ticks)));
    }
    groups
}

#[test]
fn leading_pictures_keep_the_gop_before_theirs_only_where_they_are_shown() {
    let groups = leading();
    let (_, made) = fragments(groups.clone());
    // Pictures are shown at 80, 120, 160, …; the leading ones at 280 and 320, the CRA at 360.
    for (from, shown_and_hidden) in
        [(280, (5, 5)), (320, (4, 6)), (330, (3, 2)), (360, (3, 2)), (380, (2, 3))]
    {
        let files =
            export(Export::new(START.plus(from * 1_000), START.plus(10_000_000), &Limits::default()), &made);
        assert_eq!((files[0].0.pictures, files[0].0.hidden), shown_and_hidden, "from {from} ms");
        let wanted = wanted(&groups, START.plus(from * 1_000), START.plus(10_000_000));
        let seen = shown(&files[0].1);
        assert!(seen.iter().map(|(_, b)| b).eq(wanted.iter().map(|s| &s.unit.data)), "from {from} ms");
    }
}

#[test]
fn a_strict_range_starts_at_its_first_random_access_point_and_hides_nothing_before() {
    for reordered in [false, true] {
        let groups = stream(&sets(Codec::H264), 0, 4, 6, reordered);
        let (_, made) = fragments(groups.clone());
        // GOPs start at 0, 240, 480 and 720 ms, one picture later where they are reordered.
        let (from, to) = (START.plus(100_000), START.plus(640_000));
        let files = export(Export::new(from, to, &Limits::default()).strict(), &made);
        let (file, bytes) = &files[0];
        let start = START.plus(240_000 + if reordered { 40_000 } else { 0 });
        let wanted = wanted(&groups, start, to);
        let seen = shown(bytes);
        assert!(seen.iter().map(|(_, b)| b).eq(wanted.iter().map(|s| &s.unit.data)));
        assert_eq!((file.first, file.end), (start, wanted.last().unwrap().utc.utc.plus(40_000)));
        assert!(file.random_access && file.unseen.iter().all(|h| !h.lead_in));
        // Not strict, the lead-in is there, each picture by its number.
        let loose = export(Export::new(from, to, &Limits::default()), &made).remove(0).0;
        let leading: Vec<_> = loose.unseen.iter().filter(|h| h.lead_in).map(|h| (h.sample, h.utc)).collect();
        let first = if reordered { 40_000 } else { 0 };
        assert_eq!(leading[0], (1, START.plus(first)));
        assert!(leading.iter().all(|(_, utc)| *utc < from) && loose.first >= from);
        assert_eq!(loose.hidden as usize, loose.unseen.len());
    }
}

#[test]
fn a_strict_range_leaves_out_pictures_that_lead_a_cra() {
    let groups = leading();
    let (_, made) = fragments(groups.clone());
    let (from, to) = (START.plus(100_000), START.plus(10_000_000));
    let (file, bytes) = export(Export::new(from, to, &Limits::default()).strict(), &made).remove(0);
    let cra = START.plus(360_000);
    assert_eq!((file.first, file.pictures, file.hidden), (cra, 3, 0));
    assert!(shown(&bytes).iter().map(|(_, b)| b).eq(wanted(&groups, cra, to).iter().map(|s| &s.unit.data)));
}

#[test]
fn a_file_for_what_comes_after_each_gap() {
    let mut groups = stream(&sets(Codec::H264), 0, 5, 5, false);
    // GOPs of 200 ms. One of them lost; then 150 ms lost, which is no gap; then the clock set back by a second.
    for (group, (ticks, clock, epoch)) in groups.iter_mut().zip([
        (0, 0, 0),
        (18_000, 200_000, 0),
        (31_500, 350_000, 0),
        (0, -650_000, 1),
        (0, -650_000, 1),
    ]) {
        for s in &mut group.samples {
            (s.dts, s.pts) = (s.dts.plus(ticks), s.pts.plus(ticks));
            s.utc.utc = s.utc.utc.plus(clock);
        }
        group.epoch = epoch;
    }
    let (_, made) = fragments(groups.clone());
    let files = export(
        Export::new(START.plus(-9_000_000), START.plus(9_000_000), &Limits::default()).split_at_gaps(),
        &made,
    );
    let told: Vec<_> =
        files.iter().map(|(f, _)| (f.first.0 - START.0, f.end.0 - START.0, f.pictures)).collect();
    assert_eq!(told, [(0, 200_000, 5), (400_000, 950_000, 10), (-50_000, 350_000, 10)]);
    let all: Vec<_> = files.iter().flat_map(|(_, bytes)| shown(bytes)).map(|(_, b)| b).collect();
    assert!(all.iter().eq(groups.iter().flat_map(|g| &g.samples).map(|s| &s.unit.data)), "each once");
    assert!(files.iter().all(|(_, bytes)| shown(bytes)[0].0 == 0));
}

#[test]
fn subtitles_tell_the_second_of_each_picture() {
    let groups = stream(&sets(Codec::H264), 0, 12, 5, true);
    let (_, made) = fragments(groups);
    let (from, to) = (START.plus(300_000), START.plus(2_200_000));
    let (file, bytes) = export(Export::new(from, to, &Limits::default()).with_subtitles(), &made).remove(0);
    assert!(file.subtitles);
    let moov: Moov = Boxes::new(&bytes, 0).need(Moov::KIND).unwrap().parse().unwrap();
    let [video, text] = &moov.tracks[..] else { panic!() };
    assert_eq!(
        (text.header.track, moov.header.next_track, text.media.handler.kind.to_string()),
        (2, 3, "sbtl".into())
    );
    assert_eq!(text.header.duration, video.header.duration);
    let tables = &text.media.information.tables;
    let Stsz::Each(sizes) = &tables.sizes else { panic!() };
    let mut at = tables.offsets.offsets[0] as usize;
    let mut start = 0;
    let durations = tables.times.runs.iter().flat_map(|(n, d)| vec![*d; *n as usize]);
    let lines: Vec<_> = sizes
        .iter()
        .zip(durations)
        .map(|(size, long)| {
            let sample = &bytes[at..at + *size as usize];
            at += *size as usize;
            start += u64::from(long);
            assert_eq!(usize::from(u16::from_be_bytes([sample[0], sample[1]])) + 2, sample.len());
            (core::str::from_utf8(&sample[2..]).unwrap().to_owned(), start)
        })
        .collect();
    let seen = shown(&bytes);
    let mut expected: Vec<(alloc::string::String, u64)> = vec![];
    for (i, (time, _)) in seen.iter().enumerate() {
        let utc = file.first.plus(Ticks::micros(*time as i64));
        let line = alloc::format!("{utc:.0}").replace('T', " ").replace('Z', " UTC");
        let end = seen.get(i + 1).map_or(video.header.duration, |(next, _)| *next);
        match expected.last_mut() {
            Some(last) if last.0 == line => last.1 = end,
            _ => expected.push((line, end)),
        }
    }
    assert_eq!(lines, expected);
    assert!(lines.len() >= 2);
}

#[test]
fn offsets_beyond_4_gib_need_co64_and_a_64_bit_mdat() {
    let (_, mut made) = fragments(stream(&sets(Codec::H264), 0, 6, 1, false));
    let mut plan = Export::whole(&Limits::default());
    plan.init(&made[0].init.bytes).unwrap();
    for (i, fragment) in made.iter_mut().enumerate() {
        // One sample of 1 GiB, as the head has it.
        let mut head = fragment.head.to_vec();
        let run = head.windows(4).position(|w| w == b"trun").unwrap();
        let size = head.len() - 8 - 4;
        assert!(run < size);
        head[size..size + 4].copy_from_slice(&(1_u32 << 30).to_be_bytes());
        plan.fragment(i as u64, &head).unwrap();
    }
    let file = plan.finish().remove(0);
    let boxes = Boxes::new(&file.head, 0);
    let moov: Moov = boxes.need(Moov::KIND).unwrap().parse().unwrap();
    let offsets = &moov.video().unwrap().media.information.tables.offsets;
    assert!(offsets.is_wide());
    assert_eq!(offsets.offsets[0], file.head.len() as u64);
    assert_eq!(offsets.offsets[5], file.head.len() as u64 + (5 << 30));
    assert_eq!(file.len, file.head.len() as u64 + (6 << 30));
    let mdat = &file.head[file.head.len() - 16..];
    assert_eq!((&mdat[..8], &mdat[8..]), (&b"\0\0\0\x01mdat"[..], &((6_u64 << 30) + 16).to_be_bytes()[..]));
}

#[test]
fn a_fragment_before_its_init_segment_or_without_mark_is_refused() {
    let (_, made) = fragments(stream(&sets(Codec::H264), 0, 1, 2, false));
    let mut plan = Export::whole(&Limits::default());
    assert_eq!(plan.fragment(0, &made[0].head).unwrap_err().kind, Kind::Missing(Moov::KIND));
    plan.init(&made[0].init.bytes).unwrap();
    assert!(plan.fragment(0, &made[0].head[96..]).is_err());
    assert!(plan.fragment(0, &made[0].head[..150]).is_err());
    assert!(plan.finish().is_empty());
}

#[test]
fn one_fragmented_file_of_a_stream() {
    for view in [View::Exact, View::Playback] {
        let mut groups = stream(&sets(Codec::H264), 50, 4, 5, true);
        for group in &mut groups[2..] {
            // The times leap back to where they were.
            group.epoch = 1;
            group
                .samples
                .iter_mut()
                .for_each(|s| (s.dts, s.pts) = (s.dts.plus(-36_000), s.pts.plus(-36_000)));
        }
        let (init, made) = fragments(groups);
        let (mut writer, mut out) = (Fragmented::new(view), BytesMut::new());
        writer.init(&init, &mut out).unwrap();
        made.iter().for_each(|f| writer.fragment(f, &mut out).unwrap());
        let patch = writer.finish(&mut out).unwrap();
        out[patch.offset as usize..][..patch.bytes.len()].copy_from_slice(&patch.bytes);
        let mut kinds: Vec<_> = Boxes::new(&out, 0).map(|b| b.unwrap().kind.to_string()).collect();
        kinds.truncate(if view == View::Exact { 8 } else { 6 });
        match view {
            View::Exact => {
                assert_eq!(kinds, ["ftyp", "moov", "sidx", "free", "uuid", "prft", "moof", "mdat"])
            }
            View::Playback => assert_eq!(kinds, ["ftyp", "moov", "sidx", "free", "moof", "mdat"]),
        }
        let mfra: crate::bmff::mfra::Mfra = Boxes::new(&out, 0).last().unwrap().unwrap().parse().unwrap();
        for entry in &mfra.tracks[0].entries {
            assert_eq!(&out[entry.moof as usize + 4..][..4], b"moof");
            if view == View::Exact {
                let mark = FragmentMark::parse(&out[entry.moof as usize - MOOF_AT..]).unwrap();
                assert_eq!(mark.dts.0 as u64 + 3_600, entry.time);
            }
        }
        let first = if view == View::Exact { 51 * 3_600 } else { 3_600 };
        let times: Vec<_> = mfra.tracks[0].entries.iter().map(|e| e.time - first).collect();
        assert_eq!(times, [0, 18_000, 36_000, 54_000]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_picture_of_the_range_and_no_other(groups in 1_u32..6, len in 1_u32..9, reordered: bool, parts: bool,
                                               from in -200_i64..2_200, long in 0_i64..2_200) {
        let mut groups = stream(&sets(Codec::H264), 3, groups, len, reordered);
        let (from, to) = (START.plus(from * 1_000), START.plus((from + long) * 1_000));
        let all = groups.clone();
        if parts && !reordered {
            // GOPs stored in two fragments.
            groups = groups.into_iter().flat_map(|mut g| {
                let rest = g.samples.split_off(g.samples.len().div_ceil(2));
                let rest = Group { samples: rest, epoch: 0, continues_gop: true };
                [g, rest].into_iter().filter(|g| !g.samples.is_empty())
            }).collect();
        }
        let (_, made) = fragments(groups);
        let files = export(Export::new(from, to, &Limits::default()), &made);
        let wanted = wanted(&all, from, to);
        if wanted.is_empty() {
            prop_assert!(files.is_empty());
            return Ok(());
        }
        let (file, bytes) = &files[0];
        let seen = shown(bytes);
        prop_assert_eq!(seen.iter().map(|(_, b)| b.clone()).collect::<Vec<_>>(), wanted.iter().map(|s| s.unit.data.to_vec()).collect::<Vec<_>>());
        let first = wanted[0].pts.0;
        prop_assert_eq!(seen.iter().map(|(t, _)| *t as i64).collect::<Vec<_>>(), wanted.iter().map(|s| s.pts.0 - first).collect::<Vec<_>>());
        prop_assert_eq!((file.pictures as usize, file.first), (wanted.len(), wanted[0].utc.utc));
        // Nothing is there that decoding does not need: at most the pictures of the GOP before, and one that reordering put there.
        prop_assert!(file.hidden <= len, "{} hidden, {} shown", file.hidden, file.pictures);
        let moov: Moov = Boxes::new(bytes, 0).need(Moov::KIND).unwrap().parse().unwrap();
        let sync = moov.video().unwrap().media.information.tables.sync.clone();
        prop_assert!(sync.is_none_or(|s| s.samples[0] == 1));
    }
}
