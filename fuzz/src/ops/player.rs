//! The controller that keeps a live picture close to its camera.

use vigie_player::control::{Action, Controller, Observation, Profile, Rung, Screen};

use crate::tape::Tape;

/// The rate stays within its bounds; the playhead is sent forwards only, and not beyond what is buffered; jumps are apart
/// from each other; while nothing is to be done, nothing is; counts count.
pub(crate) fn player_ops(bytes: &[u8]) {
    let mut tape = Tape::new(bytes);
    let profile = |tape: &mut Tape<'_>| tape.one(&[Profile::Low, Profile::Balanced, Profile::Smooth]);
    let mut control = Controller::new(profile(&mut tape));
    let (mut now, mut playhead, mut newest, mut stamp, mut pictures) = (0.0, 0.0, 0.0, 0.0, 0_u32);
    let (mut rate, mut jumped, mut jumps, mut underruns) = (1.0, f64::NEG_INFINITY, 0, 0);
    while !tape.is_empty() {
        let op = tape.u8();
        let passed = f64::from(tape.u16() % if op & 0x80 != 0 { 40_000 } else { 300 });
        now += passed;
        let action = match op & 7 {
            0 => {
                control.profile(profile(&mut tape));
                continue;
            }
            1 => {
                (playhead, jumped) = (f64::from(tape.u16()) / 10.0, f64::NEG_INFINITY);
                control.observe(now, Observation::Started)
            }
            2 | 3 => {
                let lasts = f64::from(tape.u8()) / 100.0;
                stamp += lasts;
                newest += lasts;
                control.observe(now, Observation::Arrived { stamp, lasts, epoch: u32::from(op >> 6 & 1) })
            }
            _ => {
                // An element that plays what it has; or, by the highest bits, any numbers.
                playhead = f64::min(playhead + passed / 1_000.0 * rate, f64::max(newest, playhead));
                pictures = pictures.wrapping_add(u32::from(op >> 3 & 3));
                let mut screen = Screen { playhead, end: newest, newest, pictures, ..Screen::default() };
                if op & 0x40 != 0 {
                    let mut any = || f64::from(tape.u32()) / 1_000.0;
                    (screen.playhead, screen.end, screen.newest) = (any(), any(), any());
                }
                let flags = tape.u8();
                (screen.seeking, screen.dry, screen.idle) =
                    (flags & 7 == 7, flags & 8 != 0, flags & 0x30 == 0x30);
                let action = control.observe(now, Observation::Screen(screen));
                check(&screen, action, rate);
                if let Some(to) = action.seek {
                    if action.rung.is_none() {
                        assert!(now - jumped > 3_000.0, "two jumps within {} ms", now - jumped);
                        jumps += 1;
                    }
                    jumped = now;
                    playhead = to;
                }
                action
            }
        };
        assert!((0.9 - 1e-9..=1.15 + 1e-9).contains(&action.rate), "plays at {}", action.rate);
        rate = action.rate;
        assert!(control.target() > 0.0 && control.target() <= 4.0, "aims at {}", control.target());
        assert_eq!(control.jumps(), jumps);
        assert!(control.underruns() == underruns || control.underruns() == underruns + 1);
        underruns = control.underruns();
    }
}

fn check(screen: &Screen, action: Action, rate: f64) {
    if let Some(to) = action.seek {
        assert!(to > screen.playhead, "sent from {} back to {to}", screen.playhead);
        assert!(to <= screen.newest.max(screen.playhead + 0.01), "sent to {to} of {}", screen.newest);
        assert!(matches!(action.rung, None | Some(Rung::Nudge)), "{action:?}");
        assert_eq!(action.rate, 1.0);
    } else {
        assert_ne!(action.rung, Some(Rung::Nudge), "a nudge without a place");
    }
    if screen.idle {
        assert_eq!(action, Action { rate, seek: None, rung: None }, "nothing is to be done");
    }
}
