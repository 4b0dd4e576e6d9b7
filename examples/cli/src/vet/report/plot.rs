//! Plots as inline SVG: drawn with `currentColor` and CSS variables, so that they follow light and dark.

use std::fmt::Write as _;

/// Of the drawing, and of the margins for the axes.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 56.0;
const BOTTOM: f64 = 24.0;
const TOP: f64 = 10.0;
const RIGHT: f64 = 12.0;
/// Bars that are drawn, at most.
const BARS: usize = 240;

/// One plot.
pub(super) struct Plot<'a> {
    /// Read by screen readers, and the heading.
    pub(super) title: &'a str,
    pub(super) x: &'a str,
    pub(super) y: &'a str,
    /// From left to right.
    pub(super) points: &'a [(f64, f64)],
    /// The y axis begins at 0.
    pub(super) from_zero: bool,
}

impl Plot<'_> {
    /// A line through the points.
    pub(super) fn line(&self) -> String {
        let Some(frame) = Frame::of(self) else { return String::new() };
        let mut path = String::new();
        for (at, (x, y)) in self.points.iter().enumerate() {
            let _ = write!(path, "{}{:.1} {:.1}", if at == 0 { "M" } else { "L" }, frame.x(*x), frame.y(*y));
        }
        frame.around(self, &format!("<path class=\"line\" d=\"{path}\"/>"))
    }

    /// A bar for each point; `marks` are drawn inside them, from the bottom.
    pub(super) fn bars(&self, marks: &[f64]) -> String {
        let from = self.points.len().saturating_sub(BARS);
        let points = self.points.get(from..).unwrap_or_default();
        let plot = Plot { points, ..*self };
        let Some(frame) = Frame::of(&plot) else { return String::new() };
        let slot = (WIDTH - LEFT - RIGHT) / points.len() as f64;
        let mut out = String::new();
        for (at, (x, y)) in points.iter().enumerate() {
            let left = LEFT + slot * at as f64;
            let mut bar = |class: &str, value: f64| {
                let top = frame.y(value);
                let _ = write!(
                    out,
                    "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"><title>{x:.0}: \
                     {value:.0}</title></rect>",
                    (slot - 1.0).max(0.5),
                    (HEIGHT - BOTTOM - top).max(0.0)
                );
            };
            bar("bar", *y);
            if let Some(mark) = marks.get(from + at) {
                bar("mark", *mark);
            }
        }
        frame.around(&plot, &out)
    }
}

/// From values to places.
struct Frame {
    x: (f64, f64),
    y: (f64, f64),
}

impl Frame {
    fn of(plot: &Plot<'_>) -> Option<Self> {
        let (first, last) = (plot.points.first()?.0, plot.points.last()?.0);
        let lowest = plot.points.iter().map(|point| point.1).fold(f64::INFINITY, f64::min);
        let highest = plot.points.iter().map(|point| point.1).fold(f64::NEG_INFINITY, f64::max);
        let lowest = if plot.from_zero { 0.0 } else { lowest };
        let room = if highest > lowest { (highest - lowest) * 0.08 } else { 1.0 };
        let bottom = if plot.from_zero { 0.0 } else { lowest - room };
        Some(Self { x: (first, if last > first { last } else { first + 1.0 }), y: (bottom, highest + room) })
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + (value - self.x.0) / (self.x.1 - self.x.0) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - (value - self.y.0) / (self.y.1 - self.y.0) * (HEIGHT - BOTTOM - TOP)
    }

    fn around(&self, plot: &Plot<'_>, inside: &str) -> String {
        let mut out = format!(
            "<figure><figcaption>{} <small>({} over {})</small></figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
             aria-label=\"{}\">",
            plot.title, plot.y, plot.x, plot.title
        );
        for step in 0..=4 {
            let value = self.y.0 + (self.y.1 - self.y.0) * f64::from(step) / 4.0;
            let y = self.y(value);
            let _ = write!(
                out,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y + 3.5,
                number(value, self.y.1 - self.y.0)
            );
        }
        for step in 0..=4 {
            let value = self.x.0 + (self.x.1 - self.x.0) * f64::from(step) / 4.0;
            let anchor = ["start", "middle", "middle", "middle", "end"]
                .get(step as usize)
                .copied()
                .unwrap_or("middle");
            let _ = write!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
                self.x(value),
                HEIGHT - 7.0,
                number(value, self.x.1 - self.x.0)
            );
        }
        out.push_str(inside);
        out.push_str("</svg></figure>\n");
        out
    }
}

/// As many digits as the span of the axis needs.
fn number(value: f64, span: f64) -> String {
    let digits = if span >= 20.0 {
        0
    } else if span >= 2.0 {
        1
    } else {
        2
    };
    let text = format!("{value:.digits$}");
    if text.trim_start_matches(['-', '0', '.']).is_empty() { "0".to_owned() } else { text }
}
