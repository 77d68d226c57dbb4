//! Which events may differ: the legs' common part, run once.
//!
//! Most events are the same in every leg, layer by layer. Where legs apply the same kernel to the
//! same tensors that needs no computing: the plan sees it. What is left are the places where kernels
//! differ, mostly casts that overflow differently. A screen computes both sides of these places and
//! compares them. An event that agrees at all of them agrees everywhere, by induction over the
//! layers, in what each layer gives and in what it gives when fed the reference's input; it needs no
//! further counting. All other events, and those that leave the proven domain, go through every leg.
//!
//! | file | one idea |
//! |---|---|
//! | `plan` | what has to be computed to know |
//! | `run` | computing it for a block |

mod plan;
mod run;

pub(crate) use plan::Screen;
