//! Properties of types too wide to enumerate, and of extreme arguments.

mod oracle;

use bittrue_fixed::{
    Dialect, FixedType, IntervalError, Kif, Overflow, QInterval, Rounding, TypeError, exact_raw_f64,
};
use oracle::{oracle, rounded};
use proptest::prelude::*;
use proptest::sample::select;

/// Any type up to the given width.
fn any_type(max_width: u32) -> impl Strategy<Value = FixedType> {
    let modes = (select(&Rounding::ALL[..]), select(&Overflow::ALL[..]));
    (any::<bool>(), 0..=max_width, -1024..=1024, modes, any::<prop::sample::Index>()).prop_map(
        |(signed, width, integer, (rounding, overflow), n)| {
            FixedType::new(signed, width, integer, rounding, overflow)
                .and_then(|ty| ty.with_saturation_bits(n.index(width as usize + 1) as u32))
                .unwrap()
        },
    )
}

fn any_dialect() -> impl Strategy<Value = Dialect> {
    select(vec![Dialect::ApFixed, Dialect::Hgq])
}

/// Whether the C++ type refuses every conversion.
fn refuses(ty: &FixedType, dialect: Dialect) -> bool {
    dialect == Dialect::ApFixed && (ty.width == 0 || ty.overflow == Overflow::WrapSm && !ty.signed)
}

/// Raws at and around the ends of `i128` and of smaller words.
fn extreme_raw() -> impl Strategy<Value = i128> {
    let near_power = (0..128_u32, -2..=2_i128, any::<bool>()).prop_map(|(bit, step, negative)| {
        let power = if bit == 127 { i128::MAX } else { 1 << bit };
        if negative { power.wrapping_neg().wrapping_add(step) } else { power.wrapping_add(step) }
    });
    prop_oneof![Just(i128::MIN), Just(i128::MAX), Just(0), near_power, any::<i128>()]
}

/// Shifts at the ends of `i32`, around the width of a raw, and in between.
fn extreme_shift() -> impl Strategy<Value = i32> {
    prop_oneof![Just(i32::MIN), Just(i32::MAX), -260..=260, any::<i32>()]
}

fn small_interval() -> impl Strategy<Value = QInterval> {
    (-(1_i128 << 40)..1 << 40, 0..1_i128 << 30, -20..20).prop_map(|(min, length, fractional)| {
        QInterval::new(min, min + length, fractional).unwrap()
    })
}

/// An interval and one of its raws.
fn sampled() -> impl Strategy<Value = (QInterval, i128)> {
    small_interval().prop_flat_map(|interval| (Just(interval), interval.min..=interval.max))
}

fn extreme_interval() -> impl Strategy<Value = QInterval> {
    (extreme_raw(), extreme_raw(), extreme_shift())
        .prop_map(|(a, b, fractional)| QInterval::new(a.min(b), a.max(b), fractional).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// The definitions hold up to 64 bits: rationals with numerators up to 2^90.
    #[test]
    fn wide_types_follow_the_definitions(
        ty in any_type(64),
        dialect in any_dialect(),
        code in -(1_i128 << 67)..1 << 67,
        keep in 0..68_u32,
        rest in any::<i128>(),
        shift in -20..=22_i32,
        tie in any::<bool>(),
    ) {
        prop_assume!(ty.width > 0 && !refuses(&ty, dialect));
        let code = code >> keep;
        let den = 1_i128 << shift.max(0);
        let rest = if tie { den / 2 } else { rest.rem_euclid(den) };
        let raw = code * den + rest;
        let expected = oracle(raw << (-shift).max(0), den, &ty, dialect);
        let got = ty.convert(raw, ty.fractional() + shift, dialect);
        prop_assert_eq!(got, Ok(expected), "{} from {} shift {}", ty, raw, shift);
    }

    /// A raw at the end of `i128`, rounded by the definitions. The target is the widest, so that most of
    /// the rounded values fit.
    #[test]
    fn extreme_raws_round_by_the_definitions(
        raw in extreme_raw(),
        mode in select(&Rounding::ALL[..]),
        shift in 2..=124_i32,
    ) {
        let ty = FixedType::new(true, 126, 126, mode, Overflow::SatZero).unwrap();
        // Halving the numerator and denominator of an even raw keeps the oracle's doubling within i128.
        let raw = raw >> 2 << 2;
        let value = rounded(raw >> 2, 1 << (shift - 2), mode);
        let expected = if (ty.raw_min()..=ty.raw_max()).contains(&value) { value } else { 0 };
        prop_assert_eq!(ty.convert(raw, shift, Dialect::ApFixed), Ok(expected));
    }

    #[test]
    fn text_and_serde_round_trip(ty in any_type(126)) {
        let text = ty.to_string();
        prop_assert_eq!(text.parse::<FixedType>(), Ok(ty));
        let spelling = text.replace("ap_", "").replace(',', " , ").replace("<", " < ");
        prop_assert_eq!(spelling.parse::<FixedType>(), Ok(ty));
        let json = serde_json::to_string(&ty).unwrap();
        prop_assert_eq!(&json, &format!("\"{text}\""));
        prop_assert_eq!(serde_json::from_str::<FixedType>(&json).unwrap(), ty);
    }

    #[test]
    fn kif_and_type_agree(ty in any_type(126)) {
        let back = FixedType::from_kif(ty.kif(), ty.rounding, ty.overflow);
        prop_assert_eq!(back, Ok(FixedType { saturation_bits: 0, ..ty }));
        prop_assert_eq!(ty.kif().width(), ty.width as i32);
        prop_assert_eq!(ty.kif().fractional, ty.fractional());
    }

    /// Never a panic; every result is a code of the type, and stays what it is when converted again.
    #[test]
    fn extreme_conversions_give_codes(
        ty in any_type(126),
        dialect in any_dialect(),
        raw in extreme_raw(),
        fractional in extreme_shift(),
    ) {
        let Ok(code) = ty.convert(raw, fractional, dialect) else {
            prop_assert!(refuses(&ty, dialect), "{} refused {}", ty, raw);
            return Ok(());
        };
        prop_assert!(!refuses(&ty, dialect));
        prop_assert!(ty.interval().contains(code, ty.fractional()), "{}: {}", ty, code);
        prop_assert_eq!(ty.convert(code, ty.fractional(), dialect), Ok(code));
        let value = ty.value(code);
        // Only the very top of `I = 1024` rounds up to infinity.
        prop_assert!(value.is_finite() || ty.integer == 1024);
        if (-1022..1024).contains(&-ty.fractional()) {
            prop_assert_eq!(value == 0.0, code == 0);
        }
    }

    /// Conversion never sees how a value is written.
    #[test]
    fn equal_values_convert_alike(
        ty in any_type(126),
        dialect in any_dialect(),
        raw in any::<i64>(),
        distance in -70..=70_i32,
        pad in 0..=60_u32,
    ) {
        let fractional = ty.fractional() + distance;
        let padded = i128::from(raw) << pad;
        prop_assert_eq!(
            ty.convert(i128::from(raw), fractional, dialect),
            ty.convert(padded, fractional + pad as i32, dialect)
        );
    }

    #[test]
    fn types_outside_the_limits_are_refused_without_panic(
        ty in any_type(126),
        width in any::<u32>(),
        integer in any::<i32>(),
        saturation_bits in any::<u32>(),
        raw in extreme_raw(),
        fractional in extreme_shift(),
    ) {
        let wild = FixedType { width, integer, saturation_bits, ..ty };
        if width <= 126 && (-1024..=1024).contains(&integer) && saturation_bits <= width {
            return Ok(());
        }
        let refused = wild.convert(raw, fractional, Dialect::Hgq).unwrap_err();
        let of_the_limits = matches!(
            refused,
            TypeError::Width { .. } | TypeError::Integer { .. } | TypeError::SaturationBits { .. }
        );
        prop_assert!(of_the_limits, "{}", refused);
        prop_assert!(wild.convert_f64(1.0, Dialect::ApFixed).is_err());
        prop_assert!(wild.raw_min() <= wild.raw_max());
        prop_assert!(wild.interval().min <= wild.interval().max);
        let _ = (wild.value(raw), wild.lsb(), wild.kif().width(), wild.to_string());
    }

    #[test]
    fn doubles_are_exact_rationals(bits in any::<u64>()) {
        let x = f64::from_bits(bits);
        let Some((raw, fractional)) = exact_raw_f64(x) else {
            prop_assert!(!x.is_finite());
            return Ok(());
        };
        prop_assert!(raw % 2 != 0 || (raw, fractional) == (0, 0));
        let ty = FixedType::new(true, 126, 126 - fractional.clamp(-800, 800), Rounding::Trn, Overflow::Wrap)
            .unwrap();
        if (-800..=800).contains(&fractional) {
            prop_assert_eq!(ty.value(raw), x);
            prop_assert_eq!(ty.convert_f64(x, Dialect::ApFixed), Ok(raw));
        }
        let float = x as f32;
        if float.is_finite() && ty.convert_f32(float, Dialect::ApFixed).is_ok() {
            prop_assert_eq!(
                ty.convert_f32(float, Dialect::Hgq),
                ty.convert_f64(f64::from(float), Dialect::Hgq)
            );
        }
    }

    #[test]
    fn interval_arithmetic_encloses((a, x) in sampled(), (b, y) in sampled(), factor in -1000..1000_i128) {
        // Sampled values on the finer grid; the grids are at most 40 bits apart.
        let fractional = a.fractional.max(b.fractional);
        let (fx, fy) = (x << (fractional - a.fractional), y << (fractional - b.fractional));
        prop_assert!(a.add(&b).unwrap().contains(fx + fy, fractional));
        prop_assert!(a.sub(&b).unwrap().contains(fx - fy, fractional));
        prop_assert!(a.mul(&b).unwrap().contains(x * y, a.fractional + b.fractional));
        prop_assert!(a.neg().unwrap().contains(-x, a.fractional));
        prop_assert!(a.scale(factor).unwrap().contains(x * factor, a.fractional));
        let union = a.union(&b).unwrap();
        prop_assert!(union.contains(fx, fractional) && union.contains(fy, fractional));
        prop_assert!(x.unsigned_abs() <= a.max_abs());
    }

    /// The bounds are attained: they are the smallest that enclose.
    #[test]
    fn interval_arithmetic_is_tight(a in small_interval(), b in small_interval()) {
        let corners = |op: fn(i128, i128) -> i128, a: QInterval, b: QInterval| {
            let mut all = [op(a.min, b.min), op(a.min, b.max), op(a.max, b.min), op(a.max, b.max)];
            all.sort_unstable();
            (all[0], all[3])
        };
        let fractional = a.fractional.max(b.fractional);
        let (fa, fb) = (a.rescale(fractional).unwrap(), b.rescale(fractional).unwrap());
        let (sum, difference, product) = (a.add(&b).unwrap(), a.sub(&b).unwrap(), a.mul(&b).unwrap());
        prop_assert_eq!((sum.min, sum.max), corners(|x, y| x + y, fa, fb));
        prop_assert_eq!((difference.min, difference.max), corners(|x, y| x - y, fa, fb));
        prop_assert_eq!((product.min, product.max), corners(|x, y| x * y, a, b));
        prop_assert_eq!(sum.fractional, fractional);
        prop_assert_eq!(product.fractional, a.fractional + b.fractional);
    }

    /// `min_kif` holds both ends, and one bit less anywhere does not.
    #[test]
    fn min_kif_is_the_smallest_container(interval in small_interval(), single in any::<bool>()) {
        let interval = QInterval { max: if single { interval.min } else { interval.max }, ..interval };
        let holds = |kif: Kif| {
            FixedType::from_kif(kif, Rounding::Trn, Overflow::Sat).is_ok_and(|ty| {
                let codes = ty.interval();
                codes.contains(interval.min, interval.fractional)
                    && codes.contains(interval.max, interval.fractional)
                    && (single || codes.contains(interval.min + 1, interval.fractional))
            })
        };
        let kif = interval.min_kif();
        prop_assert!(holds(kif), "{:?}", kif);
        if kif.width() > 0 {
            for smaller in [
                Kif { integer: kif.integer - 1, ..kif },
                Kif { fractional: kif.fractional - 1, ..kif },
                Kif { keep_negative: false, ..kif },
            ] {
                prop_assert!(smaller == kif || !holds(smaller), "{:?}", smaller);
            }
        }
    }

    #[test]
    fn rescale_there_and_back(interval in small_interval(), finer in 0..=60_i32, coarser in 1..=60_i32) {
        let fine = interval.rescale(interval.fractional + finer).unwrap();
        prop_assert_eq!(fine.rescale(interval.fractional), Ok(interval));
        let step = 1_i128 << coarser;
        let coarse = interval.rescale(interval.fractional - coarser);
        if interval.min % step == 0 && interval.max % step == 0 {
            let coarse = coarse.unwrap();
            prop_assert_eq!((coarse.min * step, coarse.max * step), (interval.min, interval.max));
        } else {
            let fractional = interval.fractional - coarser;
            prop_assert_eq!(coarse, Err(IntervalError::LosesBits { fractional }));
        }
    }

    /// Checked arithmetic on extreme intervals: no panic, and a result only when it is right.
    #[test]
    fn extreme_intervals_never_wrap(
        a in extreme_interval(),
        b in extreme_interval(),
        factor in extreme_raw(),
        fractional in extreme_shift(),
    ) {
        for result in [a.add(&b), a.sub(&b), a.mul(&b), a.neg(), a.union(&b), a.scale(factor)] {
            prop_assert!(result.is_none_or(|r| r.min <= r.max));
        }
        if let Some(sum) = a.add(&b) {
            // Taking the other summand's ends away again restores the interval's own.
            let (fa, fb) = (a.rescale(sum.fractional).unwrap(), b.rescale(sum.fractional).unwrap());
            prop_assert_eq!(sum.min.checked_sub(fb.min), Some(fa.min));
            prop_assert_eq!(sum.max.checked_sub(fb.max), Some(fa.max));
        }
        if let Ok(moved) = a.rescale(fractional) {
            prop_assert_eq!(moved.rescale(a.fractional), Ok(a));
        }
        let _ = (a.min_kif(), a.max_abs(), a.contains(factor, fractional));
    }
}
