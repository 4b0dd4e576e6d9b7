//! `vigie-centre`: a small supervision centre. It records each camera once and shows it to any number of browsers.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};

mod camera;
mod centre;
mod clock;
mod config;
mod demo;
mod fan;
mod issuer;
mod recorder;
mod serve;
mod token;
mod viewer;
mod web;

use centre::{Centre, Tenant};
use config::Config;
use serve::Failure;
use vigie_cli::stores::{Places, Stores};
use web::{Folders, Origins};

/// Records cameras and shows them, live and from the recording, to browsers on this machine.
#[derive(Parser)]
#[command(version, about, after_help = "Example: vigie-centre demo\n         vigie-centre run centre.toml")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the centre that a TOML file describes.
    Run {
        /// Tenants, cameras, store, as in examples/centre/centre.toml.
        config: PathBuf,
        /// Listens here instead of where the file says.
        #[arg(long)]
        listen: Option<SocketAddr>,
        /// Records here instead of where the file says; given several times, on several volumes.
        #[arg(long = "store", value_name = "DIR")]
        stores: Vec<PathBuf>,
        #[command(flatten)]
        shared: SharedArguments,
    },
    /// Four simulated cameras in two tenants, recorded and shown: nothing else is needed to look around.
    Demo {
        /// Listens here, or on the next free port.
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: SocketAddr,
        /// Records here, and keeps it [default: a new folder, removed at the end]
        #[arg(long, value_name = "DIR")]
        store: Option<PathBuf>,
        /// A fifth camera, that can be moved: it draws what it looks at
        #[arg(long)]
        dome: bool,
        #[command(flatten)]
        shared: SharedArguments,
    },
    /// Says whether a TOML file is right, and starts nothing.
    Check {
        /// The file.
        config: PathBuf,
    },
}

#[derive(Args)]
struct SharedArguments {
    /// The page's folder [default: examples/centre/web of the workspace]
    #[arg(long, value_name = "DIR")]
    web: Option<PathBuf>,
    /// The player's folder, as `make player` packs it [default: player-wasm/dist of the workspace]
    #[arg(long, value_name = "DIR")]
    player: Option<PathBuf>,
    /// Writes the token of this start there as well, for programs that ask: Prometheus (`credentials_file`), and a portal,
    /// which gets tokens for its users with it (POST /api/tokens)
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log_to_stderr();
    vigie_cli::handles::raise();
    match execute(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("vigie-centre: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// What `RUST_LOG` asks for, warnings otherwise; but never the bytes of WebSocket messages, which hold the token.
fn log_to_stderr() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let quiet = "tungstenite=debug".parse().ok();
    let filter = quiet.into_iter().fold(filter, EnvFilter::add_directive);
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

fn execute(command: Command) -> Result<(), Failure> {
    match command {
        Command::Check { config } => {
            let config = Config::read(&config)?;
            let cameras: usize = config.tenants.iter().map(|tenant| tenant.cameras.len()).sum();
            println!("right: tenants {}, cameras {cameras}", config.tenants.len());
            Ok(())
        }
        Command::Demo { listen, store, dome, shared } => {
            serve::block_on(demo::run(listen, store, dome, shared))
        }
        Command::Run { config, listen, stores, shared } => {
            let mut config = Config::read(&config)?;
            config.listen = listen.unwrap_or(config.listen);
            if !stores.is_empty() {
                config.stores = Stores::new(stores);
            }
            serve::block_on(run(config, shared))
        }
    }
}

async fn run(config: Config, shared: SharedArguments) -> Result<(), Failure> {
    let listener = serve::listen(config.listen, false).await?;
    let centre = assemble(&config, &listener, shared, None)?;
    serve::serve(listener, centre, &config.tenants).await
}

fn assemble(
    config: &Config,
    listener: &tokio::net::TcpListener,
    shared: SharedArguments,
    demo: Option<demo::Demo>,
) -> Result<Arc<Centre>, Failure> {
    let made = config.stores.make();
    made.map_err(|failure| Failure::new(format!("{}; {}", failure.what(), failure.remedy())))?;
    let address = listener.local_addr().map_err(|cause| Failure::new(format!("no address: {cause}")))?;
    let token = token::Token::new().map_err(|cause| Failure::new(format!("no random numbers: {cause}")))?;
    if let Some(file) = &shared.token_file {
        let written = token.write(file);
        written.map_err(|cause| {
            Failure::new(format!("the token cannot be written to {}: {cause}", file.display()))
        })?;
    }
    Ok(Arc::new(Centre {
        token,
        issuer: issuer::Issuer::default(),
        origins: Origins::new(address, &config.origins),
        folders: Folders::find(shared.web, shared.player),
        places: Places::new(config.stores.clone()),
        tenants: Tenant::all(&config.tenants),
        recordings: web::Recordings::default(),
        holds: web::Holds::default(),
        counters: centre::Counters::default(),
        strangers: centre::strangers(),
        demo,
    }))
}
