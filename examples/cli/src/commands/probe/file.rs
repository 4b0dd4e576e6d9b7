//! A file, read to its end.

mod mp4;

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use vigie::limits::Limits;

use super::findings::Findings;
use crate::args::Probe;
use crate::explain;
use crate::failure::Failure;
use crate::input::{Input, Kind, start_of};
use crate::moment::count;
use crate::output::{Format, Progress};

pub(super) fn run(options: &Probe, path: &Path, format: Format) -> Result<ExitCode, Failure> {
    let (file, start) = start_of(path)?;
    let findings = match Kind::detect(&start) {
        Some(Kind::Mp4) => {
            let found = mp4::read(file, path)?;
            let text = format!("{}: {}\n{}", path.display(), found.name, found.findings.text());
            let json = json!({"file": path, "kind": found.name, "video": found.findings.json()});
            format.print(text, &json)?;
            found.findings
        }
        _ => stream(options, path, format)?,
    };
    if findings.pictures() == 0 {
        return Err(Failure::new(
            format!("{} has no picture in it that can be decoded", path.display()),
            "check that the file is not cut off: a key picture and its parameter sets must be in it",
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn stream(options: &Probe, path: &Path, format: Format) -> Result<Findings, Failure> {
    let limits = Limits::default();
    let mut input = Input::open(path, options.sdp.as_deref(), &limits)?;
    let progress = Progress::bytes(input.length(), "reading");
    let mut findings = Findings::default();
    let read = loop {
        match input.next_group() {
            Ok(None) => break Ok(()),
            Err(failure) => break Err(failure),
            Ok(Some(group)) => {
                for sample in group.samples {
                    let key = sample.unit.random_access.is_some_and(|r| r.starts_gop());
                    findings.picture(sample.pts.0, sample.unit.data.len() as u64, key);
                    if let Some(video) = sample.unit.parameters.and_then(|sets| sets.format()) {
                        findings.format = Some(video);
                    }
                }
            }
        }
        progress.at(input.position());
    };
    progress.done();
    if findings.pictures() > 0 {
        let quirks = input.quirks();
        let mut text = format!("{}: {}\n{}", path.display(), input.kind().name(), findings.text());
        if input.lost() > 0 {
            let _ = writeln!(text, "lost          {}", count(input.lost(), "RTP packet"));
        }
        text += &explain::quirk_lines(&quirks);
        let json = json!({
            "file": path, "kind": input.kind().name(), "video": findings.json(), "lost_packets": input.lost(),
            "quirks": explain::quirks(&quirks),
        });
        format.print(text, &json)?;
    }
    // A file that is cut off is told of what is before the cut, and is an error all the same.
    read.map(|()| findings)
}
