//! Parameter sets written field by field and read back.
#![allow(clippy::unwrap_used)]

use alloc::vec::Vec;
use proptest::prelude::*;

use super::*;
use crate::h26x::testing::BitWriter;
use crate::h26x::{Extent, Hrd};

/// The NAL unit with its header of two bytes.
fn nal(w: &mut BitWriter, unit_type: u8) -> Vec<u8> {
    let mut nal = w.nal(unit_type << 1);
    nal.insert(1, 1);
    nal
}

fn flag(w: &mut BitWriter, flag: bool) -> bool {
    w.bits(u32::from(flag), 1);
    flag
}

/// profile_tier_level() of Main at level 4.1, a profile and level for every other sub-layer.
fn write_profile(w: &mut BitWriter, sub_layers: u32) {
    w.bits(0, 2).bits(1, 1).bits(1, 5).bits(0x6000_0000, 32).bits(0x9000, 16).bits(0, 32).bits(123, 8);
    for n in 1..sub_layers {
        w.bits(n % 2, 1).bits(1, 1);
    }
    if sub_layers > 1 {
        w.bits(0, 2 * (9 - sub_layers));
    }
    for n in 1..sub_layers {
        if n % 2 == 1 {
            w.bits(u32::MAX, 32).bits(u32::MAX, 32).bits(0xff_ffff, 24);
        }
        w.bits(60, 8);
    }
}

/// hrd_parameters() with sub-pictures, two schedules in each sub-layer.
fn write_hrd(w: &mut BitWriter, sub_layers: u32, rate: u32) {
    w.bits(1, 1).bits(1, 1).bits(1, 1).bits(0, 19).bits(2, 4).bits(3, 4).bits(1, 4);
    w.bits(22, 5).bits(23, 5).bits(24, 5);
    for n in 0..sub_layers {
        match n % 3 {
            0 => w.bits(1, 1).ue(7),
            1 => w.bits(0, 1).bits(1, 1).ue(8),
            _ => w.bits(0, 1).bits(0, 1).bits(0, 1),
        };
        w.ue(1);
        for _ in 0..4 {
            w.ue(rate).ue(rate * 2).ue(1).ue(1).bits(1, 1);
        }
    }
}

#[derive(Clone, Debug)]
struct Fields {
    ids: (u32, u32),
    sub_layers: u32,
    chroma: u32,
    size: (u32, u32),
    window: Option<[u32; 4]>,
    depths: (u32, u32),
    order_bits: u32,
    buffering: Vec<(u32, u32, u32)>,
    lists: Option<bool>,
    pcm: bool,
    /// Each set after the first: coded anew, or predicted with these used flags' seed.
    references: Vec<(Option<u32>, u32, u32)>,
    long_term: u32,
    vui: Option<(bool, bool, u32)>,
    extensions: Option<[bool; 4]>,
}

fn write_lists(w: &mut BitWriter) {
    for size in 0..4_u32 {
        for matrix in (0..6_u32).step_by(if size == 3 { 3 } else { 1 }) {
            if flag(w, matrix % 2 == 0) {
                if size > 1 {
                    w.se(-5);
                }
                for _ in 0..64.min(1 << (4 + (size << 1))) {
                    w.se(1);
                }
            } else {
                w.ue(0);
            }
        }
    }
}

/// Short-term sets. How many pictures a set has decides how many flags the next prediction has, §7.4.8.
fn write_references(w: &mut BitWriter, sets: &[(Option<u32>, u32, u32)]) {
    w.ue(sets.len() as u32);
    let mut deltas: Vec<i32> = Vec::new();
    for (n, (predicted, negatives, positives)) in sets.iter().enumerate() {
        let inter = n > 0 && flag(w, predicted.is_some());
        if let Some(seed) = predicted.filter(|_| inter) {
            // delta_rps = -1.
            w.bits(1, 1).ue(0);
            let mut next = Vec::new();
            for (j, delta) in deltas.iter().copied().chain([0]).enumerate() {
                let used = flag(w, seed >> (j % 32) & 1 == 1);
                if (used || flag(w, seed >> (j % 7) & 2 == 2)) && delta != 1 {
                    next.push(delta - 1);
                }
            }
            // Nearest first, those before and then those after.
            next.sort_by_key(|delta| (*delta > 0, delta.abs()));
            deltas = next;
        } else {
            w.ue(*negatives).ue(*positives);
            let halves = [(*negatives, -1), (*positives, 1)];
            deltas = halves
                .iter()
                .flat_map(|(count, sign)| (1..=*count as i32).map(move |d| sign * 2 * d))
                .collect();
            for _ in 0..negatives + positives {
                w.ue(1).bits(1, 1);
            }
        }
    }
}

fn write_vui(w: &mut BitWriter, sub_layers: u32, (window, hrd, rate): (bool, bool, u32)) {
    w.bits(1, 1).bits(14, 8).bits(0, 1); // 4:3 samples, no overscan
    w.bits(1, 1).bits(5, 3).bits(1, 1).bits(1, 1).bits(9, 8).bits(16, 8).bits(9, 8);
    w.bits(1, 1).ue(2).ue(2);
    w.bits(0, 1).bits(0, 1).bits(1, 1);
    if flag(w, window) {
        w.ue(1).ue(2).ue(3).ue(4);
    }
    w.bits(1, 1).bits(1_001, 32).bits(30_000, 32).bits(1, 1).ue(0);
    if flag(w, hrd) {
        write_hrd(w, sub_layers, rate);
    }
    w.bits(1, 1).bits(5, 3).ue(77).ue(2).ue(1).ue(15).ue(14);
}

fn write(f: &Fields) -> Vec<u8> {
    let mut w = BitWriter::default();
    w.bits(f.ids.0, 4).bits(f.sub_layers - 1, 3).bits(1, 1);
    write_profile(&mut w, f.sub_layers);
    w.ue(f.ids.1).ue(f.chroma);
    if f.chroma == 3 {
        w.bits(0, 1);
    }
    w.ue(f.size.0).ue(f.size.1);
    flag(&mut w, f.window.is_some());
    f.window.iter().flatten().for_each(|n| {
        w.ue(*n);
    });
    w.ue(f.depths.0).ue(f.depths.1).ue(f.order_bits);
    let each = f.buffering.len() as u32 == f.sub_layers;
    flag(&mut w, each);
    for (buffering, reorder, latency) in f.buffering.iter().take(if each { 7 } else { 1 }) {
        w.ue(*buffering).ue(*reorder).ue(*latency);
    }
    w.ue(0).ue(3).ue(0).ue(3).ue(1).ue(1);
    if flag(&mut w, f.lists.is_some()) && flag(&mut w, f.lists == Some(true)) {
        write_lists(&mut w);
    }
    w.bits(1, 1).bits(1, 1);
    if flag(&mut w, f.pcm) {
        w.bits(7, 4).bits(7, 4).ue(0).ue(2).bits(1, 1);
    }
    write_references(&mut w, &f.references);
    if flag(&mut w, f.long_term > 0) {
        w.ue(f.long_term);
        for _ in 0..f.long_term {
            w.bits(3, f.order_bits + 4).bits(1, 1);
        }
    }
    w.bits(1, 1).bits(1, 1);
    flag(&mut w, f.vui.is_some());
    if let Some(vui) = f.vui {
        write_vui(&mut w, f.sub_layers, vui);
    }
    if flag(&mut w, f.extensions.is_some()) {
        write_extensions(&mut w, f, f.extensions.unwrap());
    }
    nal(&mut w, 33)
}

fn write_extensions(w: &mut BitWriter, f: &Fields, [range, layers, depth, screen]: [bool; 4]) {
    for present in [range, layers, depth, screen] {
        flag(w, present);
    }
    w.bits(0, 4);
    if range {
        w.bits(0x155, 9);
    }
    if layers {
        w.bits(1, 1);
    }
    if depth {
        w.bits(3, 2).ue(2).bits(15, 4).bits(7, 3).ue(3).bits(31, 5);
    }
    if screen {
        w.bits(1, 1).bits(1, 1).ue(64).ue(64).bits(1, 1).ue(4);
        for component in 0..if f.chroma == 0 { 1 } else { 3 } {
            for _ in 0..5 {
                w.bits(1, 8 + if component == 0 { f.depths.0 } else { f.depths.1 });
            }
        }
        w.bits(2, 2).bits(1, 1);
    }
}

fn fields() -> impl Strategy<Value = Fields> {
    let set = (prop::option::of(any::<u32>()), 0_u32..4, 0_u32..4);
    (
        ((0_u32..16, 0_u32..16), 1_u32..8, 0_u32..4, (64_u32..8_192, 64_u32..4_320)),
        (prop::option::of(prop::array::uniform4(0_u32..8)), (0_u32..9, 0_u32..9), 0_u32..13),
        (prop::collection::vec((0_u32..16, 0_u32..16, 0_u32..9), 7), any::<bool>()),
        (prop::option::of(any::<bool>()), any::<bool>(), prop::collection::vec(set, 0..9), 0_u32..33),
        prop::option::of((any::<bool>(), any::<bool>(), 0_u32..1 << 20)),
        prop::option::of(any::<[bool; 4]>()),
    )
        .prop_map(|(shape, window, (mut buffering, each), tools, vui, extensions)| {
            let (ids, sub_layers, chroma, size) = shape;
            let (window, depths, order_bits) = window;
            let (lists, pcm, references, long_term) = tools;
            buffering.truncate(if each { sub_layers as usize } else { 1 });
            Fields {
                ids,
                sub_layers,
                chroma,
                size,
                window,
                depths,
                order_bits,
                buffering,
                lists,
                pcm,
                references,
                long_term,
                vui,
                extensions,
            }
        })
}

fn hrd(rate: u32) -> Hrd {
    Hrd {
        bit_rate: (u64::from(rate) + 1) << 8,
        buffer: (u64::from(rate) * 2 + 1) << 7,
        constant: true,
        initial_delay_bits: 23,
        removal_delay_bits: 24,
        output_delay_bits: 25,
        time_offset_bits: 0,
    }
}

proptest! {
    #[test]
    fn a_sequence_parameter_set_is_read_as_it_was_written(f in fields()) {
        let sps = Sps::parse(&write(&f)).unwrap();
        prop_assert_eq!(sps.extent, Extent::Whole);
        prop_assert_eq!((u32::from(sps.vps_id), u32::from(sps.id), u32::from(sps.sub_layers)), (f.ids.0, f.ids.1, f.sub_layers));
        prop_assert_eq!((sps.profile.idc, sps.profile.high_tier, sps.profile.level), (1, true, 123));
        prop_assert_eq!((u32::from(sps.chroma_format), sps.coded_width, sps.coded_height), (f.chroma, f.size.0, f.size.1));
        let [left, right, top, bottom] = f.window.unwrap_or_default();
        let (x, y) = match f.chroma { 1 => (2, 2), 2 => (2, 1), _ => (1, 1) };
        prop_assert_eq!((sps.width, sps.height), (f.size.0 - x * (left + right), f.size.1 - y * (top + bottom)));
        prop_assert_eq!((u32::from(sps.bit_depth_luma), u32::from(sps.bit_depth_chroma)), (f.depths.0 + 8, f.depths.1 + 8));
        prop_assert_eq!((u32::from(sps.order_bits), sps.scaling_lists), (f.order_bits + 4, f.lists.is_some()));
        let (buffering, reorder, latency) = *f.buffering.last().unwrap();
        prop_assert_eq!((u32::from(sps.buffering), u32::from(sps.reorder)), (buffering + 1, reorder));
        // SpsMaxLatencyPictures, (7-9).
        prop_assert_eq!(sps.latency, (latency > 0).then(|| reorder + latency - 1));
        prop_assert_eq!(sps.vui.is_some(), f.vui.is_some());
        if let (Some((window, with_hrd, rate)), Some(vui)) = (f.vui, &sps.vui) {
            prop_assert_eq!((vui.sample_aspect, vui.full_range, vui.colour), (Some((4, 3)), true, Some((9, 16, 9))));
            prop_assert_eq!((vui.timing, vui.ticks_per_count), (Some((1_001, 30_000)), Some(1)));
            prop_assert_eq!(vui.display_window, window.then_some([1, 2, 3, 4]));
            prop_assert_eq!(vui.hrd, with_hrd.then(|| hrd(rate)));
            prop_assert_eq!((vui.min_spatial_segmentation, vui.restriction.unwrap().motion_log2), (77, (15, 14)));
            prop_assert_eq!(sps.frame_rate(), Some((30_000, 1_001)));
        }
        // Ids and rates make no other picture; tools do.
        let ids = ((f.ids.0 + 1) % 16, (f.ids.1 + 1) % 16);
        let other = Fields { ids, vui: f.vui.map(|(window, _, rate)| (!window, false, rate)), ..f.clone() };
        prop_assert!(sps.decodes_like(&Sps::parse(&write(&other)).unwrap()));
        let other = Fields { pcm: !f.pcm, ..f.clone() };
        prop_assert!(!sps.decodes_like(&Sps::parse(&write(&other)).unwrap()));
    }

    #[test]
    fn a_video_parameter_set_is_read_as_it_was_written(
        sub_layers in 1_u32..8, layers in 1_u32..64, sets in 0_u32..9, hrds in 0_u32..3, rate in 0_u32..1 << 20,
        extended: bool,
    ) {
        let mut w = BitWriter::default();
        w.bits(5, 4).bits(3, 2).bits(layers - 1, 6).bits(sub_layers - 1, 3).bits(1, 1).bits(0xffff, 16);
        write_profile(&mut w, sub_layers);
        w.bits(1, 1);
        for _ in 0..sub_layers {
            w.ue(4).ue(2).ue(0);
        }
        w.bits(layers.min(63) - 1, 6).ue(sets);
        for _ in 0..sets * layers.min(63) {
            w.bits(1, 1);
        }
        w.bits(1, 1).bits(1, 32).bits(25, 32).bits(0, 1).ue(hrds.min(sets + 1));
        for n in 0..hrds.min(sets + 1) {
            w.ue(0);
            if n > 0 {
                w.bits(1, 1);
            }
            write_hrd(&mut w, sub_layers, rate);
        }
        w.bits(u32::from(extended), 1);
        if extended {
            w.bits(0xabc, 12);
        }
        let vps = Vps::parse(&nal(&mut w, 32)).unwrap();
        prop_assert_eq!((vps.id, u32::from(vps.layers), u32::from(vps.sub_layers)), (5, layers, sub_layers));
        prop_assert_eq!((vps.timing, vps.profile.level), (Some((1, 25)), 123));
        prop_assert_eq!(vps.hrd, (hrds > 0).then(|| hrd(rate)));
        prop_assert_eq!(vps.extent, if extended { Extent::Extended } else { Extent::Whole });
    }

    #[test]
    fn a_picture_parameter_set_is_read_as_it_was_written(
        grid in prop::option::of((1_u32..20, 1_u32..20, any::<bool>())), lists: bool, deblocking in 0_u32..3, skip: bool,
        range: bool, screen: bool, offsets in prop::option::of(1_u32..7), palette in prop::option::of((0_u32..9, any::<bool>())),
    ) {
        let mut w = BitWriter::default();
        w.ue(33).ue(9).bits(1, 1).bits(1, 1).bits(5, 3).bits(0, 2).ue(3).ue(1).se(-9).bits(0, 1);
        flag(&mut w, skip);
        w.bits(1, 1).ue(2).se(-3).se(4).bits(0, 4);
        flag(&mut w, grid.is_some());
        w.bits(1, 1);
        if let Some((columns, rows, uniform)) = grid {
            w.ue(columns - 1).ue(rows - 1);
            if !flag(&mut w, uniform) {
                (0..columns + rows - 2).for_each(|n| { w.ue(n % 5); });
            }
            w.bits(1, 1);
        }
        w.bits(1, 1);
        if flag(&mut w, deblocking > 0) {
            w.bits(1, 1);
            if !flag(&mut w, deblocking > 1) {
                w.se(-6).se(6);
            }
        }
        if flag(&mut w, lists) {
            write_lists(&mut w);
        }
        w.bits(0, 1).ue(2).bits(1, 1);
        if flag(&mut w, range || screen) {
            flag(&mut w, range);
            w.bits(0, 2);
            flag(&mut w, screen);
            w.bits(0, 4);
        }
        if range {
            if skip {
                w.ue(3);
            }
            w.bits(1, 1);
            if flag(&mut w, offsets.is_some()) {
                w.ue(1).ue(offsets.unwrap() - 1);
                (0..offsets.unwrap()).for_each(|_| { w.se(-12).se(12); });
            }
            w.ue(1).ue(2);
        }
        if screen {
            w.bits(1, 1).bits(1, 1).bits(1, 1).se(-5).se(3).se(0);
            if flag(&mut w, palette.is_some()) {
                let (entries, monochrome) = palette.unwrap();
                w.ue(entries);
                if entries > 0 {
                    flag(&mut w, monochrome);
                    w.ue(2);
                    if !monochrome {
                        w.ue(4);
                    }
                    (0..entries).for_each(|_| { w.bits(1, 10); });
                    (0..if monochrome { 0 } else { 2 * entries }).for_each(|_| { w.bits(1, 12); });
                }
            }
        }
        let pps = Pps::parse(&nal(&mut w, 34)).unwrap();
        prop_assert_eq!((pps.id, pps.sps_id, pps.dependent_slices, pps.output_flag, pps.extra_bits), (33, 9, true, true, 5));
        prop_assert_eq!((pps.tiles, pps.wavefront, pps.scaling_lists), (grid.is_some(), true, lists));
        let (columns, rows, _) = grid.unwrap_or((1, 1, true));
        prop_assert_eq!((u32::from(pps.tile_grid.0), u32::from(pps.tile_grid.1)), (columns, rows));
        prop_assert_eq!(pps.extent, Extent::Whole);
    }
}
