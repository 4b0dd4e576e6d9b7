//! Time: the RTP clock against arrival, sender reports against both.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use serde_json::{Value, json};
use vigie::rtp::rtcp::SenderReport;
use vigie::rtp::timestamp_distance;
use vigie::time::UtcMicros;

use super::finding::{Findings, Place};
use super::pictures::Begun;
use super::rule::Rule;

/// Spans of time whose least delay is kept, at most; when they are used up, two become one.
const SPANS: usize = 64;
/// Sender reports that are kept, at most; when they are used up, every second goes.
const REPORTS: usize = 256;
/// Microseconds by which a report may be off: 5 s.
const OFF: i64 = 5_000_000;
/// A stream shorter than that is not judged by its drift, or by reports that did not come: 8 s, 15 s, 30 s.
const DRIFT_SPAN: i64 = 8_000_000;
const REPORT_SPAN: i64 = 15_000_000;
const RARE_SPAN: i64 = 30_000_000;
/// Drift below that is what quartz does.
const QUARTZ: f64 = 300e-6;
/// 2000-01-01.
const YEAR_2000: i64 = 946_684_800_000_000;
/// Points of the plot of delays.
const POINTS: usize = 512;

/// The least delay of a span: when, and by how much (microseconds of arrival less those of the timestamp).
#[derive(Clone, Copy, Debug)]
struct Least {
    at: i64,
    delay: i64,
}

#[derive(Clone, Copy, Debug)]
struct Report {
    ntp: i64,
    /// Microseconds of the RTP timestamp, extended.
    rtp: i64,
    place: Place,
    off: bool,
}

/// One stream's time.
#[derive(Debug)]
pub(super) struct Clock {
    last: Option<(u32, i64)>,
    ahead: BinaryHeap<Reverse<i64>>,
    start: Option<i64>,
    arrived: Option<i64>,
    spans: Vec<Least>,
    span: i64,
    delays: VecDeque<i64>,
    jitter: f64,
    /// Delay of the last picture, even of one that leapt.
    newest: Option<i64>,
    /// Delay of the picture before.
    before: Option<i64>,
    reports: Vec<Report>,
    count: u64,
    last_report: Option<i64>,
    offset: Option<i64>,
    drift: Option<f64>,
    report_drift: Option<f64>,
    report_rtp: Option<(u32, i64)>,
    told_rare: bool,
    /// When, and the delay, for the plot; every `stride`th picture.
    pub(super) curve: Vec<(i64, i64)>,
    stride: u64,
    pictures: u64,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            last: None,
            ahead: BinaryHeap::new(),
            start: None,
            arrived: None,
            spans: Vec::new(),
            span: 1_000_000,
            delays: VecDeque::new(),
            jitter: 0.0,
            newest: None,
            before: None,
            reports: Vec::new(),
            count: 0,
            last_report: None,
            offset: None,
            drift: None,
            report_drift: None,
            report_rtp: None,
            told_rare: false,
            curve: Vec::new(),
            stride: 1,
            pictures: 0,
        }
    }
}

impl Clock {
    /// Timestamps do not continue: another numbering.
    pub(super) fn restart(&mut self) {
        self.last = None;
        self.ahead.clear();
        self.spans.clear();
        self.delays.clear();
        self.reports.clear();
        (self.before, self.report_rtp) = (None, None);
    }

    /// Another session, which comes to its reports in its own time.
    pub(super) fn reopen(&mut self) {
        self.restart();
        self.last_report = None;
    }

    /// A picture began.
    pub(super) fn picture(&mut self, begun: Begun, f: &mut Findings) {
        let (Some(timestamp), Some(utc)) = (begun.place.timestamp, begun.place.utc) else { return };
        let ticks = match self.last {
            Some((last, ticks)) => ticks + i64::from(timestamp_distance(last, timestamp)),
            None => 0,
        };
        self.last = Some((timestamp, ticks));
        self.start.get_or_insert(utc.0);
        self.arrived = Some(utc.0);
        self.newest = Some(utc.0 - ticks * 100 / 9);
        // Reordered pictures are sent at the time of decoding, which is the times of showing, sorted.
        self.ahead.push(Reverse(ticks));
        let mut decoded = None;
        while self.ahead.len() > begun.reorder
            && let Some(Reverse(least)) = self.ahead.pop()
        {
            decoded = Some(least);
        }
        let Some(decoded) = decoded else { return };
        let delay = utc.0 - decoded * 100 / 9;
        let typical = self.typical();
        if typical.is_some_and(|typical| (delay - typical).abs() > OFF) {
            // A leap: told where pictures are ordered. What came before it says nothing of what comes.
            self.delays.push_back(delay);
            self.forget_leap(delay);
            return;
        }
        self.delays.push_back(delay);
        if self.delays.len() > 5 {
            self.delays.pop_front();
        }
        if let Some(before) = self.before.filter(|_| !begun.after_gap) {
            self.jitter += ((delay - before).abs() as f64 - self.jitter) / 16.0;
        }
        self.before = Some(delay);
        self.least(utc.0, delay);
        self.plot(utc.0, delay);
        if !self.told_rare && self.last_report.is_some_and(|last| utc.0 - last > RARE_SPAN) {
            self.told_rare = true;
            f.add(Rule::SrRare, begun.place, || "30 s after the last".to_owned());
        }
    }

    /// Where most of the last pictures have leapt, theirs is the clock now.
    fn forget_leap(&mut self, delay: i64) {
        let near = self.delays.iter().filter(|other| (**other - delay).abs() < OFF).count();
        if near >= 3 {
            self.delays.clear();
            self.delays.push_back(delay);
            self.spans.clear();
            self.reports.clear();
            self.before = None;
        } else if self.delays.len() > 6 {
            self.delays.pop_front();
        }
    }

    /// The delay of the last pictures: the median of five.
    fn typical(&self) -> Option<i64> {
        let mut delays: Vec<i64> = self.delays.iter().copied().collect();
        delays.sort_unstable();
        delays.get(delays.len() / 2).copied()
    }

    fn least(&mut self, at: i64, delay: i64) {
        let began = self.spans.last().map(|least| least.at.div_euclid(self.span));
        match (self.spans.last_mut(), began) {
            (Some(last), Some(began)) if began == at.div_euclid(self.span) => {
                if delay < last.delay {
                    *last = Least { at, delay };
                }
            }
            _ => self.spans.push(Least { at, delay }),
        }
        if self.spans.len() > SPANS {
            self.span *= 2;
            let spans = std::mem::take(&mut self.spans);
            spans.iter().for_each(|least| self.least(least.at, least.delay));
        }
    }

    fn plot(&mut self, at: i64, delay: i64) {
        self.pictures += 1;
        if !self.pictures.is_multiple_of(self.stride) {
            return;
        }
        self.curve.push((at, delay));
        if self.curve.len() > POINTS {
            thin(&mut self.curve);
            self.stride *= 2;
        }
    }

    /// A sender report of this stream.
    pub(super) fn report(&mut self, report: SenderReport, utc: Option<UtcMicros>, f: &mut Findings) {
        self.count += 1;
        let place = Place { timestamp: Some(report.rtp_timestamp), utc, ..Place::default() };
        self.last_report = utc.map(|utc| utc.0).or(self.last_report);
        let ntp = report.ntp.to_utc().0;
        if report.ntp.0 == 0 || ntp < YEAR_2000 {
            f.add(Rule::SrUnset, place, || report.ntp.to_utc().to_string());
            return;
        }
        let mut off = false;
        if let Some(utc) = utc {
            let ahead = ntp - utc.0;
            self.offset = Some(ahead);
            if ahead.abs() > OFF {
                off = true;
                f.add(Rule::SrWallClock, place, || {
                    format!(
                        "{:.3} s {}",
                        ahead.abs() as f64 / 1e6,
                        if ahead < 0 { "behind" } else { "ahead" }
                    )
                });
            }
            if let (Some(typical), Some(newest), Some((last, ticks))) =
                (self.typical(), self.newest, self.last)
            {
                let rtp = (ticks + i64::from(timestamp_distance(last, report.rtp_timestamp))) * 100 / 9;
                let apart = utc.0 - typical - rtp;
                // Where the last picture leapt, the report may have leapt with it.
                if apart.abs() > OFF && (utc.0 - newest - rtp).abs() > OFF {
                    f.add(Rule::SrMedia, place, || format!("{:.3} s from the pictures", apart as f64 / 1e6));
                    return;
                }
            }
        }
        let (last, before) = self.report_rtp.unwrap_or((report.rtp_timestamp, 0));
        let ticks = before + i64::from(timestamp_distance(last, report.rtp_timestamp));
        self.report_rtp = Some((report.rtp_timestamp, ticks));
        self.reports.push(Report { ntp, rtp: ticks * 100 / 9, place, off });
        if self.reports.len() > REPORTS {
            thin(&mut self.reports);
        }
    }

    pub(super) fn finish(&mut self, f: &mut Findings) {
        let span = self.arrived.zip(self.start).map_or(0, |(end, start)| end - start);
        if span > REPORT_SPAN && self.count == 0 {
            f.add(Rule::SrMissing, Place::default(), || format!("none in {} s", span / 1_000_000));
        }
        self.judge_drift(f);
        self.judge_reports(f);
    }

    /// The least delays rise or fall where the RTP clock does not keep time.
    fn judge_drift(&mut self, f: &mut Findings) {
        let start = self.spans.first().map_or(0, |least| least.at);
        let points: Vec<(f64, f64)> =
            self.spans.iter().map(|least| ((least.at - start) as f64, least.delay as f64)).collect();
        let Some(slope) = median_slope(&points) else { return };
        let rests = points.iter().map(|(at, delay)| delay - slope * at).collect();
        let Some(middle) = median(rests) else { return };
        let rests = points.iter().map(|(at, delay)| (delay - slope * at - middle).abs()).collect();
        // Of a normal distribution, the deviation that is exceeded by half is two thirds of the standard deviation.
        let Some(residual) = median(rests).map(|half| half * 1.48) else { return };
        let span = self.spans.last().zip(self.spans.first()).map_or(0, |(last, first)| last.at - first.at);
        if span < DRIFT_SPAN || points.len() < 6 {
            return;
        }
        // Delay falls where timestamps run ahead.
        let drift = -slope;
        self.drift = Some(drift);
        let moved = drift.abs() * span as f64;
        if drift.abs() > QUARTZ && moved > 40_000.0_f64.max(8.0 * residual) {
            f.add(Rule::ClockDrift, Place::default(), || {
                format!("{:+.0} ppm against arrival, over {} s", drift * 1e6, span / 1_000_000)
            });
        }
    }

    /// Between any two reports as much time passes by NTP as by RTP.
    fn judge_reports(&mut self, f: &mut Findings) {
        // A report that is off has been told; it is compared where all are.
        let all_off = self.reports.iter().all(|report| report.off);
        let reports: Vec<&Report> = self.reports.iter().filter(|report| all_off || !report.off).collect();
        let Some(base) = reports.first().map(|report| report.ntp) else { return };
        let points: Vec<(f64, f64)> =
            reports.iter().map(|report| ((report.ntp - base) as f64, report.rtp as f64)).collect();
        let Some(slope) = median_slope(&points) else { return };
        self.report_drift = Some(slope - 1.0);
        let rests: Vec<f64> = points.iter().map(|(ntp, rtp)| rtp - slope * ntp).collect();
        let Some(middle) = median(rests.clone()) else { return };
        for (report, rest) in reports.iter().zip(rests) {
            let apart = rest - middle;
            if apart.abs() > 100_000.0 {
                f.add(Rule::SrInconsistent, report.place, || {
                    format!("{:.3} s from the other reports", apart / 1e6)
                });
            }
        }
    }

    pub(super) fn json(&self) -> Value {
        let ppm = |drift: Option<f64>| drift.map(|drift| (drift * 1e7).round() / 10.0);
        json!({
            "drift_ppm": ppm(self.drift), "report_drift_ppm": ppm(self.report_drift),
            "jitter_seconds": (self.pictures > 1).then_some((self.jitter.round()) / 1e6),
            "sender_reports": self.count, "clock_offset_seconds": self.offset.map(|micros| micros as f64 / 1e6),
        })
    }

    /// Lines for people.
    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let ppm = |drift: f64| format!("{:+.0} ppm", drift * 1e6);
        let mut lines = Vec::new();
        match self.drift {
            Some(drift) => lines.push(("RTP clock", format!("{} against arrival", ppm(drift)))),
            None => lines.push(("RTP clock", "too short to tell (8 s, with times of arrival)".to_owned())),
        }
        if self.pictures > 1 {
            lines.push(("jitter", format!("{:.1} ms", self.jitter / 1e3)));
        }
        let offset = self.offset.map(|micros| match micros {
            -500..500 => ", clock as this machine's".to_owned(),
            _ => format!(", clock {:+.3} s from this machine's", micros as f64 / 1e6),
        });
        let drift = self.report_drift.map(|drift| format!(", RTP {} against NTP", ppm(drift)));
        let rest = offset.unwrap_or_default() + &drift.unwrap_or_default();
        lines.push(("reports", format!("{}{rest}", crate::moment::count(self.count, "sender report"))));
        lines
    }
}

/// Every second goes.
fn thin<T>(all: &mut Vec<T>) {
    let mut at = 0_usize;
    all.retain(|_| {
        at += 1;
        at % 2 == 1
    });
}

fn median(mut all: Vec<f64>) -> Option<f64> {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied()
}

/// The median of the slopes between any two points: single ones that are off do not move it. `None` for fewer than two.
fn median_slope(points: &[(f64, f64)]) -> Option<f64> {
    let mut slopes = Vec::new();
    for (i, (x0, y0)) in points.iter().enumerate() {
        slopes.extend(points.iter().skip(i + 1).filter(|(x, _)| x != x0).map(|(x, y)| (y - y0) / (x - x0)));
    }
    median(slopes)
}
