//! Sums of products: matrix products and convolutions.

use std::collections::HashMap;
use std::sync::Arc;

use bittrue_block::Storage;
use bittrue_fixed::{QInterval, exact_raw_f64};
use bittrue_keras::exact;
use bittrue_kernels::PADDING;
use bittrue_model::Constant;
use ndarray::ArrayD;

use super::{Care, Lowered};
use crate::edge::{Edge, Repr, common, raw_at};
use crate::int::{IntLinear, Weights};
use crate::kernel::Kernel;
use crate::real::RealLinear;
use crate::taps::Taps;

/// A layer of sums: rows of elements times the columns of a kernel.
pub(super) struct Sums<'a> {
    /// What each row reads.
    pub(super) taps: Taps,
    /// Groups: row `r` uses the columns of group `r % groups`.
    pub(super) groups: usize,
    /// Weights; the last axis counts the columns of all groups.
    pub(super) kernel: &'a Constant,
    /// One number for each column.
    pub(super) bias: Option<&'a Constant>,
    /// Whether TensorFlow may begin with the bias.
    pub(super) bias_inside: bool,
}

impl Sums<'_> {
    fn columns(&self) -> usize {
        self.kernel.values.shape().last().copied().unwrap_or(1)
    }

    /// The constants in C order.
    fn constants(&self) -> (Vec<f32>, Option<Vec<f32>>) {
        let flat = |values: &ArrayD<f32>| values.iter().copied().collect();
        (flat(&self.kernel.values), self.bias.map(|b| flat(&b.values)))
    }

    /// Columns of one group: results of a row.
    fn units(&self) -> usize {
        self.columns() / self.groups
    }

    /// The weights of one column that are not zero, with the term that they multiply.
    fn column<'k>(
        &self,
        kernel: &'k [f32],
        column: usize,
    ) -> impl Iterator<Item = (usize, f32)> + use<'k> {
        let weights = kernel.iter().skip(column).step_by(self.columns()).copied().enumerate();
        weights.filter(|(_, w)| *w != 0.0)
    }
}

/// What was found out of layers of sums: the legs of one model mostly share theirs.
#[derive(Debug, Default)]
pub(crate) struct Analyses(Vec<Analysis>);

/// The layer and its argument, and what is known of the result.
#[derive(Debug)]
struct Analysis {
    taps: Taps,
    groups: usize,
    kernel: ArrayD<f32>,
    bias: Option<ArrayD<f32>>,
    input: Edge,
    /// The intervals of the results, where there are any, and the layer on integers, where it is
    /// proven.
    found: Option<(Arc<[QInterval]>, Option<Lowered>)>,
}

impl Analyses {
    /// Analyses a layer of sums, unless that was done before.
    fn of(&mut self, sums: &Sums<'_>, input: &Edge) -> &Analysis {
        let bias = sums.bias.map(|b| &b.values);
        let same = |a: &Analysis| {
            a.groups == sums.groups
                && a.input == *input
                && a.bias.as_ref() == bias
                && a.taps == sums.taps
                && a.kernel == sums.kernel.values
        };
        let at = self.0.iter().position(same).unwrap_or_else(|| {
            self.0.push(Analysis {
                taps: sums.taps.clone(),
                groups: sums.groups,
                kernel: sums.kernel.values.clone(),
                bias: bias.cloned(),
                input: input.clone(),
                found: found(sums, input),
            });
            self.0.len() - 1
        });
        &self.0[at]
    }
}

fn found(sums: &Sums<'_>, input: &Edge) -> Option<(Arc<[QInterval]>, Option<Lowered>)> {
    let x = Argument::new(input)?;
    let (kernel, bias) = sums.constants();
    let known = analyse(sums, &kernel, bias.as_deref(), &x)?;
    let int = match known.proven {
        true => integers(sums, &kernel, bias.as_deref(), &x, &known),
        false => None,
    };
    Some((known.ranges.into(), int))
}

pub(super) fn lower(
    sums: Sums<'_>,
    input: &Edge,
    exact: bool,
    care: Care,
    analyses: &mut Analyses,
) -> Lowered {
    let mut edge = Edge::real(exact);
    if care == Care::Fast
        && let Some((ranges, int)) = &analyses.of(&sums, input).found
    {
        if let Some(int) = int {
            return int.clone();
        }
        // An exact result has its type even where float32 would round it.
        edge.ranges = exact.then(|| Arc::clone(ranges));
    }
    let (kernel, bias) = sums.constants();
    let columns = sums.columns();
    let real = RealLinear::new(sums.taps, sums.groups, columns, kernel, bias, exact)
        .with_bias_inside(sums.bias_inside);
    Lowered::one(Kernel::RealLinear(real), edge)
}

/// The integer argument, all elements on its common grid.
struct Argument {
    fractional: i32,
    storage: Storage,
    /// Lowest and highest raw of each element.
    ends: Vec<(i64, i64)>,
}

impl Argument {
    fn new(input: &Edge) -> Option<Self> {
        let (fractional, ranges) = input.as_int()?;
        let Repr::Int { storage, .. } = input.repr else { return None };
        let at = |raw, r: &QInterval| raw_at(raw, r.fractional, fractional);
        let ends = ranges
            .iter()
            .map(|r| Some((at(r.min, r)?, at(r.max, r)?)))
            .collect::<Option<Vec<_>>>()?;
        Some(Self { fractional, storage, ends })
    }
}

/// What is known of all sums.
struct Known {
    /// The interval of each result.
    ranges: Vec<QInterval>,
    /// Whether float32 is exact for every value that the argument can take.
    proven: bool,
    /// For each column: bound of every partial sum without the bias, on the grid of its products.
    partial: Vec<u128>,
    /// For each column: fractional bits of its products.
    grids: Vec<i32>,
}

/// Interval analysis with the weights themselves. Rows whose elements have the same intervals are
/// done once.
fn analyse(sums: &Sums<'_>, kernel: &[f32], bias: Option<&[f32]>, x: &Argument) -> Option<Known> {
    let mut classes: Vec<Vec<(i64, i64)>> = Vec::new();
    let mut class_of: HashMap<(usize, Vec<(i64, i64)>), usize> = HashMap::new();
    let mut row_class = Vec::with_capacity(sums.taps.rows());
    for row in 0..sums.taps.rows() {
        let ends: Vec<(i64, i64)> = sums
            .taps
            .row(row)
            .iter()
            .map(|&e| if e == PADDING { (0, 0) } else { x.ends[e as usize] })
            .collect();
        let class = *class_of.entry((row % sums.groups, ends.clone())).or_insert_with(|| {
            classes.push(ends);
            classes.len() - 1
        });
        row_class.push(class);
    }
    let mut classes_of_group: Vec<Vec<usize>> = vec![Vec::new(); sums.groups];
    for ((group, _), class) in class_of {
        classes_of_group[group].push(class);
    }

    let units = sums.units();
    let limit: u128 = exact::FLOAT32_INTEGERS.unsigned_abs().into();
    let mut known =
        Known { ranges: Vec::new(), proven: true, partial: Vec::new(), grids: Vec::new() };
    let mut of_class: Vec<Vec<QInterval>> = vec![Vec::new(); classes.len()];
    for column in 0..sums.columns() {
        let mut weights = Vec::new();
        for (term, w) in sums.column(kernel, column) {
            weights.push((term, exact_raw_f64(w.into())?));
        }
        // Everything of one column on the LSB of its products.
        let lsb = weights.iter().map(|(_, w)| w.1).max().unwrap_or(0);
        let weights = weights
            .into_iter()
            .map(|(term, (raw, f))| {
                let up = (lsb - f).cast_unsigned();
                (up < 80).then(|| (term, raw << up))
            })
            .collect::<Option<Vec<_>>>()?;
        let fractional = x.fractional + lsb;
        let mut partial = 0;
        for &class in &classes_of_group[column / units] {
            let (mut low, mut high, mut magnitude) = (0_i128, 0_i128, 0_u128);
            for &(term, w) in &weights {
                let (a, b) = classes[class][term];
                let (a, b) = (w.checked_mul(a.into())?, w.checked_mul(b.into())?);
                low = low.checked_add(a.min(b))?;
                high = high.checked_add(a.max(b))?;
                magnitude = magnitude.checked_add(a.unsigned_abs().max(b.unsigned_abs()))?;
            }
            partial = partial.max(magnitude);
            known.proven &= magnitude <= limit && exact::in_safe_range(fractional);
            let mut sum = QInterval::new(low, high, fractional).ok()?;
            if let Some(bias) = bias {
                let b = QInterval::from_value_exact(bias[column].into())?;
                // The bias is one more float32 addition.
                if (b.min, b.max) != (0, 0) {
                    sum = sum.add(&b)?;
                    let up = (sum.fractional - fractional).cast_unsigned();
                    let all = magnitude
                        .checked_mul(1_u128.checked_shl(up)?)?
                        .checked_add(b.rescale(sum.fractional).ok()?.max_abs())?;
                    known.proven &= all <= limit && exact::in_safe_range(sum.fractional);
                }
            }
            of_class[class].push(sum);
        }
        known.partial.push(partial);
        known.grids.push(fractional);
    }
    known.ranges = row_class.iter().flat_map(|&c| of_class[c].iter().copied()).collect();
    Some(known)
}

/// The sums on integers, of ranges that were proven.
fn integers(
    sums: &Sums<'_>,
    kernel: &[f32],
    bias: Option<&[f32]>,
    x: &Argument,
    known: &Known,
) -> Option<Lowered> {
    let (fractional, ..) = common(&known.ranges)?;
    let scaled = |value: f32, from: i32| {
        let (raw, f) = exact_raw_f64(value.into())?;
        raw_at(raw, f + from, fractional)
    };
    let terms = sums.taps.terms;
    let mut weights = vec![0_i64; sums.columns() * terms];
    let mut biases = vec![0_i64; sums.columns()];
    // Partial sums stay below the sum of the magnitudes, on the common grid.
    let mut largest = 0_i64;
    for column in 0..sums.columns() {
        let mut bound = 0;
        if let Some(bias) = bias {
            biases[column] = scaled(bias[column], 0)?;
            bound = biases[column].abs();
        }
        // Where the argument is always zero the grid of the weights does not matter.
        if known.partial[column] > 0 {
            for (term, w) in sums.column(kernel, column) {
                weights[column * terms + term] = scaled(w, x.fractional)?;
            }
            let partial = i128::try_from(known.partial[column]).ok()?;
            bound += raw_at(partial, known.grids[column], fractional)?;
        }
        largest = largest.max(bound);
    }
    let narrow = largest <= i64::from(i32::MAX)
        && x.storage != Storage::I64
        && weights.iter().chain(&biases).all(|&w| i32::try_from(w).is_ok());
    let storage = if narrow { Storage::I32 } else { Storage::I64 };
    let to_i32 = |v: Vec<i64>| -> Vec<i32> { v.into_iter().map(|w| w as i32).collect() };
    let weights = if narrow {
        Weights::I32(to_i32(weights), to_i32(biases))
    } else {
        Weights::I64(weights, biases)
    };
    let (taps, groups, units) = (sums.taps.clone(), sums.groups, sums.units());
    let kernel =
        Kernel::Linear(IntLinear::new(taps, groups, units, weights, fractional, x.storage));
    let repr = Repr::Int { fractional, storage };
    let ranges = Some(known.ranges.clone().into());
    Some(Lowered::one(kernel, Edge { repr, ranges }))
}
