//! Reads the vectors of `testvectors/quantizers` (format: its ORIGIN.md).

use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use serde_json::Value;

/// The directory of the vectors.
pub(crate) fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testvectors/quantizers")
}

/// A JSON file of the directory.
pub(crate) fn json(name: &str) -> Value {
    let path = directory().join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// One set of vectors: `<name>.json` and the 32-bit words of `<name>.bin.gz`.
pub(crate) struct Vectors {
    content: Value,
    words: Vec<u32>,
}

impl Vectors {
    pub(crate) fn open(name: &str) -> Self {
        let path = directory().join(format!("{name}.bin.gz"));
        let file = File::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut bytes = Vec::new();
        GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
        let words = bytes.chunks_exact(4).map(|b| u32::from_le_bytes(b.try_into().unwrap()));
        Self { content: json(&format!("{name}.json")), words: words.collect() }
    }

    pub(crate) fn cases(&self) -> &[Value] {
        self.content["cases"].as_array().unwrap()
    }

    /// The array that `place` (`[offset, count]`) points to.
    pub(crate) fn floats(&self, place: &Value) -> Vec<f32> {
        let offset = usize::try_from(place[0].as_u64().unwrap()).unwrap();
        let count = usize::try_from(place[1].as_u64().unwrap()).unwrap();
        self.words[offset..offset + count].iter().map(|&word| f32::from_bits(word)).collect()
    }
}

/// Bits, with one pattern for every NaN.
pub(crate) fn bits(x: f32) -> u32 {
    if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() }
}

/// Describes the elements whose bits differ.
pub(crate) fn differences(input: &[f32], found: &[f32], expected: &[f32]) -> Vec<String> {
    assert_eq!(found.len(), expected.len());
    found
        .iter()
        .zip(expected)
        .enumerate()
        .filter(|(_, (found, expected))| bits(**found) != bits(**expected))
        .map(|(i, (found, expected))| {
            let input = input.get(i).copied().unwrap_or(f32::NAN);
            format!("#{i}: {input:e} gives {found:e}, expected {expected:e}")
        })
        .collect()
}

/// The finalizer of MurmurHash3: numbers without structure that the scripts generate, too.
pub(crate) fn mixed(k: u32) -> u32 {
    let h = (k ^ (k >> 16)).wrapping_mul(0x85eb_ca6b);
    let h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}
