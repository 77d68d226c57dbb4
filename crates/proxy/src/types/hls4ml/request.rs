//! The backward pass: what the readers of a node can use of it.

use bittrue_fixed::{Overflow, Rounding};

use super::graph::{Kind, Quantizer};
use super::kif::{Kifs, UNLIMITED};
use super::produce::{Derivation, mask_index};

impl Derivation<'_> {
    /// `requested_kif`: the most that any reader can use.
    pub(super) fn requested_of(&mut self, id: usize) -> Kifs {
        let n = self.graph.nodes[id].elements();
        let readers = self.graph.readers(id);
        if readers.is_empty() {
            return Kifs::uniform(n, UNLIMITED);
        }
        let mut all = Kifs::uniform(n, [0, -127, -127]);
        for reader in readers {
            let asked = self.asked_by(reader);
            // The first place at which the reader reads this node, even if there are more.
            let at = self.graph.nodes[reader].inputs.iter().position(|&i| i == id).unwrap_or(0);
            all = all.zip(&asked[at], i32::max);
        }
        all
    }

    /// `request_kif`: what a node asks of each of its arguments.
    fn asked_by(&mut self, id: usize) -> Vec<Kifs> {
        if let Some(known) = &self.requested[id] {
            return known.clone();
        }
        let asked = self.ask(id);
        self.requested[id] = Some(asked.clone());
        asked
    }

    fn ask(&mut self, id: usize) -> Vec<Kifs> {
        let node = &self.graph.nodes[id];
        let shape = node.shape.clone();
        let inputs = node.inputs.clone();
        match node.kind.clone() {
            Kind::Quantizer(q) => vec![of_quantizer(&q, &shape)],
            Kind::Reshape => vec![self.requested_of(id)],
            Kind::Relu { request: true } => {
                let of_result = self.requested_of(id);
                vec![of_result.f.into_iter().map(|f| [1, 126, f]).collect()]
            }
            Kind::Concatenate { parts: [a, b] } => {
                let all = self.requested_of(id);
                let row = (a + b).max(1);
                let part = |first: bool| {
                    (0..all.len())
                        .filter(|n| (n % row < a) == first)
                        .map(|n| all.at(n))
                        .collect::<Kifs>()
                };
                vec![part(true), part(false)]
            }
            Kind::Transpose { index } => {
                let all = self.requested_of(id);
                let mut back = Kifs::uniform(all.len(), [0; 3]);
                for (n, &source) in index.iter().enumerate() {
                    back.set(source, all.at(n));
                }
                vec![back]
            }
            _ => inputs
                .iter()
                .map(|&n| Kifs::uniform(self.graph.nodes[n].elements(), UNLIMITED))
                .collect(),
        }
    }
}

/// Saturation may need all integer bits, and rounding more fractional ones.
fn of_quantizer(q: &Quantizer, shape: &[usize]) -> Kifs {
    mask_index(&q.mask, shape)
        .into_iter()
        .map(|m| {
            let [k, i, f] = q.formats.at(m);
            let (k, i) = if q.overflow == Overflow::Wrap { (k, i) } else { (1, 126) };
            let f = match q.rounding {
                Rounding::Trn => f,
                Rounding::Rnd => f + 1,
                _ => 126,
            };
            [k, i, f]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantizers_ask_for_what_they_use() {
        let q = |rounding, overflow| Quantizer {
            mask: vec![1],
            formats: Kifs::uniform(1, [0, 3, 2]),
            rounding,
            overflow,
        };
        let ask = |rounding, overflow| of_quantizer(&q(rounding, overflow), &[2]).at(1);
        assert_eq!(ask(Rounding::Trn, Overflow::Wrap), [0, 3, 2]);
        assert_eq!(ask(Rounding::Rnd, Overflow::Wrap), [0, 3, 3]);
        assert_eq!(ask(Rounding::RndConv, Overflow::Sat), [1, 126, 126]);
    }
}
