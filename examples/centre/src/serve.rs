//! From start to stop: the port, the address that is printed, Ctrl-C.

use std::fmt;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use vigie::store::{self, Source};
use vigie_net::inbox::Inbox;

use crate::camera::{Watch, governor};
use crate::centre::Centre;
use crate::recorder::{Recorder, Thread};
use crate::{config, web};

/// Ports tried after the one asked for.
const OTHER_PORTS: u16 = 20;

/// While a disk is busy, as much of all cameras may wait in memory as of so many alone.
const WAITING: usize = 8;

/// What is wrong and what to do, in a sentence.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    /// With that sentence.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<config::Error> for Failure {
    fn from(error: config::Error) -> Self {
        Self(error.to_string())
    }
}

/// Runs to the end.
pub(crate) fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|cause| Failure::new(format!("cannot start: {cause}")))?.block_on(work)
}

/// Listens; where the port is taken and `elsewhere` allows it, on the next free one.
pub(crate) async fn listen(address: SocketAddr, elsewhere: bool) -> Result<TcpListener, Failure> {
    let mut tried = address;
    loop {
        match TcpListener::bind(tried).await {
            Ok(listener) => return Ok(listener),
            Err(cause) if cause.kind() == ErrorKind::AddrInUse => {
                let next = tried.port().checked_add(1).filter(|next| next - address.port() <= OTHER_PORTS);
                match next {
                    Some(next) if elsewhere => tried.set_port(next),
                    _ => {
                        let what = format!(
                            "the port of {address} is in use; end the other program or give --listen"
                        );
                        return Err(Failure::new(what));
                    }
                }
            }
            Err(cause) => return Err(Failure::new(format!("cannot listen on {address}: {cause}"))),
        }
    }
}

/// Watches the cameras and serves until Ctrl-C (or SIGTERM); then ends the sessions and the recordings in order.
pub(crate) async fn serve(
    listener: TcpListener,
    centre: Arc<Centre>,
    tenants: &[config::Tenant],
) -> Result<(), Failure> {
    let address = listener.local_addr().map_err(|cause| Failure::new(format!("no address: {cause}")))?;
    let mut stop_asked =
        Stop::listen().map_err(|cause| Failure::new(format!("Ctrl-C cannot be heard: {cause}")))?;
    let (recorders, threads) = record(&centre).await?;
    let (stop, stopped) = watch::channel(false);
    let mut watches = JoinSet::new();
    let governor = governor();
    let sources = || tenants.iter().flat_map(|tenant| &tenant.cameras);
    let channels = |host: &str| sources().filter(|source| source.url.host() == host).count();
    for ((camera, source), recorder) in centre.cameras().zip(sources()).zip(recorders) {
        let ssrc = getrandom::u32().map_err(|cause| Failure::new(format!("no random numbers: {cause}")))?;
        let sessions = u32::try_from(channels(source.url.host())).unwrap_or(u32::MAX);
        let plan = (&governor, sessions);
        watches.spawn(Watch::new(camera.clone(), source, recorder, ssrc, plan).run(stopped.clone()));
    }
    announce(address, &centre);
    let cameras: Vec<_> = centre.cameras().cloned().collect();
    let server = axum::serve(listener, web::router(centre));
    let served = tokio::select! {
        served = server => served.map_err(|cause| Failure::new(format!("the server stopped: {cause}"))),
        () = stop_asked.asked() => Ok(()),
    };
    println!("Ending: closing the recordings");
    let _ = stop.send(true);
    cameras.iter().for_each(|camera| camera.fan.close());
    let ended = async {
        watches.join_all().await;
        // Their recorders are dropped: the threads close what is open and end.
        let _ =
            tokio::task::spawn_blocking(|| threads.into_iter().for_each(|thread| drop(thread.join()))).await;
    };
    tokio::select! {
        () = ended => served,
        () = stop_asked.asked() => std::process::exit(1),
    }
}

type Recorders = (Vec<Recorder>, Vec<JoinHandle<()>>);

/// Starts all recorders and waits until each has opened its part of the store. One that cannot tries again by itself; but
/// a store that another process writes, or none that can be opened, is for the operator.
async fn record(centre: &Centre) -> Result<Recorders, Failure> {
    let (mut recorders, mut opening, mut threads) = (Vec::new(), Vec::new(), Vec::new());
    let budget = Inbox::budget(WAITING);
    for camera in centre.cameras() {
        let failed =
            |what: &dyn fmt::Display| Failure::new(format!("{}/{}: {what}", camera.tenant, camera.id));
        let source = Source::new(&camera.tenant, &camera.id).map_err(|error| failed(&error))?;
        let started = Recorder::start(camera.clone(), centre.places.clone(), source, budget.clone())
            .map_err(|cause| failed(&cause))?;
        let (recorder, Thread { opened, handle }) = started;
        recorders.push(recorder);
        opening.push((camera, opened));
        threads.push(handle);
    }
    let mut failures = Vec::new();
    for (camera, opened) in opening {
        let Ok(Err(error)) = opened.await else { continue };
        let what = format!("{}, {}/{}: {error}", centre.places.stores(), camera.tenant, camera.id);
        if error.kind == store::Kind::Locked {
            return Err(Failure::new(what));
        }
        failures.push(what);
    }
    let none = failures.len() == threads.len();
    match failures.into_iter().next() {
        Some(first) if none => Err(Failure::new(first)),
        _ => Ok((recorders, threads)),
    }
}

/// The address with the token, on standard output and nowhere else.
fn announce(address: SocketAddr, centre: &Centre) {
    if let Some(missing) = centre.folders.missing() {
        eprintln!("vigie-centre: the page will not work: {missing}");
    }
    if !address.ip().is_loopback() {
        eprintln!(
            "vigie-centre: {address} can be reached from other machines, and what it sends is not encrypted: put a \
             reverse proxy with TLS before it"
        );
    }
    let host = if address.ip().is_unspecified() { "localhost".into() } else { address.ip().to_string() };
    let host = if address.is_ipv6() && !address.ip().is_unspecified() { format!("[{host}]") } else { host };
    println!("Open http://{host}:{}/#token={}", address.port(), centre.token.reveal());
    for origin in centre.origins.configured() {
        println!("  or {origin}/#token={}", centre.token.reveal());
    }
    println!("Ctrl-C ends it.");
}

/// Ctrl-C and SIGTERM, heard from when it is made: one that comes while the recordings are opened ends them in order, too.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
