//! The commands: each takes its options, prints its results, and fails with a sentence and a remedy.

mod export;
mod forecast;
mod fsck;
mod gaps;
mod hold;
mod journal;
mod ls;
mod probe;
mod record;
mod remux;
mod replay;
pub(crate) mod retain;
mod simulate;
mod stop;
mod vet;
mod volume;

use std::future::Future;
use std::process::ExitCode;

use crate::args::{Cli, Command};
use crate::failure::Failure;
use crate::output::Format;

/// Does what the command line says.
///
/// # Errors
/// What is wrong, and what to do about it.
pub fn run(cli: &Cli) -> Result<ExitCode, Failure> {
    let format = if cli.json { Format::Json } else { Format::Text };
    match &cli.command {
        Command::Record(options) => block_on(record::run(options, format)),
        Command::Ls(options) => ls::run(options, format),
        Command::Volume(options) => volume::run(options, format),
        Command::Fsck(options) => fsck::run(options, format),
        Command::Rebuild(options) => fsck::rebuild(options, format),
        Command::Gaps(options) => gaps::run(options, format),
        Command::Export(options) => export::run(options, format),
        Command::Forecast(options) => forecast::run(options, format),
        Command::Probe(options) => probe::run(options, format),
        Command::Remux(options) => remux::run(options, format),
        Command::Replay(options) => replay::run(options, format),
        Command::Retain(options) => retain::run(options, format),
        Command::Hold(options) => hold::run(options, format),
        Command::Journal(options) => journal::run(options, format),
        Command::Vet(options) => vet::run(options, format),
        Command::Simulate(options) => block_on(simulate::run(options, format)),
    }
}

/// Runs a command that waits for sockets or signals.
pub(crate) fn block_on<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| {
        Failure::new(
            format!("threads cannot be started: {error}"),
            "end other programs, or raise `ulimit -u`",
        )
    })?;
    runtime.block_on(command)
}

/// Resolves at Ctrl-C, at SIGTERM, and when `span` is over.
pub(crate) async fn until_stopped(span: Option<std::time::Duration>) {
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    let over = async {
        match span {
            Some(span) => tokio::time::sleep(span).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
        () = over => {}
    }
}
