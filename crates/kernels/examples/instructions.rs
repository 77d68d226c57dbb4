//! One kernel, again and again, for counting its instructions (`scripts/instructions.sh`).
//!
//! ```sh
//! cargo run --release -p bittrue-kernels --example instructions -- KERNEL LEVEL TIMES
//! ```

use std::error::Error;
use std::hint::black_box;

use bittrue_fixed::FixedType;
use bittrue_kernels::{
    ByteCast, ByteLinear, Cast32, InputCast, Level, LinearShape, PairLinear, Simd, linear,
};

const LANES: usize = 512;
const TERMS: usize = 32;
const UNITS: usize = 32;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, kernel, level, times] = args.as_slice() else {
        return Err("give KERNEL LEVEL TIMES".into());
    };
    let level: Level = level.parse()?;
    let simd = Simd::new(level).ok_or("this machine does not have the level")?;
    let index: Vec<u32> = (0..TERMS as u32).collect();
    let shape = LinearShape { index: &index, terms: TERMS, groups: 1, units: UNITS, lanes: LANES };
    let weights: Vec<i32> = (0..TERMS * UNITS).map(|k| (k * 7919 % 31) as i32 * 2 - 31).collect();
    let bias = vec![7; UNITS];
    let target: FixedType = "ap_ufixed<6,0,RND_CONV,SAT>".parse()?;
    let cast = Cast32::new(target.fractional() + 5, target).ok_or("no plain cast")?;
    let bound = (31 * 63 * TERMS) as i64;
    let bytes = ByteCast::new(cast, -bound, bound).ok_or("no bytes")?;
    let quads = ByteLinear::new(shape, &weights, &bias, (0, 63), Some(bytes)).ok_or("no bytes")?;
    let pairs = PairLinear::new(shape, &weights, &bias).ok_or("no words")?;
    let raws: Vec<u8> = (0..TERMS * LANES).map(|k| (k * 31 % 64) as u8).collect();
    let wide: Vec<i16> = raws.iter().map(|&v| v.into()).collect();
    let events: Vec<f32> = (0..16 * LANES).map(|k| (k % 251) as f32 * 0.06 - 7.5).collect();
    let input = InputCast::new("ap_fixed<8,4,RND_CONV,SAT>".parse()?).ok_or("no plain cast")?;
    for _ in 0..times.parse::<u32>()? {
        match kernel.as_str() {
            "bytes" => drop(black_box(quads.bytes(simd, black_box(&raws), LANES))),
            "pairs" => drop(black_box(pairs.run_cast(simd, black_box(&wide), LANES, &cast))),
            "loops" => drop(black_box(linear::<i16, i32>(shape, &wide, &weights, &bias))),
            "input" => {
                let (mut out, mut failed) = (vec![0; events.len()], vec![false; LANES]);
                input.bytes(simd, black_box(&events), &mut out, &mut failed);
                black_box((out, failed));
            }
            other => return Err(format!("there is no kernel {other}").into()),
        }
    }
    Ok(())
}
