//! A thousand cameras under one plan, counted at the server.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use vigie::govern;
use vigie::rtsp::{Credentials, Url};
use vigie_net::{Event, Fleet, Options};

const SOURCES: usize = 1_000;
/// Each of them at an address of its own: all of 127/8 is this machine.
const DEVICES: usize = 250;
const PATIENCE: Duration = Duration::from_secs(240);

/// What a device saw.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    connections: usize,
    most_connections: usize,
    describing: usize,
    most_describing: usize,
    passwords: usize,
    plays: usize,
}

/// Many devices on one port.
struct Town {
    port: u16,
    seen: Arc<Mutex<HashMap<IpAddr, Seen>>>,
}

impl Town {
    async fn start(password: Option<&'static str>) -> Self {
        let listener = TcpListener::bind(("0.0.0.0", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<HashMap<IpAddr, Seen>>> = Arc::default();
        let all = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let all = Arc::clone(&all);
                tokio::spawn(async move {
                    let device = stream.local_addr().unwrap().ip();
                    let note =
                        |work: &dyn Fn(&mut Seen)| work(all.lock().unwrap().entry(device).or_default());
                    note(&|seen| {
                        seen.connections += 1;
                        seen.most_connections = seen.most_connections.max(seen.connections);
                    });
                    let _ = serve(stream, password, &note).await;
                    note(&|seen| seen.connections -= 1);
                });
            }
        });
        Self { port, seen }
    }

    fn url(&self, source: usize) -> Url {
        let device = source % DEVICES;
        let text = format!("rtsp://127.3.{}.{}:{}/{source}", device / 100, 1 + device % 100, self.port);
        Url::parse(&text).unwrap().0
    }

    fn devices(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().values().copied().collect()
    }
}

/// One connection of a camera: a picture at once and one more later, which ends the first.
#[allow(clippy::type_complexity)]
async fn serve(
    mut stream: TcpStream,
    password: Option<&str>,
    note: &(dyn Fn(&dyn Fn(&mut Seen)) + Sync),
) -> std::io::Result<()> {
    let mut buffer = vec![0; 4_096];
    loop {
        let n = stream.read(&mut buffer).await?;
        let request = String::from_utf8_lossy(&buffer[..n]).into_owned();
        let Some(method) = request.split(' ').next().filter(|_| n > 0) else { return Ok(()) };
        let cseq = request.lines().find_map(|line| line.strip_prefix("CSeq:")).unwrap_or("0").trim();
        let given = request.lines().find_map(|line| line.strip_prefix("Authorization: Basic "));
        if given.is_some() && method == "DESCRIBE" {
            note(&|seen| seen.passwords += 1);
        }
        if method == "DESCRIBE" && password.is_some_and(|password| given.map(str::trim) != Some(password)) {
            let refusal =
                format!("RTSP/1.0 401 No\r\nCSeq: {cseq}\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n");
            stream.write_all(refusal.as_bytes()).await?;
            continue;
        }
        let (head, body) = match method {
            "DESCRIBE" => {
                note(&|seen| {
                    seen.describing += 1;
                    seen.most_describing = seen.most_describing.max(seen.describing);
                });
                // A camera that is slow with it.
                sleep(Duration::from_millis(20)).await;
                note(&|seen| seen.describing -= 1);
                let sdp = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n";
                ("Content-Type: application/sdp\r\n", sdp)
            }
            "SETUP" => ("Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n", ""),
            _ => ("Session: 1\r\n", ""),
        };
        let length =
            if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let answer = format!("RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\n{head}{length}\r\n{body}");
        stream.write_all(answer.as_bytes()).await?;
        if method == "PLAY" {
            note(&|seen| seen.plays += 1);
            for n in 0..3_u8 {
                let rtp = [0x80, 0xe0, 0, n, 0, 0, n, 0, 0, 0, 0, 1, 0x65, 0x88, 0x80, 0x11];
                stream.write_all(&[b'$', 0, 0, 16]).await?;
                stream.write_all(&rtp).await?;
            }
        }
    }
}

fn options(credentials: Option<Credentials>) -> Options {
    let mut options = Options::new(credentials);
    options.media_timeout = PATIENCE;
    options.response_timeout = PATIENCE;
    options.connect_timeout = Duration::from_secs(60);
    options.sessions = Some(4);
    options
}

/// Two descriptors for each source.
fn enough_descriptors() -> bool {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap_or_default();
    let soft = line.split_whitespace().nth(3).and_then(|n| n.parse::<usize>().ok());
    let enough = soft.is_some_and(|soft| soft > 2 * SOURCES + 100);
    if !enough {
        eprintln!(
            "SKIPPED: `ulimit -n` allows {soft:?} open files, {SOURCES} sources here need twice as many"
        );
    }
    enough
}

#[tokio::test]
async fn a_thousand_sources_connect_within_the_plan() {
    if !enough_descriptors() {
        return;
    }
    let town = Town::start(None).await;
    let plan = govern::Config::default().dials_per_second(400).in_flight(100);
    let mut fleet = Fleet::new(plan);
    let started = tokio::time::Instant::now();
    for source in 0..SOURCES {
        fleet.add(town.url(source), options(None)).unwrap();
    }
    let mut playing = std::collections::HashSet::new();
    while playing.len() < SOURCES {
        let (source, event) = timeout(PATIENCE, fleet.next()).await.expect("all in time").unwrap();
        let stats = fleet.governor().stats();
        assert!(stats.dialling + stats.describing <= 100, "{stats:?}");
        match event {
            Event::AccessUnit(_) => drop(playing.insert(source)),
            Event::Disconnected { error, .. } => panic!("{error}"),
            _ => {}
        }
    }
    // 999 waits of 2.5 ms lie between the first dial and the last.
    assert!(started.elapsed() >= Duration::from_millis(2_490), "a storm: {:?}", started.elapsed());
    assert_eq!((fleet.governor().stats().dials, fleet.governor().stats().playing), (1_000, SOURCES));
    let devices = town.devices();
    assert_eq!(devices.len(), DEVICES);
    for seen in devices {
        assert_eq!((seen.most_describing, seen.plays), (1, 4), "{seen:?}");
        assert!(seen.most_connections <= 4, "{seen:?}");
    }
    fleet.stop_all();
    while fleet.next().await.is_some() {}
    assert_eq!(fleet.governor().stats().sources, 0);
}

#[tokio::test]
async fn a_wrong_password_everywhere_is_tried_three_times_at_each_device() {
    // u:right
    let town = Town::start(Some("dTpyaWdodA==")).await;
    let plan = govern::Config::default().dials_per_second(1_000).tries(3, 3_600_000_000, 200_000);
    let mut fleet = Fleet::new(plan);
    for source in 0..SOURCES {
        let wrong = Credentials::new("u", "wrong");
        fleet.add(town.url(source), options(Some(wrong))).unwrap();
    }
    let mut refused = 0;
    while refused < 3 * DEVICES {
        let (_, event) = timeout(PATIENCE, fleet.next()).await.expect("all in time").unwrap();
        if let Event::Disconnected { error, retry_in } = event {
            assert!(error.is_refusal() && retry_in.is_some(), "{error}");
            refused += 1;
        }
    }
    // Ten times as long as between two tries: nobody tries again.
    let more = timeout(Duration::from_secs(2), fleet.next()).await;
    assert!(more.is_err(), "{more:?}");
    assert_eq!(fleet.governor().stats().held, SOURCES);
    let devices = town.devices();
    assert_eq!(devices.len(), DEVICES);
    assert!(devices.iter().all(|seen| seen.passwords == 3), "{devices:?}");
    // The operator mends one camera's password: it plays, and its neighbours at the device may try once more.
    let mended = fleet.cameras().next().unwrap().0;
    assert!(fleet.set_credentials(mended, Some(Credentials::new("u", "right"))));
    loop {
        let (source, event) = timeout(PATIENCE, fleet.next()).await.expect("in time").unwrap();
        if matches!(event, Event::AccessUnit(_)) {
            assert_eq!(source, mended);
            break;
        }
    }
}

#[tokio::test]
async fn a_device_of_two_sessions_is_asked_for_two_and_the_next_goes_when_one_stops() {
    let town = Town::start(None).await;
    let mut fleet = Fleet::new(govern::Config::default());
    let ids: Vec<_> = (0..3)
        .map(|n| {
            let mut options = options(None);
            options.sessions = Some(2);
            fleet.add(town.url(n * DEVICES), options).unwrap()
        })
        .collect();
    let mut playing = Vec::new();
    while let Ok(Some((source, event))) = timeout(Duration::from_secs(3), fleet.next()).await {
        if matches!(event, Event::AccessUnit(_)) && !playing.contains(&source) {
            playing.push(source);
        }
    }
    assert_eq!(playing, ids[..2]);
    assert!(fleet.stop(ids[0]));
    loop {
        let (source, event) = timeout(PATIENCE, fleet.next()).await.expect("the third in time").unwrap();
        if source == ids[2] && matches!(event, Event::AccessUnit(_)) {
            break;
        }
    }
    assert!(town.devices()[0].most_connections <= 3);
    assert_eq!(town.devices()[0].plays, 3);
}
