//! `vigie probe`.

mod camera;
mod file;
mod findings;

use std::path::Path;
use std::process::ExitCode;

use super::block_on;
use crate::args::Probe;
use crate::failure::Failure;
use crate::output::Format;

pub(super) fn run(options: &Probe, format: Format) -> Result<ExitCode, Failure> {
    // What has a scheme is an address, even one that is wrong; all else is a file.
    if options.input.contains("://") {
        block_on(camera::run(options, format))
    } else {
        file::run(options, Path::new(&options.input), format)
    }
}
