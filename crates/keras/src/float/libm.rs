//! `expf` and `logf` of glibc (2.27 and later), which TensorFlow calls for the last `n mod 8` elements
//! of a tensor.
//!
//! Both are the table driven double precision algorithms of Arm's optimized routines; before the final
//! rounding to float32 they are off by less than 0.01 ulp.

use super::ftz::ftz;

/// `expf`: `2^(k/32)` from the table times a polynomial of degree three.
pub(super) fn exp(x: f32) -> f32 {
    /// 1.5·2^52: adding it rounds to an integer, which then stands in the low bits.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    const INVERSE_LN2_32: f64 = std::f64::consts::LOG2_E * 32.0;
    let x = ftz(x);
    if x.is_nan() {
        return x;
    }
    // log(2^128) and log(2^-150), rounded towards the finite side.
    if x > 88.722_83 {
        return f32::INFINITY;
    }
    if x < -103.972_08 {
        return 0.0;
    }
    let z = INVERSE_LN2_32 * f64::from(x);
    let shifted = z + SHIFT;
    let k = shifted.to_bits();
    let r = z - (shifted - SHIFT);
    let scale = f64::from_bits(EXP_TABLE[(k % 32) as usize].wrapping_add(k << 47));
    let p = f64::from_bits(EXP_POLYNOMIAL[0]) * r + f64::from_bits(EXP_POLYNOMIAL[1]);
    let q = f64::from_bits(EXP_POLYNOMIAL[2]) * r + 1.0;
    round_to_f32((p * (r * r) + q) * scale)
}

/// `logf` for positive normal numbers; NaN for negative ones, -∞ for zero.
pub(super) fn log(x: f32) -> f32 {
    /// Where the intervals of the table start.
    const OFFSET: u32 = 0x3f33_0000;
    let x = ftz(x);
    if x.is_nan() || x < 0.0 {
        return f32::NAN;
    }
    if x == 0.0 {
        return f32::NEG_INFINITY;
    }
    if x == f32::INFINITY {
        return x;
    }
    let bits = x.to_bits();
    let shifted = bits.wrapping_sub(OFFSET);
    let (inverse, log) = LOG_TABLE[(shifted >> 19) as usize % 16];
    let k = shifted.cast_signed() >> 23;
    let z = f64::from(f32::from_bits(bits.wrapping_sub(shifted & 0xff80_0000)));
    let r = z * f64::from_bits(inverse) - 1.0;
    let y0 = f64::from_bits(log) + f64::from(k) * std::f64::consts::LN_2;
    let r2 = r * r;
    let y = f64::from_bits(LOG_POLYNOMIAL[1]) * r + f64::from_bits(LOG_POLYNOMIAL[2]);
    let y = f64::from_bits(LOG_POLYNOMIAL[0]) * r2 + y;
    round_to_f32(y * r2 + (y0 + r))
}

#[expect(clippy::cast_possible_truncation, reason = "the final rounding of the C function")]
fn round_to_f32(x: f64) -> f32 {
    ftz(x as f32)
}

/// Bits of `2^(i/32)`, with `i` taken out of the exponent so that the whole `k` can be added.
const EXP_TABLE: [u64; 32] = [
    0x3ff0_0000_0000_0000,
    0x3fef_d9b0_d315_8574,
    0x3fef_b558_6cf9_890f,
    0x3fef_9301_d012_5b51,
    0x3fef_72b8_3c7d_517b,
    0x3fef_5487_3168_b9aa,
    0x3fef_387a_6e75_6238,
    0x3fef_1e9d_f51f_dee1,
    0x3fef_06fe_0a31_b715,
    0x3fee_f1a7_373a_a9cb,
    0x3fee_dea6_4c12_3422,
    0x3fee_ce08_6061_892d,
    0x3fee_bfda_d536_2a27,
    0x3fee_b42b_569d_4f82,
    0x3fee_ab07_dd48_5429,
    0x3fee_a47e_b03a_5585,
    0x3fee_a09e_667f_3bcd,
    0x3fee_9f75_e8ec_5f74,
    0x3fee_a114_73eb_0187,
    0x3fee_a589_994c_ce13,
    0x3fee_ace5_422a_a0db,
    0x3fee_b737_b0cd_c5e5,
    0x3fee_c491_82a3_f090,
    0x3fee_d503_b23e_255d,
    0x3fee_e89f_995a_d3ad,
    0x3fee_ff76_f2fb_5e47,
    0x3fef_199b_dd85_529c,
    0x3fef_3720_dcef_9069,
    0x3fef_5818_dcfb_a487,
    0x3fef_7c97_337b_9b5f,
    0x3fef_a4af_a2a4_90da,
    0x3fef_d076_5b6e_4540,
];

/// Bits of the coefficients of `2^(r/32) - 1`, highest power first.
const EXP_POLYNOMIAL: [u64; 3] =
    [0x3ebc_6af8_4b91_2394, 0x3f2e_bfce_50fa_c4f3, 0x3f96_2e42_ff0c_52d6];

/// Bits of `1/c` and `log(c)` for a `c` near the middle of each interval.
const LOG_TABLE: [(u64, u64); 16] = [
    (0x3ff6_61ec_79f8_f3be, 0xbfd5_7bf7_808c_aade),
    (0x3ff5_71ed_4aaf_883d, 0xbfd2_bef0_a7c0_6ddb),
    (0x3ff4_9539_f0f0_10b0, 0xbfd0_1eae_7f51_3a67),
    (0x3ff3_c995_b0b8_0385, 0xbfcb_31d8_a682_24e9),
    (0x3ff3_0d19_0c88_64a5, 0xbfc6_574f_0ac0_7758),
    (0x3ff2_5e22_7b0b_8ea0, 0xbfc1_aa2b_c79c_8100),
    (0x3ff1_bb4a_4a1a_343f, 0xbfba_4e76_ce8c_0e5e),
    (0x3ff1_2358_f08a_e5ba, 0xbfb1_973c_5a61_1ccc),
    (0x3ff0_953f_4199_00a7, 0xbfa2_52f4_38e1_0c1e),
    (0x3ff0_0000_0000_0000, 0x0000_0000_0000_0000),
    (0x3fee_608c_fd9a_47ac, 0x3faa_a5aa_5df2_5984),
    (0x3fec_a4b3_1f02_6aa0, 0x3fbc_5e53_aa36_2eb4),
    (0x3feb_2036_576a_fce6, 0x3fc5_26e5_7720_db08),
    (0x3fe9_c2d1_63a1_aa2d, 0x3fcb_c286_0d22_4770),
    (0x3fe8_86e6_0378_41ed, 0x3fd1_058b_c8a0_7ee1),
    (0x3fe7_67dc_f553_4862, 0x3fd4_0430_57b6_ee09),
];

/// Bits of the coefficients of `log(1 + r) - r`, highest power first.
const LOG_POLYNOMIAL: [u64; 3] =
    [0xbfd0_0ea3_48b8_8334, 0x3fd5_575b_0be0_0b6a, 0xbfdf_fffe_f20a_4123];
