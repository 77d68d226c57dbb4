//! Every conversion into a small type, against the definitions.
//!
//! The space, for each dialect:
//!
//! - targets: widths 0 to 8, signed and unsigned, all 7 × 5 modes; saturation bits 0 to W for the two
//!   wrapping modes, 0 and W for the others, which must ignore them;
//! - the source's LSB 10 bits below the target's to 10 bits above it;
//! - sources: every code of 12 bits (signed) and 11 bits (unsigned); and for a finer source LSB, where 12
//!   bits reach no far overflow, every target code within three ranges of zero together with the remainders 0,
//!   1 LSB, one half, one half ± 1 LSB and -1 LSB.
//!
//! The definitions are in `oracle`.

mod oracle;

use bittrue_fixed::{Dialect, FixedType, Overflow, Rounding, TypeError};
use oracle::oracle;

/// All targets of the given width.
fn targets(width: u32) -> Vec<FixedType> {
    let mut targets = Vec::new();
    for signed in [false, true] {
        for rounding in Rounding::ALL {
            for overflow in Overflow::ALL {
                let plain = FixedType::new(signed, width, 2, rounding, overflow).unwrap();
                let wraps = matches!(overflow, Overflow::Wrap | Overflow::WrapSm);
                let mut bits: Vec<u32> = if wraps { (0..=width).collect() } else { vec![0, width] };
                bits.dedup();
                targets.extend(bits.into_iter().map(|n| plain.with_saturation_bits(n).unwrap()));
            }
        }
    }
    targets
}

/// The source codes for a target of `width` bits whose LSB is `2^shift` source LSBs.
fn sources(width: u32, shift: i32) -> Vec<i128> {
    let mut raws: Vec<i128> = (-2048..2048).collect();
    if shift > 0 {
        let (lsb, reach) = (1_i128 << shift, 3_i128 << width);
        for code in -reach..=reach {
            raws.extend(
                [0, 1, lsb / 2 - 1, lsb / 2, lsb / 2 + 1, lsb - 1].map(|rest| code * lsb + rest),
            );
        }
    }
    raws.sort_unstable();
    raws.dedup();
    raws
}

/// Compares a whole dialect.
fn compare(dialect: Dialect) {
    let mut conversions = 0;
    for width in 1..=8 {
        let sources: Vec<(i32, Vec<i128>)> =
            (-10..=10).map(|shift| (shift, sources(width, shift))).collect();
        for target in targets(width) {
            let refused = TypeError::UnsignedWrapSm { width };
            if dialect == Dialect::ApFixed && target.overflow == Overflow::WrapSm && !target.signed
            {
                for raw in -300..300 {
                    assert_eq!(target.convert(raw, 4, dialect), Err(refused.clone()), "{target}");
                }
                continue;
            }
            for (shift, raws) in &sources {
                let fractional = target.fractional() + shift;
                let (scale, den) = (1_i128 << (-shift).max(0), 1_i128 << (*shift).max(0));
                for &raw in raws {
                    let expected = oracle(raw * scale, den, &target, dialect);
                    let got = target.convert(raw, fractional, dialect);
                    if got != Ok(expected) {
                        panic!(
                            "{target} from {raw} * 2^-{fractional}: {got:?}, expected {expected}"
                        );
                    }
                }
                conversions += raws.len();
            }
        }
    }
    assert!(conversions > 150_000_000, "the space shrank to {conversions} conversions");
}

#[test]
fn every_conversion_in_the_cpp_dialect() {
    compare(Dialect::ApFixed);
}

#[test]
fn every_conversion_in_the_hgq_dialect() {
    compare(Dialect::Hgq);
}

#[test]
fn width_zero_is_nothing_in_hgq_and_refused_in_cpp() {
    for target in targets(0) {
        for raw in -2048..2048 {
            assert_eq!(target.convert(raw, 3, Dialect::Hgq), Ok(0), "{target}");
            assert_eq!(target.convert(raw, 3, Dialect::ApFixed), Err(TypeError::ZeroWidth));
        }
    }
}
