//! Registering: from what is produced and what is asked for to types.

use bittrue_fixed::Overflow;

use super::build::is_average;
use super::graph::{Curve, Kind};
use super::kif::{Kifs, minimal_kif};
use super::precision::Precision;
use super::produce::{Derivation, taps};

impl Derivation<'_> {
    /// The pass `bit_exact`.
    pub(super) fn bit_exact(&mut self) {
        let order = self.graph.order.clone();
        for &id in &order {
            self.produce_again(id);
        }
        for &id in &order {
            self.register(id);
        }
        for &id in &order {
            self.forget(id);
        }
    }

    /// `register_precision`.
    pub(super) fn register(&mut self, id: usize) {
        if self.graph.nodes[id].trusted {
            return;
        }
        let produced = self.produced(id);
        let asked = self.requested_of(id);
        let mut both = produced.zip(&asked, i32::min);
        if self.read_by_a_wrapping_quantizer(id) {
            // M5: the sign is what is asked for, the integer bits are not.
            both.k = asked.k;
        }
        self.graph.nodes[id].types.result = Some(Precision::of(both.max()));
        let kind = self.graph.nodes[id].kind.clone();
        // hls4ml asks an activation's argument once more, which may narrow a quantizer.
        let argument = match kind {
            Kind::Relu { .. } | Kind::Curve(_) => Some(self.arguments(id).swap_remove(0)),
            _ => None,
        };
        let types = &mut self.graph.nodes[id].types;
        let values = |v: &[f32]| Precision::constant(v.iter().map(|&v| f64::from(v)));
        let or_none = |v: &Option<Vec<f32>>| match v {
            Some(v) => values(v),
            None => Precision::of([0; 3]),
        };
        match &kind {
            Kind::Dense { kernel, bias } | Kind::Conv { kernel, bias, .. } => {
                types.accum = Some(Precision::of(produced.max()));
                types.weight = Some(values(kernel));
                types.bias = Some(or_none(bias));
            }
            Kind::Norm { scale, bias } => {
                types.scale = Some(values(scale));
                types.bias = Some(values(bias));
            }
            Kind::Pool { kind, cells, .. } => {
                let mut accum = Precision::of(produced.max());
                if is_average(*kind) {
                    let more = taps(cells).next_power_of_two().trailing_zeros().cast_signed();
                    accum.width += more;
                    accum.integer += more;
                }
                types.accum = Some(accum);
            }
            Kind::Relu { .. } | Kind::Curve(_) => {
                types.table_size = argument.and_then(|x| table_size(&kind, &x));
            }
            Kind::Parametrized { param, .. } => {
                types.param = Some(Precision::of(minimal_kif(*param)));
            }
            Kind::Table(table) => types.table = Some(values(&table.table)),
            // Its accumulator stays what the configuration says.
            Kind::Softmax(softmax) => types.accum = Some(softmax.accum),
            Kind::Input { .. }
            | Kind::Quantizer(_)
            | Kind::Merge(_)
            | Kind::Concatenate { .. }
            | Kind::Reshape
            | Kind::Transpose { .. }
            | Kind::Clone { .. } => {}
        }
    }

    /// `requested_by_non_saturating_quantizer`.
    fn read_by_a_wrapping_quantizer(&self, id: usize) -> bool {
        for reader in self.graph.readers(id) {
            match &self.graph.nodes[reader].kind {
                Kind::Quantizer(q) if !matches!(q.overflow, Overflow::Sat | Overflow::SatSym) => {
                    return true;
                }
                Kind::Reshape => return self.read_by_a_wrapping_quantizer(reader),
                _ => {}
            }
        }
        false
    }
}

/// Entries of an activation's table: sigmoid covers ±8 and tanh ±4 at the argument's LSB.
fn table_size(kind: &Kind, argument: &Kifs) -> Option<u128> {
    let [k, i, f] = argument.max();
    let bits = match kind {
        Kind::Curve(Curve::Sigmoid) => f + 4,
        Kind::Curve(Curve::Tanh) => f + 3,
        _ => k + i + f,
    };
    if bits < 0 {
        return Some(0);
    }
    1_u128.checked_shl(bits.cast_unsigned())
}
