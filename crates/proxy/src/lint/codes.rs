//! The codes: the only place where one is named, explained and given a remedy.

use std::fmt;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// HGQ or hls4ml refuses the model, or the C++ does not compile.
    Refused,
    /// The firmware computes something else than the model.
    Differs,
    /// The firmware is right, but its types are wide.
    Wide,
    /// Good to know.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Refused => "refused",
            Self::Differs => "differs",
            Self::Wide => "wide",
            Self::Note => "note",
        })
    }
}

/// A kind of finding. Codes are never renamed.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// Its name, as in `--deny`.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is found.
    pub title: &'static str,
    /// What happens.
    pub consequence: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

macro_rules! codes {
    ($($constant:ident: $name:literal, $severity:ident, $title:literal, $consequence:literal, $remedy:literal;)*) => {
        $(pub(super) static $constant: Code = Code {
            name: $name,
            severity: Severity::$severity,
            title: $title,
            consequence: $consequence,
            remedy: $remedy,
        };)*
        /// All codes, as documented in `docs/lint.md`.
        pub static CODES: &[&Code] = &[$(&$constant),*];
    };
}

codes! {
    HGQ_REFUSES: "hgq-refuses", Refused,
        "HGQ cannot convert the model",
        "There is no proxy, so nothing goes to hls4ml.",
        "The message says what to change.";
    RANDOM_KERNELS: "random-kernels", Differs,
        "A QSeparableConv: HGQ copies its bias only",
        "The depthwise and pointwise kernels of the proxy are fresh random numbers, different in every conversion.",
        "Use QConv layers, or check the proxy that goes to the FPGA with --proxy.";
    RAW_INPUT: "raw-input", Refused,
        "No quantizer directly behind an input",
        "HGQ builds the proxy, in float32; hls4ml refuses it (unexpected input layer chain).",
        "Put a QActivation(quantized_bits(<bits>, <integer>, alpha=1)) directly behind the input; `verify --input-type auto` finds the bits that the events need.";
    IGNORED_ATTRIBUTE: "ignored-attribute", Differs,
        "An argument of a quantizer that HGQ ignores",
        "The proxy computes another function: use_sigmoid, negative_slope and qnoise_factor have no place in it.",
        "Leave the argument at its default and retrain; a slope can be a LeakyReLU layer in front of quantized_bits.";
    UNUSED_ARGUMENT: "unused-argument", Note,
        "An argument of a quantizer that has no effect",
        "relu_upper_bound is lost when the model is saved, and HGQ does not read it; stochastic rounding only matters while training.",
        "Choose the integer bits so that the range of the quantizer is the bound.";
    SYMMETRIC_SATURATES: "symmetric-saturates", Note,
        "A symmetric quantizer in a proxy that wraps",
        "HGQ gives it SAT_SYM although aggressive=True: it saturates, which costs logic.",
        "Leave symmetric=1 out where the quantizer should wrap.";
    ONE_BIT: "one-bit", Differs,
        "A signed quantized_bits of 1 bit",
        "QKeras gives -1 and +1, the proxy -1 and 0.",
        "Use 2 bits, or keep_negative=False.";
    NESTED_OUTPUT: "nested-output", Differs,
        "A nested model with several outputs",
        "HGQ ignores which output is meant: every reader gets the first.",
        "Split the nested model into one model for each output.";
    NARROWED_QUANTIZER: "narrowed-quantizer", Differs,
        "A quantizer of a proxy file that is narrower than the model's",
        "HGQ narrows quantizers when it makes tables or registers precisions; where one saturates, values change.",
        "Convert with skip_precision_reg=True, or give the quantizer no more bits than it needs.";
    FLOAT_WEIGHTS: "float-weights", Wide,
        "Weights or a bias without a quantizer",
        "The numbers are copied as they are, float32: types of up to 32 fractional bits, multipliers and sums to match.",
        "Give the layer a kernel_quantizer and a bias_quantizer, such as quantized_bits(6, 0, alpha=1).";
    ALPHA_WIDE: "alpha-wide", Wide,
        "A scale (alpha) that makes quantised weights wider than their quantizer",
        "HGQ multiplies the scales into the weights. One type holds them all, so scales that are no power of two, or differ by channel, cost bits.",
        "Use alpha=1, or the same power of two for all channels.";
    ALPHA_AUTO: "alpha-auto", Differs,
        "alpha='auto' on a kernel",
        "HGQ evaluates the quantizer outside of predict, where TensorFlow rounds the scale otherwise: single weights may be one step away from those of the model.",
        "Use alpha='auto_po2' or alpha=1 on kernels.";
    MISSING_QUANTIZER: "missing-quantizer", Wide,
        "A result that is multiplied again without a quantizer in between",
        "Nothing limits its bits: the exact sum goes into the next layer, whose sum is wider still.",
        "Put a QActivation(quantized_bits(…, alpha=1)) or an activation quantizer between the two layers.";
    WIDE_TYPE: "wide-type", Wide,
        "A type of more than 64 bits",
        "HGQ refuses to register it (huge bitwidth), and firmware with it is hardly possible.",
        "Quantise weights, biases and what stands in front of the layer.";
    MIXED_SCALE: "mixed-scale", Differs,
        "A wide quantizer behind values of different scales",
        "hls4ml takes the largest width and the largest number of integer bits of all elements, not of one: fractional bits are lost.",
        "Give the quantizer no more fractional bits than every element has, or bring the scales of the neurons together.";
    CONSECUTIVE_QUANTIZERS: "consecutive-quantizers", Differs,
        "Two quantizers in a row",
        "hls4ml keeps the last one only.",
        "Remove one of them; to round twice, put a layer between them.";
    FINER_THAN_INPUT: "finer-than-input", Differs,
        "A saturating quantizer with finer steps than what it is given",
        "hls4ml removes the steps that are never used, and with them the end of the range: values that saturate come out one coarse step lower than in the proxy.",
        "Give the quantizer the fractional bits of what is in front of it, or more integer bits so that nothing saturates.";
    SYMMETRIC_SHRINK: "symmetric-shrink", Differs,
        "A symmetric quantizer that is wider than what it is given",
        "hls4ml takes the integer bits away that are never used and then clips the lowest value of the narrower range.",
        "Leave symmetric=1 out, or give the quantizer the integer bits of what is in front of it.";
    UNSIGNED_WRAP: "unsigned-wrap", Differs,
        "Several unsigned quantizers of the same values, of which one wraps",
        "hls4ml stores the values without sign but with too few bits: negative ones come out wrong.",
        "Use aggressive=False, or keep_negative=True, or a quantized_relu.";
    INPUT_FAN_OUT: "input-fan-out", Note,
        "An input with several quantizers",
        "They cannot be merged into the input: hls4ml reads the events with at most 24 fractional bits and cuts the rest before it rounds.",
        "Put one quantizer behind the input and let all layers read that.";
    QUANTIZER_IN_KERAS: "quantizer-in-keras-layer", Refused,
        "A Keras layer whose activation is a quantizer",
        "HGQ keeps the layer as it is and makes no quantizer of it; hls4ml refuses an Activation and silently skips the quantizer of a Dense or Conv layer.",
        "Use a QActivation, or the layer of QKeras with this activation.";
    LAYER_NAME: "layer-name", Refused,
        "A layer that is called like an attribute of hls4ml",
        "hls4ml stores the output under the name of the layer and overwrites the attribute: TypeError or AttributeError.",
        "Rename the layer.";
    PERMUTE_FLATTEN: "permute-flatten", Differs,
        "A Permute in front of a Flatten and a dense layer",
        "hls4ml removes the Permute and moves the rows of the dense layer instead, to wrong places except for dims (2, 1) and (3, 1, 2); a quantizer on the way or another reader of the Permute is lost or fed the unpermuted values.",
        "Permute the data before the network, or the rows of the dense layer in the model.";
    SOFTMAX: "softmax", Differs,
        "A softmax",
        "hls4ml computes it from tables whose types and sizes are its own defaults, and with the model's default precision: far from Keras unless they are set.",
        "Leave it out where only the largest output counts (argmax); else set table types, sizes and precision of this layer in the hls4ml configuration.";
    SOFTMAX_LAYER: "softmax-layer", Refused,
        "A Softmax layer of Keras",
        "hls4ml converts it, but the C++ does not compile.",
        "Use Activation('softmax').";
    TABLE: "table-activation", Differs,
        "A sigmoid, tanh or ELU",
        "hls4ml reads it from a table of 1024 entries with 10 fractional bits, and rounds what the table has cut: values on a tie go the wrong way.",
        "Set table_t and table_size of this layer in the hls4ml configuration, or convert with unary_lut_max_table_size.";
    RELU_ARGUMENTS: "relu-arguments", Differs,
        "max_value, negative_slope or threshold of a ReLU layer",
        "hls4ml ignores them: it computes max(x, 0).",
        "Use quantized_relu with integer bits for max_value, and LeakyReLU for a slope.";
    LEAKY_SLOPE: "leaky-slope", Differs,
        "A LeakyReLU whose slope is no short binary fraction",
        "hls4ml multiplies exactly, Keras rounds the product to float32: values on a tie of the next quantizer may go the other way.",
        "Use a slope such as 0.25 or 0.125.";
    MERGE_ARGUMENTS: "merge-arguments", Refused,
        "A merge or Concatenate of more than two tensors",
        "hls4ml refuses it (merging more than two tensors).",
        "Merge two at a time.";
    CONCATENATE_AXIS: "concatenate-axis", Refused,
        "A Concatenate with a positive axis",
        "hls4ml counts the axis without the batch and fails.",
        "Write the axis from the end, such as axis=-1.";
    GLOBAL_POOL: "global-pool", Refused,
        "A global pooling of two spatial axes",
        "hls4ml fails in its shape arithmetic (axis remapping).",
        "Use MaxPooling2D or AveragePooling2D over the whole map, and Flatten.";
    NO_PRECISION: "no-precision-rule", Refused,
        "A layer that hls4ml has no precision rule for",
        "Its derivation of types raises NotImplementedError (produce_kif).",
        "Let the layer before it pad (padding='same'), or leave it out.";
    SAME_POOL: "same-pool", Differs,
        "A max pooling with padding 'same' of values without sign",
        "hls4ml pads with half of the range, which wins against smaller values at the edges.",
        "Use padding='valid'.";
    DILATION: "dilation", Differs,
        "A convolution with a dilation",
        "hls4ml ignores it: with 'same' or 'causal' it computes the convolution without, with 'valid' it fails in a later layer.",
        "Use a larger kernel with zeros, or a stride.";
    CAUSAL_STRIDE: "causal-stride", Differs,
        "A causal convolution with a stride",
        "hls4ml pads another number of zeros in front than Keras.",
        "Pad the data before the network and use padding='valid'.";
    GROUPS: "groups", Refused,
        "A convolution of groups, or with a depth multiplier",
        "hls4ml fails (could not broadcast).",
        "Split the layer into one convolution for each group.";
    ONLY_QUANTIZERS: "only-quantizers", Refused,
        "A model of quantizers only",
        "The C++ of hls4ml does not compile.",
        "Add the layer that the model is for.";
}

/// The code of a name.
pub fn code(name: &str) -> Option<&'static Code> {
    CODES.iter().copied().find(|c| c.name == name)
}

/// `docs/lint.md`.
pub fn markdown() -> String {
    let mut text = "\
# Lint codes

What HGQ 0.2.6 and hls4ml 1.3.0 do with a model without a word. `verify lint --model m.h5` looks for
all of these before any event is run; `verify` itself puts them (but for the notes) at the top of its
report. `--deny CODE` makes a code fatal (exit code 4), `--deny all` every one that is no note.

This page is generated from `crates/proxy/src/lint/codes.rs`.

| severity | meaning |
|---|---|
| refused | HGQ or hls4ml refuses the model, or the C++ does not compile |
| differs | the firmware computes something else than the model |
| wide | the firmware is right, but its types are wide |
| note | good to know |
"
    .to_owned();
    for Code { name, severity, title, consequence, remedy } in CODES {
        text.push_str(&format!(
            "\n## `{name}`\n\n*{severity}* — {title}.\n\n{consequence}\n\n**Do:** {remedy}\n"
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_unique() {
        for (n, c) in CODES.iter().enumerate() {
            assert!(c.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", c.name);
            assert!(CODES[..n].iter().all(|other| other.name != c.name), "{}", c.name);
            assert!(c.remedy.ends_with('.') && c.consequence.ends_with('.'), "{}", c.name);
        }
        assert_eq!(code("raw-input").map(|c| c.severity), Some(Severity::Refused));
        assert_eq!(code("raw_input"), None);
    }

    /// `BITTRUE_UPDATE=1 cargo test -p bittrue-proxy` writes the page again.
    #[test]
    fn the_page_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/lint.md");
        if std::env::var_os("BITTRUE_UPDATE").is_some() {
            std::fs::write(path, markdown()).expect("written");
        }
        let page = std::fs::read_to_string(path).expect("docs/lint.md");
        assert_eq!(page, markdown(), "docs/lint.md is generated: see this test");
    }
}
