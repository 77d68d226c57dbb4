//! The definitions of rounding and overflow, on rationals: floor and remainder, and no bits.

use bittrue_fixed::{Dialect, FixedType, Overflow, Rounding};

/// `num / den` rounded to an integer.
pub(crate) fn rounded(num: i128, den: i128, mode: Rounding) -> i128 {
    let floor_plus_half = |num: i128| (2 * num + den).div_euclid(2 * den);
    let ceil_minus_half = |num: i128| -floor_plus_half(-num);
    match mode {
        Rounding::Trn => num.div_euclid(den),
        Rounding::TrnZero => num / den,
        Rounding::Rnd => floor_plus_half(num),
        Rounding::RndMinInf => ceil_minus_half(num),
        Rounding::RndZero => num.signum() * ceil_minus_half(num.abs()),
        Rounding::RndInf => num.signum() * floor_plus_half(num.abs()),
        Rounding::RndConv => [ceil_minus_half(num), floor_plus_half(num)]
            .into_iter()
            .find(|&nearest| nearest % 2 == 0)
            .unwrap_or(floor_plus_half(num)),
    }
}

/// What the definitions make of `num / den` (in LSB of the target), for a width of at least one bit.
pub(crate) fn oracle(num: i128, den: i128, ty: &FixedType, dialect: Dialect) -> i128 {
    let r = rounded(num, den, ty.rounding);
    let codes = 1_i128 << ty.width;
    let (lo, hi) = if ty.signed { (-codes / 2, codes / 2 - 1) } else { (0, codes - 1) };
    if ty.overflow == Overflow::SatSym && ty.signed {
        let single_bit = ty.width == 1 && dialect == Dialect::ApFixed;
        return r.clamp(if single_bit { -1 } else { -hi }, hi);
    }
    if (lo..=hi).contains(&r) {
        return r;
    }
    // The code whose residue is that of `code`.
    let signed_code = |code: i128| (code - lo).rem_euclid(codes) + lo;
    // The codes whose top N bits are fixed form a run of this length.
    let run = codes >> ty.saturation_bits;
    let forced = match (ty.signed, r < 0) {
        (false, _) => codes - run,
        (true, true) => lo,
        (true, false) => codes / 2 - run,
    };
    match (ty.overflow, dialect) {
        (Overflow::Sat | Overflow::SatSym, _) => r.clamp(lo, hi),
        (Overflow::SatZero, _) => 0,
        (Overflow::Wrap, _) if ty.saturation_bits == 0 => signed_code(r),
        // One forced bit of a signed type is the sign bit alone.
        (Overflow::Wrap, _) if ty.signed && ty.saturation_bits == 1 => {
            r.rem_euclid(run) + if r < 0 { lo } else { 0 }
        }
        (Overflow::Wrap, _) => r.rem_euclid(run) + forced,
        (Overflow::WrapSm, Dialect::Hgq) => {
            let mut q = r.rem_euclid(2 * codes);
            while !(lo..=hi).contains(&q) {
                q = if q > hi { 2 * hi + 1 - q } else { 2 * lo - 1 - q };
            }
            q
        }
        (Overflow::WrapSm, Dialect::ApFixed) => {
            let t = r.rem_euclid(codes);
            let (sign_of_t, negative) = (t >= codes / 2, r < 0);
            match ty.saturation_bits {
                0 => {
                    let deleted = num.div_euclid(den).div_euclid(codes) % 2 != 0;
                    signed_code(if deleted != sign_of_t { codes - 1 - t } else { t })
                }
                1 => signed_code(if negative != sign_of_t { codes - 1 - t } else { t }),
                _ => {
                    let lowest_forced_bit = t / run % 2 == 1;
                    let t = if lowest_forced_bit == negative { codes - 1 - t } else { t };
                    t % run + forced
                }
            }
        }
    }
}
