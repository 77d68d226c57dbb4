//! Fewer changed bytes with the same ending.

use std::io;

use crate::corpus::Entry;
use crate::run::{Ran, Runner};

/// Most runs that are spent on one file.
const PATIENCE: usize = 200;

/// Gives original bytes back, as long as the program ends in the same way.
pub(crate) fn shrink(
    runner: &mut Runner,
    entry: &Entry,
    changed: &[u8],
    ran: &Ran,
) -> io::Result<Vec<u8>> {
    let mut best = changed.to_vec();
    let mut left = match ran.ending {
        // Each such run takes seconds.
        crate::run::Ending::Stuck => 12,
        _ => PATIENCE,
    };
    let mut size = best.len().next_power_of_two() / 2;
    while size > 0 && left > 0 {
        let mut at = 0;
        while at < best.len().min(entry.bytes.len()) && left > 0 {
            let upto = (at + size).min(best.len()).min(entry.bytes.len());
            if best[at..upto] != entry.bytes[at..upto] {
                let mut next = best.clone();
                next[at..upto].copy_from_slice(&entry.bytes[at..upto]);
                left -= 1;
                if runner.run(entry, &next)?.ending == ran.ending {
                    best = next;
                }
            }
            at += size;
        }
        size /= 2;
    }
    Ok(best)
}
