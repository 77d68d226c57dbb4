//! Precisions as hls4ml 1.3.0 reads them (`FPGABackend.convert_precision_string`).

use bittrue_fixed::Overflow;

use crate::types::Precision;

/// What a precision of a configuration says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Spec {
    /// hls4ml shall find one.
    Auto,
    /// A fixed-point type.
    Fixed(Precision),
    /// An integer, floating-point or Algorithmic C type: fine where nothing depends on it.
    Other(String),
}

/// Reads a precision.
///
/// # Errors
///
/// Where hls4ml raises an error; the text says what is wrong.
pub(super) fn parse(text: &str) -> Result<Spec, String> {
    if text.eq_ignore_ascii_case("auto") {
        return Ok(Spec::Auto);
    }
    let starts = |names: &[&str]| names.iter().any(|n| text.starts_with(n));
    if ["float", "double", "half", "bfloat16"].contains(&text)
        || starts(&["ap_float", "ac_", "std_float", "int", "uint", "ap_int", "ap_uint"])
    {
        return Ok(Spec::Other(text.to_owned()));
    }
    if !starts(&["ap_fixed", "ap_ufixed", "fixed", "ufixed"]) {
        return Err("hls4ml knows no such type".to_owned());
    }
    let inside = text.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    let parts: Vec<&str> = match inside {
        Some((inside, _)) => inside.split(',').map(str::trim).collect(),
        None => return Err("it has no `<width,integer>`".to_owned()),
    };
    let number = |n: usize| -> Result<i32, String> {
        let text = parts.get(n).ok_or("it needs a width and integer bits")?;
        let value = text.parse().ok().filter(|v: &i32| v.abs() <= 4096);
        value.ok_or_else(|| format!("`{text}` is no number of bits"))
    };
    let (width, integer) = (number(0)?, number(1)?);
    if width < 1 {
        return Err(format!("a type of {width} bits does not exist"));
    }
    let upper = |n: usize| parts.get(n).map(|text| text.to_uppercase());
    let rounding = upper(2).map(|m| m.parse()).transpose().map_err(|e| format!("{e}"))?;
    let overflow = upper(3).map(|m| m.parse()).transpose().map_err(|e| format!("{e}"))?;
    let overflow = overflow.unwrap_or(Overflow::Wrap);
    if overflow == Overflow::WrapSm {
        return Err("hls4ml knows no WRAP_SM".to_owned());
    }
    if parts.get(4).is_some_and(|n| *n != "0") || parts.len() > 5 {
        return Err("saturation bits other than 0 are not supported".to_owned());
    }
    Ok(Spec::Fixed(Precision {
        signed: !text.split('<').next().unwrap_or_default().contains('u'),
        width,
        integer,
        rounding: rounding.unwrap_or(bittrue_fixed::Rounding::Trn),
        overflow,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        let shown = |text: &str| match parse(text).expect(text) {
            Spec::Fixed(t) => t.to_string(),
            Spec::Auto => "auto".to_owned(),
            Spec::Other(t) => t,
        };
        assert_eq!(shown("ap_fixed<16,6>"), "fixed<16,6,TRN,WRAP,0>");
        assert_eq!(shown("ufixed<8, 0, AP_RND_CONV, AP_SAT>"), "ufixed<8,0,RND_CONV,SAT,0>");
        assert_eq!(shown("fixed<8,-2,rnd,sat_sym,0>"), "fixed<8,-2,RND,SAT_SYM,0>");
        assert_eq!(shown("Auto"), "auto");
        assert_eq!(shown("ac_fixed<16,6,true>"), "ac_fixed<16,6,true>");
        for wrong in [
            "",
            "real",
            "fixed",
            "fixed<a,b>",
            "fixed<0,0>",
            "fixed<8>",
            "fixed<8,4,UP>",
            "fixed<8,4,RND,SAT,1>",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
