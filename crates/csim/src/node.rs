//! An operation with its tables, and how it is applied.

use bittrue_fixed::{Dialect, FixedType};
use bittrue_model::{Firmware, MergeKind, Raws};

use crate::curves::{curve, curve_table, elu, elu_table, lookup};
use crate::pool::pool;
use crate::reach::reach;
use crate::softmax::{Tables, result_fractional, softmax};
use crate::sum::sum;
use crate::tensor::{convert, up_shift};
use crate::{Tensor, input};

/// An operation of the C simulation, ready to be applied.
#[derive(Debug, Clone)]
pub struct Node {
    op: Firmware,
    table: Vec<i128>,
    softmax: Option<Tables>,
}

/// Tables follow from the operation.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.op == other.op
    }
}

impl Node {
    /// Makes the tables of an operation.
    ///
    /// # Errors
    ///
    /// A text that names a type that the C++ does not have.
    pub fn new(op: Firmware) -> Result<Self, String> {
        let exists = |t: &FixedType| {
            t.convert(0, 0, Dialect::ApFixed).map(|_| ()).map_err(|e| format!("{t}: {e}"))
        };
        match &op {
            Firmware::Input { target, .. } | Firmware::Cast(target) => exists(target)?,
            Firmware::CastEach(types) => types.iter().flatten().try_for_each(exists)?,
            _ => {}
        }
        let table = match &op {
            Firmware::Curve { tangent, size, table } => curve_table(*tangent, *size, table),
            Firmware::Elu { size, table, .. } => elu_table(*size, table),
            _ => Vec::new(),
        };
        let softmax = match &op {
            Firmware::Softmax(s) => Some(Tables::new(s)),
            _ => None,
        };
        Ok(Self { op, table, softmax })
    }

    /// The operation.
    pub fn op(&self) -> &Firmware {
        &self.op
    }

    /// Fractional bits of the result for arguments with these.
    pub fn fractional(&self, arguments: &[i32]) -> i32 {
        let x = arguments.first().copied().unwrap_or(0);
        match &self.op {
            Firmware::Input { target, .. } | Firmware::Cast(target) => target.fractional(),
            Firmware::CastEach(types) => each_fractional(types),
            Firmware::Sum(s) => s.accum.fractional(),
            Firmware::Pool(p) => p.accum.fractional(),
            Firmware::Affine { scale, bias } => (x + scale.fractional).max(bias.fractional),
            Firmware::Relu | Firmware::ThresholdedRelu(_) | Firmware::Copy(_) => x,
            Firmware::LeakyRelu(alpha) => x.max(x + alpha.fractional),
            Firmware::Curve { table, .. } => table.fractional(),
            Firmware::Elu { alpha, table, .. } => x.max(table.fractional() + alpha.fractional),
            Firmware::Softmax(s) => result_fractional(s),
            Firmware::Table { entries, .. } => entries.fractional,
            Firmware::Merge(kind) | Firmware::UnsignedExtreme(kind) => {
                let y = arguments.get(1).copied().unwrap_or(x);
                match kind {
                    MergeKind::Multiply => x + y,
                    MergeKind::Average => x.max(y) + 1,
                    _ => x.max(y),
                }
            }
            Firmware::Concatenate(_) => x.max(arguments.get(1).copied().unwrap_or(x)),
        }
    }

    /// The result for some events. An input has no arguments here: see [`input`].
    pub fn apply(&self, arguments: &[Tensor]) -> Tensor {
        let of: Vec<i32> = arguments.iter().map(|x| x.fractional).collect();
        let fractional = self.fractional(&of);
        let x = &arguments[0];
        match &self.op {
            Firmware::Input { target, .. } => x.map(fractional, |v| input(target, v as f64)),
            Firmware::Cast(t) => x.map(fractional, |v| convert(t, v, x.fractional)),
            Firmware::CastEach(types) => {
                let mut raw = Vec::with_capacity(x.raw.len());
                for (e, t) in types.iter().enumerate() {
                    raw.extend(x.lanes_of(e).iter().map(|&v| match t {
                        Some(t) => {
                            up_shift(convert(t, v, x.fractional), fractional - t.fractional())
                        }
                        None => 0,
                    }));
                }
                Tensor { raw, fractional, lanes: x.lanes }
            }
            Firmware::Sum(s) => sum(s, x),
            Firmware::Pool(p) => pool(p, x),
            Firmware::Affine { scale, bias } => affine(scale, bias, fractional, x),
            Firmware::Relu => x.map(fractional, |v| v.max(0)),
            Firmware::LeakyRelu(alpha) => x.map(fractional, |v| {
                let (y, f) = if v > 0 {
                    (v, x.fractional)
                } else {
                    (v * i128::from(alpha.raw[0]), x.fractional + alpha.fractional)
                };
                up_shift(y, fractional - f)
            }),
            Firmware::ThresholdedRelu(theta) => {
                let grid = x.fractional.max(theta.fractional);
                let theta = up_shift(theta.raw[0].into(), grid - theta.fractional);
                let above = |v| up_shift(v, grid - x.fractional) > theta;
                x.map(fractional, |v| if above(v) { v } else { 0 })
            }
            Firmware::Curve { tangent, .. } => curve(&self.table, *tangent, fractional, x),
            Firmware::Elu { alpha, table, .. } => {
                elu(&self.table, table.fractional(), (alpha.raw[0], alpha.fractional), x)
            }
            Firmware::Softmax(s) => match &self.softmax {
                Some(tables) => softmax(s, tables, x),
                None => x.clone(),
            },
            Firmware::Table { argument, entries } => lookup(argument, &entries.raw, fractional, x),
            Firmware::Merge(kind) => merge(*kind, fractional, x, &arguments[1]),
            Firmware::UnsignedExtreme(kind) => {
                let (a, b) = (x.finer(fractional), arguments[1].finer(fractional));
                let n = b.len().max(1);
                let of = |(at, &x): (usize, &i128)| {
                    let y = b[at % n];
                    // A negative number has the highest bits.
                    let above = x.cast_unsigned() > y.cast_unsigned();
                    if above == (*kind == MergeKind::Maximum) { x } else { y }
                };
                Tensor { raw: a.iter().enumerate().map(of).collect(), fractional, lanes: x.lanes }
            }
            Firmware::Concatenate(parts) => {
                let finer: Vec<Vec<i128>> = arguments.iter().map(|x| x.finer(fractional)).collect();
                let columns: Vec<&[i128]> = finer.iter().map(Vec::as_slice).collect();
                let raw = concatenate(&columns, *parts, x.lanes);
                Tensor { raw, fractional, lanes: x.lanes }
            }
            Firmware::Copy(index) => Tensor {
                raw: index.iter().flat_map(|&e| x.lanes_of(e as usize).iter().copied()).collect(),
                fractional,
                lanes: x.lanes,
            },
        }
    }

    /// For each result whether it depends on a marked element of an argument. Marks and results
    /// are `[element, lane]`.
    pub fn reach(&self, marks: &[Vec<bool>], lanes: usize) -> Vec<bool> {
        reach(&self.op, marks, lanes)
    }
}

/// The common grid of types of single elements.
fn each_fractional(types: &[Option<FixedType>]) -> i32 {
    types.iter().flatten().map(FixedType::fractional).max().unwrap_or(0)
}

fn affine(scale: &Raws, bias: &Raws, fractional: i32, x: &Tensor) -> Tensor {
    let n = scale.raw.len().max(1);
    let mut raw = Vec::with_capacity(x.raw.len());
    for e in 0..x.elements() {
        let s = i128::from(scale.raw[e % n]);
        let b = up_shift(bias.raw[e % n].into(), fractional - bias.fractional);
        let up = fractional - x.fractional - scale.fractional;
        raw.extend(x.lanes_of(e).iter().map(|&v| up_shift(v * s, up) + b));
    }
    Tensor { raw, fractional, lanes: x.lanes }
}

/// All but a product are done on the common grid.
fn merge(kind: MergeKind, fractional: i32, a: &Tensor, b: &Tensor) -> Tensor {
    let (left, right) = if kind == MergeKind::Multiply {
        (a.raw.clone(), b.raw.clone())
    } else {
        (a.finer(fractional), b.finer(fractional))
    };
    let n = right.len().max(1);
    let of = |(at, &x): (usize, &i128)| {
        let y = right[at % n];
        match kind {
            MergeKind::Add => x + y,
            MergeKind::Subtract => x - y,
            MergeKind::Multiply => x * y,
            // One more fractional bit holds the half.
            MergeKind::Average => (x + y) / 2,
            MergeKind::Maximum => x.max(y),
            MergeKind::Minimum => x.min(y),
        }
    };
    Tensor { raw: left.iter().enumerate().map(of).collect(), fractional, lanes: a.lanes }
}

/// Two tensors side by side; `parts` elements of each belong together.
pub(crate) fn concatenate<T: Copy>(x: &[&[T]], parts: [usize; 2], lanes: usize) -> Vec<T> {
    let mut all = Vec::with_capacity(x[0].len() + x[1].len());
    let outer = x[0].len() / (parts[0] * lanes).max(1);
    for o in 0..outer {
        for (x, part) in x.iter().zip(parts) {
            all.extend_from_slice(&x[o * part * lanes..(o + 1) * part * lanes]);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn x(raw: &[i128], fractional: i32) -> Tensor {
        Tensor { raw: raw.to_vec(), fractional, lanes: 1 }
    }

    fn apply(op: Firmware, arguments: &[Tensor]) -> (Vec<i128>, i32) {
        let y = Node::new(op).expect("an operation").apply(arguments);
        (y.raw, y.fractional)
    }

    #[test]
    fn one_element_at_a_time() {
        assert_eq!(apply(Firmware::Relu, &[x(&[-3, 5], 2)]), (vec![0, 5], 2));
        let scale = Raws { raw: vec![3, -1], fractional: 3 };
        let bias = Raws { raw: vec![1, 2], fractional: 1 };
        let affine = Firmware::Affine { scale, bias };
        assert_eq!(apply(affine, &[x(&[2, 4], 2)]), (vec![6 + 16, -4 + 32], 5));
        let theta = Firmware::ThresholdedRelu(Raws { raw: vec![1], fractional: 1 });
        assert_eq!(apply(theta, &[x(&[2, 3, -9], 2)]), (vec![0, 3, 0], 2));
    }

    /// M13: the slope is exact, and so is the product.
    #[test]
    fn a_slope_is_taken_exactly() {
        let alpha = Raws { raw: vec![5_033_165], fractional: 24 };
        let (raw, f) = apply(Firmware::LeakyRelu(alpha), &[x(&[-10, 7], 4)]);
        assert_eq!((raw, f), (vec![-50_331_650, 7 << 24], 28));
    }

    /// M8: a single signed bit under SAT_SYM reaches −1, and an element without bits is zero.
    #[test]
    fn each_element_has_its_type() {
        let t = |text: &str| Some(text.parse::<FixedType>().expect(text));
        let types: Arc<[_]> =
            vec![t("ap_fixed<1,1,RND,SAT_SYM>"), None, t("ap_fixed<5,2,TRN,SAT>")].into();
        let op = Firmware::CastEach(types);
        assert_eq!(apply(op, &[x(&[-24, -24, -24], 3)]), (vec![-8, 0, -16], 3));
    }

    /// M9: the C++ has no unsigned WRAP_SM.
    #[test]
    fn types_that_do_not_exist() {
        let t: FixedType = "ap_ufixed<4,4,TRN,WRAP_SM>".parse().expect("a type");
        assert!(Node::new(Firmware::Cast(t)).is_err());
        let t: FixedType = "ap_fixed<4,4,RND,WRAP_SM>".parse().expect("a type");
        // 15.5 is rounded to 16, but its sign is that of the unrounded 15.
        assert_eq!(apply(Firmware::Cast(t), &[x(&[31], 1)]).0, [0]);
    }

    /// M14 and M7 are types; what is left is a cast.
    #[test]
    fn a_type_of_one_bit_gives_a_half() {
        let t: FixedType = "ap_ufixed<1,0,RND_CONV,SAT>".parse().expect("a type");
        assert_eq!(apply(Firmware::Cast(t), &[x(&[3, 2, 1, -4], 3)]).0, [1, 0, 0, 0]);
    }

    #[test]
    fn merges_are_exact() {
        let arguments = [x(&[3, -3], 1), x(&[1, 1], 2)];
        let of = |kind| apply(Firmware::Merge(kind), &arguments);
        assert_eq!(of(MergeKind::Add), (vec![7, -5], 2));
        assert_eq!(of(MergeKind::Subtract), (vec![5, -7], 2));
        assert_eq!(of(MergeKind::Multiply), (vec![3, -3], 3));
        assert_eq!(of(MergeKind::Average), (vec![7, -5], 3));
        assert_eq!(of(MergeKind::Minimum), (vec![1, -6], 2));
    }

    /// M29.
    #[test]
    fn a_negative_number_is_above_unsigned_ones_of_32_bits() {
        let arguments = [x(&[-3, 5], 1), x(&[1, 1], 1)];
        let largest = |signed: &str, unsigned: &str| {
            let [a, b] = [signed, unsigned].map(|t| t.parse::<FixedType>().expect(t));
            apply(Firmware::merge(MergeKind::Maximum, &a, &b), &arguments).0
        };
        assert_eq!(largest("ap_fixed<31,30>", "ap_ufixed<31,30>"), [1, 5]);
        assert_eq!(largest("ap_fixed<31,30>", "ap_ufixed<32,31>"), [-3, 5]);
        assert_eq!(largest("ap_fixed<33,32>", "ap_ufixed<32,31>"), [1, 5]);
        assert_eq!(largest("ap_fixed<40,39>", "ap_fixed<40,39>"), [1, 5]);
    }

    #[test]
    fn two_tensors_side_by_side() {
        let arguments = [x(&[1, 2, 3, 4], 0), x(&[5, 6], 1)];
        let (raw, f) = apply(Firmware::Concatenate([2, 1]), &arguments);
        assert_eq!((raw, f), (vec![2, 4, 5, 6, 8, 6], 1));
    }
}
