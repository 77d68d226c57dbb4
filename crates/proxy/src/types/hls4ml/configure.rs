//! What the configuration decides: tables, and all of a softmax.

use bittrue_fixed::{Overflow, Rounding};
use bittrue_model::SoftmaxForm;

use super::graph::{Kind, Node, Softmax};
use super::precision::Precision;
use crate::{ConvertError, HlsConfig};

/// Entries of a table that nothing else decides.
const TABLE_SIZE: u128 = 1024;

/// The spellings of `implementation`.
const FORMS: [(&str, SoftmaxForm); 4] = [
    ("latency", SoftmaxForm::Latency),
    ("stable", SoftmaxForm::Stable),
    ("argmax", SoftmaxForm::Argmax),
    ("legacy", SoftmaxForm::Legacy),
];

/// The type of tables of functions.
fn table() -> Precision {
    Precision::plain(true, 18, 8)
}

/// The types of the tables of a softmax.
fn rounded() -> Precision {
    Precision { rounding: Rounding::Rnd, overflow: Overflow::Sat, ..table() }
}

/// A softmax of which nothing is said.
pub(super) fn default_softmax() -> Softmax {
    Softmax {
        form: SoftmaxForm::Stable,
        accum: Precision::plain(true, 16, 6),
        exp_table: rounded(),
        inv_table: rounded(),
        inv_inp: rounded(),
        exp_size: None,
        inv_size: None,
        packed: false,
        skip: false,
    }
}

/// The type of a node that nothing derives.
///
/// # Errors
///
/// Where the configuration gives no fixed-point type.
pub(super) fn default_result(
    name: &str,
    class: &str,
    config: &HlsConfig,
) -> Result<Precision, ConvertError> {
    config.layer(name, class).result()
}

/// Gives a new node what the configuration says, or hls4ml's defaults.
///
/// # Errors
///
/// Where numbers depend on a value of the configuration that is not supported.
pub(super) fn configured(mut node: Node, config: &HlsConfig) -> Result<Node, ConvertError> {
    let name = node.name.clone();
    let layer = config.layer(&name, &node.class);
    let types = &mut node.types;
    match &mut node.kind {
        Kind::Relu { .. } | Kind::Curve(_) => {
            types.table = Some(layer.type_or("table_t", table())?)
        }
        Kind::Parametrized { .. } => {
            types.table = Some(layer.type_or("table_t", table())?);
            types.table_size = Some(layer.size("table_size")?.unwrap_or(TABLE_SIZE));
        }
        Kind::Softmax(softmax) => {
            types.table = Some(layer.type_or("table_t", table())?);
            types.table_size = Some(layer.size("table_size")?.unwrap_or(TABLE_SIZE));
            *softmax = Softmax {
                form: layer.choice("implementation", &FORMS)?.unwrap_or(SoftmaxForm::Stable),
                accum: layer.accum()?,
                exp_table: layer.type_or("exp_table_t", rounded())?,
                inv_table: layer.type_or("inv_table_t", rounded())?,
                inv_inp: layer.type_or("inv_inp_t", rounded())?,
                exp_size: layer.size("exp_table_size")?,
                inv_size: layer.size("inv_table_size")?,
                packed: config.stream,
                skip: layer.truth("skip")?,
            };
        }
        Kind::Table(table) => types.table_size = Some(table.table.len() as u128),
        _ => {}
    }
    Ok(node)
}
