//! HGQ's quantizers and tables as fixed-point types.

use std::sync::Arc;

use bittrue_fixed::{FixedType, Overflow, Rounding, exact_raw_f64};
use bittrue_model::{EdgeType, FixedPointQuantizer, Op, Place, UnaryLut};
use ndarray::{ArrayD, IxDyn};

use crate::ConvertError;

const HELP: &str = "write the proxy again with HGQ 0.2.6";

/// The cast that a quantizer is, for events of `shape`: one type where all elements have the same.
pub(super) fn cast(
    q: &FixedPointQuantizer,
    shape: &[usize],
    place: &Place,
) -> Result<(Op, EdgeType), ConvertError> {
    let one = |a: &ArrayD<i32>| a.first().copied().filter(|first| a.iter().all(|v| v == first));
    if let (Some(k), Some(b), Some(i)) = (one(&q.keep_negative), one(&q.bits), one(&q.integers)) {
        let target = element([k, b, i], q, place)?;
        return Ok((Op::Quantize(target), EdgeType::Uniform(target)));
    }
    let every = |name: &str, a: &ArrayD<i32>| match a.broadcast(IxDyn(shape)) {
        Some(view) => Ok(view.iter().copied().collect::<Vec<i32>>()),
        None => Err(ConvertError::new(
            place.clone().attribute(name),
            format!("its shape {:?} does not fit events of shape {shape:?}", a.shape()),
            HELP,
        )),
    };
    let k = every("keep_negative", &q.keep_negative)?;
    let b = every("bits", &q.bits)?;
    let i = every("integers", &q.integers)?;
    let mut types = Vec::with_capacity(k.len());
    for ((k, b), i) in k.into_iter().zip(b).zip(i) {
        types.push(element([k, b, i], q, place)?);
    }
    let types: Arc<[FixedType]> = types.into();
    Ok((Op::QuantizeEach(Arc::clone(&types)), EdgeType::PerElement(types)))
}

/// The type of one element: sign bit, width, integer bits with the sign.
fn element(
    [keep_negative, bits, integers]: [i32; 3],
    q: &FixedPointQuantizer,
    place: &Place,
) -> Result<FixedType, ConvertError> {
    if bits == 0 {
        // Without bits HGQ forgets sign and integer bits too, and the value is always 0.
        return FixedType::new(false, 0, 0, q.rounding, q.overflow)
            .map_err(|e| ConvertError::new(place.clone(), e.to_string(), HELP));
    }
    let width = u32::try_from(bits).map_err(|_| {
        let place = place.clone().attribute("bits");
        ConvertError::new(place, format!("a quantizer cannot have {bits} bits"), HELP)
    })?;
    FixedType::new(keep_negative != 0, width, integers, q.rounding, q.overflow)
        .map_err(|e| ConvertError::new(place.clone(), e.to_string(), HELP))
}

/// The type of the entries of a table: they were quantised to it when the table was made.
pub(super) fn table(lut: &UnaryLut, place: &Place) -> Result<FixedType, ConvertError> {
    let place = || place.clone().attribute("table");
    let bits = u32::try_from(lut.input.width()).ok().filter(|bits| *bits < usize::BITS);
    if bits.is_none_or(|bits| lut.table.len() != 1 << bits) {
        let (bits, n) = (lut.input.width(), lut.table.len());
        let what = format!("kif_in has {bits} bits, but the table has {n} entries");
        return Err(ConvertError::new(place(), what, HELP));
    }
    let target = FixedType::from_kif(lut.output, Rounding::Trn, Overflow::Wrap)
        .map_err(|e| ConvertError::new(place(), e.to_string(), HELP))?;
    let holds = |&v: &f32| {
        exact_raw_f64(v.into()).is_some_and(|(raw, f)| target.interval().contains(raw, f))
    };
    match lut.table.iter().position(|v| !holds(v)) {
        None => Ok(target),
        Some(n) => Err(ConvertError::new(
            place(),
            format!("entry {n} is {}, which kif_out ({target}) cannot hold", lut.table[n]),
            HELP,
        )),
    }
}

#[cfg(test)]
mod tests {
    use bittrue_fixed::Kif;

    use super::*;

    fn quantizer(shape: &[usize], k: &[i32], b: &[i32], i: &[i32]) -> FixedPointQuantizer {
        let array = |v: &[i32]| {
            ArrayD::from_shape_vec(IxDyn(shape), v.to_vec()).expect("as many as the shape")
        };
        FixedPointQuantizer {
            keep_negative: array(k),
            bits: array(b),
            integers: array(i),
            rounding: Rounding::RndConv,
            overflow: Overflow::Sat,
        }
    }

    fn texts(edge: &EdgeType) -> Vec<String> {
        match edge {
            EdgeType::Uniform(t) => vec![t.to_string()],
            EdgeType::PerElement(types) => types.iter().map(ToString::to_string).collect(),
            EdgeType::Derived => vec![],
        }
    }

    #[test]
    fn equal_elements_are_one_type() {
        let place = Place::layer("q");
        for shape in [&[][..], &[1], &[1, 1]] {
            let q = quantizer(shape, &[1], &[8], &[4]);
            let (op, edge) = cast(&q, &[3, 2], &place).expect("a type");
            assert_eq!(texts(&edge), ["ap_fixed<8,4,RND_CONV,SAT>"]);
            assert!(matches!(op, Op::Quantize(_)));
        }
    }

    #[test]
    fn types_are_broadcast_as_numpy_does() {
        let place = Place::layer("q");
        let q = quantizer(&[2], &[1, 0], &[8, 0], &[4, 3]);
        let (op, edge) = cast(&q, &[2, 2], &place).expect("types");
        assert!(matches!(op, Op::QuantizeEach(_)));
        let rows = ["ap_fixed<8,4,RND_CONV,SAT>", "ap_ufixed<0,0,RND_CONV,SAT>"];
        assert_eq!(texts(&edge), [rows, rows].concat());
        let q = quantizer(&[2, 1], &[1, 0], &[8, 5], &[4, 3]);
        let (_, edge) = cast(&q, &[2, 2], &place).expect("types");
        assert_eq!(texts(&edge)[1], "ap_fixed<8,4,RND_CONV,SAT>");
        assert_eq!(texts(&edge)[2], "ap_ufixed<5,3,RND_CONV,SAT>");
        assert!(cast(&q, &[3, 2], &place).is_err());
        assert!(cast(&quantizer(&[1], &[1], &[-3], &[0]), &[3], &place).is_err());
    }

    #[test]
    fn tables_hold_what_they_declare() {
        let place = Place::layer("t");
        let kif = |k: bool, integer, fractional| Kif { keep_negative: k, integer, fractional };
        let lut = |output, table: &[f32]| UnaryLut {
            input: kif(true, 0, 1),
            output,
            table: table.to_vec(),
        };
        let good = lut(kif(false, 1, 1), &[0.0, 0.5, 1.0, 1.5]);
        assert_eq!(
            table(&good, &place).map(|t| t.to_string()),
            Ok("ap_ufixed<2,1,TRN,WRAP>".into())
        );
        for bad in [
            lut(kif(false, 1, 1), &[0.0, 0.5, 1.0]),
            lut(kif(false, 1, 1), &[0.0, 0.25, 1.0, 1.5]),
            lut(kif(false, 1, 1), &[0.0, 0.5, 1.0, 2.0]),
            lut(kif(false, 1, 1), &[0.0, 0.5, 1.0, f32::NAN]),
        ] {
            assert!(table(&bad, &place).is_err(), "{bad:?}");
        }
    }
}
