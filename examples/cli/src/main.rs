//! `vigie`, the command-line tool.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use vigie_cli::args::Cli;
use vigie_cli::failure::{FAILED, redact};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version land here too. The text repeats what was typed, so a password in a URL must go.
        Err(error) if error.use_stderr() => {
            let _ = write!(std::io::stderr(), "{}", redact(&error.render().to_string()));
            return ExitCode::from(2);
        }
        Err(help) => {
            let _ = help.print();
            return ExitCode::SUCCESS;
        }
    };
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_env("VIGIE_LOG").unwrap_or_default())
        .init();
    match vigie_cli::commands::run(&cli) {
        Ok(code) => code,
        Err(failure) => {
            // Nobody left to tell where stderr is closed.
            let _ = if cli.json {
                writeln!(std::io::stderr(), "{}", failure.to_json())
            } else {
                writeln!(std::io::stderr(), "{failure}")
            };
            ExitCode::from(FAILED)
        }
    }
}
