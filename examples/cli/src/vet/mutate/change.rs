//! Changes that know what they change: packets and their headers, NAL units, parameter sets, order, answers by grammar.

use super::dice::Dice;
use super::script::{Script, Sent};

/// Bytes of an RTP header.
const HEADER: usize = 12;
/// Changes of one iteration, at most.
const CHANGES: usize = 4;

/// Changes a session, and says how.
pub(super) fn mutate(script: &mut Script, dice: &mut Dice) -> Vec<&'static str> {
    let changes = 1 + dice.below(CHANGES);
    (0..changes).map(|_| change(script, dice)).collect()
}

fn change(script: &mut Script, dice: &mut Dice) -> &'static str {
    if script.packets.is_empty() {
        return answers(script, dice);
    }
    match dice.below(20) {
        0..4 => bits(script, dice),
        4..9 => units(script, dice),
        9..12 => headers(script, dice),
        12..15 => order(script, dice),
        15..17 => sizes(script, dice),
        17 => reports(script, dice),
        _ => answers(script, dice),
    }
}

/// A media packet, more often than not one that holds parameter sets or begins a picture.
fn packet<'a>(script: &'a mut Script, dice: &mut Dice) -> Option<&'a mut Sent> {
    let media: Vec<usize> = (0..script.packets.len()).filter(|at| !script.packets[*at].rtcp).collect();
    let h264 = script.codec == vigie::codec::Codec::H264;
    let telling = |at: &&usize| {
        let first = script.packets[**at].bytes.get(HEADER).copied().unwrap_or(0);
        let kind = if h264 { first & 0x1f } else { first >> 1 & 0x3f };
        if h264 { matches!(kind, 5..=9 | 24..=27) } else { matches!(kind, 16..=40 | 48) }
    };
    let special: Vec<usize> = media.iter().filter(telling).copied().collect();
    let from = if special.is_empty() || dice.below(2) == 0 { &media } else { &special };
    let at = *from.get(dice.below(from.len()))?;
    script.packets.get_mut(at)
}

/// Bits and bytes of a payload, wherever.
fn bits(script: &mut Script, dice: &mut Dice) -> &'static str {
    let Some(sent) = packet(script, dice) else { return "nothing" };
    let room = sent.bytes.len().saturating_sub(HEADER);
    for _ in 0..=dice.below(4) {
        let at = HEADER + dice.below(room);
        let bit = 1 << dice.below(8);
        let byte = dice.byte();
        if let Some(place) = sent.bytes.get_mut(at) {
            *place = if byte & 1 == 0 { *place ^ bit } else { byte };
        }
    }
    "bits of a payload"
}

/// The first bytes of a NAL unit, where its type, its headers and parameter sets have their fields.
fn units(script: &mut Script, dice: &mut Dice) -> &'static str {
    let Some(sent) = packet(script, dice) else { return "nothing" };
    let room = sent.bytes.len().saturating_sub(HEADER);
    match dice.below(4) {
        0 => {
            let byte = dice.byte();
            if let Some(place) = sent.bytes.get_mut(HEADER) {
                *place = byte;
            }
            "the type of a NAL unit"
        }
        1 => {
            let byte = dice.byte();
            if let Some(place) = sent.bytes.get_mut(HEADER + 1) {
                *place = byte;
            }
            "the second byte of a payload: fragmentation header, slice header or profile"
        }
        2 => {
            let at = HEADER + 1 + dice.below(room.min(24));
            let bit = 1 << dice.below(8);
            if let Some(place) = sent.bytes.get_mut(at) {
                *place ^= bit;
            }
            "a field at the start of a NAL unit"
        }
        _ => {
            // A run of ones or zeros: the longest numbers that Exp-Golomb has.
            let (at, fill) =
                (HEADER + 1 + dice.below(room.min(40)), if dice.below(2) == 0 { 0 } else { 0xff });
            let many = 1 + dice.below(8);
            sent.bytes.iter_mut().skip(at).take(many).for_each(|place| *place = fill);
            "a run of zeros or ones in a NAL unit"
        }
    }
}

/// Fields of the RTP header.
fn headers(script: &mut Script, dice: &mut Dice) -> &'static str {
    let from = dice.below(script.packets.len());
    let value = dice.next();
    let Some(sent) = script.packets.get_mut(from).filter(|sent| sent.bytes.len() >= HEADER) else {
        return "nothing";
    };
    let bytes = &mut sent.bytes;
    match dice.below(7) {
        0 => {
            bytes[1] ^= 0x80;
            "a marker"
        }
        1 => {
            bytes[1] = bytes[1] & 0x80 | (value as u8 & 0x7f);
            "a payload type"
        }
        2 => {
            bytes[2..4].copy_from_slice(&(value as u16).to_be_bytes());
            "a sequence number"
        }
        3 => {
            bytes[4..8].copy_from_slice(&(value as u32).to_be_bytes());
            "a timestamp"
        }
        4 => {
            bytes[8..12].copy_from_slice(&(value as u32).to_be_bytes());
            "an SSRC"
        }
        5 => {
            bytes[0] = 0x80 | (value as u8 & 0x3f);
            "padding, extension or contributing sources announced"
        }
        _ => {
            let leap = value as u32;
            for sent in script.packets.iter_mut().skip(from).filter(|sent| !sent.rtcp) {
                if let Some(field) =
                    sent.bytes.get_mut(4..8).and_then(|field| <&mut [u8; 4]>::try_from(field).ok())
                {
                    *field = u32::from_be_bytes(*field).wrapping_add(leap).to_be_bytes();
                }
            }
            "all timestamps from one on"
        }
    }
}

/// Loss, repetition, order.
fn order(script: &mut Script, dice: &mut Dice) -> &'static str {
    let packets = &mut script.packets;
    let (a, b) = (dice.below(packets.len()), dice.below(packets.len()));
    match dice.below(4) {
        0 => {
            let many = (1 + dice.below(8)).min(packets.len() - a);
            packets.drain(a..a + many);
            "packets lost"
        }
        1 => {
            let again = packets[a].clone();
            packets.insert(b, again);
            "a packet again, elsewhere"
        }
        2 => {
            packets.swap(a, b);
            "two packets in each other's place"
        }
        _ => {
            // The head of one with the tail of the other.
            let (cut, tail) = (HEADER + dice.below(packets[a].bytes.len()), packets[b].bytes.clone());
            packets[a].bytes.truncate(cut);
            let from = HEADER.min(tail.len()) + dice.below(tail.len().saturating_sub(HEADER));
            packets[a].bytes.extend(tail.get(from..).unwrap_or_default());
            packets[a].bytes.truncate(65_535);
            "two packets spliced"
        }
    }
}

/// Packets that end early, or late.
fn sizes(script: &mut Script, dice: &mut Dice) -> &'static str {
    let at = dice.below(script.packets.len());
    let Some(sent) = script.packets.get_mut(at) else { return "nothing" };
    let cut = dice.below(sent.bytes.len() + 1);
    match dice.below(3) {
        0 => {
            sent.bytes.truncate(cut);
            "a packet cut"
        }
        1 => {
            let (byte, many) = (dice.byte(), dice.below(2_000));
            sent.bytes.extend(std::iter::repeat_n(byte, many));
            "bytes behind a packet"
        }
        _ => {
            let byte = dice.byte();
            sent.bytes.insert(cut, byte);
            "a byte more in a packet"
        }
    }
}

/// RTCP.
fn reports(script: &mut Script, dice: &mut Dice) -> &'static str {
    let reports: Vec<usize> = (0..script.packets.len()).filter(|at| script.packets[*at].rtcp).collect();
    let Some(at) = reports.get(dice.below(reports.len())).copied() else { return bits(script, dice) };
    let room = script.packets[at].bytes.len();
    let (place, byte) = (dice.below(room), dice.byte());
    if let Some(to) = script.packets[at].bytes.get_mut(place) {
        *to = byte;
    }
    "a byte of RTCP"
}

/// Lines of an answer or of the description in it, by their grammar.
fn answers(script: &mut Script, dice: &mut Dice) -> &'static str {
    let at = dice.below(script.answers.len());
    let Some(answer) = script.answers.get_mut(at) else { return "nothing" };
    let text = String::from_utf8_lossy(answer).into_owned();
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let line = dice.below(lines.len());
    let Some(chosen) = lines.get(line).cloned() else { return "nothing" };
    let said = match dice.below(7) {
        0 => {
            lines.remove(line);
            "a line of an answer left out"
        }
        1 => {
            lines.insert(line, chosen);
            "a line of an answer twice"
        }
        2 => {
            lines[line] = number(&chosen, dice);
            "a number in an answer"
        }
        3 => {
            let long = "x".repeat(1 << dice.below(16));
            lines[line] = format!("{}{long}\r\n", chosen.trim_end());
            "a line of an answer too long"
        }
        4 => {
            lines[line] = chosen.replace("\r\n", if dice.below(2) == 0 { "\n" } else { "" });
            "a line end of an answer"
        }
        5 => {
            let other = dice.below(lines.len());
            lines.swap(line, other);
            "two lines of an answer in each other's place"
        }
        _ => {
            let mut bytes = chosen.into_bytes();
            let place = dice.below(bytes.len());
            let byte = dice.byte();
            if let Some(to) = bytes.get_mut(place) {
                *to = byte;
            }
            // Not text any more, perhaps.
            let before: Vec<u8> = lines[..line].concat().into_bytes();
            let after: Vec<u8> = lines[line + 1..].concat().into_bytes();
            *answer = [before, bytes, after].concat();
            return "a byte of an answer";
        }
    };
    *answer = lines.concat().into_bytes();
    said
}

/// One of the numbers of a line becomes another.
fn number(line: &str, dice: &mut Dice) -> String {
    const NUMBERS: [&str; 9] =
        ["0", "-1", "1", "255", "65535", "65536", "4294967295", "4294967296", "99999999999999999999"];
    let starts: Vec<usize> = line
        .char_indices()
        .filter(|(at, c)| {
            c.is_ascii_digit() && !line[..*at].ends_with(|before: char| before.is_ascii_digit())
        })
        .map(|(at, _)| at)
        .collect();
    let Some(start) = starts.get(dice.below(starts.len())).copied() else { return line.to_owned() };
    let end = line[start..].find(|c: char| !c.is_ascii_digit()).map_or(line.len(), |length| start + length);
    let new = NUMBERS.get(dice.below(NUMBERS.len())).copied().unwrap_or("0");
    format!("{}{new}{}", &line[..start], &line[end..])
}
