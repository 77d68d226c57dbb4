//! Two processes: one that works, and one that can still speak when the first one cannot.
//!
//! Beneath everything that reads HDF5 is a C library that is not made for hostile files: one changed
//! byte in a file's internal tables can crash it, or keep it busy for ever. So the program starts
//! itself once more, and the second process does all the work. It says which file it reads, and how
//! long a call of the library has been under way; the first process waits, and makes of a crash or an
//! endless loop a message with the documented exit code.
//!
//! | file | one idea |
//! |---|---|
//! | `parent` | starting the second process and waiting for it |
//! | `worker` | what the second process says |
//! | `clock`, `memory` | the time and the memory that reading may take (on Linux) |
//! | `state` | what the first one has heard |

#[cfg(target_os = "linux")]
mod clock;
#[cfg(target_os = "linux")]
mod memory;
mod parent;
mod state;
mod worker;

pub(crate) use parent::supervise;
