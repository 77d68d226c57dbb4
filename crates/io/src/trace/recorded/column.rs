//! A column of a text as the user names it.

use std::fmt;
use std::str::FromStr;

/// A column by its name or number, and which bits of its words: `score`, `2`, `link0[15:0]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the header, or its number from 0 where no column has that name.
    pub name: String,
    /// The highest and the lowest bit that are taken of a code; all where absent.
    pub bits: Option<(u32, u32)>,
}

/// Bits that cannot be taken of a word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no column; write NAME, or NAME[HIGH:LOW] for bits of a word, such as link0[15:0]"
)]
pub struct ColumnError(String);

impl FromStr for Column {
    type Err = ColumnError;

    fn from_str(text: &str) -> Result<Self, ColumnError> {
        let error = || ColumnError(text.to_owned());
        let text = text.trim();
        let Some((name, inside)) = text.strip_suffix(']').and_then(|t| t.rsplit_once('[')) else {
            return match text.is_empty() {
                true => Err(error()),
                false => Ok(Self { name: text.to_owned(), bits: None }),
            };
        };
        let (high, low) = inside.split_once(':').ok_or_else(error)?;
        let number = |t: &str| t.trim().parse::<u32>().map_err(|_| error());
        let (high, low) = (number(high)?, number(low)?);
        match low <= high && high < 1024 && !name.is_empty() {
            true => Ok(Self { name: name.trim().to_owned(), bits: Some((high, low)) }),
            false => Err(error()),
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bits {
            None => f.write_str(&self.name),
            Some((high, low)) => write!(f, "{}[{high}:{low}]", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_bits() {
        let column = |text: &str| text.parse::<Column>();
        assert_eq!(column(" a "), Ok(Column { name: "a".to_owned(), bits: None }));
        let bits = column("link0[31:16]").expect("a column");
        assert_eq!((bits.bits, bits.to_string()), (Some((31, 16)), "link0[31:16]".to_owned()));
        for wrong in ["", "a[0:3]", "a[3]", "[3:0]", "a[x:0]", "a[2000:0]"] {
            assert!(column(wrong).is_err(), "{wrong}");
        }
    }
}
