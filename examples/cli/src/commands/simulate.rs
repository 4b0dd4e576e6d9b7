//! `vigie simulate`.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;
use vigie::fault::Quirk;
use vigie_net::ServerTls;

use super::until_stopped;
use crate::address;
use crate::args::{Auth, Simulate};
use crate::failure::Failure;
use crate::output::{Format, Progress};
use crate::simulator::quirks::{self, Profile};
use crate::simulator::{Config, Simulator};
use crate::table::Table;

pub(super) async fn run(options: &Simulate, format: Format) -> Result<ExitCode, Failure> {
    if options.list_quirks || options.quirks.iter().any(|name| name == "list") {
        return list(format);
    }
    crate::handles::raise();
    let profiles = profiles(&options.quirks)?;
    let credentials = address::credentials(&options.login)?;
    if let Some(profile) = profiles.iter().find(|profile| profile.locked && credentials.is_none()) {
        return Err(Failure::new(
            format!("a camera with the quirk {} asks for a password, and has none", profile.name),
            "give it one with --user and --password-file",
        ));
    }
    let locked = credentials.is_some();
    if let Some(path) = &options.table {
        // Tried before the socket, so that each is told from the other.
        std::fs::File::create(path).map_err(|error| Failure::file("write", path, &error))?;
    }
    let config = Config::new(usize::from(options.cameras))
        .listen(options.listen)
        .credentials(credentials, options.auth == Auth::Basic)
        .table(options.table.clone())
        .profiles(&profiles)
        .bit_rate(options.kbps.saturating_mul(1_000))
        .packets(Config::default().mtu, !options.no_aggregation)
        .tls(tls(&options.tls)?);
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

/// Certificate and key, where they are given.
fn tls(files: &[PathBuf]) -> Result<Option<ServerTls>, Failure> {
    let [certificate, key] = files else { return Ok(None) };
    let read = |path: &PathBuf| std::fs::read(path).map_err(|error| Failure::file("read", path, &error));
    let tls = ServerTls::new(&read(certificate)?, &read(key)?).map_err(|_| {
        Failure::new(
            format!("{} and {} are no certificate and its key", certificate.display(), key.display()),
            "give both as PEM, the certificate first: --tls camera.crt camera.key",
        )
    })?;
    Ok(Some(tls))
}

/// The profiles of these names, each once.
fn profiles(names: &[String]) -> Result<Vec<&'static Profile>, Failure> {
    let mut found: Vec<&'static Profile> = Vec::new();
    for name in names {
        let profile = Profile::find(name).ok_or_else(|| {
            Failure::new(format!("there is no quirk {name:?}"), "see the names with --list-quirks")
        })?;
        if found.iter().all(|known| known.name != profile.name) {
            found.push(profile);
        }
    }
    Ok(found)
}

fn list(format: Format) -> Result<ExitCode, Failure> {
    let mut table = Table::new(&["name", "line", "cameras", "what they do", "tolerance"]);
    let mut quirks = Vec::new();
    for profile in quirks::all() {
        let tolerance = profile.quirk.map(Quirk::name);
        let cells = [profile.name, profile.line, profile.cameras, profile.does, tolerance.unwrap_or("-")];
        table.row(cells.map(str::to_owned));
        quirks.push(json!({"name": profile.name, "line": profile.line, "cameras": profile.cameras,
            "does": profile.does, "tolerance": tolerance, "password": profile.locked}));
    }
    format.print(table.to_string(), &json!({"quirks": quirks}))?;
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
