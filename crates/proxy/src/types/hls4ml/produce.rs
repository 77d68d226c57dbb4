//! The forward pass: what a node can produce.
//!
//! hls4ml's functions are followed call by call: a quantizer narrows itself whenever its format is
//! asked for, each time from what is left of it, so the number of calls decides (M24).

use bittrue_fixed::{Overflow, Rounding};
use bittrue_model::{MergeKind, PoolKind};

use super::graph::{Cells, Curve, Graph, Kind, Parametrized, Softmax};
use super::kif::{
    Format, Interval, Kifs, UNLIMITED, common_kif, largest, minimal_f, minimal_kif, pow2, validated,
};

/// The graph while types are derived, with hls4ml's caches.
#[derive(Debug)]
pub(super) struct Derivation<'a> {
    pub(super) graph: &'a mut Graph,
    produced: Vec<Option<Kifs>>,
    pub(super) requested: Vec<Option<Vec<Kifs>>>,
}

impl<'a> Derivation<'a> {
    pub(super) fn new(graph: &'a mut Graph) -> Self {
        let n = graph.nodes.len();
        Self { graph, produced: vec![None; n], requested: vec![None; n] }
    }

    /// `produce_kif`: from the cache if it is there.
    pub(super) fn produced(&mut self, id: usize) -> Kifs {
        match &self.produced[id] {
            Some(known) => known.clone(),
            None => self.produce_again(id),
        }
    }

    /// `produce_kif(…, force_reset=True)`.
    pub(super) fn produce_again(&mut self, id: usize) -> Kifs {
        let kif = self.produce(id);
        self.produced[id] = Some(kif.clone());
        kif
    }

    /// Forgets what was produced and asked for.
    pub(super) fn forget(&mut self, id: usize) {
        self.produced[id] = None;
        self.requested[id] = None;
    }

    /// `get_input_kifs`: past the cache.
    pub(super) fn arguments(&mut self, id: usize) -> Vec<Kifs> {
        let inputs = self.graph.nodes[id].inputs.clone();
        inputs.into_iter().map(|n| self.produce(n)).collect()
    }

    /// `_produce_kif`.
    pub(super) fn produce(&mut self, id: usize) -> Kifs {
        let node = &self.graph.nodes[id];
        let n = node.elements();
        match node.kind {
            Kind::Input { .. } => match node.types.result.filter(|_| node.trusted) {
                Some(t) => {
                    let k = i32::from(t.signed);
                    Kifs::uniform(n, [k, t.integer - k, t.fractional()])
                }
                None => Kifs::uniform(n, UNLIMITED),
            },
            Kind::Quantizer(_) => {
                let source = node.inputs[0];
                let argument = self.produced(source);
                self.shrink(id, &argument)
            }
            Kind::Reshape => {
                let source = node.inputs[0];
                self.produced(source)
            }
            Kind::Table(ref table) => {
                Kifs::uniform(n, common_kif(table.table.iter().map(|&v| f64::from(v))))
            }
            Kind::Softmax(Softmax { exp_table: e, inv_table: i, .. }) => {
                Kifs::uniform(n, [0, e.integer + i.integer, e.fractional() + i.fractional()])
            }
            _ => {
                let arguments = self.arguments(id);
                let result = of_arguments(&self.graph.nodes[id].kind, &arguments);
                if let Kind::Parametrized { function: Parametrized::LeakyRelu, .. } =
                    self.graph.nodes[id].kind
                {
                    self.leak_into_the_cache(id, &result);
                }
                result
            }
        }
    }

    /// LeakyReLU adds to its argument's arrays in place. Behind a Reshape these are the cached ones
    /// of the node before, and its own result shares them, as all do that only reshape either.
    fn leak_into_the_cache(&mut self, id: usize, result: &Kifs) {
        let is_reshape = |n: usize| matches!(self.graph.nodes[n].kind, Kind::Reshape);
        let mut root = self.graph.nodes[id].inputs[0];
        if !is_reshape(root) {
            return;
        }
        while is_reshape(root) {
            root = self.graph.nodes[root].inputs[0];
        }
        let mut shared = vec![root, id];
        for &n in &self.graph.order {
            if is_reshape(n) && shared.contains(&self.graph.nodes[n].inputs[0]) {
                shared.push(n);
            }
        }
        for n in shared {
            if let Some(cached) = &mut self.produced[n] {
                cached.i.clone_from(&result.i);
                cached.f.clone_from(&result.f);
            }
        }
    }

    /// What a quantizer makes of an argument; it keeps the narrower formats (M6, M18, M24).
    fn shrink(&mut self, id: usize, argument: &Kifs) -> Kifs {
        let shape = self.graph.nodes[id].shape.clone();
        let Kind::Quantizer(q) = &mut self.graph.nodes[id].kind else { return argument.clone() };
        let of_mask: Vec<usize> = mask_index(&q.mask, &shape);
        let mut formats: Kifs = of_mask
            .iter()
            .enumerate()
            .map(|(n, &m)| narrowed(q.formats.at(m), argument.at(n), q.rounding, q.overflow))
            .collect();
        // Width, sign and integer bits each take the largest of the elements that share them.
        let mut shared: Vec<Option<Format>> = vec![None; q.formats.len()];
        for (n, &m) in of_mask.iter().enumerate() {
            let [k, i, f] = formats.at(n);
            let kbi = [k, k + i + f, k + i];
            shared[m] = Some(shared[m].map_or(kbi, |old| largest(old, kbi)));
        }
        q.formats = shared
            .into_iter()
            .map(|kbi| {
                let [k, b, i] = kbi.unwrap_or([0; 3]);
                [k, i - k, b - i]
            })
            .collect();
        formats.k.truncate(shape.iter().product());
        formats
    }
}

/// For each element of an event the entry of a mask that is broadcast to it.
pub(super) fn mask_index(mask: &[usize], shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0_usize];
    for (&m, &n) in mask.iter().zip(shape) {
        index = index
            .iter()
            .flat_map(|&outer| (0..n).map(move |at| outer * m + if m == 1 { 0 } else { at }))
            .collect();
    }
    index
}

/// The format of one element behind a quantizer, given what the argument can be.
fn narrowed(own: Format, argument: Format, rounding: Rounding, overflow: Overflow) -> Format {
    let ([k, i, f], [lk, li, lf]) = (own, argument);
    let (sk, mut si, sf) = (k.min(lk), i.min(li), f.min(lf));
    // Rounding may carry into one more bit.
    let rounds = rounding != Rounding::Trn || k != 0;
    si += i32::from(lf > f && i > li && rounds);
    let keeps_its_bounds = overflow != Overflow::Sat;
    let holds_the_argument = pow2(i) - pow2(-f) >= pow2(li) - pow2(-lf) && k >= lk;
    let [k, i, f] = if keeps_its_bounds && !holds_the_argument { own } else { [sk, si, sf] };
    if k + i + f <= 0 { [0; 3] } else { [k, i, f] }
}

/// Nodes whose format follows from those of their arguments alone.
fn of_arguments(kind: &Kind, arguments: &[Kifs]) -> Kifs {
    let first = &arguments[0];
    match kind {
        Kind::Dense { kernel, bias } => {
            let units = kernel.len() / first.len().max(1);
            let x: Vec<Interval> = (0..first.len()).map(|n| Interval::of(first.at(n))).collect();
            let y = (0..units)
                .map(|u| Interval::dot(&x, (0..x.len()).map(|n| kernel[n * units + u].into())));
            finish(y.collect(), bias.as_deref())
        }
        Kind::Conv { cells, channels, depthwise, kernel, bias } => {
            let units = if *depthwise { 1 } else { kernel.len() / (taps(cells) * channels) };
            let mut y = Vec::new();
            for row in cells.rows() {
                let x: Vec<Interval> = row
                    .iter()
                    .flat_map(|cell| (0..*channels).map(move |c| cell.map(|n| n * channels + c)))
                    .map(|n| Interval::of(n.map_or([0; 3], |n| first.at(n))))
                    .collect();
                for u in 0..units {
                    let weights = (0..x.len()).map(|n| f64::from(kernel[n * units + u]));
                    y.push(Interval::dot(&x, weights));
                }
            }
            let all = finish(y, bias.as_deref());
            if *depthwise {
                // One sum over all channels, which NumPy broadcasts to them.
                (0..all.len() * channels).map(|n| all.at(n / channels)).collect()
            } else {
                all
            }
        }
        Kind::Norm { scale, bias } => {
            let channels = scale.len();
            let y = (0..first.len())
                .map(|n| Interval::of(first.at(n)).times(scale[n % channels].into()));
            finish(y.collect(), Some(bias))
        }
        Kind::Pool { kind, cells, channels } => pooled(*kind, cells, *channels, first),
        Kind::Merge(kind) => merged(*kind, first, &arguments[1]),
        Kind::Concatenate { parts } => {
            let [a, b] = *parts;
            let outer = first.len() / a.max(1);
            let mut all = Vec::with_capacity(first.len() + arguments[1].len());
            for o in 0..outer {
                all.extend((o * a..(o + 1) * a).map(|n| first.at(n)));
                all.extend((o * b..(o + 1) * b).map(|n| arguments[1].at(n)));
            }
            all.into_iter().collect()
        }
        Kind::Transpose { index } => first.gather(index.iter().map(|&n| Some(n))),
        Kind::Relu { .. } => elementwise(first, |[_, i, f]| [0, i, f]),
        Kind::Curve(Curve::Sigmoid) => elementwise(first, |[_, i, _]| [0, i.min(1), 126]),
        Kind::Curve(Curve::Tanh) => elementwise(first, |[k, i, _]| [k, i.min(1), 126]),
        Kind::Parametrized { function, param } => {
            let [pk, pi, pf] = minimal_kif(*param);
            let positive = i32::from(*param > 0.0);
            elementwise(first, |[k, i, f]| match function {
                Parametrized::LeakyRelu => [k & positive, i + (pi - 1).max(0), f + pf.max(0)],
                Parametrized::ThresholdedRelu => [k & pk, i.max(pi), f.max(pf)],
                Parametrized::Elu => [k & positive, i.max(pi), 126],
            })
        }
        Kind::Input { .. }
        | Kind::Quantizer(_)
        | Kind::Reshape
        | Kind::Softmax(_)
        | Kind::Table(_)
        | Kind::Clone { .. } => first.clone(),
    }
}

fn elementwise(x: &Kifs, f: impl Fn(Format) -> Format) -> Kifs {
    (0..x.len()).map(|n| f(x.at(n))).collect()
}

/// Cells under a window.
pub(super) fn taps(cells: &Cells) -> usize {
    cells.size.iter().product()
}

/// Adds a bias over the last axis and gives the formats.
fn finish(y: Vec<Interval>, bias: Option<&[f32]>) -> Kifs {
    let mut y = validated(y);
    // A convolution without bias adds the number 0, a Dense the zeros that stand for it.
    let n = bias.map_or(1, <[f32]>::len);
    for (at, x) in y.iter_mut().enumerate() {
        *x = x.plus(bias.map_or(0.0, |b| b[at % n].into()));
    }
    validated(y).into_iter().map(Interval::kif).collect()
}

fn pooled(kind: PoolKind, cells: &Cells, channels: usize, x: &Kifs) -> Kifs {
    let mut all = Vec::new();
    for row in cells.rows() {
        let inside = row.iter().flatten().count();
        let more = match kind {
            PoolKind::Max => 0,
            PoolKind::Average => minimal_f(1.0 / inside as f64),
        };
        for c in 0..channels {
            let most = row
                .iter()
                .map(|cell| cell.map_or([0; 3], |n| x.at(n * channels + c)))
                .reduce(largest)
                .unwrap_or([0; 3]);
            all.push([most[0], most[1], most[2] + more]);
        }
    }
    all.into_iter().collect()
}

fn merged(kind: MergeKind, a: &Kifs, b: &Kifs) -> Kifs {
    let pairs = || (0..a.len()).map(|n| (Interval::of(a.at(n)), Interval::of(b.at(n % b.len()))));
    let formats = |y: Vec<Interval>| validated(y).into_iter().map(Interval::kif).collect::<Kifs>();
    match kind {
        MergeKind::Add => formats(pairs().map(|(a, b)| a.add(b)).collect()),
        MergeKind::Subtract => formats(pairs().map(|(a, b)| a.add(b.neg())).collect()),
        MergeKind::Multiply => formats(pairs().map(|(a, b)| a.mul(b)).collect()),
        MergeKind::Average => {
            let sum = formats(pairs().map(|(a, b)| a.add(b)).collect());
            elementwise(&sum, |[k, i, f]| [k, i - 1, f + 1])
        }
        MergeKind::Maximum | MergeKind::Minimum => a.zip(b, i32::max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// M18: saturation at the bound of the argument's grid. M6: SAT_SYM too, where it holds all.
    #[test]
    fn quantizers_shrink() {
        let sat = |own, argument| narrowed(own, argument, Rounding::RndConv, Overflow::Sat);
        assert_eq!(sat([1, 0, 15], [1, 3, 4]), [1, 0, 4]);
        assert_eq!(sat([1, 4, 1], [1, 3, 4]), [1, 4, 1]);
        let sym = |own, argument| narrowed(own, argument, Rounding::RndConv, Overflow::SatSym);
        assert_eq!(sym([1, 3, 2], [1, 1, 2]), [1, 1, 2]);
        assert_eq!(sym([1, 1, 2], [1, 3, 2]), [1, 1, 2]);
        let wrap = |own, argument| narrowed(own, argument, Rounding::Trn, Overflow::Wrap);
        assert_eq!(wrap([0, 4, 2], [1, 1, 3]), [0, 4, 2]);
        assert_eq!(wrap([0, 0, 0], [1, 1, 3]), [0, 0, 0]);
    }

    #[test]
    fn masks_are_broadcast() {
        assert_eq!(mask_index(&[1, 2], &[3, 2]), [0, 1, 0, 1, 0, 1]);
        assert_eq!(mask_index(&[2, 1], &[2, 2]), [0, 0, 1, 1]);
        assert_eq!(mask_index(&[1], &[3]), [0, 0, 0]);
    }
}
