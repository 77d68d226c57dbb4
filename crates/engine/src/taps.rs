//! Which elements of its argument each result of a window operation reads.

use std::sync::Arc;

use bittrue_kernels::PADDING;
use bittrue_model::Window;

/// Rows of elements, by index into one event: a row for each position of a window (and group of
/// channels), [`PADDING`] where a cell lies outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taps {
    /// Length of a row.
    pub(crate) terms: usize,
    /// The rows, one behind the other.
    pub(crate) index: Arc<[u32]>,
}

impl Taps {
    /// Rows of a matrix product: consecutive elements.
    pub(crate) fn rows_of(elements: usize, terms: usize) -> Self {
        Self { terms, index: (0..elements as u32).collect() }
    }

    /// Windows of a convolution over an event `[cell…, channel]`: a row for each position and
    /// group, in the order of the kernel `[cell…, channel / groups]`.
    pub(crate) fn convolution(window: &Window, shape: &[usize], groups: usize) -> Self {
        let channels = shape.last().copied().unwrap_or(1);
        let group = channels / groups.max(1);
        let cells = Cells::new(window, shape);
        let mut index = Vec::new();
        for p in 0..cells.positions {
            for g in 0..groups {
                for k in 0..cells.size {
                    let first = cells.cell(p, k).map(|c| c * channels + g * group);
                    index.extend((0..group).map(|c| first.map_or(PADDING, |f| (f + c) as u32)));
                }
            }
        }
        Self { terms: cells.size * group, index: index.into() }
    }

    /// Windows of a pooling over an event `[cell…, channel]`: a row for each position and channel.
    /// Without a window all cells are one.
    pub(crate) fn pooling(window: Option<&Window>, shape: &[usize]) -> Self {
        let channels = shape.last().copied().unwrap_or(1);
        let all;
        let window = match window {
            Some(window) => window,
            None => {
                all = whole(&shape[..shape.len().saturating_sub(1)]);
                &all
            }
        };
        let cells = Cells::new(window, shape);
        let mut index = Vec::with_capacity(cells.positions * channels * cells.size);
        for p in 0..cells.positions {
            for c in 0..channels {
                index.extend((0..cells.size).map(|k| {
                    cells.cell(p, k).map_or(PADDING, |cell| (cell * channels + c) as u32)
                }));
            }
        }
        Self { terms: cells.size, index: index.into() }
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.index.len() / self.terms.max(1)
    }

    /// The elements of a row, without the cells that are padding.
    pub(crate) fn elements(&self, row: usize) -> impl Iterator<Item = usize> + '_ {
        self.row(row).iter().filter(|&&e| e != PADDING).map(|&e| e as usize)
    }

    /// The elements of a row.
    pub(crate) fn row(&self, row: usize) -> &[u32] {
        &self.index[row * self.terms..(row + 1) * self.terms]
    }
}

/// The window that covers everything.
fn whole(cells: &[usize]) -> Window {
    Window {
        size: cells.to_vec(),
        strides: vec![1; cells.len()],
        dilation: vec![1; cells.len()],
        padding: bittrue_model::Padding::Valid,
    }
}

/// Positions and cells of a window, both flat in C order.
struct Cells<'a> {
    window: &'a Window,
    lengths: &'a [usize],
    counts: Vec<usize>,
    positions: usize,
    size: usize,
}

impl<'a> Cells<'a> {
    fn new(window: &'a Window, shape: &'a [usize]) -> Self {
        let lengths = &shape[..window.size.len().min(shape.len())];
        let counts: Vec<usize> = lengths
            .iter()
            .enumerate()
            .map(|(axis, &n)| window.positions(axis, n).unwrap_or(0))
            .collect();
        let positions = counts.iter().product();
        Self { window, lengths, counts, positions, size: window.size.iter().product() }
    }

    /// The flat cell of the argument under cell `k` of the window at position `p`.
    fn cell(&self, mut p: usize, mut k: usize) -> Option<usize> {
        let mut flat = 0;
        let mut step = 1;
        for axis in (0..self.lengths.len()).rev() {
            let n = self.lengths[axis];
            let (at, cell) = (p % self.counts[axis], k % self.window.size[axis]);
            p /= self.counts[axis];
            k /= self.window.size[axis];
            flat += self.window.cell(axis, n, at, cell)? * step;
            step *= n;
        }
        Some(flat)
    }
}

#[cfg(test)]
mod tests {
    use bittrue_model::Padding;

    use super::*;

    const NONE: u32 = PADDING;

    fn window(size: &[usize], padding: Padding) -> Window {
        let ones = vec![1; size.len()];
        Window { size: size.to_vec(), strides: ones.clone(), dilation: ones, padding }
    }

    #[test]
    fn groups_read_their_own_channels() {
        let taps = Taps::convolution(&window(&[2], Padding::Valid), &[3, 4], 2);
        assert_eq!((taps.rows(), taps.terms), (4, 4));
        assert_eq!(taps.row(0), [0, 1, 4, 5]);
        assert_eq!(taps.row(1), [2, 3, 6, 7]);
        assert_eq!(taps.row(2), [4, 5, 8, 9]);
    }

    #[test]
    fn same_padding_in_two_dimensions() {
        let taps = Taps::convolution(&window(&[2, 2], Padding::Same), &[2, 2, 1], 1);
        assert_eq!(taps.row(0), [0, 1, 2, 3]);
        assert_eq!(taps.row(1), [1, NONE, 3, NONE]);
        assert_eq!(taps.row(3), [3, NONE, NONE, NONE]);
    }

    #[test]
    fn pooling_keeps_channels_apart() {
        let taps = Taps::pooling(Some(&window(&[2], Padding::Valid)), &[2, 3]);
        assert_eq!(taps.row(1), [1, 4]);
        let all = Taps::pooling(None, &[2, 2, 2]);
        assert_eq!((all.rows(), all.row(1)), (2, &[1, 3, 5, 7][..]));
    }
}
