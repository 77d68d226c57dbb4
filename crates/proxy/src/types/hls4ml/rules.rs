//! Where hls4ml's C simulation leaves the proxy: a numbered rule for each way, where it is followed,
//! and which lint tells of it. `docs/firmware.md` has the table, written from this one.

/// One way in which the C simulation differs from the proxy that it is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirmwareRule {
    /// Its number, `M1` and so on; never reused.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What hls4ml does.
    pub what: &'static str,
    /// The file that follows it, from the top of the tree; it names the number.
    pub code: &'static str,
    /// The lints that tell of it before any event is run.
    pub lints: &'static [&'static str],
}

macro_rules! rules {
    ($($id:ident $name:literal, $code:literal, [$($lint:literal),*], $what:literal;)*) => {
        /// All rules by their number.
        pub const FIRMWARE_RULES: &[FirmwareRule] = &[$(FirmwareRule {
            id: stringify!($id),
            name: $name,
            what: $what,
            code: concat!("crates/", $code),
            lints: &[$($lint),*],
        }),*];
    };
}

rules! {
    M1 "table-precision", "csim/src/curves.rs", ["table-activation"],
        "Entries of the tables of sigmoid and tanh are cut to `fixed<18,8>`, 10 fractional bits, before the result is rounded";
    M2 "softmax-tables", "csim/src/softmax.rs", ["softmax"],
        "A softmax is computed from tables, in types that nothing derives from the model";
    M3 "max-pool-padding", "csim/src/pool.rs", ["same-pool"],
        "MaxPooling with padding `same` pads unsigned data with half of the range, which wins against smaller values";
    M4 "relu-max-value", "proxy/src/types/hls4ml/build.rs", ["relu-arguments"],
        "ReLU(max_value) is computed without its maximum";
    M5 "unsigned-wrap", "proxy/src/types/hls4ml/register.rs", ["unsigned-wrap"],
        "A layer in front of an unsigned quantizer that wraps, and could not be fused into it, loses its sign but keeps too few integer bits";
    M6 "symmetric-shrink", "proxy/src/types/hls4ml/produce.rs", ["symmetric-shrink"],
        "A symmetric quantizer that is wider than its input shrinks to it and then clips the lowest value";
    M7 "zero-bits", "proxy/src/types/hls4ml/fuse.rs", [],
        "A fused quantizer without bits becomes a type of one bit, and may give 0.5 instead of 0";
    M8 "symmetric-one-bit", "csim/src/node.rs", [],
        "SAT_SYM with a single signed bit gives -1 LSB for negative values, where HGQ gives 0";
    M9 "wrap-sm", "csim/src/node.rs", [],
        "WRAP_SM decides by the bit above the type before rounding, HGQ after it; one type for all elements is refused, and an unsigned type ends the simulation";
    M10 "table-index", "csim/src/curves.rs", [],
        "A table of HGQ's is addressed by the bits of an argument whose type hls4ml has made narrower than the table, and gives wrong entries";
    M11 "float32-ties", "csim/src/tensor.rs", [],
        "The events are quantised exactly, where HGQ adds 0.5 in float32, which rounds";
    M12 "float32-sums", "csim/src/sum.rs", [],
        "Sums are exact, where HGQ's float32 rounds beyond 24 bits; the leg `proxy` is exact too";
    M13 "leaky-product", "csim/src/node.rs", ["leaky-slope"],
        "LeakyReLU multiplies exactly by the float32 slope, where HGQ rounds the product to float32";
    M14 "consecutive-quantizers", "proxy/src/types/hls4ml/fuse.rs", ["consecutive-quantizers"],
        "Of two quantizers in a row only the last is left";
    M15 "constants-of-32-bits", "proxy/src/types/hls4ml/operations.rs", ["float-weights"],
        "Constants keep at most 32 fractional bits; what is below is cut off";
    M16 "input-of-24-bits", "proxy/src/types/hls4ml/fuse.rs", ["input-fan-out"],
        "An input whose quantizers could not be fused and round otherwise than TRN or RND is cut to 24 fractional bits first";
    M17 "assertion", "csim/src/tensor.rs", [],
        "The C++ aborts where it rounds to steps above all bits of what it rounds; the leg gives the value that is meant, which is 0";
    M18 "finer-than-input", "proxy/src/types/hls4ml/produce.rs", ["finer-than-input"],
        "A saturating quantizer finer than its input gets the input's steps, and its upper end comes down to one of them";
    M19 "short-accumulator", "csim/src/sum.rs", ["mixed-scale"],
        "An accumulator has too few fractional bits where neurons saturate that seemed coarse, and each product is cut";
    M20 "layer-name", "proxy/src/types/hls4ml/build.rs", ["layer-name"],
        "A layer called like an attribute of its class overwrites it, and the conversion fails";
    M21 "dilation", "proxy/src/types/hls4ml/build.rs", ["dilation"],
        "A convolution's dilation_rate is ignored";
    M22 "causal-stride", "proxy/src/types/hls4ml/build.rs", ["causal-stride"],
        "A causal convolution with a stride gets another number of zeros in front";
    M23 "not-finite", "csim/src/tensor.rs", [],
        "NaN becomes the largest value under saturation and 0 under wrapping, infinities 0 under wrapping";
    M24 "mixed-scale", "proxy/src/types/hls4ml/produce.rs", ["mixed-scale"],
        "A quantizer behind elements of different scales takes the largest width and the largest integer bits of all, and loses fractional bits, more with every time that it is derived";
    M25 "permute-flatten", "proxy/src/types/hls4ml/passes.rs", ["permute-flatten"],
        "A Permute in front of Flatten and Dense is taken out, and the rows of the kernel move to wrong places";
    M26 "relu-arguments", "proxy/src/types/hls4ml/build.rs", ["relu-arguments"],
        "ReLU's negative_slope and threshold are ignored";
    M27 "permute-second-reader", "proxy/src/types/hls4ml/passes.rs", ["permute-flatten"],
        "A Permute that is taken out is missing for its other readers too";
    M28 "permute-quantizer", "proxy/src/types/hls4ml/passes.rs", ["permute-flatten"],
        "A quantizer between Permute, Flatten and Dense is taken out with the Permute";
    M29 "unsigned-comparison", "model/src/firmware.rs", [],
        "Maximum and Minimum of a signed and an unsigned tensor compare as unsigned numbers where the unsigned one is not narrower and one of them has 32 bits or more, both on the finer grid: a negative value is above all others";
}

/// The table of the rules for `docs/firmware.md`.
pub fn firmware_rules_markdown() -> String {
    let mut text = "| rule | hls4ml | lint |\n|---|---|---|\n".to_owned();
    for FirmwareRule { id, name, what, lints, .. } in FIRMWARE_RULES {
        let lints: Vec<String> = lints.iter().map(|l| format!("[`{l}`](lint.md#{l})")).collect();
        text.push_str(&format!("| {id} `{name}` | {what}. | {} |\n", lints.join(", ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::lint::code;

    #[test]
    fn numbers_names_and_lints() {
        for (n, rule) in FIRMWARE_RULES.iter().enumerate() {
            assert_eq!(rule.id, format!("M{}", n + 1));
            assert!(
                rule.name.bytes().all(|b| b.is_ascii_lowercase() || b"-0123456789".contains(&b))
            );
            let others = FIRMWARE_RULES.iter().filter(|other| other.name == rule.name);
            assert_eq!(others.count(), 1, "{}", rule.name);
            assert!(rule.lints.iter().all(|l| code(l).is_some()), "{}", rule.id);
        }
    }

    /// The file that follows a rule names its number, so that both are found from each other.
    #[test]
    fn the_code_names_its_rules() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for FirmwareRule { id, code, .. } in FIRMWARE_RULES {
            let text = std::fs::read_to_string(top.join(code)).expect(code);
            let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
            assert!(words.any(|word| word == *id), "{code} does not name {id}");
        }
    }

    /// `BITTRUE_UPDATE=1 cargo test -p bittrue-proxy` writes the table again.
    #[test]
    fn the_page_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/firmware.md");
        let page = std::fs::read_to_string(path).expect("docs/firmware.md");
        let (head, rest) = page.split_once("<!-- rules -->\n").expect("a place for the table");
        let (_, tail) = rest.split_once("<!-- end -->").expect("its end");
        let table = firmware_rules_markdown();
        let expected = format!("{head}<!-- rules -->\n{table}<!-- end -->{tail}");
        if std::env::var_os("BITTRUE_UPDATE").is_some() {
            std::fs::write(path, &expected).expect("written");
            return;
        }
        assert_eq!(page, expected, "the table is generated: see this test");
    }
}
