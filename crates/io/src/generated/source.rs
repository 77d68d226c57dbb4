//! Blocks of events that are made when they are asked for.

use std::path::{Path, PathBuf};

use bittrue_block::{EventBlock, EventData, InputEvents};
use bittrue_fixed::FixedType;

use super::counter::Words;
use super::spec::{Law, Spec};
use crate::{EventOptions, InputSpec, IoError, IoErrorKind};

/// Events made from a description such as `gen:uniform,seed=1,n=1000000`.
///
/// A value is a function of seed, input, event and element alone, so events are the same for any
/// number of threads, any size of blocks and any [`EventOptions::skip`]. Nothing is kept in memory.
///
/// | generator | values |
/// |---|---|
/// | `uniform` | from `lo` to below `hi` |
/// | `normal` | mean `mean`, standard deviation `sd` |
/// | `ties` | multiples of half an `lsb` from `lo` to `hi`: every other one is a tie |
///
/// All are float32. What is not given follows from the type of the input.
#[derive(Debug, Clone)]
pub struct GeneratedEvents {
    inputs: Vec<(Words, Law, usize)>,
    total: u64,
    skipped: u64,
    next: u64,
    end: u64,
}

impl GeneratedEvents {
    /// What such descriptions begin with.
    pub const PREFIX: &'static str = "gen:";

    /// The description, if a name of an event file is one.
    pub fn described(path: &Path) -> Option<&str> {
        path.to_str().filter(|text| text.starts_with(Self::PREFIX))
    }

    /// Events for `inputs`, whose values have `types`.
    ///
    /// # Errors
    /// [`IoErrorKind::Events`]: a description that is wrong; options that only files have; no event
    /// left after [`EventOptions::skip`].
    pub fn new(
        text: &str,
        inputs: &[InputSpec],
        types: &[FixedType],
        options: &EventOptions,
    ) -> Result<Self, IoError> {
        let error = |what: String| IoError::new(IoErrorKind::Events, &PathBuf::from(text), what);
        let form = "write gen:uniform,seed=1,n=1000000, gen:normal or gen:ties; docs/events.md";
        let described = text.strip_prefix(Self::PREFIX).unwrap_or(text);
        let spec = Spec::parse(described).map_err(|e| error(e).with_help(form))?;
        if !options.datasets.is_empty() || !options.columns.is_empty() {
            return Err(error("made events have no datasets and no columns".to_owned())
                .with_help("leave --dataset and --columns out"));
        }
        let laws = inputs
            .iter()
            .zip(types)
            .enumerate()
            .map(|(n, (input, t))| {
                let law = spec
                    .law(*t)
                    .map_err(|e| error(format!("input `{}`: {e}", input.name)).with_help(form))?;
                Ok((Words::new(spec.seed, n), law, input.shape.iter().product()))
            })
            .collect::<Result<_, IoError>>()?;
        let (skip, total) = (options.skip, spec.events);
        if skip >= total {
            let what = format!("makes {total} events, and {skip} are to be skipped");
            return Err(error(what).with_help("skip fewer events"));
        }
        let end = skip.saturating_add(options.max_events.unwrap_or(u64::MAX)).min(total);
        if end == skip {
            return Err(error("no events are to be read".to_owned())
                .with_help("ask for at least one event"));
        }
        Ok(Self { inputs: laws, total, skipped: skip, next: skip, end })
    }

    /// Events that the description asks for.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Events that are still to be made.
    pub fn count(&self) -> u64 {
        self.end - self.next
    }

    /// Events left out at the beginning.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Values of one event, over all inputs.
    pub fn elements(&self) -> usize {
        self.inputs.iter().map(|i| i.2).sum()
    }

    /// The next events, at most `max` (and at least one), as the number of the first and how many;
    /// `None` after the last one. [`fill`](Self::fill) makes their values.
    pub fn advance(&mut self, max: usize) -> Option<(u64, usize)> {
        let count = (max.max(1) as u64).min(self.count());
        let first = self.next;
        self.next += count;
        (count > 0).then_some((first, count as usize))
    }

    /// Makes the values `[event, element]` of one input for consecutive events.
    pub fn fill(&self, input: usize, first: u64, out: &mut [f32]) {
        let Some((words, law, elements)) = self.inputs.get(input) else { return };
        let events = out.chunks_mut((*elements).max(1)).zip(first..);
        match *law {
            Law::Uniform { lo, hi } => {
                let (width, most) = (hi - lo, (hi as f32).next_down());
                let value = |w: u32| ((lo + width * unit(w)) as f32).min(most);
                events.for_each(|(out, event)| words.fill(event, out, value));
            }
            Law::Normal { mean, sd } => {
                let value = |w: u32| (mean + sd * quantile(unit(w) + HALF_UNIT)) as f32;
                events.for_each(|(out, event)| words.fill(event, out, value));
            }
            Law::Steps { lo, step, last } => {
                let value = |w: u32| {
                    let k = (u64::from(w) * (u64::from(last) + 1)) >> 32;
                    (lo + step * k as f64) as f32
                };
                events.for_each(|(out, event)| words.fill(event, out, value));
            }
        }
    }

    /// Consecutive events as a block.
    pub fn block(&self, first: u64, count: usize) -> EventBlock {
        let input = |(n, of): (usize, &(Words, Law, usize))| {
            let mut values = vec![0.0; count * of.2];
            self.fill(n, first, &mut values);
            InputEvents { elements: of.2, data: EventData::F32(values) }
        };
        EventBlock { first, count, inputs: self.inputs.iter().enumerate().map(input).collect() }
    }
}

/// Half the step of [`unit`].
const HALF_UNIT: f64 = 1.0 / 8_589_934_592.0;

/// From 0 to below 1.
fn unit(word: u32) -> f64 {
    f64::from(word) / 4_294_967_296.0
}

/// The quantile of the normal distribution for `p` between 0 and 1, to 2e-9 (P. J. Acklam's
/// approximation), by operations that are the same on every machine.
fn quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969683028665376e1,
        2.209460984245205e2,
        -2.759285104469687e2,
        1.38357751867269e2,
        -3.066479806614716e1,
        2.506628277459239,
    ];
    const B: [f64; 6] = [
        -5.447609879822406e1,
        1.615858368580409e2,
        -1.556989798598866e2,
        6.680131188771972e1,
        -1.328068155288572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784894002430293e-3,
        -3.223964580411365e-1,
        -2.400758277161838,
        -2.549732539343734,
        4.374664141464968,
        2.938163982698783,
    ];
    const D: [f64; 5] =
        [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1.0];
    fn horner(c: &[f64], x: f64) -> f64 {
        c.iter().fold(0.0, |sum, c| sum * x + c)
    }
    let tail = p.min(1.0 - p);
    if tail < 0.02425 {
        let q = (-2.0 * logarithm(tail)).sqrt();
        let x = horner(&C, q) / horner(&D, q);
        return if p < 0.5 { x } else { -x };
    }
    let q = p - 0.5;
    let r = q * q;
    horner(&A, r) * q / horner(&B, r)
}

/// The natural logarithm of a positive normal number, by a series in `(m-1)/(m+1)`.
fn logarithm(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i32 - 1023;
    let mut m = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    if m > std::f64::consts::SQRT_2 {
        m /= 2.0;
        exponent += 1;
    }
    let t = (m - 1.0) / (m + 1.0);
    let (mut sum, mut power) = (0.0, t);
    for n in 0..12 {
        sum += power / f64::from(2 * n + 1);
        power *= t * t;
    }
    2.0 * sum + f64::from(exponent) * std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str, elements: usize) -> GeneratedEvents {
        let inputs = [InputSpec { name: "x".to_owned(), shape: vec![elements] }];
        let types = ["ap_fixed<8,4,RND_CONV,SAT>".parse().expect("a type")];
        GeneratedEvents::new(text, &inputs, &types, &EventOptions::default()).expect(text)
    }

    fn values(text: &str, elements: usize) -> Vec<f32> {
        let mut source = source(text, elements);
        let (first, count) = source.advance(usize::MAX).expect("events");
        match &source.block(first, count).inputs[0].data {
            EventData::F32(v) => v.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn blocks_of_any_size_are_the_same_events() {
        for kind in ["uniform", "normal", "ties"] {
            let text = format!("gen:{kind},seed=5,n=3000");
            let all = values(&text, 7);
            let mut source = source(&text, 7);
            let mut pieces = Vec::new();
            for size in [1, 1023, 2, 700, 5000] {
                let (first, count) = source.advance(size).expect("events");
                let mut out = vec![0.0; count * 7];
                source.fill(0, first, &mut out);
                pieces.extend(out);
            }
            assert_eq!(source.advance(1), None);
            assert_eq!(pieces, all, "{kind}");
            assert_ne!(values(&format!("gen:{kind},seed=6,n=3000"), 7), all);
        }
    }

    #[test]
    fn uniform_values_fill_the_type_and_do_not_overflow() {
        let all = values("gen:uniform,seed=1,n=100000", 4);
        let t: FixedType = "ap_fixed<8,4,RND_CONV,WRAP>".parse().expect("a type");
        let raws: Vec<i128> = all
            .iter()
            .map(|&v| t.convert_f32(v, bittrue_fixed::Dialect::Hgq).expect("a type"))
            .collect();
        assert!(all.iter().all(|v| (-8.03125..7.96875).contains(v)));
        assert_eq!((raws.iter().min(), raws.iter().max()), (Some(&-128), Some(&127)));
    }

    #[test]
    fn normal_values_have_their_moments_and_tails() {
        let all = values("gen:normal,seed=1,n=250000,mean=3,sd=2", 4);
        let n = all.len() as f64;
        let moment =
            |k: i32| all.iter().map(|&v| ((f64::from(v) - 3.0) / 2.0).powi(k)).sum::<f64>() / n;
        for (k, expected) in [(1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0)] {
            assert!((moment(k) - expected).abs() < 0.04, "{k}: {}", moment(k));
        }
        let beyond = |s: f64| all.iter().filter(|&&v| (f64::from(v) - 3.0).abs() > 2.0 * s).count();
        // 2,700 and 63 of a million.
        assert!((2400..3000).contains(&beyond(3.0)), "{}", beyond(3.0));
        assert!((25..110).contains(&beyond(4.0)), "{}", beyond(4.0));
    }

    #[test]
    fn quantiles() {
        for (p, x) in
            [(0.5, 0.0), (0.975, 1.959963985), (0.001, -3.090232306), (1e-9, -5.997807015)]
        {
            assert!((quantile(p) - x).abs() < 2e-8, "{p}: {}", quantile(p));
        }
        for x in [1e-10, 0.3, 0.7, 1.0, 2.0, 1e10] {
            assert!((logarithm(x) - x.ln()).abs() < 1e-13 * x.ln().abs().max(1.0), "{x}");
        }
    }

    #[test]
    fn ties_are_halves_of_the_lsb() {
        let all = values("gen:ties,seed=1,n=20000", 4);
        let odd = all.iter().filter(|&&v| (v * 32.0) % 2.0 != 0.0).count();
        assert!(all.iter().all(|&v| (v * 32.0).fract() == 0.0));
        assert!((39_000..41_000).contains(&odd), "{odd}");
        assert!(all.contains(&-8.0) && all.contains(&7.9375));
    }

    #[test]
    fn options_of_files_are_refused() {
        let inputs = [InputSpec { name: "x".to_owned(), shape: vec![1] }];
        let types = ["ap_fixed<8,4>".parse().expect("a type")];
        let new = |options: &EventOptions| {
            GeneratedEvents::new("gen:uniform,n=10", &inputs, &types, options).map(|s| s.count())
        };
        let skip = EventOptions { skip: 4, max_events: Some(100), ..EventOptions::default() };
        assert_eq!(new(&skip), Ok(6));
        let all = EventOptions { skip: 10, ..EventOptions::default() };
        assert!(new(&all).expect_err("none left").to_string().contains("makes 10 events"));
        let datasets = EventOptions { datasets: vec![(None, "x".into())], ..Default::default() };
        assert!(new(&datasets).is_err());
    }
}
