//! hls4ml's graph of a proxy.

use bittrue_fixed::{Overflow, Rounding};
use bittrue_model::{CallId, MergeKind, PoolKind, SoftmaxForm, UnaryLut};

use super::kif::Kifs;
use super::precision::Precision;

/// A window over the spatial cells of a tensor as hls4ml places it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cells {
    /// Cells of the argument along each axis.
    pub(super) input: Vec<usize>,
    /// Positions of the window along each axis.
    pub(super) output: Vec<usize>,
    /// Cells of the window along each axis.
    pub(super) size: Vec<usize>,
    /// Steps.
    pub(super) strides: Vec<usize>,
    /// Cells of padding in front.
    pub(super) before: Vec<usize>,
}

impl Cells {
    /// For every position, in C order, the cells under the window; `None` is padding.
    pub(super) fn rows(&self) -> Vec<Vec<Option<usize>>> {
        let mut rows = vec![vec![Some(0)]];
        for axis in 0..self.size.len() {
            let along: Vec<Vec<Option<usize>>> = (0..self.output[axis])
                .map(|p| {
                    let first = p * self.strides[axis];
                    let cell = |k: usize| (first + k).checked_sub(self.before[axis]);
                    let inside = |c: &usize| *c < self.input[axis];
                    (0..self.size[axis]).map(|k| cell(k).filter(inside)).collect()
                })
                .collect();
            rows = rows
                .iter()
                .flat_map(|row| {
                    along.iter().map(move |cells| {
                        row.iter()
                            .flat_map(|outer| {
                                cells.iter().map(move |inner| {
                                    Some((*outer)? * self.input[axis] + (*inner)?)
                                })
                            })
                            .collect()
                    })
                })
                .collect();
        }
        rows
    }
}

/// A table of one variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    /// Logistic function.
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
}

/// An activation with a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parametrized {
    /// `x` above zero, `param · x` else.
    LeakyRelu,
    /// `x` above `param`, 0 else.
    ThresholdedRelu,
    /// `x` above zero, a table times `param` else.
    Elu,
}

/// A quantizer that is a node of its own: each element of an event has its type.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantizer {
    /// The extent of the stored types: 1 where one type serves all elements of an axis.
    pub(super) mask: Vec<usize>,
    /// Their formats, in C order of `mask`.
    pub(super) formats: Kifs,
    pub(super) rounding: Rounding,
    pub(super) overflow: Overflow,
}

/// What the configuration says of a softmax, which no pass derives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Softmax {
    pub(super) form: SoftmaxForm,
    /// Types of the sums, of the two tables, and of the sum that is inverted.
    pub(super) accum: Precision,
    pub(super) exp_table: Precision,
    pub(super) inv_table: Precision,
    pub(super) inv_inp: Precision,
    /// Entries of each table, where they are not the common `table_size`.
    pub(super) exp_size: Option<u128>,
    pub(super) inv_size: Option<u128>,
    /// Whether each pack of a stream is a softmax of its own; all of an array are one.
    pub(super) packed: bool,
    /// Whether hls4ml takes it out of the graph.
    pub(super) skip: bool,
}

/// What a node computes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Input {
        index: usize,
    },
    Quantizer(Quantizer),
    /// Weights `[input, unit]`.
    Dense {
        kernel: Vec<f32>,
        bias: Option<Vec<f32>>,
    },
    /// Weights `[cell, channel, filter]`, or `[cell, channel]` of a depthwise one.
    Conv {
        cells: Cells,
        channels: usize,
        depthwise: bool,
        kernel: Vec<f32>,
        bias: Option<Vec<f32>>,
    },
    /// A scale and an offset for each index of the last axis.
    Norm {
        scale: Vec<f32>,
        bias: Vec<f32>,
    },
    Pool {
        kind: PoolKind,
        cells: Cells,
        channels: usize,
    },
    Merge(MergeKind),
    /// Elements of each argument for one index of the axes before.
    Concatenate {
        parts: [usize; 2],
    },
    Reshape,
    /// For each element of the result the element of the argument.
    Transpose {
        index: Vec<usize>,
    },
    /// `request` is whether hls4ml knows it as `relu` where it asks for fewer bits: a layer `ReLU` is
    /// spelt otherwise there.
    Relu {
        request: bool,
    },
    Curve(Curve),
    Parametrized {
        function: Parametrized,
        param: f64,
    },
    Softmax(Softmax),
    Table(UnaryLut),
    /// A stream for each reader, and for the output of the model if it is one.
    Clone {
        is_output: bool,
    },
}

/// One node.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) class: String,
    /// The call of the proxy that it was made from.
    pub(super) call: CallId,
    /// The call of the proxy that its result type comes from: a fused quantizer, or its own.
    pub(super) cast: CallId,
    pub(super) kind: Kind,
    pub(super) inputs: Vec<usize>,
    pub(super) shape: Vec<usize>,
    pub(super) types: Types,
    /// Calls of the proxy whose value this node's result is.
    pub(super) forms: Vec<CallId>,
    /// Whether the type of an input is fixed already.
    pub(super) trusted: bool,
}

/// The types of a node; those that it does not have are absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Types {
    /// Result.
    pub(super) result: Option<Precision>,
    /// Accumulator.
    pub(super) accum: Option<Precision>,
    /// Weights.
    pub(super) weight: Option<Precision>,
    /// Bias, or the offset of a normalisation.
    pub(super) bias: Option<Precision>,
    /// Scale of a normalisation.
    pub(super) scale: Option<Precision>,
    /// Parameter of an activation.
    pub(super) param: Option<Precision>,
    /// Entries of a table.
    pub(super) table: Option<Precision>,
    /// Entries in a table.
    pub(super) table_size: Option<u128>,
}

impl Node {
    pub(super) fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

/// What comes closest to a value that is never formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closest {
    /// A node before its result is cast.
    BeforeCast(usize),
    /// The result of a node, whose elements may stand in another order.
    Result(usize),
}

/// All nodes, and which of them are in the graph.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    /// The nodes in the graph, in hls4ml's order.
    pub(super) order: Vec<usize>,
    pub(super) outputs: Vec<usize>,
    /// Calls of the proxy whose value is never formed, and what comes closest.
    pub(super) lost: Vec<(CallId, Closest)>,
    /// Whether tensors are streams.
    pub(super) stream: bool,
    /// hls4ml's warnings that tell of wrong results: node and text.
    pub(super) warnings: Vec<(String, String)>,
}

impl Graph {
    pub(super) fn push(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.order.push(self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    /// The nodes that read `id`, in the order of the graph, each once.
    pub(super) fn readers(&self, id: usize) -> Vec<usize> {
        self.order.iter().copied().filter(|&n| self.nodes[n].inputs.contains(&id)).collect()
    }

    /// The calls whose value a node gave are never formed.
    pub(super) fn lose(&mut self, id: usize, closest: Closest) {
        let forms = std::mem::take(&mut self.nodes[id].forms);
        self.lost.extend(forms.into_iter().map(|call| (call, closest)));
    }

    /// Takes out a node whose value is never formed: an output of the model is then its argument.
    pub(super) fn drop_value(&mut self, id: usize) {
        let Some(&argument) = self.nodes[id].inputs.first() else { return };
        if self.outputs.contains(&id) {
            let forms = std::mem::take(&mut self.nodes[id].forms);
            self.nodes[argument].forms.extend(forms);
        } else {
            self.lose(id, Closest::Result(argument));
        }
        self.remove(id);
    }

    /// Takes out a node with one argument: its readers read that.
    pub(super) fn remove(&mut self, id: usize) {
        let Some(&argument) = self.nodes[id].inputs.first() else { return };
        for reader in self.readers(id) {
            for input in &mut self.nodes[reader].inputs {
                if *input == id {
                    *input = argument;
                }
            }
        }
        for output in &mut self.outputs {
            if *output == id {
                *output = argument;
            }
        }
        for (_, closest) in &mut self.lost {
            if matches!(closest, Closest::BeforeCast(n) | Closest::Result(n) if *n == id) {
                *closest = Closest::Result(argument);
            }
        }
        self.order.retain(|&n| n != id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_in_two_dimensions() {
        let cells = Cells {
            input: vec![2, 3],
            output: vec![2, 2],
            size: vec![1, 2],
            strides: vec![1, 2],
            before: vec![0, 1],
        };
        assert_eq!(
            cells.rows(),
            [[None, Some(0)], [Some(1), Some(2)], [None, Some(3)], [Some(4), Some(5)]]
        );
    }
}
