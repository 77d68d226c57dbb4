//! Why a type cannot exist, or cannot hold a value.

use crate::FixedType;

/// A fixed-point type that cannot be built, or a conversion that the type refuses.
///
/// A value that does not *fit* is never an error: the type's overflow mode says what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TypeError {
    /// More than [`FixedType::MAX_WIDTH`] bits.
    #[error("width {width} is not supported: a type has 0 to {max} bits", max = FixedType::MAX_WIDTH)]
    Width {
        /// The width asked for, in bits; negative when a kif's parts sum to less than zero.
        width: i64,
    },
    /// Integer bits beyond ±[`FixedType::MAX_INTEGER`].
    #[error(
        "integer bits {integer} are not supported: I lies between -{max} and {max}, the sign bit counted",
        max = FixedType::MAX_INTEGER
    )]
    Integer {
        /// The `I` asked for, with the sign bit.
        integer: i64,
    },
    /// More saturation bits `N` than the type has bits.
    #[error(
        "saturation bits {bits} are not supported: N lies between 0 and the width, here {width}"
    )]
    SaturationBits {
        /// The `N` asked for.
        bits: u32,
        /// The width `W` of the type, in bits.
        width: u32,
    },
    /// NaN or an infinity, which has no fixed-point value.
    #[error("NaN and infinities have no fixed-point value; only finite numbers are converted")]
    NotFinite,
    /// An unsigned type with `WRAP_SM`, at which the C++ constructor exits.
    #[error(
        "ap_ufixed with {width} bits cannot overflow by WRAP_SM: the C++ type supports it for signed types only"
    )]
    UnsignedWrapSm {
        /// The width `W` of the type, in bits.
        width: u32,
    },
    /// A type without any bit, which the C++ headers do not support.
    #[error("a C++ fixed-point type of width 0 does not exist; the smallest width is 1")]
    ZeroWidth,
}
