//! Softmax by tables (M2).

use bittrue_fixed::{Dialect, FixedType, Overflow, Rounding};
use bittrue_model::{FirmwareSoftmax, SoftmaxForm};

use crate::Tensor;
use crate::curves::exp;
use crate::tensor::convert;

/// The two tables.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    exponentials: Vec<i128>,
    inverses: Vec<i128>,
    /// The type whose highest bits address the exponentials.
    address: FixedType,
}

impl Tables {
    pub(crate) fn new(s: &FirmwareSoftmax) -> Self {
        let address = match s.form {
            SoftmaxForm::Stable => differences(s.argument),
            _ => s.argument,
        };
        match s.form {
            SoftmaxForm::Stable | SoftmaxForm::Latency => {
                let negative = s.form == SoftmaxForm::Stable;
                let of = |i: u64| {
                    let x = value_of_top(&address, s.exp_size, i);
                    exp(if negative { -x } else { x })
                };
                let inverse = |i: u64| 1.0 / value_of_top(&s.inv_inp, s.inv_size, i);
                Self {
                    exponentials: (0..s.exp_size).map(|i| entry(&s.exp_table, of(i))).collect(),
                    inverses: (0..s.inv_size).map(|i| entry(&s.inv_table, inverse(i))).collect(),
                    address,
                }
            }
            SoftmaxForm::Legacy => {
                let n = s.exp_size as f32;
                let of = |i: u64| {
                    let x = 16.0 * f64::from(i as f32 - (f64::from(n) / 2.0) as f32) / f64::from(n);
                    exp(x as f32)
                };
                let inverse = |i: u64| {
                    let x = (64.0 * i as f64 / f64::from(s.inv_size as f32)) as f32;
                    if x > 0.0 { 1.0 / f64::from(x) } else { 0.0 }
                };
                let double = |x: f64| s.table.convert_f64(x, Dialect::ApFixed).unwrap_or(0);
                Self {
                    exponentials: (0..s.exp_size).map(|i| entry(&s.table, of(i))).collect(),
                    inverses: (0..s.inv_size).map(|i| double(inverse(i))).collect(),
                    address,
                }
            }
            SoftmaxForm::Argmax => Self { exponentials: vec![], inverses: vec![], address },
        }
    }
}

/// The type of differences to the largest argument: never negative.
fn differences(argument: FixedType) -> FixedType {
    FixedType {
        signed: false,
        width: argument.width - u32::from(argument.signed),
        integer: argument.integer - i32::from(argument.signed),
        rounding: Rounding::Trn,
        overflow: Overflow::Wrap,
        saturation_bits: 0,
    }
}

/// Address bits of a table.
fn bits(size: u64) -> u32 {
    size.next_power_of_two().trailing_zeros()
}

/// The number whose highest bits are `i`, as a float.
fn value_of_top(t: &FixedType, size: u64, i: u64) -> f32 {
    let raw = i128::from(i) << t.width.saturating_sub(bits(size));
    let signed = if t.signed && raw > t.raw_max() { raw - (1 << t.width) } else { raw };
    t.value(signed) as f32
}

/// The highest bits of a number.
fn top(t: &FixedType, size: u64, raw: i128) -> usize {
    let mask = (1_i128 << t.width) - 1;
    ((raw & mask) >> t.width.saturating_sub(bits(size))) as usize
}

/// A float in a type; an infinity is a very large number there.
fn entry(t: &FixedType, x: f32) -> i128 {
    crate::input(t, x.into())
}

/// The exact result, before it is cast to the type of the node.
pub(crate) fn softmax(s: &FirmwareSoftmax, tables: &Tables, x: &Tensor) -> Tensor {
    let (lanes, elements) = (x.lanes, x.elements());
    let fractional = result_fractional(s);
    let mut raw = vec![0_i128; x.raw.len()];
    let starts = (0..elements).step_by(s.together.max(1));
    for (lane, start) in starts.flat_map(|start| (0..lanes).map(move |lane| (lane, start))) {
        let event: Vec<i128> = (start..(start + s.together).min(elements))
            .map(|e| convert(&s.argument, x.raw[e * lanes + lane], x.fractional))
            .collect();
        let result = match s.form {
            SoftmaxForm::Stable | SoftmaxForm::Latency => by_sum(s, tables, &event),
            SoftmaxForm::Legacy => by_differences(s, tables, &event),
            SoftmaxForm::Argmax => first_largest(&event),
        };
        for (e, v) in result.into_iter().enumerate() {
            raw[(start + e) * lanes + lane] = v;
        }
    }
    Tensor { raw, fractional, lanes }
}

/// Fractional bits of the exact result.
pub(crate) fn result_fractional(s: &FirmwareSoftmax) -> i32 {
    match s.form {
        SoftmaxForm::Stable | SoftmaxForm::Latency => {
            s.accum.fractional() + s.inv_table.fractional()
        }
        SoftmaxForm::Legacy => s.table.fractional(),
        SoftmaxForm::Argmax => 0,
    }
}

fn by_sum(s: &FirmwareSoftmax, tables: &Tables, event: &[i128]) -> Vec<i128> {
    let largest = event.iter().copied().max().unwrap_or(0);
    let exponentials: Vec<i128> = event
        .iter()
        .map(|&v| {
            let address = match s.form {
                SoftmaxForm::Stable => {
                    convert(&tables.address, largest - v, s.argument.fractional())
                }
                _ => v,
            };
            let at = top(&tables.address, tables.exponentials.len() as u64, address);
            convert(&s.accum, tables.exponentials[at], s.exp_table.fractional())
        })
        .collect();
    let sum = tree(&exponentials, &s.accum);
    let sum = convert(&s.inv_inp, sum, s.accum.fractional());
    let inverse = tables.inverses[top(&s.inv_inp, tables.inverses.len() as u64, sum)];
    exponentials.into_iter().map(|e| e * inverse).collect()
}

/// A balanced tree of additions, each in the accumulator.
fn tree(x: &[i128], accum: &FixedType) -> i128 {
    match x {
        [] => 0,
        [one] => *one,
        _ => {
            let left = 1 << (x.len() - 1).ilog2();
            let (a, b) = x.split_at(left);
            convert(accum, tree(a, accum) + tree(b, accum), accum.fractional())
        }
    }
}

fn by_differences(s: &FirmwareSoftmax, tables: &Tables, event: &[i128]) -> Vec<i128> {
    let size = tables.exponentials.len() as i128;
    let grid = |raw: i128, f: i32| crate::tensor::up_shift(raw, f);
    let (f, table_f) = (s.argument.fractional(), s.table.fractional());
    let unit = |f: i32| 1_i128 << f.clamp(0, 126);
    event
        .iter()
        .enumerate()
        .map(|(i, &a)| {
            let mut sum = 0;
            for (j, &b) in event.iter().enumerate() {
                let one = if i == j {
                    convert(&s.table, 1, 0)
                } else {
                    let scaled = (b - a) * size / 16;
                    let rounded = if f >= 0 { scaled / unit(f) } else { grid(scaled, -f) };
                    let index = rounded + size / 2;
                    tables.exponentials[index.clamp(0, size - 1) as usize]
                };
                sum = convert(&s.table, sum + one, table_f);
            }
            let entries = tables.inverses.len() as i128;
            let index = sum * entries / 64 / unit(table_f);
            tables.inverses[index.clamp(0, entries - 1) as usize]
        })
        .collect()
}

fn first_largest(event: &[i128]) -> Vec<i128> {
    let largest = event.iter().copied().max().unwrap_or(0);
    let at = event.iter().position(|&v| v == largest).unwrap_or(0);
    (0..event.len()).map(|e| i128::from(e == at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(text: &str) -> FixedType {
        text.parse().expect(text)
    }

    fn of(form: SoftmaxForm) -> FirmwareSoftmax {
        let rounded = ty("ap_fixed<18,8,RND,SAT>");
        FirmwareSoftmax {
            together: 16,
            form,
            argument: ty("ap_fixed<8,4>"),
            accum: ty("ap_fixed<18,8>"),
            exp_table: rounded,
            inv_inp: rounded,
            inv_table: rounded,
            table: ty("ap_fixed<18,8>"),
            exp_size: if form == SoftmaxForm::Stable { 128 } else { 256 },
            inv_size: 256,
        }
    }

    fn run(form: SoftmaxForm, x: &[i128]) -> Vec<f64> {
        let s = of(form);
        let tables = Tables::new(&s);
        let y = softmax(&s, &tables, &Tensor { raw: x.to_vec(), fractional: 4, lanes: 1 });
        y.raw.iter().map(|&v| v as f64 / 2f64.powi(y.fractional)).collect()
    }

    /// With 256 entries over 18 bits the sum is cut to whole numbers.
    #[test]
    fn the_stable_form_cuts_its_sum() {
        let y = run(SoftmaxForm::Stable, &[16, 16, 0]);
        // 1, 1 and exp(−1) = 377/1024: the sum 2.37 is read as 2.
        assert_eq!(y, [0.5, 0.5, 377.0 / 2048.0]);
    }

    #[test]
    fn the_first_largest() {
        assert_eq!(run(SoftmaxForm::Argmax, &[3, 9, 9]), [0.0, 1.0, 0.0]);
    }

    #[test]
    fn sums_of_differences() {
        // exp(0) twice is 2, which is entry 8 of the inverses.
        let y = run(SoftmaxForm::Legacy, &[16, 16]);
        assert_eq!(y, [0.5, 0.5]);
    }

    #[test]
    fn sums_are_a_tree() {
        let accum = ty("ap_fixed<4,4,TRN,SAT>");
        // (5 + 5 → 7) + (−5 + 2) and not 5 + 5 − 5 + 2.
        assert_eq!(tree(&[5, 5, -5, 2], &accum), 4);
        assert_eq!(tree(&[1, 2, 3], &ty("ap_fixed<8,8>")), 6);
    }
}
