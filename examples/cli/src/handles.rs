//! How many files and sockets the process may have open.

/// Raises what the process may have open to what the system allows it. 1 024 is usual at first, for programs that cannot count
/// further; a camera that is recorded takes four.
#[cfg(unix)]
pub fn raise() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })
    {
        tracing::warn!(%error, "no more than {:?} files and sockets can be open", limit.current);
    }
}

/// Other systems have no such limit.
#[cfg(not(unix))]
pub fn raise() {}
