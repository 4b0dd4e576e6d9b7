//! What the lines of a journal come to.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::line::Line;
use super::policy::{Policy, pictures_of};
use super::record::{Begun, Brake, Record};
use super::words::{utc, utc_or_none};
use crate::gix::Span;
use crate::store::Name;
use crate::time::UtcMicros;

/// A hold that is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Hold {
    /// The case that it is for.
    pub case: String,
    /// Whose footage.
    pub cameras: Vec<Name>,
    /// The first moment.
    #[serde(with = "utc")]
    pub from: UtcMicros,
    /// The moment after the last.
    #[serde(with = "utc")]
    pub to: UtcMicros,
    /// Who ordered it.
    pub who: String,
    /// Why.
    pub why: String,
    /// When.
    #[serde(with = "utc")]
    pub at: UtcMicros,
    /// People that it takes to release it.
    pub agents: u8,
    /// Who has asked for its release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
}

impl Hold {
    /// Its range.
    #[must_use]
    pub const fn span(&self) -> Span {
        Span::new(self.from, self.to)
    }

    /// Is it one of this camera, or of the camera whose sound this is?
    #[must_use]
    pub fn is_of(&self, camera: &Name) -> bool {
        self.cameras.contains(camera) || pictures_of(camera).is_some_and(|name| self.cameras.contains(&name))
    }
}

/// What the journal says of a camera.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::store) struct CameraState {
    /// A deletion begun and not known to be done, and the number of its line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::store) begun: Option<(u64, Begun)>,
    /// What stopped the last pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::store) braked: Option<Brake>,
}

/// What the lines of a journal come to, up to one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct State {
    /// How long footage is kept; `None`: nothing is ever deleted by age.
    pub policy: Option<Policy>,
    /// What of it is accepted: no rule stricter than this deletes much.
    pub(in crate::store) accepted: Policy,
    /// The holds in force, by number.
    pub holds: BTreeMap<u64, Hold>,
    pub(in crate::store) cameras: BTreeMap<Name, CameraState>,
    /// The latest moment in the journal, but for what brakes said.
    #[serde(with = "utc_or_none")]
    pub latest: Option<UtcMicros>,
    /// The last word of a person that what the brake stopped may go on.
    #[serde(with = "utc_or_none")]
    pub(in crate::store) confirmed: Option<UtcMicros>,
    /// Lines that are damaged and not confirmed.
    pub damaged: u64,
    /// Lines of a kind that this Vigie does not know.
    pub unknown: u64,
}

impl State {
    /// Ranges of a camera that are held.
    #[must_use]
    pub fn held(&self, camera: &Name) -> Vec<Span> {
        self.holds.values().filter(|hold| hold.is_of(camera)).map(Hold::span).collect()
    }

    /// What stopped the last pass of a camera.
    #[must_use]
    pub fn is_braked(&self, camera: &Name) -> Option<Brake> {
        self.cameras.get(camera)?.braked
    }

    /// Takes in the line that comes next.
    pub(super) fn apply(&mut self, line: &Line) {
        // What a brake says may be said by the clock that it does not believe.
        if !matches!(line.record, Record::Braked { .. }) {
            self.latest = self.latest.max(Some(line.at));
        }
        match &line.record {
            Record::HoldAdded { case, cameras, from, to, who, why, agents } => {
                let hold = Hold {
                    case: case.clone(),
                    cameras: cameras.clone(),
                    from: *from,
                    to: *to,
                    who: who.clone(),
                    why: why.clone(),
                    at: line.at,
                    agents: *agents,
                    asked: None,
                };
                self.holds.insert(line.n, hold);
            }
            Record::HoldExtended { hold, from, to, .. } => {
                if let Some(hold) = self.holds.get_mut(hold) {
                    (hold.from, hold.to) = (hold.from.min(*from), hold.to.max(*to));
                    // Who asked did so for less.
                    hold.asked = None;
                }
            }
            Record::ReleaseAsked { hold, who, .. } => {
                if let Some(hold) = self.holds.get_mut(hold) {
                    hold.asked = Some(who.clone());
                }
            }
            Record::Released { hold, .. } => _ = self.holds.remove(hold),
            Record::Policy { policy, accepted, .. } => {
                self.accepted = if *accepted { policy.clone() } else { self.accepted.longer(policy) };
                self.policy = Some(policy.clone());
                self.unbrake();
            }
            Record::Confirmed { damaged, .. } => {
                self.accepted = self.policy.clone().unwrap_or_default();
                self.confirmed = Some(line.at);
                self.damaged = self.damaged.saturating_sub(*damaged);
                self.unbrake();
            }
            Record::DeletionBegun(begun) => {
                let camera = self.cameras.entry(begun.camera).or_default();
                camera.begun = Some((line.n, begun.clone()));
            }
            Record::Deleted(deleted) => {
                let camera = self.cameras.entry(deleted.camera).or_default();
                (camera.begun, camera.braked) = (None, None);
                // What a rule has deleted with nobody stopping it is what is expected of it.
                let rule = self.policy.as_ref().map(|policy| policy.rule(&deleted.camera));
                if let Some(rule) = rule.filter(|rule| rule.name() == deleted.rule) {
                    self.accepted.cameras.insert(deleted.camera, rule);
                }
            }
            Record::Braked { camera, brake, .. } => {
                self.cameras.entry(*camera).or_default().braked = Some(*brake);
            }
            Record::Lost { .. } => self.damaged += 1,
            Record::Unknown => self.unknown += 1,
            Record::Exported { .. } | Record::Refused { .. } | Record::Mended { .. } => {}
        }
        self.cameras.retain(|_, camera| camera.begun.is_some() || camera.braked.is_some());
    }

    fn unbrake(&mut self) {
        for camera in self.cameras.values_mut() {
            camera.braked = None;
        }
    }
}
