//! Vectors made by the real software: the C++ headers that hls4ml ships, and HGQ's quantizer.
//!
//! `testvectors/ap_fixed/ORIGIN.md` says how they were made and describes the lines. Every code must be equal.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use bittrue_fixed::{Dialect, FixedType, Overflow, Rounding};

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors/ap_fixed").join(name);
    let file =
        std::fs::File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text
}

fn numbers(text: &str) -> Vec<i128> {
    text.split_whitespace().map(|number| number.parse().unwrap()).collect()
}

/// The first word of a line and the rest of it.
fn word(text: &str) -> (&str, &str) {
    text.trim_start().split_once(' ').unwrap()
}

/// The double whose bits are these hexadecimal digits, without trailing zeros.
fn double(digits: &str) -> f64 {
    f64::from_bits(u64::from_str_radix(&format!("{digits:0<16}"), 16).unwrap())
}

/// What a file of vectors exercised: the modes of each sign with N and the width.
#[derive(Default)]
struct Seen {
    values: usize,
    cases: BTreeSet<(bool, String, String, u32, u32)>,
}

impl Seen {
    fn add(&mut self, ty: &FixedType, values: usize) {
        assert!(values > 0, "{ty}: a line without values");
        self.values += values;
        let (rounding, overflow) = (ty.rounding.to_string(), ty.overflow.to_string());
        self.cases.insert((ty.signed, rounding, overflow, ty.saturation_bits, ty.width));
    }

    fn assert_has(&self, signed: bool, q: Rounding, o: Overflow, n: u32, width: u32) {
        let case = (signed, q.to_string(), o.to_string(), n, width);
        assert!(self.cases.contains(&case), "no vector for {case:?}");
    }
}

#[test]
fn the_cpp_headers_agree() {
    let mut seen = Seen::default();
    for line in read("cpp.txt.gz").lines() {
        let (input, output) = line.split_once(" = ").unwrap();
        let (kind, rest) = word(input);
        let (target, rest) = rest.split_once(' ').unwrap();
        let target: FixedType = target.parse().unwrap();
        let got: Vec<i128> = match kind {
            "double" => rest
                .split_whitespace()
                .map(|digits| target.convert_f64(double(digits), Dialect::ApFixed).unwrap())
                .collect(),
            "fixed" | "all" => {
                let (source, raws) = rest.split_once(' ').unwrap_or((rest, ""));
                let source: FixedType = source.parse().unwrap();
                let raws = match kind {
                    "all" => (source.raw_min()..=source.raw_max()).collect(),
                    _ => numbers(raws),
                };
                let convert =
                    |raw| target.convert(raw, source.fractional(), Dialect::ApFixed).unwrap();
                raws.into_iter().map(convert).collect()
            }
            _ => panic!("unknown kind of line: {line}"),
        };
        assert_eq!(got, numbers(output), "{line}");
        seen.add(&target, got.len());
    }
    for width in 1..=20 {
        for rounding in Rounding::ALL {
            for overflow in Overflow::ALL {
                let wraps = matches!(overflow, Overflow::Wrap | Overflow::WrapSm);
                for n in (0..=3.min(width)).filter(|n| wraps || matches!(n, 0 | 2)) {
                    seen.assert_has(true, rounding, overflow, n, width);
                    if overflow != Overflow::WrapSm {
                        seen.assert_has(false, rounding, overflow, n, width);
                    }
                }
            }
        }
    }
    assert!(seen.values > 100_000, "only {} values", seen.values);
}

#[test]
fn the_hgq_quantizer_agrees() {
    let mut seen = Seen::default();
    for line in read("hgq.txt.gz").lines() {
        let (input, output) = line.split_once(" = ").unwrap();
        let [target, fractional, first] = input.split(' ').collect::<Vec<_>>()[..] else {
            panic!("not a type, a fractional and a raw: {input}");
        };
        let target: FixedType = target.parse().unwrap();
        let (fractional, first): (i32, i128) =
            (fractional.parse().unwrap(), first.parse().unwrap());
        let expected = numbers(output);
        for (raw, &code) in (first..).zip(&expected) {
            let got = target.convert(raw, fractional, Dialect::Hgq);
            assert_eq!(got, Ok(code), "{target} from {raw} * 2^-{fractional}");
        }
        seen.add(&target, expected.len());
    }
    for width in 0..=7 {
        for rounding in Rounding::ALL {
            for overflow in Overflow::ALL {
                seen.assert_has(false, rounding, overflow, 0, width);
                seen.assert_has(true, rounding, overflow, 0, width);
            }
        }
    }
    assert!(seen.values > 100_000, "only {} values", seen.values);
}
