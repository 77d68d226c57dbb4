//! One value through one quantizer: what is rounded, what overflows.

use bittrue_fixed::{Dialect, FixedType, Overflow, exact_raw_f64};
use bittrue_record::{ExplainedCast, OverflowAction, RoundedTo};

use super::bits;

/// Explains the cast of `from` to `target`, of which `result` came out. `None` where the value is no
/// finite number, or the type is none in its dialect.
pub(crate) fn explain(
    from: f64,
    target: FixedType,
    dialect: Dialect,
    result: f64,
) -> Option<ExplainedCast> {
    let (raw, fractional) = exact_raw_f64(from)?;
    let plain = target.convert(raw, fractional, dialect).ok()?;
    // The same grid without an end, to see where rounding alone goes.
    let endless =
        FixedType::new(true, 126, 126 - target.fractional(), target.rounding, Overflow::Sat)
            .ok()?;
    let rounded = endless.convert(raw, fractional, dialect).ok()?;
    let huge = rounded == endless.raw_max() || rounded == endless.raw_min();
    let bits::Cut { above, kept, below } = bits::cut(raw, fractional, target);
    let range = target.interval();
    // A single signed bit under SAT_SYM has two lowest codes, by dialect.
    let outside = !((range.min..=range.max).contains(&rounded) && plain == rounded && !huge);
    let wraps = matches!(target.overflow, Overflow::Wrap) && target.saturation_bits == 0 && !huge;
    let turns = || i64::try_from((rounded - plain) >> target.width).ok();
    let value = target.value(plain);
    Some(ExplainedCast {
        from,
        above,
        kept,
        tie: below.starts_with('1') && !below[1..].contains('1'),
        rounding: match (below.is_empty(), endless.value(rounded) > from) {
            (true, _) => RoundedTo::Exact,
            (false, true) => RoundedTo::Up,
            (false, false) => RoundedTo::Down,
        },
        dropped: below,
        overflow: outside.then_some(match target.overflow {
            Overflow::Sat | Overflow::SatSym => OverflowAction::Saturates,
            Overflow::SatZero => OverflowAction::Zero,
            Overflow::Wrap | Overflow::WrapSm => OverflowAction::Wraps,
        }),
        wraps: if outside && wraps { turns() } else { None },
        plain: (value != result).then_some(value),
    })
}

#[cfg(test)]
mod tests {
    use bittrue_fixed::Rounding;

    use super::*;

    fn cast(from: f64, target: &str) -> ExplainedCast {
        let target: FixedType = target.parse().expect("a type");
        let raw = target.convert_f64(from, Dialect::Hgq).expect("a raw");
        explain(from, target, Dialect::Hgq, target.value(raw)).expect("a finite value")
    }

    #[test]
    fn a_wrap_says_how_often() {
        let c = cast(12.5, "ap_fixed<8,4,RND_CONV,WRAP>");
        assert_eq!((c.overflow, c.wraps), (Some(OverflowAction::Wraps), Some(1)));
        assert_eq!((c.above.as_str(), c.kept.as_str()), ("0", "1100.1000"));
        assert_eq!(cast(-40.0, "ap_fixed<8,4,RND_CONV,WRAP>").wraps, Some(-2));
        assert_eq!(cast(7.9375, "ap_fixed<8,4,RND_CONV,WRAP>").overflow, None);
        // Rounding carries it over the end.
        let c = cast(7.97, "ap_fixed<8,4,RND_CONV,WRAP>");
        assert_eq!((c.rounding, c.wraps), (RoundedTo::Up, Some(1)));
        // No i128 holds this one in units of the LSB.
        let c = cast(2f64.powi(300), "ap_fixed<8,4,RND_CONV,WRAP>");
        assert_eq!((c.overflow, c.wraps), (Some(OverflowAction::Wraps), None));
    }

    #[test]
    fn saturation_and_its_kinds() {
        for (overflow, expected) in [
            ("SAT", Some(OverflowAction::Saturates)),
            ("SAT_ZERO", Some(OverflowAction::Zero)),
            ("SAT_SYM", Some(OverflowAction::Saturates)),
            ("WRAP_SM", Some(OverflowAction::Wraps)),
        ] {
            let target = format!("ap_fixed<8,4,RND,{overflow}>");
            assert_eq!(cast(8.0, &target).overflow, expected, "{overflow}");
            assert_eq!(cast(-8.25, &target).overflow, expected, "{overflow}");
            assert_eq!(cast(-7.0, &target).overflow, None, "{overflow}");
        }
        let lowest = |overflow| cast(-8.0, &format!("ap_fixed<8,4,RND,{overflow}>")).overflow;
        assert_eq!((lowest("SAT"), lowest("SAT_SYM")), (None, Some(OverflowAction::Saturates)));
        assert_eq!(cast(-0.25, "ap_ufixed<6,0,TRN,SAT>").overflow, Some(OverflowAction::Saturates));
    }

    #[test]
    fn ties_and_directions() {
        let c = |x| {
            let c = cast(x, "ap_fixed<8,4,RND_CONV,SAT>");
            (c.dropped, c.rounding, c.tie)
        };
        assert_eq!(c(0.28125), ("1".to_owned(), RoundedTo::Down, true));
        assert_eq!(c(0.34375), ("1".to_owned(), RoundedTo::Up, true));
        assert_eq!(c(0.296875), ("11".to_owned(), RoundedTo::Up, false));
        assert_eq!(c(-0.296875), ("01".to_owned(), RoundedTo::Down, false));
        assert_eq!(c(0.25), (String::new(), RoundedTo::Exact, false));
    }

    #[test]
    fn what_float32_makes_different_is_told() {
        let target: FixedType = "ap_fixed<8,4,RND_CONV,SAT>".parse().expect("a type");
        let c = explain(0.3, target, Dialect::Hgq, 0.25).expect("finite");
        assert_eq!(c.plain, Some(0.3125));
        assert_eq!(explain(f64::NAN, target, Dialect::Hgq, 0.0), None);
    }

    /// The story that is told adds up to the code that came out, for every type of up to 4 bits.
    #[test]
    fn every_small_type_adds_up() {
        for signed in [false, true] {
            for (width, integer) in [(1, 1), (2, 0), (3, 3), (4, 2), (3, 5), (2, -1)] {
                for rounding in Rounding::ALL {
                    for overflow in Overflow::ALL {
                        let target = FixedType::new(signed, width, integer, rounding, overflow)
                            .expect("a type");
                        for eighths in -300..300 {
                            adds_up(f64::from(eighths) / 8.0, target);
                        }
                    }
                }
            }
        }
    }

    fn adds_up(from: f64, target: FixedType) {
        let result = target.value(target.convert_f64(from, Dialect::Hgq).expect("a raw"));
        let c = explain(from, target, Dialect::Hgq, result).expect("finite");
        let lsb = target.lsb();
        let floor = (from / lsb).floor() * lsb;
        let on_grid = match c.rounding {
            RoundedTo::Exact => from,
            RoundedTo::Down => floor,
            RoundedTo::Up => floor + lsb,
        };
        assert_eq!(c.rounding == RoundedTo::Exact, floor == from, "{from} in {target}");
        assert_eq!(c.tie, (from - floor) == lsb / 2.0, "{from} in {target}");
        match (c.overflow, c.wraps) {
            (None, _) => assert_eq!(on_grid, result, "{from} in {target}"),
            (Some(OverflowAction::Wraps), Some(n)) => {
                let modulus = lsb * 2f64.powi(target.width.cast_signed());
                assert_ne!(n, 0, "{from} in {target}");
                assert_eq!(on_grid - n as f64 * modulus, result, "{from} in {target}");
            }
            (Some(_), _) => {
                let (low, high) = (target.raw_min(), target.raw_max());
                let inside = target.value(low) <= on_grid && on_grid <= target.value(high);
                let symmetric = target.overflow == Overflow::SatSym && on_grid < 0.0;
                assert!(!inside || symmetric, "{from} in {target}");
            }
        }
        assert_eq!(c.plain, None);
    }
}
