//! What this process costs the machine, as Linux counts it.

use std::io;

fn odd(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// Seconds that its threads ran, in user and in kernel, to the nanosecond.
///
/// # Errors
/// Where `/proc` does not say.
pub fn cpu() -> io::Result<f64> {
    let mut nanos = 0.0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let schedule = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        let ran = schedule.split(' ').next().and_then(|n| n.parse::<f64>().ok());
        nanos += ran.ok_or_else(|| odd("no schedstat"))?;
    }
    Ok(nanos * 1e-9)
}

/// Bytes of memory that nobody else has: what a further camera needs more of.
///
/// # Errors
/// Where `/proc` does not say.
pub fn private() -> io::Result<f64> {
    let mut kib = 0.0;
    for line in std::fs::read_to_string("/proc/self/smaps_rollup")?.lines() {
        if let Some(rest) = line.strip_prefix("Private_Dirty:") {
            let number = rest.trim().trim_end_matches("kB").trim();
            kib += number.parse::<f64>().map_err(|_| odd("no smaps"))?;
        }
    }
    Ok(kib * 1024.0)
}
