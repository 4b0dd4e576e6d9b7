//! What cameras get wrong, as profiles that a simulated camera plays (`vigie simulate --quirk NAME`).
//!
//! The server behind a profile is the honest one, core's own. What it answers and what the clip gives are changed on
//! their way to the socket, by functions that write bytes by hand, so that no parser of ours is asked what is wrong.
//! Everything depends on counts alone: the same profile does the same things to each viewer.
// All that change packets are functions of one type.
#![allow(clippy::ptr_arg)]

mod actor;
mod answer;
mod auth;
mod keep_alive;
mod packet;
mod payload;
mod sdp;
mod sets;
mod stray;
mod time;
mod transport;
mod udp;

use std::time::Duration;

use vigie::fault::Quirk;
use vigie::server;

pub(crate) use actor::Actor;
use answer::{Answer, Asked, Verdict};
use packet::{Item, Shot};

/// A way in which some cameras depart from the rules, or from what receivers are used to.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Profile {
    /// What `--quirk` takes. That of the tolerance, where one profile is enough for it.
    pub name: &'static str,
    /// The line of the catalogue: `1` to `105`, `58a` to `58d`.
    pub line: &'static str,
    /// Who does it.
    pub cameras: &'static str,
    /// What is done.
    pub does: &'static str,
    /// The tolerance that it takes to record such a camera; `None` where no rule is broken, or where what is broken is
    /// nothing that anything depends on (`docs/cameras.md`).
    pub quirk: Option<Quirk>,
    /// It shows over UDP alone.
    pub udp: bool,
    /// Its camera asks for a password.
    pub locked: bool,
    /// What follows `/cam1` in its address.
    pub query: &'static str,
    /// Pictures in a second, where that is what the profile is about.
    pub rate: Option<u32>,
    /// The first clip, counted from 0, where that matters.
    pub clip: usize,
    acts: &'static [Act],
}

impl Profile {
    /// A profile that does nothing yet.
    const fn new(name: &'static str, line: &'static str, cameras: &'static str, does: &'static str) -> Self {
        Self {
            name,
            line,
            cameras,
            does,
            quirk: None,
            udp: false,
            locked: false,
            query: "",
            rate: None,
            clip: 0,
            acts: &[],
        }
    }

    const fn quirk(mut self, quirk: Quirk) -> Self {
        self.quirk = Some(quirk);
        self
    }

    const fn udp(mut self) -> Self {
        self.udp = true;
        self
    }

    const fn locked(mut self) -> Self {
        self.locked = true;
        self
    }

    const fn query(mut self, query: &'static str) -> Self {
        self.query = query;
        self
    }

    const fn rate(mut self, rate: u32) -> Self {
        self.rate = Some(rate);
        self
    }

    const fn clip(mut self, clip: usize) -> Self {
        self.clip = clip;
        self
    }

    const fn acts(mut self, acts: &'static [Act]) -> Self {
        self.acts = acts;
        self
    }

    /// The profile of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        all().find(|profile| profile.name == name)
    }
}

/// Every profile, in the order of the catalogue's themes.
pub fn all() -> impl Iterator<Item = &'static Profile> {
    let themes: [&'static [Profile]; 9] = [
        stray::PROFILES,
        transport::PROFILES,
        keep_alive::PROFILES,
        auth::PROFILES,
        answer::PROFILES,
        sdp::PROFILES,
        payload::PROFILES,
        sets::PROFILES,
        time::PROFILES,
    ];
    themes.into_iter().flatten()
}

/// One thing that a profile does.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// To the configuration of the honest server.
    Server(fn(server::Config) -> server::Config),
    /// To a request, before the honest server reads it.
    Request(fn(&mut Asked, &mut Memory) -> Verdict),
    /// To the honest server's answer.
    Answer(fn(&Asked, &mut Answer, &mut Memory)),
    /// The same, to that of a method that succeeded.
    On(&'static str, fn(&Asked, &mut Answer, &mut Memory)),
    /// To the description.
    Sdp(fn(&mut sdp::Text)),
    /// To the NAL units of a picture, before they become packets.
    Shot(fn(&mut Shot, &mut Memory)),
    /// To the packets of a picture.
    Packets(fn(&mut Vec<Item>, &mut Memory)),
    /// To a sender report, and what is sent beside it.
    Report(fn(&mut Vec<Item>, &mut Memory)),
    /// Says in `Session`, and keeps to it: so long without a request and the session is over.
    Timeout(Duration),
    /// Neighbours that are not slices share a packet.
    Aggregate,
    /// The largest RTP packet.
    Mtu(usize),
}

/// What the acts of one viewer remember.
#[derive(Clone, Debug)]
struct Memory {
    /// Pictures before this one, since PLAY.
    picture: u64,
    /// Sender reports before this one.
    reports: u64,
    /// The codec is H.265.
    h265: bool,
    /// The stream's SSRC and payload type, as the honest camera has them.
    ssrc: u32,
    /// Channels that the media goes out on.
    channels: (u8, u8),
    /// Timestamps from one picture to the next.
    step: u32,
    /// PLAY was accepted.
    playing: bool,
    /// Requests so far, this one included; DESCRIBEs among them; keep-alives.
    requests: u32,
    describes: u32,
    keep_alives: u32,
    /// `CSeq` of the request before.
    previous_cseq: String,
    /// The number of the next packet, where a profile numbers them.
    next_sequence: u16,
    /// Viewers of this camera, this one included.
    viewers: usize,
    /// The camera sends nothing.
    mute: bool,
    /// The picture at hand does not reach the viewer whole.
    damaged: bool,
    /// Whatever one act wants to know the next time.
    note: u64,
    kept: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_words_and_stand_once() {
        let mut names = BTreeSet::new();
        for profile in all() {
            assert!(names.insert(profile.name), "{} stands twice", profile.name);
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(profile.name.chars().all(fits), "{}", profile.name);
            assert!(!profile.does.is_empty() && !profile.cameras.is_empty() && !profile.acts.is_empty());
            assert!(!profile.does.contains('|') && !profile.cameras.contains('|'), "{}", profile.name);
        }
    }
}
