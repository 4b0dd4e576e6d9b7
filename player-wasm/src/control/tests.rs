//! A camera, a network and a video element on a made-up clock.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

/// What a run is made of. Times in seconds.
struct Trace {
    profile: Profile,
    rate: f64,
    /// Pictures per fragment.
    group: u32,
    /// How late the fragment that ends at a moment comes; infinite: never.
    late: fn(f64) -> f64,
    /// What the server has in hand at the start.
    cached: f64,
    /// When the element shows its first picture.
    first: f64,
    /// Does the element show pictures then?
    shows: fn(f64) -> bool,
}

const USUAL: Trace = Trace {
    profile: Profile::Balanced,
    rate: 25.0,
    group: 1,
    late: |_| 0.0,
    cached: 0.0,
    first: 0.1,
    shows: |_| true,
};

#[derive(Default)]
struct Run {
    /// Behind the newest picture of the camera, by time.
    delays: Vec<(f64, f64)>,
    rates: usize,
    seeks: Vec<(f64, f64)>,
    rungs: Vec<(f64, Rung)>,
    underruns: u32,
    dry: f64,
}

impl Run {
    fn delay(&self, at: f64) -> f64 {
        self.delays.iter().rfind(|(t, _)| *t <= at).map(|(_, delay)| *delay).unwrap()
    }

    fn worst(&self, from: f64) -> f64 {
        self.delays.iter().filter(|(t, _)| *t >= from).fold(0.0, |a, (_, delay)| a.max(*delay))
    }
}

fn run(trace: &Trace, seconds: f64) -> Run {
    let mut control = Controller::new(trace.profile);
    let mut out = Run::default();
    let lasts = f64::from(trace.group) / trace.rate;
    // The camera's clock is the run's; what is cached lies before it.
    let mut next = -trace.cached;
    let (mut newest, mut playhead, mut pictures) = (next, next, 0_u32);
    let mut waiting: Vec<(f64, f64)> = Vec::new();
    control.observe(0.0, Observation::Started);
    let mut step = 0_u32;
    while f64::from(step) / 100.0 < seconds {
        let at = f64::from(step) / 100.0;
        let now = at * 1000.0;
        while next + lasts <= at {
            next += lasts;
            if (trace.late)(next).is_finite() {
                waiting.push((next.max(0.0) + (trace.late)(next), next));
            }
        }
        // TCP: in order.
        while waiting.first().is_some_and(|(due, _)| *due <= at) {
            let (_, end) = waiting.remove(0);
            newest = end;
            control.observe(now, Observation::Arrived { stamp: end, lasts, epoch: 0 });
        }
        let shows = at >= trace.first && (trace.shows)(at);
        let dry = newest - playhead < 0.005;
        if dry && shows {
            out.dry += 0.01;
        } else if shows {
            playhead = newest.min(playhead + 0.01 * control.rate);
            pictures += 1;
        }
        if step.is_multiple_of(20) {
            let screen = Screen { playhead, end: newest, newest, pictures, dry, ..Screen::default() };
            let action = control.observe(now, Observation::Screen(screen));
            if let Some(to) = action.seek {
                assert!(
                    to >= playhead && to <= newest.max(playhead + 0.001),
                    "{to} of {playhead} to {newest}"
                );
                out.seeks.push((at, to));
                playhead = to;
            }
            out.rungs.extend(action.rung.map(|rung| (at, rung)));
            out.rates += usize::from(action.rate != 1.0);
            assert!((0.9..=1.15).contains(&action.rate), "{}", action.rate);
        }
        out.delays.push((at, at - playhead));
        step += 1;
    }
    out.underruns = control.underruns();
    out
}

#[test]
fn nothing_before_the_first_picture_is_shown() {
    let seen = run(&Trace { cached: 3.0, first: 2.4, ..USUAL }, 2.4);
    assert_eq!((seen.rates, seen.seeks.len(), seen.rungs.len()), (0, 0, 0));
}

#[test]
fn a_gop_that_came_at_once_is_jumped_over_once() {
    for (profile, most) in [(Profile::Low, 0.25), (Profile::Balanced, 0.45), (Profile::Smooth, 2.5)] {
        let seen = run(&Trace { profile, cached: 4.0, ..USUAL }, 6.0);
        assert_eq!(seen.seeks.len(), 1, "{profile:?}");
        assert!(seen.worst(2.0) < most, "{profile:?}: {}", seen.worst(2.0));
        assert_eq!(seen.underruns, 0, "{profile:?}");
    }
}

#[test]
fn less_than_a_jump_is_caught_up_by_rate_alone() {
    let seen = run(&Trace { cached: 0.6, ..USUAL }, 15.0);
    assert!(seen.seeks.is_empty() && seen.rates > 0);
    assert!(seen.delay(14.9) < 0.4, "{}", seen.delay(14.9));
}

#[test]
fn at_rest_it_is_left_alone() {
    for rate in [1.0, 5.0, 12.5, 25.0, 60.0] {
        let seen = run(&Trace { rate, cached: 2.0, ..USUAL }, 60.0);
        let late = run(&Trace { rate, cached: 2.0, ..USUAL }, 30.0).rates;
        assert_eq!(seen.rates, late, "{rate}: the rate still changes");
        assert!(seen.underruns <= 1, "{rate}: {}", seen.underruns);
        assert!(seen.worst(30.0) < 0.35 + 2.0 / rate, "{rate}: {}", seen.worst(30.0));
    }
}

#[test]
fn pictures_that_wait_for_each_other_get_the_room_they_need() {
    let seen = run(&Trace { profile: Profile::Low, group: 4, cached: 2.0, ..USUAL }, 40.0);
    assert_eq!(seen.underruns, 0);
    assert!(seen.worst(10.0) < 0.5, "{}", seen.worst(10.0));
}

#[test]
fn jitter_raises_the_distance_until_it_no_longer_runs_dry() {
    let late = |at: f64| if (at * 2.0) as i64 % 3 == 0 { 0.3 } else { 0.0 };
    let seen = run(&Trace { profile: Profile::Low, late, ..USUAL }, 60.0);
    let early = run(&Trace { profile: Profile::Low, late, ..USUAL }, 20.0);
    assert!(seen.underruns - early.underruns <= 1, "{} then {}", early.underruns, seen.underruns);
    assert!(seen.worst(40.0) < 1.3, "{}", seen.worst(40.0));
}

#[test]
fn an_outage_is_made_up_for_within_three_seconds_and_is_not_jitter() {
    // The link stands still from 10 to 15 s; then all of it comes at once.
    let late = |at: f64| if (10.0..15.0).contains(&at) { 15.0 - at } else { 0.0 };
    for (profile, most) in [(Profile::Low, 0.25), (Profile::Balanced, 0.5)] {
        let seen = run(&Trace { profile, late, cached: 1.0, ..USUAL }, 30.0);
        assert!(seen.delay(14.0) > 3.0);
        assert!(seen.worst(18.0) < most, "{profile:?}: {}", seen.worst(18.0));
    }
}

#[test]
fn pictures_that_never_came_are_no_delay() {
    let late = |at: f64| if (10.0..15.0).contains(&at) { f64::INFINITY } else { 0.0 };
    let seen = run(&Trace { late, cached: 1.0, ..USUAL }, 30.0);
    assert!(seen.worst(18.0) < 0.5, "{}", seen.worst(18.0));
}

#[test]
fn a_hole_before_the_playhead_is_stepped_over() {
    let mut control = Controller::new(Profile::Balanced);
    control.observe(0.0, Observation::Started);
    control.observe(0.0, Observation::Screen(Screen::default()));
    let screen = Screen { playhead: 5.0, end: 5.0, newest: 6.0, pictures: 3, ..Screen::default() };
    let seek = control.observe(10.0, Observation::Screen(screen)).seek.unwrap();
    assert!(seek > 5.0 && seek < 6.0);
}

#[test]
fn two_jumps_are_three_seconds_apart_and_none_follows_one_that_led_nowhere() {
    let mut control = Controller::new(Profile::Balanced);
    control.observe(0.0, Observation::Started);
    let mut pictures = 0;
    let mut look = |now: f64, playhead: f64| {
        pictures += 1;
        control
            .observe(
                now,
                Observation::Screen(Screen {
                    playhead,
                    end: 20.0,
                    newest: 20.0,
                    pictures,
                    ..Screen::default()
                }),
            )
            .seek
    };
    assert_eq!(look(9000.0, 4.9), None);
    let first = look(10_000.0, 5.0).unwrap();
    assert_eq!(look(11_000.0, 6.0), None);
    assert_eq!(look(14_000.0, first), None);
    assert!(look(14_200.0, first - 3.0).is_some());
}

#[test]
fn the_ladder_is_climbed_while_pictures_come_and_none_shows() {
    let seen = run(&Trace { shows: |at| at < 5.0, ..USUAL }, 40.0);
    let rungs: Vec<Rung> = seen.rungs.iter().map(|(_, rung)| *rung).collect();
    assert_eq!(&rungs[..4], [Rung::Nudge, Rung::Rebuild, Rung::Elsewhere, Rung::GiveUp]);
    // It is tried again for as long as it takes, and not all the time.
    assert!(rungs[4..].iter().all(|rung| *rung == Rung::GiveUp));
    let times: Vec<f64> = seen.rungs.iter().map(|(at, _)| *at).collect();
    assert!(times[0] >= 6.5 && times.windows(2).all(|w| w[1] - w[0] >= 1.5), "{times:?}");
}

#[test]
fn pictures_that_show_again_end_the_recovery() {
    let shows = |at: f64| !(5.0..7.2).contains(&at) && !(25.0..27.2).contains(&at);
    let seen = run(&Trace { shows, ..USUAL }, 40.0);
    assert_eq!(seen.rungs.iter().map(|(_, rung)| *rung).collect::<Vec<_>>(), [Rung::Nudge, Rung::Nudge]);
}

#[test]
fn a_stream_that_is_missing_is_no_fault_of_the_screen() {
    let late = |at: f64| if at > 5.0 { f64::INFINITY } else { 0.0 };
    let seen = run(&Trace { late, ..USUAL }, 30.0);
    assert!(seen.rungs.is_empty() && seen.underruns <= 1);
}

#[test]
fn running_dry_after_a_clean_minute_counts_in_full() {
    let mut control = Controller::new(Profile::Low);
    control.observe(0.0, Observation::Started);
    let look = |pictures, dry| {
        Observation::Screen(Screen { end: 1.0, newest: 1.0, pictures, dry, ..Screen::default() })
    };
    control.observe(0.0, look(0, false));
    control.observe(200.0, look(1, false));
    let aimed = control.target();
    control.observe(CLEAN + 1000.0, Observation::Arrived { stamp: 1.0, lasts: 0.04, epoch: 0 });
    control.observe(CLEAN + 1000.0, look(2, true));
    assert_eq!(control.underruns(), 1);
    assert!((control.target() - 1.25 * aimed).abs() < 1e-9, "{}", control.target());
}

#[test]
fn an_idle_screen_is_left_alone() {
    let mut control = Controller::new(Profile::Low);
    control.observe(0.0, Observation::Started);
    for step in 0..200_u32 {
        let now = f64::from(step) * 200.0;
        control.observe(now, Observation::Arrived { stamp: now / 1000.0, lasts: 0.2, epoch: 0 });
        let screen =
            Screen { newest: now / 1000.0, end: now / 1000.0, pictures: 7, idle: true, ..Screen::default() };
        let action = control.observe(now, Observation::Screen(screen));
        assert_eq!(action, Action { rate: 1.0, seek: None, rung: None });
    }
}

#[test]
fn a_backlog_that_comes_in_gulps_is_no_jitter() {
    let mut control = Controller::new(Profile::Balanced);
    let at_rest = control.target();
    control.observe(0.0, Observation::Started);
    // Two seconds that were held back, five pictures every 100 ms; then on time.
    for n in 0..200_u32 {
        let stamp = f64::from(n) * 0.04 - 2.0;
        let handed = f64::from(n / 5) * 100.0 + f64::from(n % 5) * 30.0;
        let now = handed.max(stamp * 1000.0);
        control.observe(now, Observation::Arrived { stamp, lasts: 0.04, epoch: 0 });
    }
    assert!(control.target() < at_rest + 0.1, "{}", control.target());
}
