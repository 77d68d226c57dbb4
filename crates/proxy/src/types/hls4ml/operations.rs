//! What each node of hls4ml's graph computes, with its constants in their types.

use std::sync::Arc;

use bittrue_fixed::{Dialect, FixedType};
use bittrue_model::{
    Firmware, FirmwarePool, FirmwareSoftmax, FirmwareSum, MergeKind, OUTSIDE, Place, Raws,
    SoftmaxForm,
};

use super::build::refuse;
use super::graph::{Curve, Kind, Node, Parametrized, Quantizer, Softmax};
use super::precision::Precision;
use super::produce::{mask_index, taps};
use crate::ConvertError;

/// Most entries of a table that are made.
const MOST_ENTRIES: u128 = 1 << 22;

/// Most bits of an exact intermediate result.
const MOST_BITS: i32 = 63;

/// The type of a node's result without bits that are always zero: a function from a table is no finer
/// than the table, though its type has 126 fractional bits where nothing asks for fewer.
pub(super) fn narrowest(node: &Node, arguments: &[&Node]) -> Option<Precision> {
    let mut t = node.types.result?;
    let table = node.types.table.map_or(0, |t| t.fractional());
    let of_argument = || arguments.first()?.types.result.map(|t| t.fractional());
    let finest = match node.kind {
        Kind::Curve(_) => table,
        Kind::Parametrized { function: Parametrized::Elu, .. } => {
            (table + node.types.param?.fractional()).max(of_argument()?)
        }
        _ => return Some(t),
    };
    t.width -= (t.fractional() - finest).max(0);
    Some(t)
}

/// The operation of a node, before the cast to the type of its result.
pub(super) fn operation(node: &Node, arguments: &[&Node]) -> Result<Firmware, ConvertError> {
    let place = || Place::layer(&node.name);
    let argument = || typed(arguments.first().and_then(|a| a.types.result), &place());
    Ok(match &node.kind {
        Kind::Quantizer(q) => Firmware::CastEach(each(q, &node.shape, &place())?),
        Kind::Dense { kernel, bias } => {
            let elements = arguments.first().map_or(0, |a| a.elements());
            let rows = (0..elements as u32).collect();
            let of = |term, unit| kernel[term * node.shape[0] + unit];
            Firmware::Sum(sum(node, rows, [elements, 1, node.shape[0]], of, bias.as_deref())?)
        }
        Kind::Conv { cells, channels, depthwise, kernel, bias } => {
            let channels = *channels;
            if *depthwise {
                let rows = pooled(&cells.rows(), channels);
                let dims = [taps(cells), channels, 1];
                let of = |tap, channel| kernel[tap * channels + channel];
                return Ok(Firmware::Sum(sum(node, rows, dims, of, bias.as_deref())?));
            }
            let mut rows = Vec::new();
            for cell in cells.rows().into_iter().flatten() {
                rows.extend((0..channels).map(|c| at(cell, channels, c)));
            }
            let terms = taps(cells) * channels;
            let units = kernel.len() / terms.max(1);
            let of = |term, unit| kernel[term * units + unit];
            Firmware::Sum(sum(node, rows.into(), [terms, 1, units], of, bias.as_deref())?)
        }
        Kind::Norm { scale, bias } => {
            let (s, b) = (node.types.scale, node.types.bias);
            let (x, st, bt) = (argument()?, typed(s, &place())?, typed(b, &place())?);
            let integer = (x.integer + st.integer).max(bt.integer) + 2;
            let fractional = (x.fractional() + st.fractional()).max(bt.fractional());
            fits(integer + fractional, &place())?;
            Firmware::Affine { scale: raws(scale, s, &place())?, bias: raws(bias, b, &place())? }
        }
        Kind::Pool { kind, cells, channels } => {
            let x = argument()?;
            // The highest bit alone: the lowest number, or half of the range of an unsigned type.
            let padding = if x.signed { x.raw_min() } else { (x.raw_max() + 1) / 2 };
            Firmware::Pool(FirmwarePool {
                kind: *kind,
                rows: pooled(&cells.rows(), *channels),
                terms: taps(cells),
                padding: Raws { raw: vec![padding as i64], fractional: x.fractional() },
                accum: typed(node.types.accum, &place())?,
            })
        }
        Kind::Merge(kind) => {
            let (a, b) = (argument()?, typed(arguments[1].types.result, &place())?);
            let fractional = a.fractional().max(b.fractional());
            fits(
                match kind {
                    MergeKind::Multiply => (a.width + b.width).cast_signed(),
                    _ => a.integer.max(b.integer) + 2 + fractional + 1,
                },
                &place(),
            )?;
            Firmware::merge(*kind, &a, &b)
        }
        Kind::Concatenate { parts } => Firmware::Concatenate(*parts),
        Kind::Transpose { index } => {
            Firmware::Copy(index.iter().map(|&n| n as u32).collect::<Vec<_>>().into())
        }
        Kind::Relu { .. } => Firmware::Relu,
        Kind::Curve(curve) => Firmware::Curve {
            tangent: *curve == Curve::Tanh,
            size: entries(node, &place())?,
            table: typed(node.types.table, &place())?,
        },
        Kind::Parametrized { function, param } => {
            // hls4ml writes the parameter as a number, read as a double.
            let t = typed(node.types.param, &place())?;
            let value = constant(*param, &t, &place())?;
            let constant = Raws { raw: vec![value], fractional: t.fractional() };
            match function {
                Parametrized::LeakyRelu => {
                    fits((argument()?.width + t.width).cast_signed(), &place())?;
                    Firmware::LeakyRelu(constant)
                }
                Parametrized::ThresholdedRelu => Firmware::ThresholdedRelu(constant),
                Parametrized::Elu => Firmware::Elu {
                    alpha: constant,
                    size: entries(node, &place())?,
                    table: typed(node.types.table, &place())?,
                },
            }
        }
        Kind::Softmax(s) => Firmware::Softmax(softmax(node, s, argument()?)?),
        Kind::Table(table) => {
            let x = argument()?;
            if table.table.len() < 1 << x.width.min(62) {
                return Err(refuse(
                    place(),
                    format!("the C++ reads beyond its table: {x} has more codes than entries"),
                    "write the proxy again with HGQ 0.2.6",
                ));
            }
            let entries = raws(&table.table, node.types.table, &place())?;
            Firmware::Table { argument: x, entries }
        }
        Kind::Input { .. } | Kind::Reshape | Kind::Clone { .. } => {
            return Err(refuse(place(), "this node has no operation", "report this as a bug"));
        }
    })
}

/// A sum of products over `[terms, groups, units]`. `of` gives the weight of a term in a column.
fn sum(
    node: &Node,
    rows: Arc<[u32]>,
    [terms, groups, units]: [usize; 3],
    of: impl Fn(usize, usize) -> f32,
    bias: Option<&[f32]>,
) -> Result<FirmwareSum, ConvertError> {
    let place = Place::layer(&node.name);
    let columns = groups * units;
    let weights: Vec<f32> = (0..columns)
        .flat_map(|u| (0..terms).map(move |term| (term, u)))
        .map(|(t, u)| of(t, u))
        .collect();
    let zeros = vec![0.0; columns];
    Ok(FirmwareSum {
        rows,
        terms,
        groups,
        units,
        weights: raws(&weights, node.types.weight, &place)?,
        bias: raws(bias.unwrap_or(&zeros), node.types.bias, &place)?,
        accum: typed(node.types.accum, &place)?,
    })
}

fn at(cell: Option<usize>, channels: usize, channel: usize) -> u32 {
    cell.map_or(OUTSIDE, |cell| (cell * channels + channel) as u32)
}

/// A row for each position and channel.
fn pooled(windows: &[Vec<Option<usize>>], channels: usize) -> Arc<[u32]> {
    let mut rows = Vec::new();
    for window in windows {
        for c in 0..channels {
            rows.extend(window.iter().map(|&cell| at(cell, channels, c)));
        }
    }
    rows.into()
}

/// The types of all elements.
fn each(
    q: &Quantizer,
    shape: &[usize],
    place: &Place,
) -> Result<Arc<[Option<FixedType>]>, ConvertError> {
    let of = |m: usize| {
        let [k, i, f] = q.formats.at(m);
        if k + i + f == 0 {
            return Ok(None);
        }
        let (rounding, overflow) = (q.rounding, q.overflow);
        let t = Precision { signed: k != 0, width: k + i + f, integer: k + i, rounding, overflow };
        typed(Some(t), place).map(Some)
    };
    mask_index(&q.mask, shape).into_iter().map(of).collect()
}

fn entries(node: &Node, place: &Place) -> Result<u64, ConvertError> {
    table_size(node.types.table_size.unwrap_or(u128::MAX), place)
}

fn table_size(size: u128, place: &Place) -> Result<u64, ConvertError> {
    u64::try_from(size).ok().filter(|_| (2..=MOST_ENTRIES).contains(&size)).ok_or_else(|| {
        refuse(
            place.clone(),
            format!("hls4ml gives it a table of {size} entries; simulated are 2 to {MOST_ENTRIES}"),
            "quantise its argument to fewer fractional bits",
        )
    })
}

/// A softmax with the sizes of its tables.
fn softmax(node: &Node, s: &Softmax, argument: FixedType) -> Result<FirmwareSoftmax, ConvertError> {
    let place = Place::layer(&node.name);
    let common = node.types.table_size.unwrap_or(u128::MAX);
    let mut sizes = [s.exp_size.unwrap_or(common), s.inv_size.unwrap_or(common)];
    if s.form == SoftmaxForm::Stable && argument.signed {
        // hls4ml's template: that of the inverses, kept to the bits of a difference.
        sizes[0] = sizes[1].min(1_u128 << (argument.width - 1).min(126));
    }
    let of = |t: Precision| typed(Some(t), &place);
    let made = FirmwareSoftmax {
        form: s.form,
        together: if s.packed { node.shape.last().copied().unwrap_or(1) } else { node.elements() },
        argument,
        accum: of(s.accum)?,
        exp_table: of(s.exp_table)?,
        inv_inp: of(s.inv_inp)?,
        inv_table: of(s.inv_table)?,
        table: typed(node.types.table, &place)?,
        exp_size: table_size(sizes[0], &place)?,
        inv_size: table_size(sizes[1], &place)?,
    };
    // The first two forms address their tables by the highest bits of a number.
    let addresses = [
        (
            "exponentials",
            made.exp_size,
            argument.width - u32::from(s.form == SoftmaxForm::Stable && argument.signed),
        ),
        ("inverses", made.inv_size, made.inv_inp.width),
    ];
    let by_bits = matches!(s.form, SoftmaxForm::Stable | SoftmaxForm::Latency);
    for (what, size, bits) in addresses.into_iter().filter(|_| by_bits) {
        if !size.is_power_of_two() || size > 1 << bits.min(62) {
            return Err(refuse(
                place,
                format!(
                    "the C++ reads beyond its table of {what}: it has {size} entries, and the number \
                     that addresses them {bits} bits"
                ),
                "give a power of two, and not more entries than the number has values",
            ));
        }
    }
    Ok(made)
}

/// A derived type, for arithmetic.
fn typed(t: Option<Precision>, place: &Place) -> Result<FixedType, ConvertError> {
    t.and_then(|t| t.fixed()).filter(|t| t.width <= MOST_BITS.cast_unsigned()).ok_or_else(|| {
        let text = t.map(|t| t.to_string()).unwrap_or_default();
        refuse(
            place.clone(),
            format!("a type of more than {MOST_BITS} bits ({text}) cannot be simulated"),
            "quantise what it is derived from to fewer bits",
        )
    })
}

fn fits(bits: i32, place: &Place) -> Result<(), ConvertError> {
    if bits <= MOST_BITS {
        return Ok(());
    }
    Err(refuse(
        place.clone(),
        format!("its exact result has {bits} bits; simulated are up to {MOST_BITS}"),
        "quantise its arguments to fewer bits",
    ))
}

/// Constants in their type; what is below its LSB is cut off (M15).
fn raws(values: &[f32], t: Option<Precision>, place: &Place) -> Result<Raws, ConvertError> {
    let t = typed(t, place)?;
    let raw = values.iter().map(|&v| constant(v.into(), &t, place)).collect::<Result<_, _>>()?;
    Ok(Raws { raw, fractional: t.fractional() })
}

fn constant(value: f64, t: &FixedType, place: &Place) -> Result<i64, ConvertError> {
    let raw = t.convert_f64(value, Dialect::ApFixed).ok().and_then(|raw| i64::try_from(raw).ok());
    raw.ok_or_else(|| {
        refuse(
            place.clone(),
            format!("the constant {value} has no value in {t}"),
            "use finite weights",
        )
    })
}
