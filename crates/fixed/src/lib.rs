//! Fixed-point types of level-1 triggers, and the exact conversion between them.
//!
//! A *raw* is the integer that the hardware holds; its value is `raw · 2^-f`, with `f` the number of
//! fractional bits. This crate owns the types that say what a raw means ([`FixedType`], [`Kif`],
//! [`QInterval`]) and the one lossy operation of fixed-point arithmetic: rounding a value onto a
//! coarser grid ([`Rounding`]) and reducing it to a width ([`Overflow`]).
//!
//! # The sign bit
//!
//! **`ap_fixed<W,I>` counts the sign bit inside `I`; `kif` does not.** For a signed type
//! `I = k + i = 1 + i`, so `ap_fixed<8,4>` and `kif = (1, 3, 4)` are the same set of numbers. Both
//! spellings are common in the field, and the off-by-one between them is the most usual mistake when
//! formats are carried over by hand.
//!
//! ```
//! use bittrue_fixed::{FixedType, Kif, Overflow, Rounding};
//!
//! let from_text: FixedType = "ap_fixed<8,4,RND_CONV,SAT>".parse()?;
//! let kif = Kif { keep_negative: true, integer: 3, fractional: 4 };
//! let from_kif = FixedType::from_kif(kif, Rounding::RndConv, Overflow::Sat)?;
//! assert_eq!(from_text, from_kif);
//! assert_eq!((from_text.integer, from_text.kif().integer), (4, 3));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Two dialects
//!
//! Two pieces of software give the same type two meanings in a few corners: the C++ `ap_types` headers
//! that hls4ml 1.3.0 ships, and the quantizer formula of HGQ 0.2.6. [`Dialect`] lists the differences
//! and names the one that is meant; there is no default.
//!
//! All arithmetic here is on integers and exact. HGQ evaluates its formula in float32, which agrees with
//! [`Dialect::Hgq`] only while every intermediate is exact; the float32 evaluation is not in this crate.
#![forbid(unsafe_code)]

mod convert;
mod error;
mod fixed_type;
mod float;
mod interval;
mod kif;
mod modes;
mod text;

pub use error::TypeError;
pub use fixed_type::FixedType;
pub use float::exact_raw_f64;
pub use interval::{IntervalError, QInterval};
pub use kif::Kif;
pub use modes::{Dialect, Overflow, ParseModeError, Rounding};
pub use text::{ParseTypeError, ParseTypeErrorKind};
