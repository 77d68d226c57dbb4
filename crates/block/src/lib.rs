//! The two shapes in which event data exists.
//!
//! * [`EventBlock`]: as read from a file, event-major (`[event, element]`), in the file's own
//!   dtype;
//! * [`LaneBlock`]: as computed with, element-major (`[element, event]`: events innermost, so that
//!   one kernel serves every event of a block with the same weight), in integers with a common
//!   number of fractional bits or in reals with an uncertainty band.
#![forbid(unsafe_code)]

mod event;
mod flags;
mod lane;

pub use event::{EventBlock, EventData, InputEvents};
pub use flags::{Flag, Flags};
pub use lane::{Band, LaneBlock, LaneInt, Lanes, RealLanes, Storage};
