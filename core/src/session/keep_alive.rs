//! Keeping the session alive, RFC 2326 §12.37: by whatever request the camera understands.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Phase, Session};
use crate::rtsp::{Method, Status};
use crate::time::Micros;

/// When to send the next keep-alive, and which.
#[derive(Debug)]
pub(super) struct KeepAlive {
    /// Microseconds between two.
    interval: u64,
    pub(super) next: Micros,
    /// What may be tried, best first.
    methods: Vec<Method>,
    at: usize,
    /// The last one was not answered yet.
    waiting: bool,
    /// Every method failed once: RTCP goes with each from now on, which ONVIF cameras count as a sign of life.
    last_resort: bool,
}

impl KeepAlive {
    /// With the methods of `Public` and the session's timeout in seconds.
    ///
    /// GET_PARAMETER where it is offered, as some servers do not count OPTIONS (go2rtc PR 2409); then OPTIONS, which
    /// Hipcam wants; then SET_PARAMETER where it is offered, the only one for GW Security GW4089IP.
    pub(super) fn new(public: &[Method], timeout: u32, now: Micros) -> Self {
        let mut methods = Vec::new();
        if public.contains(&Method::GetParameter) {
            methods.push(Method::GetParameter);
        }
        methods.push(Method::Options);
        if public.is_empty() {
            methods.push(Method::GetParameter);
        }
        if public.contains(&Method::SetParameter) {
            methods.push(Method::SetParameter);
        }
        // Half of the timeout (Tapo C220: 15 s), at most 30 s, at least 1 s.
        let interval = (u64::from(timeout) * 500_000).clamp(1_000_000, 30_000_000);
        Self { interval, next: now.plus(interval), methods, at: 0, waiting: false, last_resort: false }
    }

    fn method(&self) -> Method {
        self.methods.get(self.at).cloned().unwrap_or(Method::Options)
    }

    fn fall_back(&mut self) {
        self.at += 1;
        if self.at >= self.methods.len() {
            (self.at, self.last_resort) = (0, true);
        }
        self.waiting = false;
    }
}

impl Session {
    pub(super) fn start_keep_alive(&mut self) {
        let timeout = self.session.as_ref().map_or(60, |session| session.timeout);
        self.keep_alive = Some(KeepAlive::new(&self.public, timeout, self.now));
    }

    /// Sets another [`Config::authorization`](super::Config::authorization), for every request from now on. Where the
    /// session plays or is paused, a keep-alive shows it to the server at once: so a token is renewed without a break.
    pub fn authorize(&mut self, now: Micros, authorization: Option<String>) {
        self.now = now;
        self.config.authorization = authorization;
        if let Some(keep_alive) = &mut self.keep_alive {
            keep_alive.next = now;
            // The one before may still be on its way: that is no reason to try another method.
            keep_alive.waiting = false;
        }
        if matches!(self.phase, Phase::Playing | Phase::Paused) {
            self.keep_alive_if_due();
        }
    }

    /// Sends the next keep-alive if it is due. Its answer is not waited for: some cameras never answer
    /// (gortsplib issue 412). One that was not answered until now makes the next method be tried.
    pub(super) fn keep_alive_if_due(&mut self) {
        let Some(keep_alive) = self.keep_alive.as_mut().filter(|k| self.now >= k.next) else { return };
        if keep_alive.waiting {
            keep_alive.fall_back();
        }
        keep_alive.waiting = true;
        keep_alive.next = self.now.plus(keep_alive.interval);
        let (method, last_resort) = (keep_alive.method(), keep_alive.last_resort);
        self.stats.keep_alives += 1;
        self.send(method, true, 0);
        if last_resort {
            (0..self.tracks.len()).for_each(|at| self.send_empty_report(at));
        }
    }

    /// An error makes the next method be tried from now on, at once: Tapo C220 offers SET_PARAMETER and answers 400.
    pub(super) fn keep_alive_answered(&mut self, method: &Method, status: Status) {
        let Some(keep_alive) = &mut self.keep_alive else { return };
        if status.is_success() {
            keep_alive.waiting = false;
            self.stats.keep_alives_answered += 1;
        } else if *method == keep_alive.method() {
            keep_alive.fall_back();
            // Soon, but never in a tight circle.
            if !keep_alive.last_resort {
                keep_alive.next = keep_alive.next.min(self.now.plus(1_000_000));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn methods_follow_public() {
        use Method::{GetParameter, Options, SetParameter};
        let methods = |public: &[Method]| KeepAlive::new(public, 60, Micros(0)).methods;
        assert_eq!(methods(&[]), [Options, GetParameter]);
        assert_eq!(methods(&[Options]), [Options]);
        assert_eq!(methods(&[SetParameter, GetParameter]), [GetParameter, Options, SetParameter]);
    }

    #[test]
    fn half_the_timeout() {
        let interval = |timeout| KeepAlive::new(&[], timeout, Micros(0)).interval;
        let expected = [1_000_000, 7_500_000, 30_000_000, 30_000_000];
        assert_eq!([interval(1), interval(15), interval(60), interval(u32::MAX)], expected);
    }
}
