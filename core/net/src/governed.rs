//! One plan for many cameras: core's governor, asked by all of them.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Sleep;
use vigie::govern::{self, Failure, Source, SourceId};
use vigie::time::Micros;

use crate::clock::Clock;
use crate::entropy;

/// Decides when cameras are dialled, all together: see [`vigie::govern`]. Give the same one to the
/// [`Options`](crate::Options) of each camera; a clone is the same plan.
///
/// Nothing runs in the background: it moves as its cameras are polled. A camera that may go and is not polled holds its
/// place.
#[derive(Clone)]
pub struct Governor(Arc<Shared>);

struct Shared {
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    governor: govern::Governor,
    /// Who waits to be dialled.
    seats: BTreeMap<SourceId, Seat>,
    /// For all who wait, held by the last one that was polled.
    timer: Pin<Box<Sleep>>,
    due: Option<Micros>,
}

struct Seat {
    waker: Waker,
    granted: bool,
}

impl fmt::Debug for Governor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Governor").field(&self.stats()).finish()
    }
}

impl Governor {
    /// With this plan. To be made within a tokio runtime.
    #[must_use]
    pub fn new(config: govern::Config) -> Self {
        let seed = entropy::seed().first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes));
        let clock = Clock::start();
        let state = State {
            governor: govern::Governor::new(config, seed),
            seats: BTreeMap::new(),
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            due: None,
        };
        Self(Arc::new(Shared { clock, state: Mutex::new(state) }))
    }

    /// Counts, at this moment.
    #[must_use]
    pub fn stats(&self) -> govern::Stats {
        self.lock().governor.stats()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place in the plan; `None` where it is full.
    pub(crate) fn place(&self, source: Source) -> Option<Place> {
        let id = self.lock().governor.add(source)?;
        Some(Place { governor: self.clone(), id })
    }

    /// Tells it something, and whoever may go because of it.
    fn told<T>(&self, tell: impl FnOnce(&mut govern::Governor, Micros) -> T) -> T {
        let now = self.0.clock.now();
        let mut state = self.lock();
        let told = tell(&mut state.governor, now);
        state.give(now);
        state.keep_time();
        told
    }
}

impl State {
    /// Gives the places that are due.
    fn give(&mut self, now: Micros) {
        while let Some(dial) = self.governor.poll_output(now) {
            match self.seats.get_mut(&dial.source) {
                Some(seat) => {
                    seat.granted = true;
                    seat.waker.wake_by_ref();
                }
                // Its camera is not polled: to the end of the queue, behind those that are.
                None => self.governor.handle_failed(now, dial.source, Failure::Failed),
            }
        }
    }

    /// Somebody who waits has to hold the timer.
    fn keep_time(&self) {
        if let Some(seat) = self.seats.values().find(|seat| !seat.granted) {
            seat.waker.wake_by_ref();
        }
    }
}

/// A camera's place in the plan; given up when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    governor: Governor,
    id: SourceId,
}

impl Place {
    pub(crate) const fn id(&self) -> SourceId {
        self.id
    }

    /// Ready when the camera may be dialled.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        let clock = self.governor.0.clock;
        let mut state = self.governor.lock();
        let state = &mut *state;
        let seat =
            state.seats.entry(self.id).or_insert_with(|| Seat { waker: cx.waker().clone(), granted: false });
        seat.waker.clone_from(cx.waker());
        loop {
            state.give(clock.now());
            if state.seats.get(&self.id).is_some_and(|seat| seat.granted) {
                state.seats.remove(&self.id);
                state.keep_time();
                return Poll::Ready(());
            }
            let due = state.governor.poll_timeout();
            let Some(at) = due else {
                state.due = None;
                return Poll::Pending;
            };
            if state.due != due {
                state.due = due;
                state.timer.as_mut().reset(clock.instant(at));
            }
            if state.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            state.due = None;
            // Timers count whole milliseconds, and may be early by our clock.
            if clock.now() < at {
                state.give(at);
            }
        }
    }

    /// The connection stands.
    pub(crate) fn dialled(&self) {
        self.governor.told(|governor, _| governor.handle_dialled(self.id));
    }

    /// DESCRIBE was answered.
    pub(crate) fn described(&self) {
        self.governor.told(|governor, _| governor.handle_described(self.id));
    }

    /// A picture came, the first one of the connection.
    pub(crate) fn playing(&self) {
        self.governor.told(|governor, _| governor.handle_playing(self.id));
    }

    /// There is no session, or no more; says after which time there may be another.
    pub(crate) fn failed(&self, failure: Failure) -> Duration {
        self.governor.told(|governor, now| {
            governor.handle_failed(now, self.id, failure);
            let until = governor.waits_until(self.id).unwrap_or(now);
            Duration::from_micros(until.since(now))
        })
    }

    /// The camera says that it is elsewhere.
    pub(crate) fn moved(&self) {
        self.governor.told(|governor, _| governor.handle_moved(self.id));
    }

    /// There are other credentials.
    pub(crate) fn credentials_changed(&self) {
        self.governor.told(|governor, _| governor.handle_credentials_changed(self.id));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.governor.lock().seats.remove(&self.id);
        self.governor.told(|governor, _| governor.remove(self.id));
    }
}
