//! What moments are covered, and by what: `docs/format.md` §3.4.

use alloc::vec::Vec;

use crate::time::UtcMicros;

/// A break shorter than this is no gap: at five pictures a second that much lies between two of them.
pub const JOIN: i64 = 200_000;

/// From a moment (included) to a later one (not included).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// The first moment.
    pub from: UtcMicros,
    /// The moment after the last.
    pub to: UtcMicros,
}

impl Span {
    /// All of time.
    pub const ALL: Self = Self { from: UtcMicros(i64::MIN), to: UtcMicros(i64::MAX) };

    /// From `from` to `to`; empty if `to` is not later.
    #[must_use]
    pub const fn new(from: UtcMicros, to: UtcMicros) -> Self {
        Self { from, to }
    }

    /// Does it hold no moment?
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.to.0 <= self.from.0
    }

    /// The moments in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), to: self.to.min(other.to) }
    }
}

/// A list of spans by time, none overlapping, each with what covers it. Where two cover the same moment, the one added
/// last does.
#[derive(Clone, Debug)]
pub struct Cover<T> {
    spans: Vec<(Span, T)>,
    /// The span added last.
    last: Option<Span>,
}

impl<T> Default for Cover<T> {
    fn default() -> Self {
        Self { spans: Vec::new(), last: None }
    }
}

impl<T: Copy> Cover<T> {
    /// Adds a span. If it continues the one added before, or starts within [`JOIN`] of its end, that one lasts until this
    /// one starts.
    pub fn add(&mut self, span: Span, continues: bool, what: T) {
        if let Some(last) = self.last {
            let near = span.from.0.abs_diff(last.to.0) < JOIN.unsigned_abs();
            if (continues || near) && span.from > last.from {
                // Only where the one before is still in the list as it was added.
                let end = self.spans.last().is_some_and(|(s, _)| s.from <= last.from);
                let at = if end {
                    self.spans.len()
                } else {
                    self.spans.partition_point(|(s, _)| s.from <= last.from)
                };
                let room = self.spans.get(at).is_none_or(|(next, _)| next.from >= span.from);
                if let Some((before, _)) = at.checked_sub(1).and_then(|i| self.spans.get_mut(i))
                    && *before == last
                    && room
                {
                    before.to = span.from;
                }
            }
        }
        self.last = Some(span);
        if !span.is_empty() {
            self.put(span, what);
        }
    }

    fn put(&mut self, span: Span, what: T) {
        if self.spans.last().is_none_or(|(last, _)| last.to <= span.from) {
            // Time goes on, mostly.
            self.spans.push((span, what));
            return;
        }
        let start = self.spans.partition_point(|(s, _)| s.to <= span.from);
        let end = self.spans.partition_point(|(s, _)| s.from < span.to);
        let mut kept = [None; 3];
        if let Some((first, other)) = self.spans.get(start).filter(|(s, _)| start < end && s.from < span.from)
        {
            kept[0] = Some((Span::new(first.from, span.from), *other));
        }
        kept[1] = Some((span, what));
        if let Some((last, other)) =
            self.spans.get(end.wrapping_sub(1)).filter(|(s, _)| start < end && s.to > span.to)
        {
            kept[2] = Some((Span::new(span.to, last.to), *other));
        }
        self.spans.splice(start..end.max(start), kept.into_iter().flatten());
    }

    /// The spans by time.
    #[must_use]
    pub fn spans(&self) -> &[(Span, T)] {
        &self.spans
    }

    /// What covers a moment; where nothing does, the first after it.
    #[must_use]
    pub fn at(&self, utc: UtcMicros) -> Option<(Span, T)> {
        self.spans.get(self.spans.partition_point(|(s, _)| s.to <= utc)).copied()
    }

    /// The moments covered within `window`, adjoining spans as one.
    #[must_use]
    pub fn ranges(&self, window: Span) -> Vec<Span> {
        let mut out: Vec<Span> = Vec::new();
        let first = self.spans.partition_point(|(s, _)| s.to <= window.from);
        for (span, _) in self.spans.iter().skip(first).take_while(|(s, _)| s.from < window.to) {
            let span = span.and(window);
            match out.last_mut() {
                Some(last) if last.to == span.from => last.to = span.to,
                _ => out.push(span),
            }
        }
        out.retain(|span| !span.is_empty());
        out
    }

    /// The moments not covered within `window`.
    #[must_use]
    pub fn gaps(&self, window: Span) -> Vec<Span> {
        let mut out = Vec::new();
        let mut from = window.from;
        for range in self.ranges(window) {
            out.push(Span::new(from, range.from));
            from = range.to;
        }
        out.push(Span::new(from, window.to));
        out.retain(|span| !span.is_empty());
        out
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use alloc::vec;

    fn span(from: i64, to: i64) -> Span {
        Span::new(UtcMicros(from * 1_000_000), UtcMicros(to * 1_000_000))
    }

    #[test]
    fn neighbours_that_continue_leave_no_seam() {
        let mut cover = Cover::default();
        cover.add(Span::new(UtcMicros(0), UtcMicros(2_000_000)), false, 'a');
        cover.add(Span::new(UtcMicros(2_050_000), UtcMicros(4_000_000)), true, 'b');
        cover.add(Span::new(UtcMicros(3_990_000), UtcMicros(6_000_000)), true, 'c');
        cover.add(Span::new(UtcMicros(9_000_000), UtcMicros(9_500_000)), false, 'd');
        assert_eq!(cover.at(UtcMicros(2_049_999)).unwrap().1, 'a');
        assert_eq!(cover.at(UtcMicros(2_050_000)).unwrap().1, 'b');
        assert_eq!(cover.at(UtcMicros(3_990_000)).unwrap().1, 'c');
        assert_eq!(cover.at(UtcMicros(5_999_999)).unwrap().1, 'c');
        assert_eq!(cover.at(UtcMicros(6_000_000)).unwrap().1, 'd');
        assert_eq!(cover.at(UtcMicros(9_500_000)), None);
        let window = span(1, 10);
        assert_eq!(cover.ranges(window), [span(1, 6), Span::new(UtcMicros(9_000_000), UtcMicros(9_500_000))]);
        assert_eq!(cover.gaps(window), [span(6, 9), Span::new(UtcMicros(9_500_000), UtcMicros(10_000_000))]);
    }

    #[test]
    fn after_a_clock_is_set_back_the_later_words_count() {
        let mut cover = Cover::default();
        for at in 100..110 {
            cover.add(span(at, at + 1), at > 100, at);
        }
        for at in 95..103 {
            cover.add(span(at, at + 1), at > 95, at + 1_000);
        }
        let shown: Vec<_> = cover.spans().iter().map(|(_, what)| *what).collect();
        let want: Vec<_> = (1_095..1_103).chain(103..110).collect();
        assert_eq!(shown, want);
        assert_eq!(cover.ranges(span(0, 200)), [span(95, 110)]);
    }

    proptest::proptest! {
        /// Against a plain painting of every second.
        #[test]
        fn cover_is_painting(strokes in proptest::collection::vec((0_i64..60, 0_i64..10), 0..40), from in 0_i64..70, len in 0_i64..70) {
            let mut wall = vec![None; 80];
            let mut cover = Cover::default();
            for (i, (at, len)) in strokes.into_iter().enumerate() {
                cover.add(span(at, at + len), false, i);
                for cell in &mut wall[at as usize..(at + len) as usize] { *cell = Some(i); }
            }
            for (second, want) in wall.iter().enumerate() {
                let got = cover.at(UtcMicros(second as i64 * 1_000_000));
                let here = got.filter(|(s, _)| s.from.0 <= second as i64 * 1_000_000).map(|(_, i)| i);
                proptest::prop_assert_eq!(here, *want);
            }
            let window = span(from, from + len);
            let (ranges, gaps) = (cover.ranges(window), cover.gaps(window));
            let total: i64 = ranges.iter().chain(&gaps).map(|s| s.to.0 - s.from.0).sum();
            proptest::prop_assert_eq!(total, len * 1_000_000);
            for second in from..(from + len).min(80) {
                let holds = |spans: &[Span]| spans.iter().any(|s| s.from.0 <= second * 1_000_000 && second * 1_000_000 < s.to.0);
                proptest::prop_assert_eq!(holds(&ranges), wall[second as usize].is_some());
                proptest::prop_assert_eq!(holds(&gaps), wall[second as usize].is_none());
            }
        }
    }
}
