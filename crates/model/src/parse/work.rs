//! How much a model asks for, so that a small file cannot ask for everything.
//!
//! The plan of a run keeps an interval for each element of each tensor and an index for each element
//! that a window reads; running it takes a step for each product.

use super::shape::{ShapeRule, elements};
use crate::{LayerKind, ModelError, Place};

/// Most elements of all tensors of one event together.
pub(super) const MAX_TOTAL_ELEMENTS: usize = 1 << 22;

/// Most elements that the windows of one layer read, each as often as it is read.
pub(super) const MAX_READS: usize = 1 << 23;

/// Most elements that the windows of all layers read.
pub(super) const MAX_TOTAL_READS: usize = 1 << 24;

/// Most products of one event.
pub(super) const MAX_PRODUCTS: usize = 1 << 32;

/// What the calls so far ask for.
#[derive(Debug, Default)]
pub(super) struct Work {
    elements: usize,
    reads: usize,
    products: usize,
}

impl Work {
    /// Adds a call with arguments and result of these shapes.
    pub(super) fn add(
        &mut self,
        place: &Place,
        kind: &LayerKind,
        rule: &ShapeRule,
        inputs: &[&[usize]],
        result: &[usize],
    ) -> Result<(), ModelError> {
        let results = elements(result).unwrap_or(usize::MAX);
        let input = inputs.first().and_then(|shape| elements(shape)).unwrap_or(0);
        let weights: usize = kind.parameters().iter().map(|p| p.values.len()).sum();
        let channels = result.last().copied().unwrap_or(1).max(1);
        let (reads, products) = match rule {
            ShapeRule::LastAxis { .. } => (input, (results / channels).saturating_mul(weights)),
            ShapeRule::Conv { window, channels: read, filters } => {
                let positions = results / (*filters).max(1);
                let cells = product(&window.size).saturating_mul(*read);
                (positions.saturating_mul(cells), positions.saturating_mul(weights))
            }
            ShapeRule::Pool(window) => {
                let reads = results.saturating_mul(product(&window.size));
                (reads, reads)
            }
            _ => (input, 0),
        };
        self.elements = self.elements.saturating_add(results);
        self.reads = self.reads.saturating_add(reads);
        self.products = self.products.saturating_add(products);
        for (found, most, what) in [
            (reads, MAX_READS, "elements read by the windows of a layer"),
            (self.elements, MAX_TOTAL_ELEMENTS, "elements of all tensors together"),
            (self.reads, MAX_TOTAL_READS, "elements read by the windows of all layers"),
            (self.products, MAX_PRODUCTS, "products of all layers together"),
        ] {
            if found > most {
                let what = format!("{found} {what}, for one event; supported are {most}");
                return Err(ModelError::new(place.clone(), what)
                    .with_help("no trigger model is that large; is this the right file?"));
            }
        }
        Ok(())
    }
}

fn product(lengths: &[usize]) -> usize {
    lengths.iter().fold(1, |n, &l| n.saturating_mul(l))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Padding, Window};

    fn refused(rule: &ShapeRule, input: &[usize], result: &[usize], times: usize) -> String {
        let mut work = Work::default();
        let place = Place::layer("l");
        let all = (0..times)
            .try_for_each(|_| work.add(&place, &LayerKind::Flatten, rule, &[input], result));
        all.expect_err("too much").to_string()
    }

    #[test]
    fn each_limit_is_met() {
        let same = |size: usize| Window {
            size: vec![size, size],
            strides: vec![1, 1],
            dilation: vec![1, 1],
            padding: Padding::Same,
        };
        let (all, large) = ([64, 64, 1], [1 << 20]);
        let found = refused(&ShapeRule::Pool(same(65)), &all, &all, 1);
        assert!(found.contains("17305600 elements read by the windows of a layer"), "{found}");
        let found = refused(&ShapeRule::Pool(same(40)), &all, &all, 5);
        assert!(found.contains("windows of all layers") && found.contains("16777216"), "{found}");
        let found = refused(&ShapeRule::Flatten, &large, &large, 5);
        assert!(found.contains("5242880 elements of all tensors"), "{found}");
        let endless = Window { size: vec![usize::MAX, 9], ..same(1) };
        let found = refused(&ShapeRule::Pool(endless), &all, &all, 1);
        assert!(found.contains("windows of a layer"), "{found}");
    }
}
