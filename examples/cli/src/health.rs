//! How a source does, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};
use vigie::record::{Gop, Health};

use crate::moment::show_span;

/// For programs.
#[must_use]
pub fn json(health: &Health) -> Value {
    let gop = |gop: Option<Gop>| gop.map(|gop| json!({"pictures": gop.pictures, "seconds": gop.seconds()}));
    json!({
        "packets": health.packets, "lost_packets": health.lost, "loss": health.loss(),
        "jitter_seconds": health.jitter.map(|micros| f64::from(micros) / 1e6),
        "declared_rate": health.declared_rate, "stamped_rate": health.stamped_rate,
        "delivered_rate": health.delivered_rate, "gop": gop(health.gop), "longest_gop": gop(health.longest_gop),
        "clock_offset_seconds": health.clock_offset.map(|micros| micros as f64 / 1e6),
        "clock_drift_ppm": health.clock_drift,
        "keep_alive_seconds": health.keep_alive.map(|micros| micros as f64 / 1e6),
    })
}

/// For people: lines of what is known.
#[must_use]
pub fn text(health: &Health) -> String {
    let mut out = String::new();
    // A `String` takes everything.
    let _ = if let Some(jitter) = health.jitter {
        writeln!(out, "jitter        {:.1} ms", f64::from(jitter) / 1e3)
    } else {
        Ok(())
    };
    if let (true, Some(stamped), Some(came)) =
        (health.short_of_pictures(), health.stamped_rate, health.delivered_rate)
    {
        let _ = writeln!(out, "delivered     {came:.1} a second, though stamped as {stamped:.1}");
    }
    if let Some(drift) = health.clock_drift {
        let _ = writeln!(out, "clock drift   {drift:+.0} ppm");
    }
    if let Some(micros) = health.keep_alive {
        let _ = writeln!(out, "keep-alive    answered in {}", show_span(micros));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_said_and_nothing_else() {
        let mut health = Health::default();
        assert_eq!(text(&health), "");
        assert_eq!(json(&health)["loss"], Value::Null);
        health.jitter = Some(1_234);
        health.stamped_rate = Some(25.0);
        health.delivered_rate = Some(21.0);
        (health.packets, health.lost) = (3, 1);
        assert_eq!(
            text(&health),
            "jitter        1.2 ms\ndelivered     21.0 a second, though stamped as 25.0\n"
        );
        assert_eq!(json(&health)["loss"], 0.25);
        assert_eq!(json(&health)["delivered_rate"], 21.0);
    }
}
