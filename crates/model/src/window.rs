//! Windows that slide over the spatial axes of a tensor: what convolutions and poolings share.

/// How a window treats the edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// The window stays inside.
    Valid,
    /// The result has `ceil(n / stride)` positions; what is missing is split between both ends, the
    /// odd cell at the end.
    Same,
    /// Everything that is missing stands before the first cell (1-D convolutions).
    Causal,
}

/// A window over the spatial axes (one or two) of a channels-last tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Cells along each spatial axis.
    pub size: Vec<usize>,
    /// Step along each spatial axis, in cells.
    pub strides: Vec<usize>,
    /// Distance of neighbouring cells of the window along each spatial axis.
    pub dilation: Vec<usize>,
    /// What happens at the edges.
    pub padding: Padding,
}

impl Window {
    /// Cells that the window spans along a spatial axis, from the first to the last.
    pub fn span(&self, axis: usize) -> usize {
        (self.size[axis] - 1).saturating_mul(self.dilation[axis]).saturating_add(1)
    }

    /// Positions of the window along an axis of `n` cells; `None` when it does not fit.
    pub fn positions(&self, axis: usize, n: usize) -> Option<usize> {
        let stride = self.strides[axis];
        match self.padding {
            Padding::Same | Padding::Causal => Some(n.div_ceil(stride)),
            Padding::Valid => Some(n.checked_sub(self.span(axis))? / stride + 1),
        }
    }

    /// Cells of padding before the first cell of an axis of `n` cells.
    pub fn before(&self, axis: usize, n: usize) -> usize {
        match self.padding {
            Padding::Valid => 0,
            Padding::Causal => self.span(axis) - 1,
            Padding::Same => {
                let last = (n.div_ceil(self.strides[axis]) - 1) * self.strides[axis];
                (last + self.span(axis)).saturating_sub(n) / 2
            }
        }
    }

    /// The cell of the input under cell `k` of the window at position `p` of an axis of `n` cells;
    /// `None` where that is padding.
    pub fn cell(&self, axis: usize, n: usize, p: usize, k: usize) -> Option<usize> {
        let at = p * self.strides[axis] + k * self.dilation[axis];
        at.checked_sub(self.before(axis, n)).filter(|&cell| cell < n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(size: usize, stride: usize, dilation: usize, padding: Padding) -> Window {
        Window { size: vec![size], strides: vec![stride], dilation: vec![dilation], padding }
    }

    #[test]
    fn same_puts_the_odd_cell_at_the_end() {
        let w = window(4, 1, 1, Padding::Same);
        assert_eq!((w.positions(0, 5), w.before(0, 5)), (Some(5), 1));
        assert_eq!(w.cell(0, 5, 0, 0), None);
        assert_eq!(w.cell(0, 5, 0, 1), Some(0));
        assert_eq!(w.cell(0, 5, 4, 3), None);
        // A stride beyond the window needs no padding.
        let w = window(1, 3, 1, Padding::Same);
        assert_eq!((w.positions(0, 7), w.before(0, 7)), (Some(3), 0));
        let w = window(3, 2, 1, Padding::Same);
        assert_eq!((w.positions(0, 6), w.before(0, 6)), (Some(3), 0));
        assert_eq!((w.positions(0, 7), w.before(0, 7)), (Some(4), 1));
    }

    #[test]
    fn causal_looks_back() {
        let w = window(3, 1, 2, Padding::Causal);
        assert_eq!((w.positions(0, 4), w.before(0, 4)), (Some(4), 4));
        let cells: Vec<_> = (0..3).map(|k| w.cell(0, 4, 3, k)).collect();
        assert_eq!(cells, [None, Some(1), Some(3)]);
        assert_eq!(window(5, 2, 1, Padding::Causal).positions(0, 7), Some(4));
    }

    #[test]
    fn valid_windows_have_to_fit() {
        assert_eq!(window(3, 2, 1, Padding::Valid).positions(0, 7), Some(3));
        assert_eq!(window(3, 1, 3, Padding::Valid).positions(0, 6), None);
        assert_eq!(window(3, 1, 3, Padding::Valid).positions(0, 7), Some(1));
    }
}
