//! Lines 16 to 22 and their like: sessions that die, and what keeps them alive.

use std::time::Duration;

use vigie::fault::Quirk;

use super::answer::{Answer, Asked, Verdict};
use super::{Act, Profile};

/// Short, so that a run sees several keep-alives.
const SHORT: Act = Act::Timeout(Duration::from_secs(4));

/// Answers what keeps alive and is not wanted by 400, and does not count it.
fn unwanted(asked: &mut Asked) -> Verdict {
    asked.counts = false;
    Verdict::Say(Answer::to(asked, "400 Bad Request"))
}

pub(super) const PROFILES: &[Profile] = &[
    Profile::new(
        "short-timeout",
        "16",
        "Tapo C220",
        "ends a session after 15 seconds without a request, and says so",
    )
    .acts(&[Act::Timeout(Duration::from_secs(15))]),
    Profile::new(
        "wrong-cseq",
        "17",
        "Tapo C220, C520WS",
        "offers SET_PARAMETER, and answers 400 to it with the CSeq of the request before",
    )
    .quirk(Quirk::WrongCSeq)
    .acts(&[
        SHORT,
        Act::On("OPTIONS", |_, answer, _| {
            answer.set("Public", "OPTIONS, DESCRIBE, SETUP, PLAY, SET_PARAMETER, TEARDOWN");
        }),
        Act::Request(|asked, memory| {
            if !asked.keep_alive || asked.method == "OPTIONS" {
                // An answer to OPTIONS while playing has the CSeq before as well.
                return Verdict::Pass;
            }
            asked.counts = false;
            let mut answer = Answer::to(asked, "400 Bad Request");
            answer.set("CSeq", &memory.previous_cseq);
            Verdict::Say(answer)
        }),
        Act::Answer(|asked, answer, memory| {
            if asked.keep_alive {
                let cseq: u32 = asked.field("CSeq").and_then(|n| n.parse().ok()).unwrap_or(1);
                answer.set("CSeq", &cseq.saturating_sub(1).to_string());
                memory.note += 1;
            }
        }),
    ]),
    Profile::new(
        "silent-to-keep-alives",
        "18",
        "unnamed (gortsplib issue 412)",
        "never answers a request while it plays",
    )
    .acts(&[
        Act::Server(|config| config.session_timeout(2)),
        Act::Request(|asked, _| if asked.keep_alive { Verdict::Ignore } else { Verdict::Pass }),
    ]),
    Profile::new(
        "set-parameter-only",
        "19",
        "GW Security GW4089IP",
        "ignores GET_PARAMETER, and is kept alive by SET_PARAMETER alone",
    )
    .acts(&[
        Act::Timeout(Duration::from_secs(8)),
        Act::Request(|asked, _| match (asked.keep_alive, asked.method.as_str()) {
            (true, "GET_PARAMETER") => Verdict::Ignore,
            (true, "OPTIONS") => unwanted(asked),
            _ => Verdict::Pass,
        }),
    ]),
    Profile::new(
        "options-only",
        "19",
        "Hipcam",
        "answers 501 to GET_PARAMETER and SET_PARAMETER, and is kept alive by OPTIONS alone",
    )
    .acts(&[
        SHORT,
        Act::Request(|asked, _| match asked.keep_alive && asked.method != "OPTIONS" {
            true => {
                asked.counts = false;
                Verdict::Say(Answer::to(asked, "501 Not Implemented"))
            }
            false => Verdict::Pass,
        }),
    ]),
    Profile::new(
        "options-do-not-count",
        "20",
        "servers of go2rtc's pull request 2409",
        "answers OPTIONS, and ends the session all the same",
    )
    .acts(&[
        SHORT,
        Act::Request(|asked, _| {
            asked.counts = asked.method != "OPTIONS";
            Verdict::Pass
        }),
    ]),
    Profile::new(
        "aggregate-keep-alive",
        "21",
        "unnamed (gortsplib)",
        "does not answer keep-alives for the address of a track",
    )
    .acts(&[
        SHORT,
        Act::Request(|asked, _| match asked.keep_alive && asked.uri.ends_with("/video") {
            true => Verdict::Ignore,
            false => Verdict::Pass,
        }),
    ]),
    Profile::new(
        "session-in-keep-alive",
        "22",
        "Axis, the proxy of live555",
        "answers 454 to keep-alives without Session",
    )
    .acts(&[
        SHORT,
        Act::Request(|asked, _| match asked.keep_alive && asked.field("Session").is_none() {
            true => {
                asked.counts = false;
                Verdict::Say(Answer::to(asked, "454 Session Not Found"))
            }
            false => Verdict::Pass,
        }),
    ]),
    Profile::new(
        "option-not-supported",
        "32",
        "Hikvision DS-2CD2732F-IS",
        "answers 551 to methods that it offers",
    )
    .acts(&[
        SHORT,
        Act::Request(|asked, _| match asked.keep_alive && asked.method != "OPTIONS" {
            true => {
                asked.counts = false;
                Verdict::Say(Answer::to(asked, "551 Option not supported"))
            }
            false => Verdict::Pass,
        }),
    ]),
];
