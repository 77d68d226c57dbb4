//! The two programs of a leg are two ways to the same values.

use bittrue_block::{EventBlock, EventData, Flag, Flags, InputEvents};
use bittrue_fixed::{Dialect, FixedType, Overflow, Rounding};
use bittrue_keras::float::Position;
use bittrue_keras::prepare_curve;
use bittrue_model::{
    Activation, AlignedLayer, Alpha, Call, CallId, Constant, Curve, EdgeType, Layer, LayerKind,
    Ledger, MergeKind, Model, ModelClass, NodeId, Op, Place, Pool, PoolKind, QuantizedBits,
    QuantizedCurve, QuantizedRelu, Rounding32, Rules, TypedModel, TypedNode,
};
use ndarray::ArrayD;

use crate::run::LegValues;
use crate::{Engine, Selection};

/// A small generator: the tests need variety, not quality.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    /// A multiple of `2^-fractional` below `limit` in magnitude.
    fn grid(&mut self, limit: i64, fractional: i32) -> f32 {
        let raw = self.below(2 * limit.unsigned_abs()) as i64 - limit;
        raw as f32 * 2f32.powi(-fractional)
    }
}

/// A chain of nodes, each a layer of its own, with the leg that computes it.
struct Chain {
    model: Model,
    typed: TypedModel,
}

impl Chain {
    fn new(inputs: usize) -> Self {
        let model = Model {
            name: "chain".to_owned(),
            class: ModelClass::Sequential,
            layers: Vec::new(),
            calls: Vec::new(),
            inputs: vec![CallId(0)],
            outputs: Vec::new(),
            nested: Vec::new(),
            ledger: Ledger::default(),
        };
        let typed = TypedModel {
            unformed: Vec::new(),
            leg: "test".to_owned(),
            nodes: Vec::new(),
            inputs: vec![NodeId(0)],
            outputs: Vec::new(),
            aligned: Vec::new(),
        };
        let mut chain = Self { model, typed };
        chain.push(Op::Input { index: 0 }, vec![], vec![inputs], Rounding32::Float32);
        chain
    }

    fn push(
        &mut self,
        op: Op,
        inputs: Vec<usize>,
        shape: Vec<usize>,
        arithmetic: Rounding32,
    ) -> usize {
        let id = self.typed.nodes.len();
        let kind = if inputs.is_empty() {
            LayerKind::Input
        } else {
            LayerKind::Activation(Activation::Linear)
        };
        let layer = Layer { name: format!("l{id}"), class_name: "Test".to_owned(), kind };
        self.model.layers.push(layer);
        self.model.calls.push(Call {
            layer: id,
            node_index: 0,
            inputs: inputs.iter().copied().map(CallId).collect(),
            shape: shape.clone(),
            nested: None,
            output: 0,
        });
        self.model.outputs = vec![CallId(id)];
        let edge = match &op {
            Op::Quantize(t) => EdgeType::Uniform(*t),
            _ => EdgeType::Derived,
        };
        self.typed.nodes.push(TypedNode {
            name: format!("l{id}"),
            op,
            inputs: inputs.into_iter().map(NodeId).collect(),
            shape,
            edge,
            rules: Rules { dialect: Dialect::Hgq, arithmetic },
            origin: CallId(id),
        });
        self.typed.aligned.push(Some(AlignedLayer { node: NodeId(id) }));
        self.typed.outputs = vec![NodeId(id)];
        id
    }

    fn dense(&mut self, random: &mut Random, from: usize, units: usize, bits: u32) -> usize {
        let inputs = self.typed.nodes[from].shape[0];
        let limit = 1_i64 << (bits - 1);
        let fractional = bits.cast_signed() - 1;
        let kernel = (0..inputs * units).map(|_| random.grid(limit, fractional)).collect();
        let bias = (0..units).map(|_| random.grid(limit, fractional)).collect();
        let op = Op::Dense {
            kernel: Constant {
                values: ArrayD::from_shape_vec(vec![inputs, units], kernel).expect("a shape"),
                on_grid: true,
            },
            bias: Some(Constant {
                values: ArrayD::from_shape_vec(vec![units], bias).expect("a shape"),
                on_grid: true,
            }),
        };
        self.push(op, vec![from], vec![units], Rounding32::Float32)
    }
}

fn bits(bits: i64, integer: i64) -> Op {
    Op::QuantizedBits(QuantizedBits {
        bits,
        integer,
        alpha: Alpha::Number(1.0),
        ..QuantizedBits::default()
    })
}

fn relu(bits: i64, integer: i64) -> Op {
    Op::QuantizedRelu(QuantizedRelu { bits, integer, ..QuantizedRelu::default() })
}

/// A random network: narrow types, on which everything is proven, or wide ones, on which not.
fn network(random: &mut Random, wide: bool) -> Chain {
    let float = Rounding32::Float32;
    let mut c = Chain::new(5);
    let width = if wide { 15 } else { 4 + random.below(5) as i64 };
    let q = c.push(bits(width, 3), vec![0], vec![5], float);
    let weights = if wide { 14 } else { 3 + random.below(4) as u32 };
    let d1 = c.dense(random, q, 7, weights);
    let r1 = c.push(relu(6, 1), vec![d1], vec![7], float);
    let leaky = c.push(Op::LeakyRelu { alpha: 0.25 }, vec![d1], vec![7], float);
    let q1 = c.push(bits(7, 2), vec![leaky], vec![7], float);
    let kinds = [
        MergeKind::Add,
        MergeKind::Subtract,
        MergeKind::Multiply,
        MergeKind::Average,
        MergeKind::Maximum,
        MergeKind::Minimum,
    ];
    let kind = kinds[random.below(6) as usize];
    let m = c.push(Op::Merge(kind), vec![r1, q1], vec![7], float);
    let cat = c.push(Op::Concatenate { axis: 0 }, vec![m, r1], vec![14], float);
    let d2 = c.dense(random, cat, 3, weights.min(6));
    let s = c.push(Op::Sigmoid, vec![d2], vec![3], float);
    let q2 = c.push(bits(6, 0), vec![s], vec![3], float);
    c.push(Op::Softmax, vec![q2], vec![3], float);
    c
}

fn events(random: &mut Random, count: usize) -> EventBlock {
    // Ties, overflow, zeros, and a few that leave every proven domain.
    let special = [f32::NAN, f32::INFINITY, 1e9, -3e38, 1e-40];
    let data = (0..count * 5)
        .map(|_| match random.below(40) {
            0 => special[random.below(5) as usize],
            1..=4 => random.grid(1 << 12, 3),
            _ => random.grid(1 << 10, 7),
        })
        .collect();
    let input = InputEvents { elements: 5, data: EventData::F32(data) };
    EventBlock { first: 0, count, inputs: vec![input] }
}

/// Wherever the fast program keeps a lane, the careful one gives the same value without a band.
#[test]
fn fast_and_careful_agree() {
    let (mut kept, mut left) = (0, 0);
    for seed in 0..120 {
        let mut random = Random(seed);
        let chain = network(&mut random, seed % 4 == 3);
        let engine = Engine::new(&chain.model, &chain.typed, &[]).expect("a plan");
        let events = events(&mut random, 70);
        let selection = Selection { first: 0, count: 70 };
        let rows: Vec<usize> = (0..70).collect();
        let (fast, exceptional) = engine.part(selection, &events, &rows, true);
        let (careful, _) = engine.part(selection, &events, &rows, false);
        for (call, (a, b)) in fast[0].aligned.iter().zip(&careful[0].aligned).enumerate() {
            let (a, b) = (a.as_ref().expect("formed"), b.as_ref().expect("formed"));
            for element in 0..a.elements {
                for (lane, &exceptional) in exceptional.iter().enumerate() {
                    if exceptional {
                        left += 1;
                        continue;
                    }
                    kept += 1;
                    let (x, y) = (a.value(element, lane), b.value(element, lane));
                    assert!(x == y || (x.is_nan() && y.is_nan()), "seed {seed} l{call}: {x} {y}");
                    let (x, y) = (a.band(element, lane), b.band(element, lane));
                    assert_eq!((x.0 < x.1, x.2), (y.0 < y.1, y.2), "seed {seed} l{call}");
                }
            }
        }
    }
    assert!(kept > 100_000 && left > 10_000, "{kept} kept, {left} left");
}

/// A leg against itself has no own mismatch, and shares every tensor with the reference.
#[test]
fn a_leg_equals_itself() {
    let mut random = Random(7);
    let chain = network(&mut random, false);
    let engine = Engine::new(&chain.model, &chain.typed, std::slice::from_ref(&chain.typed))
        .expect("a plan");
    let events = events(&mut random, 40);
    let all: Vec<usize> = (0..40).collect();
    for part in engine.run(Selection { first: 0, count: 40 }, &events, &all) {
        let [reference, target] = part.legs.as_slice() else { panic!("two legs") };
        for (call, a) in reference.aligned.iter().enumerate() {
            let same = |b: &Option<std::sync::Arc<_>>| match (a, b) {
                (Some(a), Some(b)) => std::sync::Arc::ptr_eq(a, b),
                _ => false,
            };
            assert!(same(&target.aligned[call]) && same(&target.own[call]), "l{call}");
        }
    }
}

/// A wrapping cast differs by itself where a saturating one does not, and what follows inherits.
#[test]
fn own_is_the_layer_on_the_reference_inputs() {
    let leg = |overflow| {
        let mut c = Chain::new(5);
        let t = FixedType::new(true, 6, 3, Rounding::RndConv, overflow).expect("a type");
        let q = c.push(Op::Quantize(t), vec![0], vec![5], Rounding32::Float32);
        let r = Op::Relu { max_value: None, negative_slope: 0.0, threshold: 0.0 };
        c.push(r, vec![q], vec![5], Rounding32::Exact);
        c
    };
    let (sat, wrap) = (leg(Overflow::Sat), leg(Overflow::Wrap));
    let engine = Engine::new(&sat.model, &sat.typed, &[wrap.typed]).expect("a plan");
    let data = EventData::F32(vec![1.0, 4.0, -5.0, 3.875, 100.0]);
    let block = EventBlock { first: 0, count: 1, inputs: vec![InputEvents { elements: 5, data }] };
    let parts = engine.run(Selection { first: 0, count: 1 }, &block, &[0]);
    let values = |t: &Option<std::sync::Arc<bittrue_block::LaneBlock>>| -> Vec<f64> {
        let t = t.as_ref().expect("formed");
        (0..5).map(|e| t.value(e, 0)).collect()
    };
    let (reference, target) = (&parts[0].legs[0], &parts[0].legs[1]);
    assert_eq!(values(&reference.aligned[1]), [1.0, 3.875, -4.0, 3.875, 3.875]);
    assert_eq!(values(&target.aligned[1]), [1.0, -4.0, 3.0, 3.875, -4.0]);
    assert_eq!(values(&target.own[1]), values(&target.aligned[1]));
    assert_eq!(values(&target.own[2]), values(&reference.aligned[2]));
    assert_eq!(values(&target.aligned[2]), [1.0, 0.0, 3.0, 3.875, 0.0]);
}

/// A sum beyond 24 bits is exact in the exact leg, banded in both, and says why.
#[test]
fn sums_beyond_float32() {
    let leg = |arithmetic| {
        let mut c = Chain::new(5);
        let t = FixedType::new(true, 20, 4, Rounding::RndConv, Overflow::Sat).expect("a type");
        let q = c.push(Op::Quantize(t), vec![0], vec![5], Rounding32::Float32);
        let d = c.dense(&mut Random(3), q, 2, 16);
        c.typed.nodes[d].rules.arithmetic = arithmetic;
        c
    };
    let (float, exact) = (leg(Rounding32::Float32), leg(Rounding32::Exact));
    let engine = Engine::new(&float.model, &float.typed, &[exact.typed]).expect("a plan");
    let values: Vec<f32> = (0..5 * 40).map(|i| (i as f32 * 0.731).sin() * 7.0).collect();
    let input = InputEvents { elements: 5, data: EventData::F32(values) };
    let block = EventBlock { first: 0, count: 40, inputs: vec![input] };
    let mut rounded = 0;
    let all: Vec<usize> = (0..40).collect();
    for part in engine.run(Selection { first: 0, count: 40 }, &block, &all) {
        let tensor = |leg: usize| part.legs[leg].aligned[2].as_ref().expect("formed");
        for element in 0..2 {
            for lane in (0..part.rows.len()).filter(|&l| !part.skip[l]) {
                let exact = tensor(1).value(element, lane);
                let (lo, hi, flags) = tensor(0).band(element, lane);
                assert!((lo..=hi).contains(&exact) || lo == hi && flags.is_empty());
                rounded += u32::from(flags.has(Flag::Float32Sum));
                if lo == hi {
                    assert_eq!(tensor(0).value(element, lane), f64::from(exact as f32));
                }
            }
        }
    }
    assert!(rounded > 10, "{rounded}");
}

/// Exact values of more than 24 bits go through poolings as they are; what float32 makes of them is
/// in the band.
#[test]
fn poolings_of_exact_values() {
    let exact = Rounding32::Exact;
    let mut c = Chain::new(5);
    let t = FixedType::new(true, 20, 4, Rounding::RndConv, Overflow::Sat).expect("a type");
    let q = c.push(Op::Quantize(t), vec![0], vec![5], Rounding32::Float32);
    let d = c.dense(&mut Random(3), q, 2, 16);
    c.typed.nodes[d].rules.arithmetic = exact;
    let cells = c.push(Op::Reshape, vec![d], vec![2, 1], exact);
    let pool = |kind| Op::Pool(Pool { kind, window: None });
    let max = c.push(pool(PoolKind::Max), vec![cells], vec![1], exact);
    let average = c.push(pool(PoolKind::Average), vec![cells], vec![1], exact);
    let engine = Engine::new(&c.model, &c.typed, &[]).expect("a plan");
    let values: Vec<f32> = (0..5 * 40).map(|i| (i as f32 * 0.731).sin() * 7.0).collect();
    let input = InputEvents { elements: 5, data: EventData::F32(values) };
    let block = EventBlock { first: 0, count: 40, inputs: vec![input] };
    let mut beyond = 0;
    let all: Vec<usize> = (0..40).collect();
    for part in engine.run(Selection { first: 0, count: 40 }, &block, &all) {
        let tensor = |node: usize| part.legs[0].aligned[node].as_ref().expect("formed");
        for lane in (0..part.rows.len()).filter(|&l| !part.skip[l]) {
            let (a, b) = (tensor(d).value(0, lane), tensor(d).value(1, lane));
            let largest = a.max(b);
            beyond += u32::from(largest != f64::from(largest as f32));
            for (node, expected) in [(max, largest), (average, (a + b) / 2.0)] {
                assert_eq!(tensor(node).value(0, lane), expected);
                let (lo, hi, flags) = tensor(node).band(0, lane);
                assert!(lo <= expected && expected <= hi);
                let run = f64::from(expected as f32);
                assert!(expected == run || (lo < hi && flags.has(Flag::Float32Sum)));
            }
        }
    }
    assert!(beyond > 10, "{beyond}");
}

/// Casts, dense layers and merges on integers: QKeras' quantizers, or fixed types that overflow in
/// the given way.
fn quantised(seed: u64, overflow: Option<Overflow>) -> Chain {
    let random = &mut Random(seed);
    let (float, exact) = (Rounding32::Float32, Rounding32::Exact);
    let arithmetic = if overflow.is_some() { exact } else { float };
    let quantizer = |width: i64, integer: i64| match overflow {
        None => bits(width, integer),
        Some(overflow) => Op::Quantize(
            FixedType::new(true, width as u32, integer as i32 + 1, Rounding::RndConv, overflow)
                .expect("a type"),
        ),
    };
    let mut c = Chain::new(5);
    let width = 4 + random.below(5) as i64;
    let q = c.push(quantizer(width, 3), vec![0], vec![5], float);
    let d = c.dense(random, q, 7, 4);
    c.typed.nodes[d].rules.arithmetic = arithmetic;
    let integer = random.below(4) as i64;
    let q = c.push(quantizer(6, integer), vec![d], vec![7], arithmetic);
    let m = c.push(Op::Merge(MergeKind::Add), vec![q, d], vec![7], arithmetic);
    let d = c.dense(random, m, 3, 4);
    c.typed.nodes[d].rules.arithmetic = arithmetic;
    c.push(quantizer(8, 2), vec![d], vec![3], arithmetic);
    c
}

/// Small values, and seldom one that overflows or leaves every proven domain.
fn tame(random: &mut Random, count: usize) -> EventBlock {
    let special = [f32::NAN, f32::INFINITY, 1e9, -1e-40, 9.0, -20.0];
    let data = (0..count * 5)
        .map(|_| match random.below(60) {
            0 => special[random.below(6) as usize],
            _ => random.grid(1 << 8, 7),
        })
        .collect();
    let input = InputEvents { elements: 5, data: EventData::F32(data) };
    EventBlock { first: 0, count, inputs: vec![input] }
}

/// Events that the screen lets pass are the same in every leg and layer, whatever is fed, and have no
/// flags; and it lets pass all of those where a cast of an event is all that may differ.
#[test]
fn the_screen_lets_equal_events_pass() {
    let (mut passed, mut stopped, mut differing) = (0, 0, 0);
    for seed in 0..60 {
        let reference = quantised(seed, None);
        let targets = [Overflow::Sat, Overflow::Wrap].map(|o| quantised(seed, Some(o)).typed);
        let engine = Engine::new(&reference.model, &reference.typed, &targets).expect("a plan");
        assert!(engine.screen.is_some());
        let events = tame(&mut Random(seed + 1000), 90);
        let rows = engine.screen(&events, 10..90);
        assert!(rows.iter().all(|r| (10..90).contains(r)));
        let all: Vec<usize> = (10..90).collect();
        for part in engine.run(Selection { first: 0, count: 90 }, &events, &all) {
            for lane in (0..part.rows.len()).filter(|&l| !part.skip[l]) {
                let mut same = true;
                for target in &part.legs[1..] {
                    for (call, a) in part.legs[0].aligned.iter().enumerate() {
                        let a = a.as_ref().expect("formed");
                        for b in [&target.aligned[call], &target.own[call]].into_iter().flatten() {
                            for e in 0..a.elements {
                                same &= a.value(e, lane) == b.value(e, lane)
                                    && a.band(e, lane).2 == Flags::NONE
                                    && b.band(e, lane).2 == Flags::NONE;
                            }
                        }
                    }
                }
                let pass = !rows.contains(&(part.rows[lane] as usize));
                assert!(same || !pass, "seed {seed}, event {}", part.rows[lane]);
                passed += u32::from(pass);
                stopped += u32::from(!pass);
                differing += u32::from(!same);
            }
        }
    }
    // Few are stopped without need: huge values that saturate in every leg.
    assert!(passed > 500 && differing > 500, "{passed} passed, {differing} differ");
    assert!(stopped - differing < stopped / 8, "{stopped} stopped, {differing} differ");
}

/// Where a leg computes on reals nothing is left out.
#[test]
fn no_screen_where_flags_are_counted() {
    let chain = network(&mut Random(7), false);
    let engine = Engine::new(&chain.model, &chain.typed, std::slice::from_ref(&chain.typed))
        .expect("a plan");
    assert_eq!(engine.screen(&events(&mut Random(1), 40), 3..9), (3..9).collect::<Vec<_>>());
}

/// Every curve on integers, with as many fractional bits as are proven and more, is what its formula
/// gives; and the fast program knows it of a hard tanh and of a curve of integers.
#[test]
fn curves_on_integers() {
    let float = Rounding32::Float32;
    let mut random = Random(11);
    let block = events(&mut random, 200);
    let selection = Selection { first: 0, count: 200 };
    let rows: Vec<usize> = (0..200).collect();
    let mut compared = 0;
    for n in 0..240_i64 {
        let curve = QuantizedCurve {
            bits: 1 + n % 20,
            symmetric: n & 1 != 0,
            real: n & 2 != 0,
            ..QuantizedCurve::new(if n & 4 != 0 { Curve::Tanh } else { Curve::Sigmoid })
        };
        let ready = prepare_curve(&curve, &Place::model()).expect("legal arguments");
        let mut c = Chain::new(5);
        let (width, integer) = [(8, 1), (6, 3), (12, 4), (23, 0), (24, 0), (2, 0)][n as usize % 6];
        let quantizer = QuantizedBits {
            bits: width,
            integer,
            keep_negative: n % 5 != 0,
            ..QuantizedBits::default()
        };
        let q = c.push(Op::QuantizedBits(quantizer), vec![0], vec![5], float);
        let y = c.push(Op::QuantizedCurve(curve), vec![q], vec![5], float);
        let engine = Engine::new(&c.model, &c.typed, &[]).expect("a plan");
        let (fast, exceptional) = engine.part(selection, &block, &rows, true);
        let (careful, _) = engine.part(selection, &block, &rows, false);
        let tensor = |of: &[LegValues], node: usize| of[0].aligned[node].clone().expect("formed");
        let (x, careful, fast) = (tensor(&careful, q), tensor(&careful, y), tensor(&fast, y));
        for at in 0..5 * 200 {
            let (element, lane) = (at / 200, at % 200);
            // The last batch has 8 events, so that every element stands in the body.
            let expected = ready.apply(x.value(element, lane) as f32, Position::Body);
            assert_eq!(careful.value(element, lane).is_nan(), expected.is_nan());
            if !expected.is_nan() {
                assert_eq!(careful.value(element, lane), f64::from(expected), "{n} {at}");
            }
            if !exceptional[lane] {
                compared += 1;
                assert_eq!(fast.value(element, lane), f64::from(expected), "{n} {at}");
                assert!(fast.band(element, lane).2.is_empty());
            }
        }
    }
    assert!(compared > 100_000, "{compared}");
}
