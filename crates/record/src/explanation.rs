//! One event through all layers of all legs: what `verify explain` says.

use bittrue_fixed::FixedType;
use serde::Serialize;

use crate::{FileInfo, ModelInfo, ToolInfo};

/// One event, layer by layer and leg by leg.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Version of this format, as that of the report.
    pub format_version: u32,
    /// The program.
    pub tool: ToolInfo,
    /// The model.
    pub model: ModelInfo,
    /// The proxy model file, when the user gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<FileInfo>,
    /// The configuration of hls4ml, when the user gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hls_config: Option<FileInfo>,
    /// The event.
    pub event: EventPlace,
    /// Casts of the model's inputs in the legs other than `qkeras`, spelled `INPUT=TYPE`.
    pub input_types: Vec<String>,
    /// The legs, the reference first.
    pub legs: Vec<String>,
    /// The aligned layers, in report order; those that were asked for.
    pub layers: Vec<ExplainedLayer>,
    /// Whether some layers were left out because others were asked for.
    pub layers_chosen: bool,
}

/// Where the event stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventPlace {
    /// Path of the event file as given.
    pub path: String,
    /// 0-based row in the file, before skipped rows.
    pub row: u64,
    /// Events of the file that are read: those behind the skipped ones.
    pub count: u64,
    /// Events left out at the start of the file.
    pub skipped: u64,
}

/// One aligned layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedLayer {
    /// Name, as in the report.
    pub name: String,
    /// Class name as in the model file.
    pub class: String,
    /// Shape of one event.
    pub shape: Vec<usize>,
    /// Whether it is an output of the model.
    pub is_output: bool,
    /// What each leg makes of it, in the order of [`Explanation::legs`].
    pub legs: Vec<ExplainedTensor>,
    /// The elements that are shown, in order of their index.
    pub elements: Vec<ExplainedElement>,
    /// Elements that differ, wrap or saturate and are not among those shown.
    pub left_out: u64,
}

/// What one leg makes of a layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedTensor {
    /// The leg.
    pub leg: String,
    /// Whether the leg forms this tensor at all; if not, all counts are 0.
    pub formed: bool,
    /// The layer whose tensor this is too, where the layer does nothing of its own in this leg.
    pub same_as: Option<String>,
    /// The type of the values; null in float32, and where every element has a type of its own.
    #[serde(rename = "type")]
    pub result_t: Option<FixedType>,
    /// What the layer ends in.
    pub quantizer: Ending,
    /// Elements.
    pub elements: u64,
    /// What the layer's last quantizer did.
    #[serde(flatten)]
    pub actions: Actions,
    /// Elements with a flag.
    pub flagged: u64,
    /// Elements that differ from the reference and are not ambiguous; null in the reference.
    pub mismatches: Option<u64>,
    /// Elements in which the leg's layer, fed the reference's input, differs from the reference;
    /// null in the reference.
    pub own_mismatches: Option<u64>,
    /// Elements that differ within their bands; null in the reference.
    pub ambiguous: Option<u64>,
    /// Quantizers of the layer before the last one.
    pub inner: Vec<InnerQuantizer>,
}

/// What a layer ends in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// A quantizer that means a cast to a fixed-point type.
    Cast,
    /// A quantizer that is more than a cast.
    Other,
    /// No quantizer: exact results in a type that holds them all.
    Exact,
    /// No quantizer: float32 results.
    Float32,
}

/// How many elements a quantizer changed, and how. Elements of which float32 makes something else
/// than the cast that is meant are not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Actions {
    /// Elements with bits below the LSB.
    pub rounded: u64,
    /// Elements outside the range that stop at one of its ends, or become zero.
    pub saturated: u64,
    /// Elements outside the range that wrap.
    pub wrapped: u64,
}

/// A quantizer inside a layer, whose result is not the layer's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InnerQuantizer {
    /// Its name in the leg's own model.
    pub name: String,
    /// Its type; null where every element has a type of its own.
    #[serde(rename = "type")]
    pub result_t: Option<FixedType>,
    /// Elements.
    pub elements: u64,
    /// What it did.
    #[serde(flatten)]
    pub actions: Actions,
}

/// One element of a layer in all legs that form it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedElement {
    /// Flat C-order index.
    pub index: u64,
    /// Its values, in the order of the legs; legs that do not form the layer are left out.
    pub values: Vec<ExplainedValue>,
}

/// One element in one leg.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedValue {
    /// The leg.
    pub leg: String,
    /// The value; null in JSON where it is no finite number.
    pub value: f64,
    /// The type in which the value is spelled; in float32, that of another leg, or null.
    #[serde(rename = "type")]
    pub fixed: Option<FixedType>,
    /// The integer; null where the value is not on the grid of the type.
    pub raw: Option<i64>,
    /// The integer in two's complement with all bits of the type and the binary point.
    pub bits: Option<String>,
    /// What the quantizer did; null where the layer ends in no quantizer that is a plain cast.
    pub cast: Option<ExplainedCast>,
    /// Compared with the reference.
    pub relation: Relation,
    /// Where the element differs of its own: what the leg's layer gives when it is fed the
    /// reference's input.
    pub own: Option<f64>,
    /// Lowest and highest value that the real software may give, where they differ.
    pub band: Option<[f64; 2]>,
    /// Names of the flags.
    pub flags: Vec<String>,
}

/// How the values of two legs relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// This is the reference.
    Reference,
    /// The same value.
    Equal,
    /// They differ within their bands.
    Ambiguous,
    /// They differ.
    Differs,
}

/// One value through one quantizer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedCast {
    /// The exact value before.
    pub from: f64,
    /// Its bits in two's complement: those above the type's highest bit, down from the sign; empty
    /// where they repeat the type's own sign.
    pub above: String,
    /// Those that the type has, with the binary point, before rounding.
    pub kept: String,
    /// Those below the LSB; empty where nothing is rounded.
    pub dropped: String,
    /// Where rounding went.
    pub rounding: RoundedTo,
    /// Whether the value lies in the middle of two codes.
    pub tie: bool,
    /// What became of a value outside the range.
    pub overflow: Option<OverflowAction>,
    /// How many times `2^I` was taken away by wrapping; null where it is not a plain wrap.
    pub wraps: Option<i64>,
    /// What the quantizer as a plain cast gives, where float32 arithmetic gives something else.
    pub plain: Option<f64>,
}

/// Where rounding went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoundedTo {
    /// The value is on the grid.
    Exact,
    /// To the code above.
    Up,
    /// To the code below.
    Down,
}

/// What became of a rounded value outside the range of its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OverflowAction {
    /// The highest or lowest code.
    Saturates,
    /// Zero.
    Zero,
    /// The low bits, or their reflection.
    Wraps,
}
