//! What has to be computed to know in which events the legs agree.

use bittrue_kernels::InputCast;

use crate::edge::Repr;
use crate::int::Packing;
use crate::kernel::Kernel;
use crate::plan::LegPlan;
use crate::program::{OwnProgram, Program, Step};
use crate::real::Quantizers;

/// A plan that finds the events in which legs may differ.
#[derive(Debug)]
pub(crate) struct Screen {
    pub(super) steps: Vec<Action>,
    /// Number of slots.
    pub(super) slots: usize,
}

/// One step of a screen.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    /// The events of an input, cast.
    Cast { cast: SharedCast, output: usize },
    /// A kernel on integers.
    Apply { kernel: usize, inputs: Vec<usize>, output: usize },
    /// Two tensors that have to be equal.
    Check { reference: usize, target: usize },
}

/// The cast of an input, as all legs that apply it have it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SharedCast {
    pub(super) input: usize,
    pub(super) cast: InputCast,
    pub(super) out: Packing,
}

/// A tensor, by how it is computed. Equal ones are one.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    /// The events of an input, as they are.
    Input(usize),
    Cast(SharedCast),
    Kernel(usize, Vec<usize>),
}

impl Screen {
    /// The screen of some legs, the reference first. `None` where a leg computes on reals behind its
    /// inputs: there values may have bands and flags, which are counted in every event.
    pub(crate) fn new(kernels: &[Kernel], legs: &[LegPlan]) -> Option<Self> {
        let (reference, targets) = legs.split_first()?;
        let mut builder = Builder { kernels, values: Vec::new(), checks: Vec::new() };
        let known = builder.steps(&reference.fast.steps, vec![None; reference.fast.slots()])?;
        for target in targets {
            builder.target(&reference.fast, &known, &target.fast)?;
            for (call, own) in target.own_fast.iter().enumerate() {
                if let (Some(own), Some(slot)) = (own, reference.fast.aligned[call]) {
                    builder.own(&reference.fast, &known, own, known[slot]?)?;
                }
            }
        }
        Some(builder.finish())
    }
}

/// The value of each slot, as far as it is known.
type Values = Vec<Option<usize>>;

struct Builder<'a> {
    kernels: &'a [Kernel],
    /// In an order in which they can be computed.
    values: Vec<Value>,
    /// Pairs of values that have to be equal.
    checks: Vec<(usize, usize)>,
}

impl Builder<'_> {
    /// The value of a leg that applies a kernel to values.
    fn apply(&mut self, step: &Step, known: &Values) -> Option<usize> {
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

    fn steps(&mut self, steps: &[Step], mut known: Values) -> Option<Values> {
        for step in steps {
            known[step.output] = Some(self.apply(step, &known)?);
        }
        Some(known)
    }

    /// Adds what a target does otherwise. Behind a tensor that has been compared the target reads the
    /// reference's, which is the same in the events that pass.
    fn target(&mut self, reference: &Program, known: &Values, target: &Program) -> Option<()> {
        let mut mine: Values = vec![None; target.slots()];
        for step in &target.steps {
            let value = self.apply(step, &mine)?;
            mine[step.output] = Some(value);
            let Some(slot) = target.call_of_slot[step.output].and_then(|c| reference.aligned[c.0])
            else {
                continue;
            };
            let theirs = known[slot]?;
            self.check(theirs, value)?;
            if same_form(reference.repr(slot), target.repr(step.output)) {
                mine[step.output] = Some(theirs);
            }
        }
        for (theirs, slot) in reference.aligned.iter().zip(&target.aligned) {
            if let (Some(theirs), Some(slot)) = (theirs, slot) {
                self.check(known[*theirs]?, mine[*slot]?)?;
            }
        }
        Some(())
    }

    /// Adds what a layer of a target gives when it is fed the reference's input.
    fn own(
        &mut self,
        reference: &Program,
        known: &Values,
        own: &OwnProgram,
        expected: usize,
    ) -> Option<()> {
        let mut fed = vec![None; own.slots];
        for (slot, call) in &own.feeds {
            fed[*slot] = known[reference.feeds[call.0]?];
        }
        let mine = self.steps(&own.steps, fed)?;
        self.check(expected, mine[own.output]?)
    }

    /// Asks for two values to be equal. `None` where they cannot be compared here.
    fn check(&mut self, reference: usize, target: usize) -> Option<()> {
        let from_event = |v: usize| matches!(self.values[v], Value::Input(_));
        if reference == target || self.checks.contains(&(reference, target)) {
            return Some(());
        }
        if from_event(reference) || from_event(target) {
            return None;
        }
        self.checks.push((reference, target));
        Some(())
    }

    fn finish(mut self) -> Screen {
        self.join_casts();
        let mut needed = vec![false; self.values.len()];
        for &(a, b) in &self.checks {
            (needed[a], needed[b]) = (true, true);
        }
        for n in (0..self.values.len()).rev() {
            match &self.values[n] {
                // It also says whether the event is in the proven domain.
                Value::Cast(_) => needed[n] = true,
                Value::Kernel(_, inputs) if needed[n] => {
                    inputs.iter().for_each(|&input| needed[input] = true);
                }
                Value::Kernel(..) | Value::Input(_) => {}
            }
        }
        let mut steps = Vec::new();
        for (output, value) in self.values.iter().enumerate().filter(|(n, _)| needed[*n]) {
            match value {
                Value::Input(_) => {}
                Value::Cast(cast) => steps.push(Action::Cast { cast: *cast, output }),
                Value::Kernel(kernel, inputs) => {
                    let (kernel, inputs) = (*kernel, inputs.clone());
                    steps.push(Action::Apply { kernel, inputs, output });
                }
            }
            let ready = self.checks.iter().filter(|(a, b)| (*a).max(*b) == output);
            steps.extend(ready.map(|&(reference, target)| Action::Check { reference, target }));
        }
        Screen { steps, slots: self.values.len() }
    }

    /// Two casts of one input that differ only on overflow become one that reports overflow.
    fn join_casts(&mut self) {
        let mut kept = Vec::new();
        for (reference, target) in std::mem::take(&mut self.checks) {
            let joined = match (&self.values[reference], &self.values[target]) {
                (Value::Cast(a), Value::Cast(b)) if (a.input, a.out) == (b.input, b.out) => {
                    a.cast.agreement(b.cast).map(|cast| SharedCast { cast, ..*a })
                }
                _ => None,
            };
            let Some(joined) = joined else {
                kept.push((reference, target));
                continue;
            };
            self.values[reference] = Value::Cast(joined);
            self.values[target] = Value::Cast(joined);
        }
        self.checks = kept;
        // What became equal is one.
        for n in 0..self.values.len() {
            let first = self.values.iter().position(|v| *v == self.values[n]).unwrap_or(n);
            if first == n {
                continue;
            }
            for value in &mut self.values {
                if let Value::Kernel(_, inputs) = value {
                    inputs.iter_mut().filter(|i| **i == n).for_each(|i| *i = first);
                }
            }
            for (a, b) in &mut self.checks {
                *a = if *a == n { first } else { *a };
                *b = if *b == n { first } else { *b };
            }
            self.values[n] = Value::Input(usize::MAX);
        }
        self.checks.retain(|(a, b)| a != b);
    }
}

/// Whether raws of the two mean the same and are stored alike.
fn same_form(a: Repr, b: Repr) -> bool {
    matches!(a, Repr::Int { .. }) && a == b
}
