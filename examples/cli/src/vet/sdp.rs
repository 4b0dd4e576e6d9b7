//! The description by the letter: RFC 8866, RFC 6184 §8, RFC 7798 §7.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use vigie::codec::Codec;
use vigie::h26x::{Nal, NalKind};
use vigie::sdp::{MediaKind, Presentation};

use super::finding::{Findings, Place};
use super::rule::Rule;

/// Checks a description; `raw` is what was sent.
pub(super) fn check(raw: &[u8], presentation: Option<&Presentation>, f: &mut Findings) {
    let text = String::from_utf8_lossy(raw);
    grammar(&text, f);
    let Some(presentation) = presentation else { return };
    let controls = presentation.media.iter().filter(|media| media.control.is_none()).count();
    let place = Place::default();
    if presentation.media.len() > 1 && controls > 0 {
        f.add(Rule::SdpControl, place, || format!("{controls} of {} sections", presentation.media.len()));
    }
    for media in presentation.media.iter().filter(|media| media.kind == MediaKind::Video) {
        let Some(chosen) = media.chosen() else { continue };
        if chosen.number >= 96 && chosen.encoding.is_empty() {
            f.add(Rule::SdpRtpmap, place, || format!("payload type {}", chosen.number));
        }
        if media.codec.is_some() && chosen.clock_rate != 90_000 {
            f.add(Rule::SdpClockRate, place, || format!("clock rate {}", chosen.clock_rate));
        }
        let keys: &[&str] = match media.codec {
            Some(Codec::H264) => &["sprop-parameter-sets"],
            Some(Codec::H265) => &["sprop-vps", "sprop-sps", "sprop-pps"],
            None => &[],
        };
        for (key, value) in keys.iter().filter_map(|key| Some((*key, media.fmtp(key)?))) {
            for set in value.split(',') {
                if let Some(why) = media.codec.and_then(|codec| wrong_set(codec, set)) {
                    f.add(Rule::SdpSprop, place, || format!("{key}: {why}"));
                }
            }
        }
    }
}

/// Why a text is no parameter set; `None` where it is one.
fn wrong_set(codec: Codec, text: &str) -> Option<String> {
    let text = text.trim();
    let Ok(nal) = STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)) else {
        return Some("no Base64".to_owned());
    };
    let kind = Nal::new(&nal).kind(codec);
    let set = kind.is_parameter_set()
        || matches!(kind, NalKind::SubsetSps | NalKind::SpsExtension | NalKind::Sei | NalKind::Prefix);
    (!set).then(|| format!("begins with {:02x?}", nal.get(..4.min(nal.len())).unwrap_or_default()))
}

/// RFC 8866 §5: `v=`, `o=`, `s=`, `t=` once each, in that order, before the first `m=`.
fn grammar(text: &str, f: &mut Findings) {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let place = Place::default();
    let session = lines.iter().take_while(|line| !line.starts_with("m="));
    let order: String =
        session.filter_map(|line| line.chars().next()).filter(|c| "vost".contains(*c)).collect();
    if order != "vost" {
        // More than one t= is allowed.
        let mut once = order.clone();
        while once.ends_with("tt") {
            once.pop();
        }
        if once != "vost" {
            f.add(Rule::SdpGrammar, place, || format!("v=, o=, s=, t= come as {order:?}"));
        }
    }
    for line in &lines {
        let formed = line.as_bytes().get(1) == Some(&b'=') && line.as_bytes()[0].is_ascii_lowercase();
        let why = match line.split_once('=') {
            _ if !formed => Some("no type and value"),
            Some(("v", version)) if version.trim() != "0" => Some("a version other than 0"),
            Some(("o", origin)) => {
                let words: Vec<&str> = origin.split_whitespace().collect();
                let number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
                match words.as_slice() {
                    [_, id, version, "IN", "IP4" | "IP6", _] if number(id) && number(version) => None,
                    _ => Some("an origin of other than six words"),
                }
            }
            Some(("t", time))
                if time.split_whitespace().filter(|word| word.parse::<u64>().is_ok()).count() != 2 =>
            {
                Some("a time of other than two numbers")
            }
            _ => None,
        };
        if let Some(why) = why {
            let start: String = line.chars().take(24).collect();
            f.add(Rule::SdpGrammar, place, || format!("{why}: {start:?}"));
        }
    }
}
