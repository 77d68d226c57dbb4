//! The names of the flags that an element can carry.

/// Flag names in the order of their bits: the index in [`LayerCounts::flags`] and the bit in a
/// trace's `/flags/<name>`.
///
/// [`LayerCounts::flags`]: crate::LayerCounts::flags
///
/// | flag | meaning | band |
/// |---|---|---|
/// | `float32-ste` | the straight-through artefact of a quantizer changed the value | no |
/// | `float32-sum` | a sum beyond 24 bits: TensorFlow's value depends on the order | yes |
/// | `function-band` | a function known within the measured band of the real kernel | yes |
/// | `not-finite` | NaN or infinity | no |
/// | `denormal` | a denormal that TensorFlow flushes or keeps | yes |
/// | `position-dependent` | TensorFlow's vector body and scalar tail differ here | yes |
/// | `wide` | the value needs more than 53 bits | no |
/// | `recorded-digits` | a recorded number has too few digits to tell which code it was | yes |
///
/// A later version may add names; none is ever renamed.
pub const FLAG_NAMES: [&str; 8] = [
    "float32-ste",
    "float32-sum",
    "function-band",
    "not-finite",
    "denormal",
    "position-dependent",
    "wide",
    "recorded-digits",
];

#[cfg(test)]
mod tests {
    use bittrue_block::Flag;

    use super::*;

    #[test]
    fn names_and_bits_are_those_of_the_engine() {
        assert_eq!(FLAG_NAMES.to_vec(), Flag::ALL.map(Flag::name).to_vec());
        for (bit, flag) in Flag::ALL.into_iter().enumerate() {
            assert_eq!(flag as u16, 1 << bit, "{}", flag.name());
        }
    }
}
