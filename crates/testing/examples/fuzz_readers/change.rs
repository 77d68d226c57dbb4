//! Changes of the bytes of a file.

use std::path::Path;

use crate::config;
use crate::corpus::{Corpus, Entry};
use crate::random::Random;

/// Numbers at which something happens.
const EDGES: [u64; 16] = [
    0,
    1,
    2,
    7,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 40,
    i64::MAX as u64,
    u64::MAX,
];

/// Words at which something happens in a text.
const WORDS: [&str; 24] = [
    "nan",
    "-inf",
    "1e999",
    "1e-400",
    "-0",
    "0x1p3",
    "1_000",
    "١٢",
    "99999999999999999999999999999999",
    "+",
    ".",
    ",",
    ";;",
    "\t",
    " ",
    "\r\n",
    "\n\n",
    "\"",
    "#",
    "{",
    "]",
    ": ",
    "&a [*a, *a]",
    "\u{feff}",
];

/// A changed file.
pub(crate) fn change(
    random: &mut Random,
    entry: &Entry,
    corpus: &Corpus,
    scratch: &Path,
) -> Vec<u8> {
    let models = matches!(entry.reader.as_str(), "model" | "proxy");
    if models
        && !random.once_in(3)
        && let Some(bytes) = config::change(random, entry, scratch)
    {
        // Mostly the configuration alone: what is behind the library is our own.
        if !random.once_in(4) {
            return bytes;
        }
        return of_bytes(random, bytes, corpus);
    }
    of_bytes(random, entry.bytes.clone(), corpus)
}

fn of_bytes(random: &mut Random, mut bytes: Vec<u8>, corpus: &Corpus) -> Vec<u8> {
    let text = std::str::from_utf8(&bytes).is_ok();
    let times = 1 + random.below(4);
    for _ in 0..times {
        match text && random.once_in(2) {
            true => word(random, &mut bytes),
            false => once(random, &mut bytes, corpus),
        }
    }
    bytes
}

/// Puts a word somewhere, or in the place of a few bytes.
fn word(random: &mut Random, bytes: &mut Vec<u8>) {
    let at = random.below(bytes.len() + 1);
    let upto = (at + random.below(4) * random.below(6)).min(bytes.len());
    let new = random.of(&WORDS).repeat(if random.once_in(16) { 1 + random.below(5000) } else { 1 });
    bytes.splice(at..upto, new.bytes());
}

fn once(random: &mut Random, bytes: &mut Vec<u8>, corpus: &Corpus) {
    if bytes.is_empty() {
        return;
    }
    let at = place(random, bytes);
    match random.below(10) {
        0..3 => bytes[at] ^= 1 << random.below(8),
        3..5 => bytes[at] = *random.of(&EDGES) as u8,
        5..7 => {
            let width = *random.of(&[2, 4, 8]);
            let value = match random.once_in(3) {
                true => random.below(bytes.len() + 1) as u64,
                false => *random.of(&EDGES),
            };
            let at = at / width * width;
            for (byte, new) in bytes.iter_mut().skip(at).zip(&value.to_le_bytes()[..width]) {
                *byte = *new;
            }
        }
        7 => {
            let other = &random.of(&corpus.entries).bytes;
            let length = 1 + random.below(64);
            let from = random.below(other.len());
            let part = &other[from..(from + length).min(other.len())];
            for (byte, new) in bytes.iter_mut().skip(at).zip(part) {
                *byte = *new;
            }
        }
        8 => {
            let length = 1 + random.below(64);
            let from = random.below(bytes.len());
            let part: Vec<u8> = bytes.iter().skip(from).take(length).copied().collect();
            for (byte, new) in bytes.iter_mut().skip(at).zip(part) {
                *byte = new;
            }
        }
        _ => match random.below(4) {
            0 => bytes.truncate(at),
            1 => {
                let upto = (at + 1 + random.below(16)).min(bytes.len());
                bytes.drain(at..upto);
            }
            2 => {
                let new: Vec<u8> = (0..1 + random.below(16)).map(|_| random.next() as u8).collect();
                bytes.splice(at..at, new);
            }
            _ => {
                let upto = (at + 1 + random.below(256)).min(bytes.len());
                bytes[at..upto].fill(0);
            }
        },
    }
}

/// A place to change. Most of a file is data in which a change means nothing: its beginning, and
/// what is neither zero nor text, holds the tables.
fn place(random: &mut Random, bytes: &[u8]) -> usize {
    if random.once_in(3) {
        return random.below(bytes.len().min(1024));
    }
    let mut at = random.below(bytes.len());
    for _ in 0..8 {
        if bytes[at] != 0 || random.once_in(4) {
            break;
        }
        at = random.below(bytes.len());
    }
    at
}
