//! The description of a stream, RFC 4566, with the parameter sets of RFC 6184 §8.1 and RFC 7798 §7.1.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use vigie::codec::Codec;
use vigie::h26x::ParameterSets;

use super::PAYLOAD_TYPE;

/// Where the one video is set up, after the presentation's URL.
pub(crate) const TRACK: &str = "video";

/// The text, its lines ended as RFC 4566 wants them.
pub(super) fn describe(codec: Codec, sets: Option<&ParameterSets>, name: &str) -> String {
    let encoding = match codec {
        Codec::H264 => "H264",
        Codec::H265 => "H265",
    };
    let mut out = format!(
        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns={name}\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n\
         m=video 0 RTP/AVP {PAYLOAD_TYPE}\r\na=rtpmap:{PAYLOAD_TYPE} {encoding}/90000\r\n"
    );
    if let Some(parameters) = sets.and_then(|sets| parameters(codec, sets)) {
        let _ = write!(out, "a=fmtp:{PAYLOAD_TYPE} {parameters}\r\n");
    }
    let _ = write!(out, "a=control:{TRACK}\r\n");
    out
}

/// `None` where a set is missing: they then come in band only.
fn parameters(codec: Codec, sets: &ParameterSets) -> Option<String> {
    let sps = list(sets.sps())?;
    let pps = list(sets.pps())?;
    Some(match codec {
        Codec::H264 => {
            let (_, first) = sets.sps().next()?;
            let [_, profile, constraints, level, ..] = first[..] else { return None };
            format!(
                "packetization-mode=1;profile-level-id={profile:02X}{constraints:02X}{level:02X};\
                 sprop-parameter-sets={sps},{pps}"
            )
        }
        Codec::H265 => format!("sprop-vps={};sprop-sps={sps};sprop-pps={pps}", list(sets.vps())?),
    })
}

fn list<'a>(sets: impl Iterator<Item = (u8, &'a Bytes)>) -> Option<String> {
    let coded: Vec<String> = sets.map(|(_, nal)| STANDARD.encode(nal)).collect();
    (!coded.is_empty()).then(|| coded.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_that_are_known_are_told() {
        let mut sets = ParameterSets::new(Codec::H264);
        let bare = describe(Codec::H264, Some(&sets), "annoeullin/mairie");
        assert!(
            !bare.contains("fmtp") && bare.contains("H264/90000") && bare.ends_with("a=control:video\r\n")
        );
        // Baseline, level 3.0, 16x16.
        for nal in [&[0x67, 0x42, 0xc0, 0x1e, 0xf4, 0x7e, 0x20][..], &[0x68, 0xce, 0x3c, 0x80]] {
            assert!(sets.insert(nal).is_ok());
        }
        let told = describe(Codec::H264, Some(&sets), "annoeullin/mairie");
        assert!(
            told.contains("profile-level-id=42C01E;sprop-parameter-sets=Z0LAHvR+IA==,aM48gA==\r\n"),
            "{told}"
        );
        assert!(vigie_lines(&told));
    }

    fn vigie_lines(text: &str) -> bool {
        text.split_terminator("\r\n")
            .all(|line| line.as_bytes().get(1) == Some(&b'=') && !line.contains('\n'))
    }
}
