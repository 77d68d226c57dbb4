//! What part of a multiply instruction's peak dense and convolutional kernels reach:
//! `cargo bench -p bittrue-kernels --bench fractions`.
//!
//! Each kernel is measured twice, with a truncation in the place of the cast and with a cast that rounds
//! and saturates, in turns with the instruction alone, on one thread. The best of many short passes counts:
//! others may use the machine.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bittrue_fixed::FixedType;
use bittrue_kernels::{
    ByteCast, ByteLinear, Cast32, LinearShape, PADDING, PairLinear, Simd, peaks,
};

/// How long a pass is about, and how many there are.
const PASS: Duration = Duration::from_micros(500);
const PASSES: usize = 300;

/// A layer.
struct Layer {
    name: &'static str,
    index: Vec<u32>,
    elements: usize,
    terms: usize,
    units: usize,
    lanes: usize,
}

fn dense(name: &'static str, terms: usize, units: usize) -> Layer {
    Layer { name, index: (0..terms as u32).collect(), elements: terms, terms, units, lanes: 512 }
}

/// A 3×3 window, padded, over `side × side` cells of so many channels.
fn conv(name: &'static str, side: i32, channels: i32, units: usize) -> Layer {
    let mut index = Vec::new();
    for y in 0..side {
        for x in 0..side {
            for (dy, dx) in (-1..2).flat_map(|dy| (-1..2).map(move |dx| (dy, dx))) {
                let inside = (0..side).contains(&(y + dy)) && (0..side).contains(&(x + dx));
                let cell = (y + dy) * side + x + dx;
                let of = |c: i32| if inside { (cell * channels + c) as u32 } else { PADDING };
                index.extend((0..channels).map(of));
            }
        }
    }
    let elements = (side * side * channels) as usize;
    Layer { name, index, elements, terms: 9 * channels as usize, units, lanes: 128 }
}

/// The best rate of some loops in 10⁹ products per second, a pass of each in turn.
fn best(products: f64, loops: &mut [&mut dyn FnMut()]) -> Vec<f64> {
    let mut counts = vec![1_u32; loops.len()];
    let mut rates = vec![0.0_f64; loops.len()];
    for _ in 0..PASSES {
        for ((run, count), rate) in loops.iter_mut().zip(&mut counts).zip(&mut rates) {
            let start = Instant::now();
            (0..*count).for_each(|_| run());
            let time = start.elapsed();
            *rate = rate.max(products * f64::from(*count) / time.as_secs_f64() / 1e9);
            if time < PASS {
                *count *= 2;
            }
        }
    }
    rates
}

fn cast(text: &str) -> Cast32 {
    let target: FixedType = text.parse().expect("a type");
    Cast32::new(target.fractional() + 5, target).expect("a plain type")
}

fn line(layer: &str, simd: Simd, instruction: &str, peak: f64, truncated: f64, requantized: f64) {
    println!(
        "{layer:<22} {:<11} {instruction:<11} {peak:>5.0}  {truncated:>6.1} {:>4.0} %  \
         {requantized:>6.1} {:>4.0} %  {:>4.0} %",
        simd.level().name(),
        100.0 * truncated / peak,
        100.0 * requantized / peak,
        100.0 * (1.0 - requantized / truncated),
    );
}

fn main() {
    let layers = [
        dense("dense 16x16", 16, 16),
        dense("dense 16x64", 16, 64),
        dense("dense 32x32", 32, 32),
        dense("dense 64x32", 64, 32),
        dense("dense 64x64", 64, 64),
        dense("dense 128x128", 128, 128),
        conv("conv 3x3x4 to 8", 8, 4, 8),
        conv("conv 3x3x8 to 32", 8, 8, 32),
        conv("conv 3x3x16 to 32", 8, 16, 32),
    ];
    println!(
        "{:<22} {:<11} {:<11} {:>5}  {:>13}  {:>13}  {:>6}",
        "layer", "level", "instruction", "peak", "truncated", "requantized", "cast"
    );
    for layer in &layers {
        let Layer { name, index, elements, terms, units, lanes } = layer;
        let (terms, units, lanes) = (*terms, *units, *lanes);
        let shape = LinearShape { index, terms, groups: 1, units, lanes };
        // Magnitudes that sums of two products keep within 16 bits, so that every level takes part.
        let weights: Vec<i32> =
            (0..terms * units).map(|k| (k * 2_654_435_761 % 31) as i32 * 2 - 31).collect();
        let bias = vec![7; units];
        let bound = (31 * 63 * terms) as i64;
        let (cut, full) = (cast("ap_ufixed<8,3,TRN,WRAP>"), cast("ap_ufixed<6,0,RND_CONV,SAT>"));
        let bytes = |cast| {
            let cast = ByteCast::new(cast, -bound, bound).expect("bytes");
            ByteLinear::new(shape, &weights, &bias, (0, 63), Some(cast)).expect("8 bits")
        };
        let (bytes_cut, bytes_full) = (bytes(cut), bytes(full));
        let pairs = PairLinear::new(shape, &weights, &bias).expect("16 bits");
        let raws: Vec<u8> = (0..elements * lanes).map(|k| (k * 31 % 64) as u8).collect();
        let wide: Vec<i16> = raws.iter().map(|&v| v.into()).collect();
        let products = (index.len() * units * lanes) as f64;
        for simd in Simd::all() {
            let peaks_before = peaks(simd, Duration::from_millis(30));
            let [words, quads] = peaks_before.as_slice() else { continue };
            let rates = best(
                products,
                &mut [
                    &mut || drop(black_box(bytes_cut.bytes(simd, black_box(&raws), lanes))),
                    &mut || drop(black_box(bytes_full.bytes(simd, black_box(&raws), lanes))),
                    &mut || drop(black_box(pairs.run_cast(simd, black_box(&wide), lanes, &cut))),
                    &mut || drop(black_box(pairs.run_cast(simd, black_box(&wide), lanes, &full))),
                ],
            );
            // The machine may have become faster meanwhile.
            let after = peaks(simd, Duration::from_millis(30));
            let peak = |n: usize| peaks_before[n].gmac_s.max(after[n].gmac_s);
            line(name, simd, quads.instruction, peak(1), rates[0], rates[1]);
            line(name, simd, words.instruction, peak(0), rates[2], rates[3]);
        }
    }
}
