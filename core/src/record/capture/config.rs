//! A session's configuration as text, without its secrets.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::redact::Redactor;
use crate::fault::{Policy, Quirk, QuirkSet};
use crate::limits::Limits;
use crate::rtsp::headers::Range;
use crate::rtsp::{Credentials, Url};
use crate::session::{Config, Lower, Replay, Wanted};

/// The caps that are written where they are not at their default.
type Cap = (&'static str, fn(&mut Limits) -> &mut usize);

const CAPS: &[Cap] = &[
    ("rtsp-head", |l| &mut l.rtsp_head),
    ("rtsp-body", |l| &mut l.rtsp_body),
    ("sdp-media", |l| &mut l.sdp_media),
    ("resync", |l| &mut l.resync),
    ("receive-buffer", |l| &mut l.receive_buffer),
    ("send-queue", |l| &mut l.send_queue),
    ("reorder-packets", |l| &mut l.reorder_packets),
    ("access-unit", |l| &mut l.access_unit),
    ("nal-units", |l| &mut l.nal_units),
    ("parameter-set", |l| &mut l.parameter_set),
];

const LOWER: &[(Lower, &str)] = &[(Lower::Tcp, "tcp"), (Lower::Udp, "udp"), (Lower::Multicast, "multicast")];

/// Those that are times, in microseconds.
type Time = (&'static str, fn(&mut Limits) -> &mut u64);

const TIMES: &[Time] = &[("reorder-micros", |l| &mut l.reorder_micros)];

/// One line for each setting that says what is done with what comes; what is only sent is left out.
pub(super) fn write(config: &Config, redactor: &Redactor) -> String {
    let defaults = Config::new(config.url.clone(), config.seed);
    let mut out = format!("url {}\n", redactor.text(&config.url.to_string()));
    out.push_str("seed ");
    for byte in seed(&config.seed) {
        let _ = write!(out, "{byte:02x}");
    }
    out.push('\n');
    if config.credentials.is_some() {
        out.push_str("credentials\n");
    }
    if config.authorization.is_some() {
        out.push_str("authorization\n");
    }
    if config.user_agent != defaults.user_agent {
        let _ = writeln!(out, "user-agent {}", redactor.text(&config.user_agent));
    }
    if config.range != defaults.range {
        let range = config.range.map_or_else(|| "none".to_string(), |range| range.to_string());
        let _ = writeln!(out, "range {range}");
    }
    if config.transports != defaults.transports {
        let names = config
            .transports
            .iter()
            .filter_map(|lower| LOWER.iter().find(|(known, _)| known == lower).map(|(_, name)| *name));
        let _ = writeln!(out, "transports {}", names.collect::<Vec<_>>().join(" "));
    }
    if config.wanted != defaults.wanted {
        let wanted = [
            (config.wanted.video, "video"),
            (config.wanted.audio, "audio"),
            (config.wanted.metadata, "metadata"),
        ];
        let names = wanted.iter().filter(|(wanted, _)| *wanted).map(|(_, name)| *name);
        let _ = writeln!(out, "wanted {}", names.collect::<Vec<_>>().join(" "));
    }
    if let Some(media) = config.media {
        let _ = writeln!(out, "media {media}");
    }
    if config.replay.is_some() {
        out.push_str("replay\n");
    }
    if config.tries != defaults.tries {
        let _ = writeln!(out, "tries {}", config.tries);
    }
    let _ = writeln!(out, "response-timeout {}", config.response_timeout);
    let media = config.media_timeout.map_or_else(|| "none".to_string(), |micros| micros.to_string());
    let _ = writeln!(out, "media-timeout {media}");
    policy(&mut out, config.limits.policy);
    let (mut ours, mut theirs) = (config.limits, Limits::default());
    for (name, cap) in CAPS {
        let (ours, theirs) = (*cap(&mut ours), *cap(&mut theirs));
        if ours != theirs {
            let _ = writeln!(out, "limit {name} {ours}");
        }
    }
    for (name, time) in TIMES {
        let (ours, theirs) = (*time(&mut ours), *time(&mut theirs));
        if ours != theirs {
            let _ = writeln!(out, "limit {name} {ours}");
        }
    }
    out
}

/// In place of the seed that a session was given: our own SRTP keys are made of that.
pub(super) fn seed(given: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update("capture").chain_update(given).finalize().into()
}

fn policy(out: &mut String, policy: Policy) {
    let _ = match policy {
        Policy::Auto => Ok(()),
        Policy::Strict => writeln!(out, "policy strict"),
        Policy::Force(set) => {
            let names = Quirk::ALL.iter().filter(|quirk| set.contains(**quirk)).map(|quirk| quirk.name());
            out.push_str("policy force");
            names.for_each(|name| {
                out.push(' ');
                out.push_str(name);
            });
            writeln!(out)
        }
    };
}

/// `None` where it has no address.
pub(super) fn read(text: &str, limits: &Limits) -> Option<Config> {
    let lines = || text.lines().map(|line| line.split_once(' ').unwrap_or((line, "")));
    let url = lines().find(|(name, _)| *name == "url").and_then(|(_, url)| Url::parse(url).ok())?.0;
    let mut config = Config::new(url, [0; 32]).limits(*limits);
    for (name, value) in lines() {
        match name {
            "seed" => {
                for (byte, digits) in config.seed.iter_mut().zip(value.as_bytes().chunks(2)) {
                    let digits = core::str::from_utf8(digits).ok();
                    *byte = digits.and_then(|d| u8::from_str_radix(d, 16).ok()).unwrap_or(0);
                }
            }
            // Nobody checks what is answered with them.
            "credentials" => config.credentials = Some(Credentials::new("replayed", "replayed")),
            "authorization" => config.authorization = Some("Bearer replayed".into()),
            "user-agent" => config.user_agent = value.into(),
            "range" => config.range = Range::parse(value),
            "transports" => {
                let named = |word| LOWER.iter().find(|(_, name)| *name == word).map(|(lower, _)| *lower);
                config.transports = value.split(' ').filter_map(named).collect();
            }
            "wanted" => {
                let has = |name| value.split(' ').any(|word| word == name);
                config.wanted =
                    Wanted::default().video(has("video")).audio(has("audio")).metadata(has("metadata"));
            }
            "media" => config.media = value.parse().ok(),
            "replay" => config.replay = Some(Replay::default()),
            "tries" => config.tries = value.parse().unwrap_or(config.tries),
            "response-timeout" => config.response_timeout = value.parse().unwrap_or(config.response_timeout),
            "media-timeout" => config.media_timeout = value.parse().ok(),
            "policy" => config.limits.policy = read_policy(value),
            "limit" => read_limit(&mut config.limits, value),
            _ => {}
        }
    }
    Some(config)
}

fn read_policy(value: &str) -> Policy {
    let mut words = value.split(' ');
    match words.next() {
        Some("strict") => Policy::Strict,
        Some("force") => {
            let named = |name| Quirk::ALL.iter().copied().find(|quirk| quirk.name() == name);
            Policy::Force(words.filter_map(named).fold(QuirkSet::NONE, QuirkSet::with))
        }
        _ => Policy::Auto,
    }
}

/// A file must not make its reader take more memory than the reader's own caps allow.
fn read_limit(limits: &mut Limits, value: &str) {
    let Some((name, value)) = value.split_once(' ') else { return };
    let known = CAPS.iter().find(|(known, _)| *known == name);
    if let (Some((_, cap)), Ok(value)) = (known, value.parse::<usize>()) {
        let cap = cap(limits);
        *cap = value.min(*cap);
    }
    let known = TIMES.iter().find(|(known, _)| *known == name);
    if let (Some((_, time)), Ok(value)) = (known, value.parse()) {
        *time(limits) = value;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let (url, credentials) = Url::parse("rtsp://u:s3cr3t@cam:8554/a?token=s3cr3t").unwrap();
        let mut config = Config::new(url, [7; 32]).credentials(credentials).range(None).media_timeout(None);
        config.limits.access_unit = 1_000;
        config.limits.reorder_micros = 7;
        config.limits.policy = Policy::Force(QuirkSet::of(&[Quirk::NoCSeq, Quirk::NoMarker]));
        let text = write(&config, &Redactor::of(&config));
        assert!(!text.contains("s3cr3t") && !text.contains("u:"), "{text}");
        let read = read(&text, &Limits::default()).unwrap();
        assert_eq!(read.url.to_string(), "rtsp://cam:8554/a?token=xxxxxx");
        assert_eq!((read.seed, read.limits), (seed(&config.seed), config.limits));
        assert!(!text.contains("0707"));
        assert_eq!((read.range, read.media_timeout), (None, None));
        assert!(read.credentials.is_some() && read.authorization.is_none());
        assert!(super::read("seed 00", &Limits::default()).is_none());
    }
}
