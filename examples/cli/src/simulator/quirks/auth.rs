//! Lines 23 to 27: how a password is asked for.

use std::time::Duration;

use vigie::fault::Quirk;
use vigie::rtsp::auth::{Algorithm, Scheme};
use vigie::server;

use super::answer::{Answer, Asked, Verdict};
use super::{Act, Profile};

fn guard(config: server::Config, algorithms: &[Algorithm], nonce_lifetime: u64) -> server::Config {
    let schemes: Vec<Scheme> = algorithms.iter().map(|algorithm| Scheme::Digest(*algorithm)).collect();
    let guard = config.guard.clone().map(|g| g.schemes(&schemes).nonce_lifetime(nonce_lifetime));
    config.guard(guard)
}

/// Microseconds that a nonce lives in no run.
const LONG: u64 = 300_000_000;

/// Spoils the answer to a challenge: the honest server then refuses it.
fn spoil(asked: &mut Asked) {
    if let Some(value) = asked.field_mut("Authorization") {
        *value = value.replace("response=\"", "response=\"0");
    }
}

pub(super) const PROFILES: &[Profile] = &[
    Profile::new(
        "nonce-expires",
        "23",
        "Axis M5525, Hikvision DS-7608NXI",
        "forgets its nonce in mid-session, and does not call the old one stale",
    )
    .locked()
    .quirk(Quirk::ForgottenNonce)
    .acts(&[
        Act::Timeout(Duration::from_secs(4)),
        Act::Server(|config| guard(config, &[Algorithm::Md5], 1_000_000)),
        // OPTIONS, which anybody may ask, keeps nothing alive.
        Act::Request(|asked, _| {
            asked.counts = asked.method != "OPTIONS";
            Verdict::Pass
        }),
        Act::Answer(|_, answer, _| {
            for (_, value) in answer.fields.iter_mut().filter(|(name, _)| name == "WWW-Authenticate") {
                *value = value.replace(", stale=true", "").replace(", stale=TRUE", "");
            }
        }),
    ]),
    Profile::new("sha256-only", "24", "Hikvision (Prama PT-NC143D3)", "offers Digest with SHA-256 alone")
        .locked()
        .acts(&[Act::Server(|config| guard(config, &[Algorithm::Sha256], LONG))]),
    Profile::new(
        "broken-sha256",
        "25",
        "undisclosed (gortsplib pull request 863)",
        "offers SHA-256 and MD5, and takes no answer but MD5's",
    )
    .locked()
    .acts(&[
        Act::Server(|config| guard(config, &[Algorithm::Sha256, Algorithm::Md5], LONG)),
        Act::Request(|asked, _| {
            if asked.field("Authorization").is_some_and(|value| value.contains("SHA-256")) {
                spoil(asked);
            }
            Verdict::Pass
        }),
    ]),
    Profile::new(
        "qop-refused",
        "25",
        "undisclosed (gortsplib pull request 863)",
        "offers SHA-256 with qop, and takes answers without it alone",
    )
    .quirk(Quirk::QopRefused)
    .locked()
    .acts(&[
        Act::Server(|config| guard(config, &[Algorithm::Sha256], LONG)),
        Act::Request(|asked, _| {
            if asked.field("Authorization").is_some_and(|value| value.contains("qop=")) {
                spoil(asked);
            }
            Verdict::Pass
        }),
    ]),
    Profile::new("no-algorithm", "26", "TP-Link", "names no algorithm, and refuses an answer that names one")
        .locked()
        .acts(&[
            Act::Server(|config| guard(config, &[Algorithm::Md5], LONG)),
            Act::Answer(|_, answer, _| {
                for (_, value) in answer.fields.iter_mut().filter(|(name, _)| name == "WWW-Authenticate") {
                    *value = value.replace(", algorithm=MD5", "");
                }
            }),
            Act::Request(|asked, _| {
                if asked.field("Authorization").is_some_and(|value| value.contains("algorithm")) {
                    spoil(asked);
                }
                Verdict::Pass
            }),
        ]),
    Profile::new(
        "needs-user-agent",
        "27",
        "unnamed (go2rtc issue 235)",
        "answers 401 to a DESCRIBE without User-Agent",
    )
    .acts(&[Act::Request(|asked, _| {
        match asked.method == "DESCRIBE" && asked.field("User-Agent").is_none() {
            true => Verdict::Say(Answer::to(asked, "401 Unauthorized")),
            false => Verdict::Pass,
        }
    })]),
];
