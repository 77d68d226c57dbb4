//! `--input-type`: the cast in front of the target legs.

use bittrue_fixed::{FixedType, Overflow, Rounding};
use rayon::prelude::*;

use crate::error::ErrorKind;
use crate::input_range::InputRange;
use crate::session::LoadedModel;
use crate::source::Source;
use crate::{Error, Progress};

/// The type that an input is cast to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputType {
    /// This one.
    Fixed(FixedType),
    /// The smallest type that holds every recorded event exactly.
    Auto,
}

/// A type, and the input that it is for; without a name it is for every input.
pub type InputTypeOption = (Option<String>, InputType);

/// The types as far as they are known before any event is read: one like another stands for `auto`.
pub(crate) fn expected(
    loaded: &LoadedModel,
    options: &[InputTypeOption],
) -> Vec<Option<FixedType>> {
    let any = FixedType::new(true, 16, 6, Rounding::Trn, Overflow::Wrap).ok();
    let of = |name: &str| {
        let option = options.iter().find(|(n, _)| n.as_ref().is_none_or(|n| n == name))?;
        match option.1 {
            InputType::Fixed(t) => Some(t),
            InputType::Auto => any,
        }
    };
    loaded.inputs().iter().map(|input| of(&input.name)).collect()
}

/// The type of each input of the model. `source` is read once when some type is `auto`.
pub(crate) fn resolve(
    loaded: &LoadedModel,
    options: &[InputTypeOption],
    source: impl FnOnce() -> Result<Source, Error>,
    progress: &dyn Progress,
) -> Result<Vec<Option<FixedType>>, Error> {
    let inputs = loaded.inputs();
    let mut chosen: Vec<Option<InputType>> = vec![None; inputs.len()];
    for (name, choice) in options {
        let mut found = false;
        for (input, slot) in inputs.iter().zip(&mut chosen) {
            if name.as_ref().is_none_or(|n| *n == input.name) {
                if slot.replace(*choice).is_some() {
                    let message =
                        format!("--input-type gives the input `{}` two types", input.name);
                    return Err(Error::new(ErrorKind::Usage, message)
                        .with_help(Some("give each input one type, as --input-type INPUT=TYPE")));
                }
                found = true;
            }
        }
        if !found {
            let names: Vec<&str> = inputs.iter().map(|i| i.name.as_str()).collect();
            let message = format!(
                "--input-type names the input `{}`, but the model's inputs are {}",
                name.as_deref().unwrap_or_default(),
                names.join(", ")
            );
            return Err(Error::new(ErrorKind::Usage, message)
                .with_help(Some("write --input-type INPUT=TYPE with one of these inputs")));
        }
    }
    let ranges = if chosen.contains(&Some(InputType::Auto)) {
        scan(source()?, progress)?
    } else {
        Vec::new()
    };
    chosen
        .iter()
        .enumerate()
        .map(|(n, choice)| match choice {
            None => Ok(None),
            Some(InputType::Fixed(t)) => Ok(Some(*t)),
            Some(InputType::Auto) => {
                let range = ranges.get(n).cloned().unwrap_or_default();
                range.smallest().map(Some).map_err(|why| {
                    let message = format!(
                        "--input-type auto: no type of at most 32 bits holds every event of the \
                         input `{}` exactly: {why}",
                        inputs[n].name
                    );
                    Error::new(ErrorKind::Events, message)
                        .with_help(Some("name a type, e.g. --input-type 'ap_fixed<16,6>'"))
                })
            }
        })
        .collect()
}

/// The ranges of all inputs over all events.
fn scan(mut source: Source, progress: &dyn Progress) -> Result<Vec<InputRange>, Error> {
    const READ: usize = 16_384;
    let mut all = Vec::new();
    while let Some(block) = source.next_block(READ)? {
        if progress.stop() {
            // The type that holds the events so far is not the one that was asked for.
            return Err(Error::new(
                ErrorKind::Interrupted,
                "interrupted while --input-type auto was read from the events; nothing was \
                 compared",
            ));
        }
        let starts: Vec<usize> = (0..block.count).step_by(1024).collect();
        let parts: Vec<Vec<InputRange>> = starts
            .into_par_iter()
            .map(|s| InputRange::of(&block, &(s..(s + 1024).min(block.count))))
            .collect();
        for part in &parts {
            InputRange::merge_all(&mut all, part);
        }
    }
    Ok(all)
}
