//! The keys of a configuration that hls4ml 1.3.0 knows, by where they stand.

/// Keys of a project's file beside `HLSConfig`. Only `IOType` and `Backend` matter.
pub(super) const PROJECT: [&str; 22] = [
    "Backend",
    "Board",
    "ClockPeriod",
    "ClockUncertainty",
    "HLSConfig",
    "IOType",
    "InputData",
    "InputShape",
    "InputShapes",
    "KerasH5",
    "KerasJson",
    "KerasModel",
    "OutputDir",
    "OutputPredictions",
    "OutputShapes",
    "Part",
    "ProjectDir",
    "ProjectName",
    "Stamp",
    "TraceOutput",
    "Version",
    "WriterConfig",
];

/// Keys of an HLSConfig.
pub(super) const HLS: [&str; 6] =
    ["Model", "LayerType", "LayerName", "Flows", "Optimizers", "SkipOptimizers"];

/// Keys of `Model`. Only `Precision` matters; `Strategy`, `Compression` and `BitExact` have values
/// that are refused.
pub(super) const MODEL: [&str; 15] = [
    "AllowDAFallback",
    "AllowV2Fallback",
    "BitExact",
    "BramFactor",
    "ChannelsLastConversion",
    "Compression",
    "ConvImplementation",
    "ParallelizationFactor",
    "PipelineInterval",
    "PipelineStyle",
    "Precision",
    "ReuseFactor",
    "Strategy",
    "TargetCycles",
    "TraceOutput",
];

/// Keys of a layer, in snake case: hls4ml takes `TableSize` for `table_size`.
pub(super) const LAYER: [&str; 23] = [
    // These change numbers, each in some classes of layers.
    "accum_t",
    "exp_table_size",
    "exp_table_t",
    "implementation",
    "inv_inp_t",
    "inv_table_size",
    "inv_table_t",
    "skip",
    "table_size",
    "table_t",
    // The pass `bit_exact` sets these anew.
    "bias_t",
    "param_t",
    "result_t",
    "scale_t",
    "weight_t",
    "precision",
    // How it is built, not what it computes, but for a value or two.
    "compression",
    "conv_implementation",
    "parallelization_factor",
    "reuse_factor",
    "strategy",
    "target_cycles",
    "trace",
];

/// hls4ml's `convert_to_snake_case`.
pub(super) fn snake(key: &str) -> String {
    let mut out = String::new();
    for (n, c) in key.chars().enumerate() {
        if n > 0 && c.is_ascii_uppercase() {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    while out.contains("__") {
        out = out.replace("__", "_");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snakes() {
        assert_eq!(snake("TableSize"), "table_size");
        assert_eq!(snake("exp_table_t"), "exp_table_t");
        assert_eq!(snake("Exp_Table_T"), "exp_table_t");
        assert_eq!(snake("DA"), "d_a");
    }
}
