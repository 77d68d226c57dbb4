//! Every kernel at every level that this machine has: `cargo bench -p bittrue-kernels`.
//!
//! Throughput is multiplications for sums of products and raws for everything else.

use std::hint::black_box;

use bittrue_fixed::FixedType;
use bittrue_kernels::{
    ByteCast, ByteLinear, Cast32, InputCast, LinearShape, PairLinear, Simd, linear,
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const LANES: usize = 512;

/// Inputs and units of square layers, and the first layer of a tagger.
const SIZES: [(usize, usize); 4] = [(16, 64), (32, 32), (64, 64), (128, 128)];

fn relu6() -> (Cast32, FixedType) {
    let target: FixedType = "ap_ufixed<6,0,RND_CONV,SAT>".parse().expect("a type");
    (Cast32::new(target.fractional() + 5, target).expect("plain"), target)
}

fn weights(n: usize) -> Vec<i32> {
    (0..n).map(|k| (k * 2_654_435_761 % 63) as i32 - 31).collect()
}

fn sums_of_products(c: &mut Criterion) {
    let mut group = c.benchmark_group("dense and cast");
    for (terms, units) in SIZES {
        let index: Vec<u32> = (0..terms as u32).collect();
        let shape = LinearShape { index: &index, terms, groups: 1, units, lanes: LANES };
        let (w, b) = (weights(terms * units), vec![7; units]);
        let (cast, _) = relu6();
        let bound = (31 * 63 * terms) as i64;
        let bytes = ByteCast::new(cast, -bound, bound).expect("bytes");
        let quads = ByteLinear::new(shape, &w, &b, (0, 63), Some(bytes)).expect("8 bits");
        let pairs = PairLinear::new(shape, &w, &b).expect("16 bits");
        let raws: Vec<u8> = (0..terms * LANES).map(|k| (k * 31 % 64) as u8).collect();
        let wide: Vec<i16> = raws.iter().map(|&v| v.into()).collect();
        group.throughput(Throughput::Elements((terms * units * LANES) as u64));
        for simd in Simd::all() {
            let name = |kind: &str| {
                BenchmarkId::new(format!("{kind} {}", simd.level()), format!("{terms}x{units}"))
            };
            group.bench_function(name("bytes"), |b| {
                b.iter(|| quads.bytes(simd, black_box(&raws), LANES));
            });
            if pairs.run_cast(simd, &wide, LANES, &cast).is_some() {
                group.bench_function(name("pairs"), |b| {
                    b.iter(|| pairs.run_cast(simd, black_box(&wide), LANES, &cast));
                });
            }
        }
        group.bench_function(
            BenchmarkId::new("plain loops", format!("{terms}x{units}")),
            |bench| {
                bench.iter(|| {
                    let sums: Vec<i32> = linear(shape, black_box(&wide), &w, &b);
                    cast.all::<i32, i16>(Simd::chosen(), &sums)
                });
            },
        );
        // The wide path: 64-bit accumulators.
        let (w64, b64): (Vec<i64>, Vec<i64>) =
            (w.iter().map(|&v| v.into()).collect(), b.iter().map(|&v: &i32| v.into()).collect());
        group.bench_function(BenchmarkId::new("64 bits", format!("{terms}x{units}")), |bench| {
            bench.iter(|| linear::<i16, i64>(shape, black_box(&wide), &w64, &b64));
        });
    }
    group.finish();
}

fn casts(c: &mut Criterion) {
    let mut group = c.benchmark_group("casts");
    let elements = 16;
    let events: Vec<f32> = (0..elements * LANES).map(|k| (k % 251) as f32 * 0.06 - 7.5).collect();
    let input =
        InputCast::new("ap_fixed<8,4,RND_CONV,SAT>".parse().expect("a type")).expect("plain");
    let sums: Vec<i32> = (0..64 * LANES as i32).map(|k| k * 7919 % 30_000 - 15_000).collect();
    for simd in Simd::all() {
        group.throughput(Throughput::Elements(events.len() as u64));
        group.bench_function(BenchmarkId::new("float32 to bytes", simd.level()), |b| {
            let (mut out, mut failed) = (vec![0; events.len()], vec![false; LANES]);
            b.iter(|| input.bytes(simd, black_box(&events), &mut out, &mut failed));
        });
        group.throughput(Throughput::Elements(sums.len() as u64));
        for text in
            ["ap_ufixed<6,0,RND_CONV,SAT>", "ap_fixed<8,2,RND,SAT_SYM>", "ap_fixed<8,2,TRN,WRAP>"]
        {
            let target: FixedType = text.parse().expect("a type");
            let cast = Cast32::new(target.fractional() + 5, target).expect("plain");
            group.bench_function(BenchmarkId::new(text, simd.level()), |b| {
                b.iter(|| cast.all::<i32, i16>(simd, black_box(&sums)));
            });
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(std::time::Duration::from_millis(100))
        .measurement_time(std::time::Duration::from_millis(400));
    targets = sums_of_products, casts
}
criterion_main!(benches);
