//! Which players show a stream, by what its parameter sets say.

use vigie::codec::Codec;
use vigie::h26x::ParameterSets;

/// Does a player show it?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Plays,
    /// Where the machine has a decoder for it.
    Depends,
    No,
}

impl Verdict {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Plays => "plays",
            Self::Depends => "depends",
            Self::No => "no",
        }
    }
}

/// One row of the matrix.
#[derive(Clone, Copy, Debug)]
pub(super) struct Player {
    pub(super) name: &'static str,
    pub(super) verdict: Verdict,
    pub(super) why: &'static str,
}

const NAMES: [&str; 4] = ["Chrome", "Firefox", "Safari", "QuickTime"];

/// The matrix. Rules, not measurements: what the makers say of their decoders, in MP4 as Vigie's playback view writes it.
pub(super) fn matrix(sets: &ParameterSets) -> Vec<Player> {
    let Some(id) = sets.active() else { return Vec::new() };
    let verdicts = match (sets.codec(), sets.sps_h264(id), sets.sps_h265(id)) {
        (Codec::H264, Some(sps), _) => {
            h264(sps.profile, sps.chroma_format, sps.bit_depth_luma, sps.frames_only)
        }
        (Codec::H265, _, Some(sps)) => h265(sps.chroma_format, sps.bit_depth_luma),
        _ => return Vec::new(),
    };
    NAMES.iter().zip(verdicts).map(|(name, (verdict, why))| Player { name, verdict, why }).collect()
}

type Said = (Verdict, &'static str);

fn h264(profile: u8, chroma: u8, depth: u8, frames_only: bool) -> [Said; 4] {
    if profile == 88 {
        return [(Verdict::No, "Extended profile: no browser decodes data partitions and SP slices"); 4];
    }
    if chroma > 1 || depth > 8 {
        let software =
            (Verdict::Depends, "more than 8 bits or 4:2:0: software decoder only, not in every build");
        let no = (Verdict::No, "more than 8 bits or 4:2:0: the system's decoder refuses it");
        return [
            software,
            no,
            no,
            (Verdict::Depends, "High 4:2:2 and High 10 since macOS 10.13, ProRes codecs apart"),
        ];
    }
    if frames_only {
        return [(Verdict::Plays, "8 bits, 4:2:0, progressive"); 4];
    }
    let interlaced = (Verdict::Plays, "interlaced: shown as woven frames, combed where things move");
    [interlaced, interlaced, interlaced, (Verdict::Plays, "interlaced: deinterlaced by the player")]
}

fn h265(chroma: u8, depth: u8) -> [Said; 4] {
    if chroma > 1 || depth > 10 {
        let no = (Verdict::No, "range extensions: no hardware decoder that browsers use takes them");
        return [
            (Verdict::Depends, "range extensions: some Intel and Apple decoders take 4:2:2 and 4:4:4"),
            no,
            no,
            no,
        ];
    }
    [
        (Verdict::Depends, "since 107, where the machine decodes H.265 in hardware"),
        (
            Verdict::Depends,
            "since 134 on Windows, 136 on macOS, 137 on Linux, where the machine decodes it in hardware",
        ),
        (Verdict::Plays, "since 11, as hvc1 (the playback view); hev1 is refused"),
        (Verdict::Plays, "since macOS 10.13, as hvc1; hev1 is refused"),
    ]
}
