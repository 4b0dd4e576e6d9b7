//! `vigie simulate`.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::process::ExitCode;

use serde_json::json;

use super::until_stopped;
use crate::address;
use crate::args::{Auth, Simulate};
use crate::failure::Failure;
use crate::output::{Format, Progress};
use crate::simulator::{Config, Simulator};

pub(super) async fn run(options: &Simulate, format: Format) -> Result<ExitCode, Failure> {
    let credentials = address::credentials(&options.login)?;
    let locked = credentials.is_some();
    if let Some(path) = &options.table {
        // Tried before the socket, so that each is told from the other.
        std::fs::File::create(path).map_err(|error| Failure::file("write", path, &error))?;
    }
    let config = Config::new(usize::from(options.cameras))
        .listen(options.listen)
        .credentials(credentials, options.auth == Auth::Basic)
        .table(options.table.clone());
    let simulator = Simulator::start(config).await.map_err(|error| listening(options, &error))?;

    let urls: Vec<String> = (0..simulator.len()).map(|camera| simulator.url(camera)).collect();
    let mut text = String::new();
    for url in &urls {
        let _ = writeln!(text, "{url}");
    }
    let cameras: Vec<_> = urls
        .iter()
        .enumerate()
        .map(|(i, url)| json!({"name": format!("cam{}", i + 1), "url": url}))
        .collect();
    format.print(text, &json!({"listen": simulator.address().to_string(), "cameras": cameras}))?;

    let progress = Progress::line(&format!(
        "serving {} simulated cameras{}; Ctrl-C ends it",
        urls.len(),
        if locked { ", with a password" } else { "" }
    ));
    until_stopped(options.span).await;
    progress.done();
    Ok(ExitCode::SUCCESS)
}

fn listening(options: &Simulate, error: &std::io::Error) -> Failure {
    let address = options.listen;
    match error.kind() {
        ErrorKind::AddrInUse => Failure::new(
            format!("cannot listen at {address}: another program does"),
            format!("choose another port, or 0 for any: --listen {}:0", address.ip()),
        ),
        ErrorKind::AddrNotAvailable => Failure::new(
            format!("cannot listen at {address}: this machine has no such address"),
            "use 127.0.0.1 for this machine alone, or 0.0.0.0 for all its addresses",
        ),
        ErrorKind::PermissionDenied => Failure::new(
            format!("cannot listen at {address}: permission denied"),
            "choose a port above 1023, such as 8554",
        ),
        _ => Failure::new(
            format!("cannot listen at {address}: {error}"),
            "choose another address with --listen",
        ),
    }
}
