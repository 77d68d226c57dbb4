//! Functions from tables of one argument.

use bittrue_fixed::{Dialect, FixedType};

use crate::Tensor;
use crate::tensor::{convert, up_shift};

/// hls4ml's table of a logistic function over ±8 or of a tangent over ±4 (M1: its entries are
/// rounded down to the type of the table).
pub(crate) fn curve_table(tangent: bool, size: u64, table: &FixedType) -> Vec<i128> {
    let range = if tangent { 8.0 } else { 16.0 };
    let n = size as f32;
    (0..size)
        .map(|i| {
            // The C++ subtracts in float32 and multiplies in double.
            let x =
                (range * f64::from(i as f32 - (f64::from(n) / 2.0) as f32) / f64::from(n)) as f32;
            let y = if tangent { f64::from(x).tanh() } else { logistic(x) };
            table.convert_f64(y, Dialect::ApFixed).unwrap_or(0)
        })
        .collect()
}

fn logistic(x: f32) -> f64 {
    let below = 1.0 + exp(-x);
    f64::from((1.0 / f64::from(below)) as f32)
}

/// `std::exp` of a float.
pub(crate) fn exp(x: f32) -> f32 {
    f64::from(x).exp() as f32
}

/// The entry at `x · size / range`, each division towards zero, kept inside the table.
pub(crate) fn curve(table: &[i128], tangent: bool, fractional: i32, x: &Tensor) -> Tensor {
    let size = table.len() as i128;
    let range = if tangent { 8 } else { 16 };
    x.map(fractional, |v| {
        let index = towards_zero(v * size / range, x.fractional) + size / 2;
        table[index.clamp(0, size - 1) as usize]
    })
}

/// `raw · 2^-fractional` as a C integer.
fn towards_zero(raw: i128, fractional: i32) -> i128 {
    match u32::try_from(fractional) {
        Ok(f) if f < 127 => raw / (1_i128 << f),
        Ok(_) => 0,
        Err(_) => up_shift(raw, -fractional),
    }
}

/// hls4ml's table of `exp(x) − 1` over (−8, 0].
pub(crate) fn elu_table(size: u64, table: &FixedType) -> Vec<i128> {
    (0..size)
        .map(|i| {
            let x = (-8.0 * i as f64 / f64::from(size as f32)) as f32;
            let y = (f64::from(exp(x)) - 1.0) as f32;
            table.convert_f64(y.into(), Dialect::ApFixed).unwrap_or(0)
        })
        .collect()
}

/// The result is on the finer grid of the two branches.
pub(crate) fn elu(table: &[i128], entry: i32, (alpha, alpha_f): (i64, i32), x: &Tensor) -> Tensor {
    let size = table.len() as i128;
    let fractional = x.fractional.max(entry + alpha_f);
    x.map(fractional, |v| {
        if v >= 0 {
            return up_shift(v, fractional - x.fractional);
        }
        let index = towards_zero(v * size / -8, x.fractional).min(size - 1);
        let y = i128::from(alpha) * table[index as usize];
        up_shift(y, fractional - entry - alpha_f)
    })
}

/// The entry at the bits of the argument, read as an unsigned number (M10): a type that is narrower
/// than the table's own index finds the negative numbers elsewhere.
pub(crate) fn lookup(argument: &FixedType, entries: &[i64], fractional: i32, x: &Tensor) -> Tensor {
    let mask = (1_i128 << argument.width.min(126)) - 1;
    x.map(fractional, |v| {
        let index = convert(argument, v, x.fractional) & mask;
        entries.get(index as usize).copied().unwrap_or(0).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table_t() -> FixedType {
        "ap_fixed<18,8>".parse().expect("a type")
    }

    /// M1: 10 fractional bits, rounded down.
    #[test]
    fn entries_are_rounded_down() {
        let table = curve_table(false, 256, &table_t());
        assert_eq!((table[0], table[128], table[255]), (0, 512, 1023));
        // 1/(1+exp(-1)) = 0.731058… = 748.6 / 1024.
        assert_eq!(table[128 + 16], 748);
        let table = curve_table(true, 128, &table_t());
        // tanh(−1) = −0.761594… = −779.87 / 1024.
        assert_eq!(table[64 - 16], -780);
        let elu = elu_table(1024, &table_t());
        assert_eq!((elu[0], elu[128]), (0, -648));
    }

    #[test]
    fn indices_stay_inside() {
        let table = curve_table(false, 256, &table_t());
        let x = Tensor { raw: vec![-1000, -1, 0, 1, 1000], fractional: 4, lanes: 1 };
        let y = curve(&table, false, 10, &x);
        assert_eq!(y.raw, [table[0], table[127], table[128], table[129], table[255]]);
        // Finer arguments are rounded towards zero.
        let x = Tensor { raw: vec![-1, 1, 3], fractional: 5, lanes: 1 };
        assert_eq!(curve(&table, false, 10, &x).raw, [table[128], table[128], table[129]]);
    }

    #[test]
    fn branches_of_elu() {
        let table = elu_table(1024, &table_t());
        let x = Tensor { raw: vec![16, 0, -16, -4000], fractional: 4, lanes: 1 };
        let y = elu(&table, 10, (1, 1), &x);
        assert_eq!((y.fractional, y.raw), (11, vec![2048, 0, -648, table[1023]]));
    }

    /// M10.
    #[test]
    fn bits_are_the_index() {
        let argument: FixedType = "ap_fixed<3,3>".parse().expect("a type");
        let entries: Vec<i64> = (0..16).collect();
        let x = Tensor { raw: vec![3, -1, -4], fractional: 0, lanes: 1 };
        assert_eq!(lookup(&argument, &entries, 0, &x).raw, [3, 7, 4]);
    }
}
