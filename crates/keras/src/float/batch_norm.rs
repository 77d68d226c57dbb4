//! Keras' BatchNormalization at inference.
//!
//! The formula depends on what TensorFlow runs the layer with ([`BatchNormKind`]). All of them take
//! `1/sqrt(variance + epsilon)`. Where that is a vector instruction, the result is approximate and depends
//! on the CPU: then every candidate within [`RSQRT_STEPS`] is followed through the
//! formula, and the band holds all results.

use super::activations::{Banded, Position};
use super::error::ArgumentError;
use super::ftz::{add, div, fma, ftz, mul, sub};

/// How many float32 values the vector `rsqrt` can be away from `f(1/f(sqrt(x)))`: measured over four
/// million values (`rsqrt_steps` in `testvectors/quantizers/functions.json`).
pub const RSQRT_STEPS: u32 = 3;

/// The parameters of a BatchNormalization, one value per parameter index: the channel for a single axis,
/// the index in C order over all normalized axes (ascending) for several.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchNorm {
    /// `None` with `scale=False`.
    pub gamma: Option<Vec<f32>>,
    /// `None` with `center=False`.
    pub beta: Option<Vec<f32>>,
    /// The moving mean; its length decides the number of parameters.
    pub mean: Vec<f32>,
    /// The moving variance.
    pub variance: Vec<f32>,
    /// `epsilon`, rounded to float32.
    pub epsilon: f32,
}

/// Which of TensorFlow's computations is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BatchNormKind {
    /// The fused kernel for rank 4 and axis 3, certain: `fma((x - mean)·inv, gamma, beta)` when the number
    /// of channels is a multiple of four, else `(x - mean)·(gamma/sqrt(variance + epsilon)) + beta`.
    Fused,
    /// The fused kernel for rank 4 and axis 1, certain: the second formula for any number of channels.
    FusedFirst,
    /// Single operations (ranks 2 and 3, and ranks 4 and 5 with other axes): `x·inv + (beta - mean·inv)`.
    Composed,
    /// The fused kernel for rank 5 and one axis, 1 or 4: `(x - mean)·inv + beta`.
    FusedVolume,
    /// Inside the kernel of a Conv2D without bias (rewrite G5): `((x - mean)·inv)·gamma + beta`, whatever
    /// the number of channels. Every reader of the normalisation sees this value; only where the
    /// normalisation itself is an output of the model and nothing else reads it, it is [`Fused`](Self::Fused).
    Convolution,
}

impl BatchNormKind {
    /// The kind for an input of this rank (with the batch axis) and these axes (not negative).
    #[must_use]
    pub fn of(rank: usize, axes: &[usize]) -> Self {
        match (rank, axes) {
            (4, [3]) => Self::Fused,
            (4, [1]) => Self::FusedFirst,
            (5, [1 | 4]) => Self::FusedVolume,
            _ => Self::Composed,
        }
    }
}

/// A BatchNormalization with what does not depend on the input computed once.
#[derive(Clone, Debug)]
pub struct PreparedBatchNorm {
    formula: Formula,
    parameters: Vec<Parameters>,
}

#[derive(Clone, Copy, Debug)]
enum Formula {
    /// `fma((x - mean)·factor, gamma, beta)`.
    FusedByFour,
    /// `((x - mean)·factor) + beta`.
    Centered,
    /// `x·factor + shift`.
    Composed,
    /// `((x - mean)·factor)·gamma + beta`.
    Convolution,
}

#[derive(Clone, Debug)]
struct Parameters {
    mean: f32,
    gamma: f32,
    beta: f32,
    /// The best one first; all others are as likely.
    candidates: Vec<Candidate>,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    factor: f32,
    shift: f32,
}

impl BatchNorm {
    /// Computes what does not depend on the input.
    ///
    /// # Errors
    /// When the parameters do not have one length.
    pub fn prepare(&self, kind: BatchNormKind) -> Result<PreparedBatchNorm, ArgumentError> {
        let len = self.mean.len();
        let lengths = [
            ("gamma", self.gamma.as_ref().map_or(len, Vec::len)),
            ("beta", self.beta.as_ref().map_or(len, Vec::len)),
            ("moving_variance", self.variance.len()),
        ];
        if let Some((name, found)) = lengths.into_iter().find(|&(_, found)| found != len) {
            return Err(ArgumentError::new(
                "BatchNormalization",
                name,
                format!("{found} values"),
                "all parameters have one value per channel, as moving_mean has",
            ));
        }
        let formula = match kind {
            BatchNormKind::Fused if len.is_multiple_of(4) => Formula::FusedByFour,
            BatchNormKind::Fused | BatchNormKind::FusedFirst | BatchNormKind::FusedVolume => {
                Formula::Centered
            }
            BatchNormKind::Composed => Formula::Composed,
            BatchNormKind::Convolution => Formula::Convolution,
        };
        let parameters = (0..len).map(|c| self.parameters(kind, formula, c)).collect();
        Ok(PreparedBatchNorm { formula, parameters })
    }

    fn parameters(&self, kind: BatchNormKind, formula: Formula, c: usize) -> Parameters {
        let mean = self.mean[c];
        let gamma = self.gamma.as_ref().map_or(1.0, |gamma| gamma[c]);
        let beta = self.beta.as_ref().map(|beta| beta[c]);
        let variance = add(self.variance[c], self.epsilon);
        let root = ftz(variance.sqrt());
        let exact = div(1.0, root);
        let roots = match (kind, Position::of(c, self.mean.len())) {
            (BatchNormKind::Fused | BatchNormKind::FusedFirst, _) | (_, Position::Tail) => {
                vec![exact]
            }
            _ => around(exact),
        };
        let candidate = |root: f32| match formula {
            Formula::FusedByFour | Formula::Convolution => Candidate { factor: root, shift: 0.0 },
            Formula::Centered => Candidate { factor: mul(root, gamma), shift: 0.0 },
            Formula::Composed => {
                let factor = mul(root, gamma);
                let shift = beta.map_or(mul(-mean, factor), |beta| sub(beta, mul(mean, factor)));
                Candidate { factor, shift }
            }
        };
        let mut candidates: Vec<_> = roots.into_iter().map(candidate).collect();
        if let (BatchNormKind::Fused | BatchNormKind::FusedFirst, Formula::Centered) =
            (kind, formula)
        {
            candidates = vec![Candidate { factor: div(gamma, root), shift: 0.0 }];
        }
        Parameters { mean, gamma, beta: beta.unwrap_or(0.0), candidates }
    }
}

/// The value and those next to it.
fn around(x: f32) -> Vec<f32> {
    let mut values = vec![x];
    if x.is_finite() && x > 0.0 {
        let (mut below, mut above) = (x, x);
        for _ in 0..RSQRT_STEPS {
            below = below.next_down();
            above = above.next_up();
            values.extend([below, above]);
        }
    }
    values
}

impl PreparedBatchNorm {
    /// The number of parameter indices.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.parameters.len()
    }

    /// The result for one element and its parameter index.
    ///
    /// # Panics
    /// When `channel` is not below [`channels`](Self::channels).
    #[must_use]
    pub fn apply(&self, x: f32, channel: usize) -> Banded {
        let parameters = &self.parameters[channel];
        let evaluate = |candidate: &Candidate| self.formula.evaluate(x, parameters, *candidate);
        let value = evaluate(&parameters.candidates[0]);
        parameters.candidates[1..].iter().map(evaluate).fold(Banded::exact(value), widen)
    }

    /// The result for an element that is `x` at best and between `lo` and `hi` for certain.
    ///
    /// # Panics
    /// When `channel` is not below [`channels`](Self::channels).
    #[must_use]
    pub fn apply_interval(&self, x: f32, lo: f32, hi: f32, channel: usize) -> Banded {
        // Every candidate's formula is monotone in x.
        let middle = self.apply(x, channel);
        [self.apply(lo, channel), self.apply(hi, channel)]
            .into_iter()
            .fold(middle, |band, end| widen(widen(band, end.lo), end.hi))
    }
}

/// Includes one more result; a NaN next to numbers means that nothing is known.
fn widen(band: Banded, other: f32) -> Banded {
    if band.value.is_nan() && other.is_nan() && band.is_exact() {
        return band;
    }
    if band.lo.is_nan() || other.is_nan() {
        return Banded { value: band.value, lo: f32::NEG_INFINITY, hi: f32::INFINITY };
    }
    Banded { value: band.value, lo: band.lo.min(other), hi: band.hi.max(other) }
}

impl Formula {
    #[inline]
    fn evaluate(self, x: f32, parameters: &Parameters, candidate: Candidate) -> f32 {
        let Parameters { mean, gamma, beta, .. } = *parameters;
        let Candidate { factor, shift } = candidate;
        match self {
            Self::FusedByFour => fma(mul(sub(x, mean), factor), gamma, beta),
            Self::Centered => add(mul(sub(x, mean), factor), beta),
            Self::Composed => add(mul(x, factor), shift),
            Self::Convolution => add(mul(mul(sub(x, mean), factor), gamma), beta),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn norm(channels: usize) -> BatchNorm {
        let values =
            |start: f32| (0..channels).map(|c| start + c as f32 * 0.37).collect::<Vec<_>>();
        BatchNorm {
            gamma: Some(values(0.7)),
            beta: Some(values(-0.3)),
            mean: values(0.1),
            variance: values(0.9),
            epsilon: 1.0e-3,
        }
    }

    #[test]
    fn the_kind_follows_rank_and_axes() {
        assert_eq!(BatchNormKind::of(4, &[3]), BatchNormKind::Fused);
        assert_eq!(BatchNormKind::of(4, &[1]), BatchNormKind::FusedFirst);
        assert_eq!(BatchNormKind::of(5, &[4]), BatchNormKind::FusedVolume);
        for (rank, axes) in [(2, &[1][..]), (3, &[1]), (4, &[2]), (4, &[1, 3]), (5, &[2])] {
            assert_eq!(BatchNormKind::of(rank, axes), BatchNormKind::Composed);
        }
    }

    #[test]
    fn only_whole_vectors_have_a_band() {
        for kind in
            [BatchNormKind::Composed, BatchNormKind::FusedVolume, BatchNormKind::Convolution]
        {
            let prepared = norm(19).prepare(kind).unwrap();
            let exact = |c| prepared.apply(0.123_456, c).is_exact();
            assert!((16..19).all(exact), "{kind:?}");
            assert!(!(0..16).all(exact), "{kind:?}");
        }
        for kind in [BatchNormKind::Fused, BatchNormKind::FusedFirst] {
            let prepared = norm(16).prepare(kind).unwrap();
            assert!((0..16).all(|c| prepared.apply(0.123_456, c).is_exact()));
        }
    }

    #[test]
    fn an_interval_holds_its_ends() {
        let mut norm = norm(8);
        norm.gamma = Some(vec![-1.3; 8]);
        let prepared = norm.prepare(BatchNormKind::Composed).unwrap();
        let band = prepared.apply_interval(0.5, 0.25, 0.75, 3);
        for x in [0.25, 0.3, 0.5, 0.75] {
            let at = prepared.apply(x, 3);
            assert!(band.lo <= at.lo && at.hi <= band.hi);
        }
    }

    #[test]
    fn parameters_of_different_lengths_are_refused() {
        let mut norm = norm(4);
        norm.variance.pop();
        let error = norm.prepare(BatchNormKind::Fused).unwrap_err();
        assert_eq!(error.attribute(), "moving_variance");
    }
}
