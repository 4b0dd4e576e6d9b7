//! `vigie vet`.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use crate::args;
use crate::failure::{FAILED, Failure};
use crate::new_file::NewFile;
use crate::output::Format;
use crate::vet::report::Baseline;
use crate::vet::{Severity, against, mutate, source};

pub(super) fn run(options: &args::Vet, format: Format) -> Result<ExitCode, Failure> {
    if let Some(url) = &options.against {
        return against(options, url, format);
    }
    if options.mutate {
        return mutated(options, format);
    }
    // Before the watching, not after it.
    let before = options.baseline.as_deref().map(Baseline::read).transpose()?;
    let report = source::vet(options)?;
    if let Some(path) = &options.html {
        write(path, &report.html())?;
    }
    if let Some(path) = &options.junit {
        write(path, &report.junit())?;
    }
    let now = Baseline::of(&report);
    if let Some(path) = &options.write_baseline {
        now.write(path)?;
    }
    let regressions = before.map(|before| before.regressions(&now));
    let mut json = report.json();
    let mut text = report.text();
    if let Some(worse) = &regressions {
        json["regressions"] = json!(worse);
        text.push_str(&match worse.as_slice() {
            [] => "\nno worse than the baseline\n".to_owned(),
            worse => format!("\nworse than the baseline:\n  {}\n", worse.join("\n  ")),
        });
    }
    format.print(text, &json)?;
    let good = match regressions {
        Some(worse) => worse.is_empty(),
        None => report.count(Severity::Error) == 0,
    };
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// `--mutate`.
fn mutated(options: &args::Vet, format: Format) -> Result<ExitCode, Failure> {
    let plan = mutate::Plan {
        iterations: options.iterations,
        seed: options.seed,
        decoder: options.decoder.as_deref(),
        patience: options.decoder_timeout,
        keep: options.keep.as_deref(),
    };
    let outcome = source::vet(options)?.mutate(&plan)?;
    format.print(outcome.text(), &outcome.json())?;
    Ok(if outcome.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// `--against`.
fn against(options: &args::Vet, url: &str, format: Format) -> Result<ExitCode, Failure> {
    let plan = against::Plan {
        url,
        iterations: options.iterations,
        seed: options.seed,
        mine: options.i_own_this_device,
    };
    let outcome = super::block_on(against::run(&plan))?;
    format.print(outcome.text(), &outcome.json())?;
    Ok(if outcome.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let mut file = NewFile::create(path)?;
    file.write(text.as_bytes())?;
    file.finish()
}
