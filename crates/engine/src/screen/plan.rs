//! What has to be computed to know in which events the legs agree.

use crate::edge::Repr;
use crate::kernel::Kernel;
use crate::plan::LegPlan;
use crate::program::{OwnProgram, Program};
use crate::stream::{Graph, SharedCast, Stream, Value, Values};

/// A plan that finds the events in which legs may differ.
#[derive(Debug)]
pub(crate) struct Screen {
    pub(super) stream: Stream,
    /// Values that have to be equal.
    pub(super) checks: Vec<(usize, usize)>,
}

impl Screen {
    /// The screen of some legs, the reference first. `None` where a leg computes on reals behind its
    /// inputs: there values may have bands and flags, which are counted in every event.
    pub(crate) fn new(kernels: &[Kernel], legs: &[LegPlan]) -> Option<Self> {
        let (reference, targets) = legs.split_first()?;
        let mut builder = Builder { graph: Graph::new(kernels), checks: Vec::new() };
        let known =
            builder.graph.steps(&reference.fast.steps, vec![None; reference.fast.slots()])?;
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

struct Builder<'a> {
    graph: Graph<'a>,
    /// Pairs of values that have to be equal.
    checks: Vec<(usize, usize)>,
}

impl Builder<'_> {
    /// Adds what a target does otherwise. Behind a tensor that has been compared the target reads the
    /// reference's, which is the same in the events that pass.
    fn target(&mut self, reference: &Program, known: &Values, target: &Program) -> Option<()> {
        let mut mine: Values = vec![None; target.slots()];
        for step in &target.steps {
            let value = self.graph.apply(step, &mine)?;
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
        let mine = self.graph.steps(&own.steps, fed)?;
        self.check(expected, mine[own.output]?)
    }

    /// Asks for two values to be equal. `None` where they cannot be compared here.
    fn check(&mut self, reference: usize, target: usize) -> Option<()> {
        let from_event = |v: usize| matches!(self.graph.values[v], Value::Input(_));
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
        let roots: Vec<usize> = self.checks.iter().flat_map(|&(a, b)| [a, b]).collect();
        let Graph { kernels, values } = self.graph;
        Screen { stream: Stream::new(kernels, &values, &roots), checks: self.checks }
    }

    /// Two casts of one input that differ only on overflow become one that reports overflow.
    fn join_casts(&mut self) {
        let mut kept = Vec::new();
        for (reference, target) in std::mem::take(&mut self.checks) {
            let joined = match (&self.graph.values[reference], &self.graph.values[target]) {
                (Value::Cast(a), Value::Cast(b)) if (a.input, a.out) == (b.input, b.out) => {
                    a.cast.agreement(b.cast).map(|cast| SharedCast { cast, ..*a })
                }
                _ => None,
            };
            let Some(joined) = joined else {
                kept.push((reference, target));
                continue;
            };
            self.graph.values[reference] = Value::Cast(joined);
            self.graph.values[target] = Value::Cast(joined);
        }
        self.checks = kept;
        // What became equal is one.
        for n in 0..self.graph.values.len() {
            let first =
                self.graph.values.iter().position(|v| *v == self.graph.values[n]).unwrap_or(n);
            if first == n {
                continue;
            }
            for value in &mut self.graph.values {
                if let Value::Kernel(_, inputs) = value {
                    inputs.iter_mut().filter(|i| **i == n).for_each(|i| *i = first);
                }
            }
            for (a, b) in &mut self.checks {
                *a = if *a == n { first } else { *a };
                *b = if *b == n { first } else { *b };
            }
            self.graph.values[n] = Value::Input(usize::MAX);
        }
        self.checks.retain(|(a, b)| a != b);
    }
}

/// Whether raws of the two mean the same and are stored alike.
fn same_form(a: Repr, b: Repr) -> bool {
    matches!(a, Repr::Int { .. }) && a == b
}
