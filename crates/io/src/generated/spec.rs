//! `gen:uniform,seed=1,n=1000000`: what is to be made.

use bittrue_fixed::FixedType;

/// How values are distributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Uniform,
    Normal,
    Ties,
}

impl Kind {
    const ALL: [(&'static str, Self, &'static str); 3] = [
        ("uniform", Self::Uniform, "seed, n, lo, hi"),
        ("normal", Self::Normal, "seed, n, mean, sd"),
        ("ties", Self::Ties, "seed, n, lo, hi, lsb"),
    ];
}

/// What is to be made, as written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spec {
    pub(super) kind: Kind,
    pub(super) seed: u64,
    pub(super) events: u64,
    lo: Option<f64>,
    hi: Option<f64>,
    mean: Option<f64>,
    sd: Option<f64>,
    lsb: Option<f64>,
}

/// The values of one input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Law {
    /// From `lo` to below `hi`.
    Uniform { lo: f64, hi: f64 },
    /// Mean and standard deviation.
    Normal { mean: f64, sd: f64 },
    /// `lo + k · step` with `k` from 0 to `last`.
    Steps { lo: f64, step: f64, last: u32 },
}

impl Spec {
    /// Reads the text behind `gen:`.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut words = text.split(',').map(str::trim);
        let name = words.next().unwrap_or_default();
        let Some(&(_, kind, keys)) = Kind::ALL.iter().find(|k| k.0 == name) else {
            return Err(format!("there is no generator `{name}`; there are uniform, normal, ties"));
        };
        let mut spec =
            Self { kind, seed: 0, events: 0, lo: None, hi: None, mean: None, sd: None, lsb: None };
        let mut seen: Vec<&str> = Vec::new();
        for word in words {
            let Some((key, value)) = word.split_once('=') else {
                return Err(format!("`{word}` is no key=value; {name} takes {keys}"));
            };
            if seen.contains(&key) {
                return Err(format!("`{key}` is given twice"));
            }
            seen.push(key);
            if !keys.split(", ").any(|k| k == key) {
                return Err(format!("{name} has no `{key}`; it takes {keys}"));
            }
            match key {
                "seed" => spec.seed = whole(key, value)?,
                "n" => spec.events = whole(key, value)?,
                "lo" => spec.lo = Some(number(key, value)?),
                "hi" => spec.hi = Some(number(key, value)?),
                "mean" => spec.mean = Some(number(key, value)?),
                "sd" => spec.sd = Some(positive(key, value)?),
                _ => spec.lsb = Some(positive(key, value)?),
            }
        }
        match spec.events {
            0 => Err("how many events? say so with n=1000".to_owned()),
            _ => Ok(spec),
        }
    }

    /// The law of an input of a type. What is not given follows from the type: uniform values and
    /// ties fill its range and no more, so that nothing overflows when it is rounded; normal ones
    /// have their edges at four standard deviations.
    ///
    /// # Errors
    /// For ranges that are empty or too fine.
    pub(super) fn law(&self, t: FixedType) -> Result<Law, String> {
        let lsb = self.lsb.unwrap_or_else(|| t.lsb());
        let (min, max) = (t.value(t.raw_min()), t.value(t.raw_max()));
        match self.kind {
            Kind::Normal => Ok(Law::Normal {
                mean: self.mean.unwrap_or((min + max + lsb) / 2.0),
                sd: self.sd.unwrap_or((max + lsb - min) / 8.0),
            }),
            Kind::Uniform => {
                let lo = self.lo.unwrap_or(min - lsb / 2.0);
                let hi = self.hi.unwrap_or(max + lsb / 2.0);
                match f64::from(lo as f32) < f64::from(hi as f32) {
                    true => Ok(Law::Uniform { lo, hi }),
                    false => Err(format!("no float32 lies between lo={lo} and hi={hi}")),
                }
            }
            Kind::Ties => {
                let lo = self.lo.unwrap_or(min);
                let hi = self.hi.unwrap_or(max);
                let step = lsb / 2.0;
                let last = ((hi - lo) / step).floor();
                match (0.0..f64::from(u32::MAX)).contains(&last) {
                    true => Ok(Law::Steps { lo, step, last: last as u32 }),
                    false => Err(format!("lo={lo}, hi={hi} and lsb={lsb} give no range of ties")),
                }
            }
        }
    }
}

fn number(key: &str, text: &str) -> Result<f64, String> {
    let value = text.parse().ok().filter(|v: &f64| v.is_finite());
    value.ok_or_else(|| format!("`{key}={text}` is no number"))
}

fn positive(key: &str, text: &str) -> Result<f64, String> {
    match number(key, text)? {
        v if v > 0.0 => Ok(v),
        _ => Err(format!("`{key}={text}` is not above 0")),
    }
}

/// A whole number, which may be written like `1e8`.
fn whole(key: &str, text: &str) -> Result<u64, String> {
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, zeros) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let value = (digits(mantissa) && digits(zeros))
        .then(|| {
            let factor = 10_u64.checked_pow(zeros.parse().ok()?)?;
            mantissa.parse::<u64>().ok()?.checked_mul(factor)
        })
        .flatten();
    value.ok_or_else(|| format!("`{key}={text}` is no whole number, such as 1000 or 1e6"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written() {
        let spec = Spec::parse("uniform,seed=3,n=1e8,lo=-0.5").expect("right");
        assert_eq!((spec.kind, spec.seed, spec.events), (Kind::Uniform, 3, 100_000_000));
        assert_eq!((spec.lo, spec.hi), (Some(-0.5), None));
        for (text, what) in [
            ("flat,n=1", "no generator `flat`"),
            ("uniform,seed=1", "n=1000"),
            ("uniform,n=0", "n=1000"),
            ("uniform,n=1.5", "`n=1.5` is no whole number"),
            ("uniform,n=1e30", "`n=1e30` is no whole number"),
            ("uniform,n=-1", "`n=-1`"),
            ("uniform,n=1,sd=2", "uniform has no `sd`; it takes seed, n, lo, hi"),
            ("normal,n=1,sd=0", "`sd=0` is not above 0"),
            ("normal,n=1,mean=x", "`mean=x` is no number"),
            ("normal,n=1,n=2", "`n` is given twice"),
            ("ties,n", "`n` is no key=value"),
        ] {
            let error = Spec::parse(text).expect_err(text);
            assert!(error.contains(what), "{text}: {error}");
        }
    }

    #[test]
    fn what_follows_from_the_type() {
        let t: FixedType = "ap_fixed<8,4,RND_CONV,SAT>".parse().expect("a type");
        let law = |text: &str| Spec::parse(text).expect(text).law(t);
        assert_eq!(law("uniform,n=1"), Ok(Law::Uniform { lo: -8.03125, hi: 7.96875 }));
        assert_eq!(law("normal,n=1"), Ok(Law::Normal { mean: 0.0, sd: 2.0 }));
        let ties = Law::Steps { lo: -8.0, step: 0.03125, last: 510 };
        assert_eq!(law("ties,n=1"), Ok(ties));
        assert!(law("uniform,n=1,lo=9").is_err());
        assert!(law("ties,n=1,hi=-9").is_err());
    }
}
