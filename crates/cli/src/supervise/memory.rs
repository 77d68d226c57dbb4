//! The limit of writable memory.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Most memory that reading may add, so that a file of some kilobytes cannot fill the machine.
const MAX_MEMORY: u64 = 1536 << 20;

/// Allows that much more than is used now, and gives the limit as it was.
pub(super) fn limit() -> Option<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_DATA).ok()?;
    let used = used()?;
    setrlimit(Resource::RLIMIT_DATA, soft.min(used.saturating_add(MAX_MEMORY)), hard).ok()?;
    Some(soft)
}

/// Sets the limit as it was.
pub(super) fn restore(limit: Option<u64>) {
    if let (Some(soft), Ok((_, hard))) = (limit, getrlimit(Resource::RLIMIT_DATA)) {
        // Lowering and raising a soft limit is always allowed.
        let _ = setrlimit(Resource::RLIMIT_DATA, soft, hard);
    }
}

/// Bytes of writable memory of this process.
fn used() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmData:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}
