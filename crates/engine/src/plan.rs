//! The plan: programs for every leg, made once.

use bittrue_fixed::{FixedType, Overflow, Rounding};
use bittrue_model::{
    CallId, EdgeType, Model, ModelError, NodeId, Op, Place, Rounding32, TypedModel,
};

use crate::fusion::Graph;
use crate::kernel::Kernel;
use crate::lower::Care;
use crate::program::{EdgeInfo, Interner, OwnProgram, Program};
use crate::screen::Screen;
use crate::stream::Emulation;

/// A model that cannot be planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct PlanError {
    place: Place,
    what: String,
    in_reference: bool,
    help: &'static str,
}

impl PlanError {
    pub(crate) fn new(place: Place, what: impl Into<String>) -> Self {
        Self { place, what: what.into(), in_reference: false, help: "" }
    }

    /// The same error with what to do.
    pub(crate) fn with_help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }

    /// What to do, if anything is known.
    pub fn help(&self) -> Option<&str> {
        Some(self.help).filter(|help| !help.is_empty())
    }

    /// Whether it is the reference, and not a target, that cannot be evaluated.
    pub fn is_in_reference(&self) -> bool {
        self.in_reference
    }

    /// Where.
    pub fn place(&self) -> &Place {
        &self.place
    }
}

impl From<ModelError> for PlanError {
    fn from(e: ModelError) -> Self {
        Self::new(e.place().clone(), e.to_string())
    }
}

/// The plan of one leg.
#[derive(Debug)]
pub(crate) struct LegPlan {
    pub(crate) name: String,
    pub(crate) fast: Program,
    pub(crate) careful: Program,
    /// For each call of the source model: the leg's layer fed the reference's inputs.
    pub(crate) own_fast: Vec<Option<OwnProgram>>,
    pub(crate) own_careful: Vec<Option<OwnProgram>>,
    types: Vec<Option<FixedType>>,
}

/// Plans of the reference and of all targets, ready to run.
#[derive(Debug)]
pub struct Engine {
    pub(crate) kernels: Vec<Kernel>,
    /// The reference first.
    pub(crate) legs: Vec<LegPlan>,
    pub(crate) screen: Option<Screen>,
    /// For each leg the quickest way to its outputs, where it computes on integers.
    pub(crate) emulations: Vec<Option<Emulation>>,
    /// Elements of each output of the model.
    pub(crate) output_elements: Vec<usize>,
    pub(crate) outputs: Vec<CallId>,
    lanes: usize,
}

impl Engine {
    /// Plans `reference` and `targets`, all made from `model`.
    ///
    /// # Errors
    ///
    /// For a quantizer whose type cannot be computed.
    pub fn new(
        model: &Model,
        reference: &TypedModel,
        targets: &[TypedModel],
    ) -> Result<Self, PlanError> {
        let mut interner = Interner::default();
        let mut legs: Vec<LegPlan> = Vec::new();
        for typed in std::iter::once(reference).chain(targets) {
            let of_leg = |e| PlanError { in_reference: legs.is_empty(), ..e };
            let graph = Graph::new(typed);
            let fast = Program::new(&graph, Care::Fast, &mut interner).map_err(of_leg)?;
            let careful = Program::new(&graph, Care::Careful, &mut interner).map_err(of_leg)?;
            let mut own = |care| -> Result<Vec<Option<OwnProgram>>, PlanError> {
                let Some(first) = legs.first() else { return Ok(vec![None; model.calls.len()]) };
                let reference = match care {
                    Care::Fast => &first.fast,
                    Care::Careful => &first.careful,
                };
                model
                    .call_ids()
                    .map(|c| OwnProgram::new(model, &graph, reference, c, care, &mut interner))
                    .collect()
            };
            let (own_fast, own_careful) = (own(Care::Fast)?, own(Care::Careful)?);
            let types = model.call_ids().map(|c| aligned_type(typed, &fast, c)).collect();
            legs.push(LegPlan {
                name: typed.leg.clone(),
                fast,
                careful,
                own_fast,
                own_careful,
                types,
            });
        }
        let widest = legs.iter().map(|l| l.fast.widest()).max().unwrap_or(1);
        let kernels = interner.finish();
        let screen = Screen::new(&kernels, &legs);
        let emulations =
            legs.iter().map(|leg| Emulation::new(&kernels, leg, &model.outputs)).collect();
        let elements = |&c: &CallId| model.call(c).shape.iter().product();
        let output_elements = model.outputs.iter().map(elements).collect();
        let outputs = model.outputs.clone();
        let lanes = lanes(widest);
        Ok(Self { kernels, legs, screen, emulations, output_elements, outputs, lanes })
    }

    /// Events in one block: as many as keep the widest tensor in the cache.
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// The spelling of a leg; the reference is leg 0.
    pub fn leg(&self, leg: usize) -> &str {
        &self.legs[leg].name
    }

    /// Number of legs, the reference included.
    pub fn legs(&self) -> usize {
        self.legs.len()
    }

    /// The type of a layer's aligned tensor in a leg: declared by its quantizer, or derived from
    /// the exact arithmetic. `None` where the leg computes in float32 there.
    pub fn result_t(&self, leg: usize, call: CallId) -> Option<FixedType> {
        self.legs[leg].types[call.0]
    }

    /// How the result of a node of a leg's typed graph is computed.
    pub fn node_edge(&self, leg: usize, node: NodeId) -> EdgeInfo {
        self.legs[leg].fast.node_info(node)
    }

    /// How a layer's aligned tensor is computed in a leg; `None` where the leg never forms it.
    pub fn edge(&self, leg: usize, call: CallId) -> Option<EdgeInfo> {
        self.legs[leg].fast.edge_info(call)
    }
}

/// Half a megabyte of 8-byte values in the widest tensor.
fn lanes(widest: usize) -> usize {
    const VALUES: usize = 1 << 16;
    (VALUES / widest.max(1)).clamp(8, 512)
}

fn aligned_type(typed: &TypedModel, program: &Program, call: CallId) -> Option<FixedType> {
    let mut node = &typed.nodes[typed.aligned[call.0]?.node.0];
    // What only reshapes has the type of its argument.
    while matches!(node.op, Op::Reshape | Op::Identity) {
        node = &typed.nodes[node.inputs.first()?.0];
    }
    match &node.edge {
        EdgeType::Uniform(t) => Some(*t),
        EdgeType::Derived if node.rules.arithmetic == Rounding32::Exact => {
            let kif = program.exact_kif(call)?;
            FixedType::from_kif(kif, Rounding::Trn, Overflow::Wrap).ok()
        }
        EdgeType::Derived | EdgeType::PerElement(_) => None,
    }
}
