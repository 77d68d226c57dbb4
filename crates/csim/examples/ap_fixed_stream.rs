//! Runs cases of `scripts/oracle/ap_fixed/check.py` and prints one hash for each: the other half of
//! `stream.h`, which does the same with the C++ headers.
//!
//! Cases come from standard input, one a line: number, kind, seed, operations, parameter, types. With a number
//! as the argument the operations of that case are printed instead.

use std::error::Error;
use std::io::Read;

use bittrue_csim::{Node, Tensor, input};
use bittrue_fixed::FixedType;
use bittrue_model::{Firmware, FirmwarePool, FirmwareSum, MergeKind, PoolKind, Raws};

/// Operations done at a time.
const LANES: usize = 4096;

/// Products of a sum.
const TERMS: usize = 6;

fn main() -> Result<(), Box<dyn Error>> {
    let shown: Option<u64> = std::env::args().nth(1).map(|n| n.parse()).transpose()?;
    let mut cases = String::new();
    std::io::stdin().read_to_string(&mut cases)?;
    for line in cases.lines() {
        let case = Case::new(line).map_err(|e| format!("{line}: {e}"))?;
        let mut results = Results::new(shown == Some(case.number));
        case.run(&mut results).map_err(|e| format!("{line}: {e}"))?;
        if shown.is_none() {
            println!("{} {:016x}", case.number, results.hash);
        }
    }
    Ok(())
}

struct Case {
    number: u64,
    kind: String,
    seed: u64,
    count: usize,
    parameter: i64,
    types: Vec<FixedType>,
}

impl Case {
    fn new(line: &str) -> Result<Self, Box<dyn Error>> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [number, kind, seed, count, parameter, types @ ..] = words.as_slice() else {
            return Err("too few words".into());
        };
        let types: Result<Vec<FixedType>, _> = types.iter().map(|t| t.parse()).collect();
        Ok(Self {
            number: number.parse()?,
            kind: (*kind).to_owned(),
            seed: seed.parse()?,
            count: count.parse()?,
            parameter: parameter.parse()?,
            types: types?,
        })
    }

    fn run(&self, results: &mut Results) -> Result<(), Box<dyn Error>> {
        let mut random = Random(self.seed);
        let merge = match self.kind.as_str() {
            "Add" => Some(MergeKind::Add),
            "Subtract" => Some(MergeKind::Subtract),
            "Multiply" => Some(MergeKind::Multiply),
            "Average" => Some(MergeKind::Average),
            "Maximum" => Some(MergeKind::Maximum),
            "Minimum" => Some(MergeKind::Minimum),
            _ => None,
        };
        if let Some(kind) = merge {
            return self.merge(kind, &mut random, results);
        }
        match self.kind.as_str() {
            "cast" => self.cast(&mut random, results),
            "every" => self.every(results),
            "double" => {
                self.doubles(&mut random, results);
                Ok(())
            }
            "dot" => self.dot(&mut random, results),
            "pool" => self.pool(&mut random, results),
            other => Err(format!("unknown kind {other}").into()),
        }
    }

    fn tie(&self) -> u32 {
        u32::try_from(self.parameter).unwrap_or(0)
    }

    /// Sizes of the parts in which the operations are done.
    fn parts(&self) -> impl Iterator<Item = usize> + use<> {
        let count = self.count;
        (0..count).step_by(LANES).map(move |at| LANES.min(count - at))
    }

    fn cast(&self, random: &mut Random, results: &mut Results) -> Result<(), Box<dyn Error>> {
        let [target, source] = self.types.as_slice() else { return Err("two types".into()) };
        let node = Node::new(Firmware::Cast(*target))?;
        for n in self.parts() {
            let raws: Vec<u64> = (0..n).map(|_| random.raw(source, self.tie())).collect();
            let y = node.apply(&[tensor(source, &raws)]);
            raws.iter().zip(&y.raw).for_each(|(&x, &y)| results.add(&[x], y));
        }
        Ok(())
    }

    fn every(&self, results: &mut Results) -> Result<(), Box<dyn Error>> {
        let [target, source] = self.types.as_slice() else { return Err("two types".into()) };
        let raws: Vec<u64> = (0..1 << source.width).map(|bits| to_width(source, bits)).collect();
        let y = Node::new(Firmware::Cast(*target))?.apply(&[tensor(source, &raws)]);
        raws.iter().zip(&y.raw).for_each(|(&x, &y)| results.add(&[x], y));
        Ok(())
    }

    /// Doubles of a range of 140 exponents, some with few bits, now and then a zero, an infinity or NaN.
    fn doubles(&self, random: &mut Random, results: &mut Results) {
        for _ in 0..self.count {
            let (a, b) = (random.next(), random.next());
            let cleared = (b >> 32) % 53;
            let mut exponent = (1023 + self.parameter + (b >> 8).rem_euclid(140) as i64) as u64;
            let mut mantissa = a >> 12 >> cleared << cleared;
            match b >> 56 {
                0 => (exponent, mantissa) = (0, 0),
                1 => (exponent, mantissa) = (2047, 0),
                2 => (exponent, mantissa) = (2047, mantissa | 1 << 51),
                _ => {}
            }
            let bits = (b & 1) << 63 | exponent << 52 | mantissa;
            results.add(&[bits], input(&self.types[0], f64::from_bits(bits)));
        }
    }

    fn merge(
        &self,
        kind: MergeKind,
        random: &mut Random,
        results: &mut Results,
    ) -> Result<(), Box<dyn Error>> {
        let [target, a, b] = self.types.as_slice() else { return Err("three types".into()) };
        let merge = Node::new(Firmware::merge(kind, a, b))?;
        let cast = Node::new(Firmware::Cast(*target))?;
        for n in self.parts() {
            let (mut left, mut right) = (Vec::new(), Vec::new());
            for _ in 0..n {
                left.push(random.raw(a, self.tie()));
                right.push(random.raw(b, self.tie()));
            }
            let y = cast.apply(&[merge.apply(&[tensor(a, &left), tensor(b, &right)])]);
            let pairs = left.iter().zip(&right).zip(&y.raw);
            pairs.for_each(|((&a, &b), &y)| results.add(&[a, b], y));
        }
        Ok(())
    }

    fn dot(&self, random: &mut Random, results: &mut Results) -> Result<(), Box<dyn Error>> {
        let [accum, data, weight, bias] = self.types.as_slice() else {
            return Err("four types".into());
        };
        let weights = (0..TERMS).map(|_| random.raw(weight, 0).cast_signed()).collect();
        let sum = Node::new(Firmware::Sum(FirmwareSum {
            rows: (0..TERMS as u32).collect(),
            terms: TERMS,
            groups: 1,
            units: 1,
            weights: Raws { raw: weights, fractional: weight.fractional() },
            bias: Raws {
                raw: vec![random.raw(bias, 0).cast_signed()],
                fractional: bias.fractional(),
            },
            accum: *accum,
        }))?;
        self.of_events(TERMS, &sum, data, random, results);
        Ok(())
    }

    fn pool(&self, random: &mut Random, results: &mut Results) -> Result<(), Box<dyn Error>> {
        let [accum, data] = self.types.as_slice() else { return Err("two types".into()) };
        let cells = self.parameter as u32;
        let pool = Node::new(Firmware::Pool(FirmwarePool {
            kind: PoolKind::Average,
            rows: (0..cells).collect(),
            terms: cells as usize,
            padding: Raws { raw: vec![0], fractional: 0 },
            accum: *accum,
        }))?;
        self.of_events(cells as usize, &pool, data, random, results);
        Ok(())
    }

    /// Operations on `elements` values at a time.
    fn of_events(
        &self,
        elements: usize,
        node: &Node,
        data: &FixedType,
        random: &mut Random,
        results: &mut Results,
    ) {
        let tie = if self.kind == "pool" { 0 } else { self.tie() };
        for lanes in self.parts() {
            let events: Vec<u64> = (0..lanes * elements).map(|_| random.raw(data, tie)).collect();
            let raw = (0..elements)
                .flat_map(|e| events.chunks(elements).map(move |event| value(data, event[e])))
                .collect();
            let y = node.apply(&[Tensor { raw, fractional: data.fractional(), lanes }]);
            events.chunks(elements).zip(&y.raw).for_each(|(x, &y)| results.add(x, y));
        }
    }
}

/// splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A raw where something happens: anything, next to a power of two, small, next to a tie.
    fn raw(&mut self, t: &FixedType, tie: u32) -> u64 {
        let (a, b) = (self.next(), self.next());
        let small = ((b >> 16) % 3).wrapping_sub(1);
        let half = if tie > 0 { 1 << (tie - 1) } else { 0 };
        let shorter = || (a.cast_signed() >> ((b >> 24) & 63)).cast_unsigned();
        let bits = match b & 3 {
            1 => {
                let power = 1_u64 << ((b >> 24) % u64::from(t.width));
                let power = if b & 4 == 0 { power } else { power.wrapping_neg() };
                let near = power.wrapping_add(small);
                if b & 8 == 0 { near } else { near.wrapping_add(half) }
            }
            2 => shorter(),
            3 if tie > 0 => {
                let floor = shorter() >> (tie - 1) >> 1 << (tie - 1) << 1;
                floor.wrapping_add(half).wrapping_add(small)
            }
            3 => shorter(),
            _ => a,
        };
        to_width(t, bits)
    }
}

/// The low bits of a value, as a raw of the type: sign or zeros above.
fn to_width(t: &FixedType, bits: u64) -> u64 {
    let above = 64 - t.width;
    match t.signed {
        true => ((bits << above).cast_signed() >> above).cast_unsigned(),
        false => bits << above >> above,
    }
}

fn value(t: &FixedType, raw: u64) -> i128 {
    if t.signed { raw.cast_signed().into() } else { raw.into() }
}

fn tensor(t: &FixedType, raws: &[u64]) -> Tensor {
    let raw: Vec<i128> = raws.iter().map(|&r| value(t, r)).collect();
    Tensor { lanes: raw.len(), raw, fractional: t.fractional() }
}

/// The results of a case in their order, as a hash or as text.
struct Results {
    shown: bool,
    hash: u64,
}

impl Results {
    fn new(shown: bool) -> Self {
        Self { shown, hash: 0xcbf2_9ce4_8422_2325 }
    }

    fn add(&mut self, arguments: &[u64], result: i128) {
        // A raw of at most 64 bits, with its sign or zeros above.
        let result = result as u64;
        if self.shown {
            let arguments: String = arguments.iter().map(|a| format!(" {a:x}")).collect();
            println!("{arguments} = {result:x}");
        }
        self.hash = (self.hash ^ result).wrapping_mul(0x100_0000_01b3);
        self.hash ^= self.hash >> 29;
    }
}
