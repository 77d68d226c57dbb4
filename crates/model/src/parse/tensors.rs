//! Taking a layer's weights by their name's suffix, each exactly once.

use ndarray::{ArrayD, Dimension};

use crate::{ModelError, Place};

/// The weights of one layer. The order in the file depends on how the layer was trained and names
/// carry prefixes, so tensors are found by the last part of their name: `kernel` finds
/// `fc1/kernel:0`, `kernel:0` and `kernel`.
pub(super) struct Tensors<'f> {
    place: Place,
    tensors: Vec<(&'f str, &'f ArrayD<f32>, bool)>,
}

/// The last part of a weight's name, without the output number that TensorFlow appends.
fn suffix(name: &str) -> &str {
    let last = name.rsplit('/').next().unwrap_or(name);
    match last.rsplit_once(':') {
        Some((base, number)) if number.bytes().all(|b| b.is_ascii_digit()) => base,
        _ => last,
    }
}

impl<'f> Tensors<'f> {
    /// The tensors that the file holds for a layer, if any.
    pub(super) fn new(layer: &str, tensors: Vec<&'f (String, ArrayD<f32>)>) -> Self {
        Self {
            place: Place::layer(layer),
            tensors: tensors.into_iter().map(|(name, t)| (name.as_str(), t, false)).collect(),
        }
    }

    /// The tensor of this name, which must be there once and finite.
    pub(super) fn take(&mut self, name: &str) -> Result<&'f ArrayD<f32>, ModelError> {
        let mut matching = self.tensors.iter_mut().filter(|t| suffix(t.0) == name);
        let Some(found) = matching.next() else {
            let present: Vec<&str> = self.tensors.iter().map(|t| t.0).collect();
            let present = match present.is_empty() {
                true => "no weights at all".to_owned(),
                false => present.join(", "),
            };
            return Err(ModelError::new(
                self.place.clone(),
                format!("expected weights whose name ends in `{name}`, found {present}"),
            )
            .with_help("save the whole model again with model.save(\"model.h5\")"));
        };
        if let Some(second) = matching.next() {
            return Err(ModelError::new(
                self.place.clone(),
                format!("weights `{}` and `{}` both end in `{name}`", found.0, second.0),
            ));
        }
        found.2 = true;
        let (full_name, tensor) = (found.0, found.1);
        for (index, value) in tensor.indexed_iter() {
            if !value.is_finite() {
                return Err(ModelError::new(
                    self.place.clone(),
                    format!("weights `{full_name}` hold {value} at index {:?}", index.slice()),
                )
                .with_help("the training diverged; a network with such weights cannot be built"));
            }
        }
        Ok(tensor)
    }

    /// Like [`Self::take`], `None` where there is no such tensor.
    pub(super) fn take_if_present(
        &mut self,
        name: &str,
    ) -> Result<Option<&'f ArrayD<f32>>, ModelError> {
        match self.tensors.iter().any(|t| suffix(t.0) == name) {
            true => self.take(name).map(Some),
            false => Ok(None),
        }
    }

    /// All tensors in file order, by position: for layers whose weights have no reliable names.
    pub(super) fn suffixes(&self) -> Vec<&'f str> {
        self.tensors.iter().map(|t| suffix(t.0)).collect()
    }

    /// Ends the reading: weights that the layer did not ask for are an error.
    pub(super) fn finish(self) -> Result<(), ModelError> {
        match self.tensors.iter().find(|t| !t.2) {
            None => Ok(()),
            Some((name, tensor, _)) => Err(ModelError::new(
                self.place,
                format!("weights `{name}` of shape {:?} are not understood", tensor.shape()),
            )
            .with_help(
                "weights that no rule uses might change the numbers; tell us about the layer",
            )),
        }
    }
}
