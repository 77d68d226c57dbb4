//! Tensors by how they are computed: equal ones are one.

use bittrue_kernels::InputCast;

use crate::int::Packing;
use crate::kernel::Kernel;
use crate::program::Step;
use crate::real::Quantizers;

/// The cast of an input, as all legs that apply it have it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SharedCast {
    pub(crate) input: usize,
    pub(crate) cast: InputCast,
    pub(crate) out: Packing,
}

/// A tensor, by how it is computed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// The events of an input, as they are.
    Input(usize),
    /// The events of an input, cast.
    Cast(SharedCast),
    /// A kernel on integers.
    Kernel(usize, Vec<usize>),
}

/// The value of each slot, as far as it is known.
pub(crate) type Values = Vec<Option<usize>>;

/// Values in an order in which they can be computed.
pub(crate) struct Graph<'a> {
    pub(crate) kernels: &'a [Kernel],
    pub(crate) values: Vec<Value>,
}

impl<'a> Graph<'a> {
    pub(crate) fn new(kernels: &'a [Kernel]) -> Self {
        Self { kernels, values: Vec::new() }
    }

    /// The value of a leg that applies a kernel to values; `None` where that is no matter of integers.
    pub(crate) fn apply(&mut self, step: &Step, known: &Values) -> Option<usize> {
        let inputs = step.inputs.iter().map(|&s| known[s]).collect::<Option<Vec<_>>>()?;
        let from_event = inputs.iter().find_map(|&v| match self.values[v] {
            Value::Input(input) => Some(input),
            _ => None,
        });
        let value = match (&self.kernels[step.kernel], from_event) {
            (Kernel::Input { index }, _) => Value::Input(*index),
            (Kernel::RealToInt { quantizer: Quantizers::Same(q), out, .. }, Some(input)) => {
                let cast = InputCast::new(q.plain_cast()?)?;
                Value::Cast(SharedCast { input, cast, out: *out })
            }
            (kernel, None) if kernel.is_integer() => Value::Kernel(step.kernel, inputs),
            _ => return None,
        };
        Some(self.intern(value))
    }

    fn intern(&mut self, value: Value) -> usize {
        self.values.iter().position(|v| *v == value).unwrap_or_else(|| {
            self.values.push(value);
            self.values.len() - 1
        })
    }

    /// The values of all slots of a program, where every step is known.
    pub(crate) fn steps(&mut self, steps: &[Step], mut known: Values) -> Option<Values> {
        for step in steps {
            known[step.output] = Some(self.apply(step, &known)?);
        }
        Some(known)
    }
}
