//! Which values a rounded number may stand for.

/// How exactly numbers were written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// As they were.
    Exact,
    /// Rounded to a binary significand of so many bits, 24 for float32.
    Bits(u32),
    /// Rounded to so many significant decimal digits; a C++ stream prints 6 unless told otherwise.
    Digits(u32),
}

impl Precision {
    /// The lowest and the highest value that `recorded` may stand for.
    ///
    /// ```
    /// use bittrue_io::Precision;
    ///
    /// let (lo, hi) = Precision::Digits(6).range(3.14159);
    /// assert!(lo < 3.141586 && 3.141594 < hi && hi < 3.1416);
    /// // 2^-20 around 8 is what float32 keeps there.
    /// assert_eq!(Precision::Bits(24).range(12.0), (12.0 - 2f64.powi(-21), 12.0 + 2f64.powi(-21)));
    /// assert_eq!(Precision::Exact.range(0.1), (0.1, 0.1));
    /// ```
    pub fn range(self, recorded: f64) -> (f64, f64) {
        let half = match self {
            _ if recorded == 0.0 || !recorded.is_finite() => 0.0,
            Self::Exact | Self::Bits(53..) => 0.0,
            Self::Bits(bits) => 2f64.powi(exponent2(recorded) - bits.cast_signed()),
            Self::Digits(digits) => {
                // Above the power of ten the next digits are coarser than below it: the coarser half
                // unit holds on both sides.
                let decade = exponent10(recorded);
                0.5 * 10f64.powi(decade + 1 - digits.cast_signed())
            }
        };
        (recorded - half, recorded + half)
    }

    /// The multiple of `2^-fractional` that `recorded` stands for, if there is just one; `Err` says
    /// whether there are several.
    pub fn on_grid(self, recorded: f64, fractional: i32) -> Result<f64, bool> {
        let (lo, hi) = self.range(recorded);
        if lo == hi {
            return Ok(recorded);
        }
        // Powers of two: exact, as long as the numbers are of a size that fixed-point types have.
        let scale = 2f64.powi(fractional);
        let (first, last) = ((lo * scale).ceil(), (hi * scale).floor());
        match last - first {
            0.0 => Ok(first / scale),
            more => Err(more > 0.0),
        }
    }
}

/// `floor(log2 |x|)` of a finite number other than 0.
fn exponent2(x: f64) -> i32 {
    let bits = (x.abs().to_bits() >> 52) as i32;
    // A subnormal number has nothing in front of its significand: the lowest exponent is its bound.
    bits.max(1) - 1023
}

/// `floor(log10 |x|)` of a finite number other than 0.
fn exponent10(x: f64) -> i32 {
    // The shortest decimal form has the digit in front of the point.
    let text = format!("{:e}", x.abs());
    text.rsplit_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_number_has_one_code_while_the_grid_is_coarse() {
        // 1/2048 steps up to 16: six digits tell them apart.
        let digits = Precision::Digits(6);
        for raw in -32768..32768 {
            let value = f64::from(raw) / 2048.0;
            let printed: f64 = format!("{value:.5e}").parse().expect("a number");
            assert_eq!(digits.on_grid(printed, 11), Ok(value), "{printed}");
        }
        // 2^-16 at 100: the printed digits stop at 10^-3.
        assert_eq!(digits.on_grid(123.457, 16), Err(true));
        assert_eq!(digits.on_grid(0.1, 3), Err(false));
        // What is printed as 0 is 0.
        assert_eq!(digits.on_grid(0.0, 40), Ok(0.0));
    }

    #[test]
    fn float32_has_one_code_up_to_24_bits() {
        let bits = Precision::Bits(24);
        for raw in [1, 3, (1 << 24) - 1, -((1 << 24) - 1)] {
            let value = f64::from(raw) * 2f64.powi(-10);
            assert_eq!(bits.on_grid(f64::from(value as f32), 10), Ok(value));
        }
        // 2^24 + 1 is rounded to 2^24.
        for raw in [(1 << 25) - 1, (1 << 24) + 1] {
            let wide = f64::from(raw) * 2f64.powi(-10);
            assert_eq!(bits.on_grid(f64::from(wide as f32), 10), Err(true));
        }
    }
}
