//! Kernels and biases as a layer uses them: the stored float32 values through their quantizer.

use bittrue_model::{Alpha, Constant, ModelError, Place, Quantizer};
use ndarray::ArrayD;

use crate::exact;
use crate::float::Position;
pub use crate::float::kernel::Mode as Evaluation;
use crate::float::kernel::{self, KernelQuantizer, QuantizedKernel};

/// What a constant is used as. The kernel rule of QKeras applies to kernels only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A kernel: `alpha=None` means `auto_po2`.
    Kernel,
    /// A bias: `alpha=None` means 1.
    Bias,
}

/// Quantises a constant tensor.
///
/// # Errors
///
/// For a quantizer with arguments that QKeras 0.9.0 refuses, or that are not supported yet.
pub fn quantize(
    quantizer: Option<&Quantizer>,
    values: &ArrayD<f32>,
    role: Role,
    evaluation: Evaluation,
    place: &Place,
) -> Result<Constant, ModelError> {
    let Some(quantizer) = quantizer else {
        return Ok(Constant { values: values.clone(), on_grid: false });
    };
    if let Quantizer::QuantizedRelu(q) = quantizer {
        let ready = crate::prepare_relu(q, evaluation, place)?;
        let grid = exact::relu_grid(q);
        let values = values.mapv(|v| ready.apply(v));
        // A straight-through artefact may take a value off its grid.
        let on_grid = grid.is_some_and(|g| values.iter().all(|&v| is_on_grid(v, g.fractional)));
        return Ok(Constant { values, on_grid });
    }
    if let Quantizer::QuantizedCurve(q) = quantizer {
        let ready = crate::prepare_curve(q, place)?;
        let n = values.len();
        let mut values = values.clone();
        for (at, v) in values.iter_mut().enumerate() {
            *v = ready.apply(*v, Position::of(at, n));
        }
        return Ok(Constant { values, on_grid: exact::curve_grid(q).is_some() });
    }
    let flat: Vec<f32> = values.iter().copied().collect();
    let prepared = prepare(quantizer, role, place)?;
    let quantized = prepared
        .quantize(&flat, values.shape(), evaluation)
        .map_err(|e| ModelError::new(place.clone().attribute(e.attribute()), e.to_string()))?;
    if !quantized.certain {
        return Err(ModelError::new(
            place.clone().attribute("alpha"),
            "the scale that QKeras computes for a tensor of this size depends on the number of \
             threads of TensorFlow, so the model is not one function",
        )
        .with_help("give the quantizer a numeric alpha, such as alpha=1"));
    }
    let on_grid = declares_grid(&prepared) && stays_on_grid(&prepared, &quantized);
    let values = ArrayD::from_shape_vec(values.raw_dim(), quantized.values)
        .map_err(|e| ModelError::new(place.clone(), e.to_string()))?;
    Ok(Constant { values, on_grid })
}

/// The quantizer with the rule for its role applied.
fn prepare(
    quantizer: &Quantizer,
    role: Role,
    place: &Place,
) -> Result<KernelQuantizer, ModelError> {
    let prepared = match quantizer {
        Quantizer::QuantizedBits(q) => {
            // Bounds of bits, integer and symmetric are those of an activation.
            let unscaled = bittrue_model::QuantizedBits { alpha: Alpha::None, ..q.clone() };
            crate::prepare_bits(&unscaled, place)?;
            KernelQuantizer::Bits {
                bits: q.bits as u32,
                integer: q.integer as i32,
                symmetric: q.symmetric == 1,
                keep_negative: q.keep_negative,
                alpha: alpha(&q.alpha),
                qnoise_factor: q.qnoise_factor,
            }
        }
        Quantizer::Binary { use_01, alpha: a } => {
            KernelQuantizer::Binary { use_01: *use_01, alpha: alpha(a) }
        }
        Quantizer::Ternary { alpha: a, threshold, number_of_unrolls } => KernelQuantizer::Ternary {
            alpha: alpha(a),
            threshold: *threshold,
            number_of_unrolls: *number_of_unrolls,
        },
        Quantizer::QuantizedPo2(q) => KernelQuantizer::Po2(po2(q)),
        Quantizer::QuantizedReluPo2 { args, negative_slope } => {
            KernelQuantizer::ReluPo2 { args: po2(args), negative_slope: *negative_slope }
        }
        Quantizer::QuantizedRelu(_) | Quantizer::QuantizedCurve(_) => {
            let what = format!("{} has no scale", quantizer.class_name());
            return Err(ModelError::new(place.clone(), what));
        }
    };
    Ok(match role {
        Role::Kernel => prepared.with_kernel_rule(),
        Role::Bias => prepared,
    })
}

fn po2(q: &bittrue_model::QuantizedPo2) -> kernel::Po2Args {
    kernel::Po2Args {
        bits: q.bits,
        max_value: q.max_value,
        quadratic_approximation: q.quadratic_approximation,
        floor: q.floor,
        qnoise_factor: q.qnoise_factor,
    }
}

fn alpha(alpha: &Alpha) -> kernel::Alpha {
    match alpha {
        Alpha::None => kernel::Alpha::None,
        Alpha::Number(a) => kernel::Alpha::Number(*a),
        Alpha::Array(a) => {
            kernel::Alpha::Array { shape: a.shape().to_vec(), values: a.iter().copied().collect() }
        }
        Alpha::Auto => kernel::Alpha::Auto,
        Alpha::AutoPo2 => kernel::Alpha::AutoPo2,
    }
}

/// Whether the quantizer by its arguments gives powers of two times integers: no scale, a scale of
/// 2^k, or one that QKeras rounds to 2^k. A scale from the data declares no grid.
fn declares_grid(q: &KernelQuantizer) -> bool {
    let scale = |alpha: &kernel::Alpha| match alpha {
        kernel::Alpha::None | kernel::Alpha::AutoPo2 => true,
        kernel::Alpha::Number(a) => is_power_of_two(*a as f32),
        kernel::Alpha::Array { values, .. } => values.iter().all(|&a| is_power_of_two(a)),
        kernel::Alpha::Auto => false,
    };
    match q {
        KernelQuantizer::Bits { alpha, qnoise_factor, .. } => scale(alpha) && *qnoise_factor == 1.0,
        KernelQuantizer::Binary { alpha, .. } | KernelQuantizer::Ternary { alpha, .. } => {
            scale(alpha)
        }
        KernelQuantizer::Po2(args) | KernelQuantizer::ReluPo2 { args, .. } => {
            args.qnoise_factor == 1.0
        }
    }
}

/// Whether no straight-through artefact took a value off the declared grid.
fn stays_on_grid(q: &KernelQuantizer, quantized: &QuantizedKernel) -> bool {
    let scales = &quantized.scale;
    let scale = |i: usize| scales.get(i % scales.len().max(1)).copied().unwrap_or(1.0);
    quantized.values.iter().enumerate().all(|(i, &v)| match q {
        KernelQuantizer::Bits { bits, integer, keep_negative, .. } => {
            let unsigned = bits.cast_signed() - i32::from(*keep_negative);
            // A sign quantizer gives -1 and +1 whatever `integer` is.
            let fractional = if unsigned == 0 { 0 } else { unsigned - integer };
            v == 0.0 || is_on_grid(v / scale(i), fractional)
        }
        KernelQuantizer::Binary { .. } | KernelQuantizer::Ternary { .. } => {
            v == 0.0 || (v.abs() / scale(i)) == 1.0
        }
        KernelQuantizer::Po2(_) | KernelQuantizer::ReluPo2 { .. } => {
            v == 0.0 || is_power_of_two(v.abs())
        }
    })
}

fn is_on_grid(v: f32, fractional: i32) -> bool {
    bittrue_fixed::exact_raw_f64(v.into()).is_some_and(|(_, f)| f <= fractional)
}

fn is_power_of_two(v: f32) -> bool {
    bittrue_fixed::exact_raw_f64(v.into()).is_some_and(|(raw, _)| raw == 1)
}
