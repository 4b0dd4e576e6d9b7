//! `vigie vet --against`: malformed RTSP requests to a device on the vendor's own bench, a few a second, and whether it lives.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use vigie::rtsp::{Scheme, Url};

use super::mutate::Dice;
use crate::failure::Failure;
use crate::moment::count;
use crate::output::Progress;

/// Requests a second, at most.
const RATE: u64 = 10;
/// What a device may take for an answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// Times that a device which does not answer is asked again before it counts as gone.
const TRIES: u32 = 3;

/// What to do.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// Address of the device.
    pub url: &'a str,
    /// Requests.
    pub iterations: u64,
    /// The same seed makes the same requests.
    pub seed: u64,
    /// Whoever asks says that the device is theirs.
    pub mine: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    url: String,
    seed: u64,
    sent: u64,
    answered: u64,
    closed: u64,
    /// The request after which the device did not answer a sane one: number, what it was, and its bytes.
    dead: Option<(u64, &'static str, Vec<u8>)>,
}

/// Sends them, one at a time, each on a connection of its own, a sane one after each.
///
/// # Errors
/// The address is public, or not this machine's and not said to be the caller's; or nothing answers there.
pub async fn run(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    let (url, addresses) = allowed(plan).await?;
    let progress = Progress::line(&format!("asking {url}"));
    // A name may stand for several: `localhost` is ::1 and 127.0.0.1, and most servers listen at one of them.
    let mut living = None;
    for address in addresses {
        if lives(address, &url).await {
            living = Some(address);
            break;
        }
    }
    let Some(address) = living else {
        return Err(Failure::new(
            format!("{url} does not answer a sane OPTIONS"),
            "check the address, and that the device is on",
        ));
    };
    let mut outcome =
        Outcome { url: url.to_string(), seed: plan.seed, sent: 0, answered: 0, closed: 0, dead: None };
    for iteration in 0..plan.iterations {
        let mut dice = Dice::new(plan.seed, iteration);
        let (what, request) = malformed(&url, &mut dice);
        match ask(address, &request).await {
            Some(0) => outcome.closed += 1,
            Some(_) => outcome.answered += 1,
            None => {}
        }
        outcome.sent += 1;
        if !lives(address, &url).await {
            outcome.dead = Some((iteration, what, request));
            break;
        }
        progress.say(format!("{} of {}", count(outcome.sent, "request"), plan.iterations));
        sleep(Duration::from_millis(1_000 / RATE)).await;
    }
    progress.done();
    Ok(outcome)
}

/// Where requests may go: to this machine; to others only where they are the caller's; to public addresses never. The name is
/// looked up once: what is asked later are the addresses that were judged here.
async fn allowed(plan: &Plan<'_>) -> Result<(Url, Vec<SocketAddr>), Failure> {
    let parsed = Url::parse(plan.url).map_err(|error| {
        Failure::fault(
            "the address of --against",
            &error,
            "write an address like rtsp://127.0.0.1:8554/stream",
        )
    })?;
    let url = parsed.0;
    if url.scheme() != Scheme::Rtsp {
        return Err(Failure::new("--against speaks plain RTSP only", "begin the address with rtsp://"));
    }
    let found = tokio::net::lookup_host((url.host(), url.port())).await;
    let addresses: Vec<SocketAddr> = found.map(Iterator::collect).unwrap_or_default();
    if addresses.is_empty() {
        return Err(Failure::new(
            format!("{url} names no machine"),
            "give its address, as in rtsp://127.0.0.1:8554/stream",
        ));
    }
    if !addresses.iter().all(|address| is_private(address.ip())) {
        return Err(Failure::new(
            format!("{url} is a public address, and malformed requests go to none, whoever asks"),
            "put the device onto a private network, on your own bench",
        ));
    }
    if !addresses.iter().all(|address| address.ip().to_canonical().is_loopback()) && !plan.mine {
        return Err(Failure::new(
            format!("{url} is another machine, and malformed requests may stop it"),
            "say --i-own-this-device if it is yours and nobody depends on it",
        ));
    }
    Ok((url, addresses))
}

/// Loopback, RFC 1918, link-local, unique local (RFC 4193): never routed on the internet.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// Does a sane request get an answer?
async fn lives(address: SocketAddr, url: &Url) -> bool {
    for attempt in 0..TRIES {
        let sane = format!("OPTIONS {url} RTSP/1.0\r\nCSeq: 1\r\n\r\n");
        if ask(address, sane.as_bytes()).await.is_some_and(|bytes| bytes > 0) {
            return true;
        }
        sleep(Duration::from_millis(300 * u64::from(attempt + 1))).await;
    }
    false
}

/// How many bytes came back: 0 where the connection was closed without a word, `None` where nothing came in time.
async fn ask(address: SocketAddr, request: &[u8]) -> Option<usize> {
    let talk = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        // A device may close while we write: its answer is still to be read.
        let _ = stream.write_all(request).await;
        let mut answer = [0; 4_096];
        Some(stream.read(&mut answer).await.unwrap_or(0))
    };
    timeout(PATIENCE, talk).await.ok().flatten()
}

/// A request that breaks the grammar, or a limit that a server should have.
fn malformed(url: &Url, dice: &mut Dice) -> (&'static str, Vec<u8>) {
    let methods = ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "GET_PARAMETER", "TEARDOWN", "ANNOUNCE"];
    let method = methods.get(dice.below(methods.len())).copied().unwrap_or("OPTIONS");
    let long = "A".repeat(1 << (4 + dice.below(13)));
    let request = |line: String, headers: &str| format!("{line}\r\nCSeq: 2\r\n{headers}\r\n").into_bytes();
    let line = format!("{method} {url} RTSP/1.0");
    match dice.below(14) {
        0 => ("a long URL", request(format!("{method} {url}/{long} RTSP/1.0"), "")),
        1 => ("a long method", request(format!("{long} {url} RTSP/1.0"), "")),
        2 => ("a long header", request(line, &format!("User-Agent: {long}\r\n"))),
        3 => ("many headers", request(line, &"X: y\r\n".repeat(1 + dice.below(4_000)))),
        4 => ("a negative Content-Length", request(line, "Content-Length: -1\r\n")),
        5 => ("a huge Content-Length", request(line, "Content-Length: 4294967295\r\n")),
        6 => ("no CSeq", format!("{line}\r\n\r\n").into_bytes()),
        7 => {
            ("an odd Transport", request(line, "Transport: RTP/AVP/TCP;interleaved=65535-65536;ssrc=;;;\r\n"))
        }
        8 => ("an odd Range", request(line, "Range: npt=99999999999999999999-now-,clock=\r\n")),
        9 => ("a Session of another", request(line, &format!("Session: {long};timeout=-1\r\n"))),
        10 => (
            "format directives",
            request(format!("{method} {url}/%n%s%x%p RTSP/1.0"), "User-Agent: %n%s%x%p\r\n"),
        ),
        11 => (
            "an odd Authorization",
            request(line, &format!("Authorization: Digest username=\"{long}, realm=\r\n")),
        ),
        12 => {
            let size = dice.below(2_000);
            let mut bytes = vec![b'$', dice.byte(), 0xff, 0xff];
            bytes.extend((0..size).map(|_| dice.byte()));
            ("interleaved bytes before any SETUP", bytes)
        }
        _ => {
            let mut bytes = request(line, "Accept: application/sdp\r\n");
            for _ in 0..=dice.below(8) {
                let at = dice.below(bytes.len());
                if let Some(place) = bytes.get_mut(at) {
                    *place = dice.byte();
                }
            }
            bytes.extend_from_slice(b"\r\n\r\n");
            ("bytes of a request changed", bytes)
        }
    }
}

impl Outcome {
    /// Did the device answer to the end?
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.dead.is_none()
    }

    /// For programs. The request is escaped as Rust writes bytes: it need not be text, and each of its bytes counts.
    #[must_use]
    pub fn json(&self) -> Value {
        let dead = self.dead.as_ref().map(|(iteration, what, bytes)| {
            json!({"iteration": iteration, "what": what, "request": bytes.escape_ascii().to_string()})
        });
        json!({
            "device": self.url, "seed": self.seed, "requests": self.sent, "answered": self.answered, "closed": self.closed,
            "dead_after": dead,
        })
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!(
            "{}: {} (seed {}), {} answered, {} closed without a word\n",
            self.url,
            count(self.sent, "malformed request"),
            self.seed,
            self.answered,
            self.closed
        );
        if let Some((iteration, what, bytes)) = &self.dead {
            let shown = bytes.get(..200).unwrap_or(bytes).escape_ascii();
            out += &format!(
                "\nit does not answer a sane OPTIONS after request {iteration} ({what}):\n  {shown}\n"
            );
        } else {
            out += "it answered a sane OPTIONS after each\n";
        }
        out
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn public_addresses_are_public() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "169.254.1.1",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
        ] {
            assert!(is_private(private.parse().unwrap()), "{private}");
        }
        for public in [
            "8.8.8.8",
            "172.32.0.1",
            "100.64.0.1",
            "0.0.0.0",
            "2001:db8::1",
            "::ffff:8.8.8.8",
            "64:ff9b::a00:1",
            "224.0.0.1",
        ] {
            assert!(!is_private(public.parse().unwrap()), "{public}");
        }
    }
}
