//! What is known of an element beyond its value.

/// One reason why an element is special. The names are part of the trace format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum Flag {
    /// The straight-through artefact of a quantizer changed the value (informative, no band).
    Float32Ste = 1,
    /// A float32 sum that needs more than 24 bits: TensorFlow's value depends on the order.
    Float32Sum = 2,
    /// A transcendental function, known within the measured band of the real kernel.
    FunctionBand = 4,
    /// NaN or infinity.
    NotFinite = 8,
    /// A denormal that TensorFlow flushes or keeps, depending on the kernel.
    Denormal = 16,
    /// SIMD body and scalar tail of TensorFlow differ here.
    PositionDependent = 32,
    /// The value needs more than 53 bits.
    Wide = 64,
    /// A recorded number has too few digits to tell which code it was.
    RecordedDigits = 128,
}

impl Flag {
    /// Every flag, in the order of its bit.
    pub const ALL: [Self; 8] = [
        Self::Float32Ste,
        Self::Float32Sum,
        Self::FunctionBand,
        Self::NotFinite,
        Self::Denormal,
        Self::PositionDependent,
        Self::Wide,
        Self::RecordedDigits,
    ];

    /// The name used in traces and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float32Ste => "float32-ste",
            Self::Float32Sum => "float32-sum",
            Self::FunctionBand => "function-band",
            Self::NotFinite => "not-finite",
            Self::Denormal => "denormal",
            Self::PositionDependent => "position-dependent",
            Self::Wide => "wide",
            Self::RecordedDigits => "recorded-digits",
        }
    }
}

/// A set of flags, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(pub u16);

impl Flags {
    /// No flag.
    pub const NONE: Self = Self(0);

    /// Whether `flag` is set.
    pub fn has(self, flag: Flag) -> bool {
        self.0 & flag as u16 != 0
    }

    /// This set and `flag`.
    #[must_use]
    pub fn with(self, flag: Flag) -> Self {
        Self(self.0 | flag as u16)
    }

    /// This set without `flag`.
    #[must_use]
    pub fn without(self, flag: Flag) -> Self {
        Self(self.0 & !(flag as u16))
    }

    /// Both sets together.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether no flag is set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl From<Flag> for Flags {
    fn from(flag: Flag) -> Self {
        Self(flag as u16)
    }
}
