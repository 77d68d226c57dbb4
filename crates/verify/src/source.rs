//! Where events come from: files, or a description of events to be made.

use std::ops::Range;
use std::path::PathBuf;

use bittrue_block::{EventBlock, EventData, InputEvents};
use bittrue_fixed::{FixedType, Overflow, Rounding};
use bittrue_io::{
    EventDtype, EventFile, EventOptions, EventSource, GeneratedEvents, Held, InputSpec, Pending,
};
use bittrue_keras::exact;
use bittrue_model::{Activation, CallId, FixedPointQuantizer, LayerKind, Quantizer};
use rayon::prelude::*;

use crate::session::LoadedModel;
use crate::{Error, ErrorKind};

/// Events as a stream of blocks.
#[derive(Debug)]
pub(crate) enum Source {
    /// Recorded ones.
    Files(EventSource),
    /// Events made from a description.
    Generated {
        /// What makes them.
        events: GeneratedEvents,
        /// Elements of each input.
        elements: Vec<usize>,
        /// The description, as the report names it.
        file: EventFile,
    },
}

/// The next events of a source.
#[derive(Debug)]
pub(crate) enum Batch {
    /// They are in memory.
    Read(EventBlock),
    /// They are still in their file.
    Pending(Pending),
    /// They are made when they are wanted.
    Generated {
        /// What makes them.
        events: GeneratedEvents,
        /// Elements of each input.
        elements: Vec<usize>,
        /// Number of the first one.
        first: u64,
        /// How many there are.
        count: usize,
    },
}

impl Batch {
    /// Number of events.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Read(block) => block.count,
            Self::Pending(pending) => pending.count(),
            Self::Generated { count, .. } => *count,
        }
    }

    /// Whether the events are not all in memory at a time.
    pub(crate) fn is_light(&self) -> bool {
        !matches!(self, Self::Read(_))
    }

    /// Pieces of about `wanted` events, by numbers that [`piece`](Self::piece) knows.
    pub(crate) fn pieces(&self, wanted: usize) -> Vec<Range<usize>> {
        match self {
            Self::Pending(pending) => pending.pieces(wanted),
            _ => {
                let end = self.count();
                let starts = (0..end).step_by(wanted.max(1));
                starts.map(|start| start..(start + wanted).min(end)).collect()
            }
        }
    }

    /// The events of a piece, which are read or made here.
    pub(crate) fn piece<'a>(
        &'a self,
        piece: Range<usize>,
        held: &'a mut Held,
    ) -> Result<&'a EventBlock, Error> {
        match self {
            Self::Read(block) => Ok(block),
            Self::Pending(pending) => Ok(pending.read(piece, held)?),
            Self::Generated { events, elements, first, .. } => {
                let block = held.float32(*first + piece.start as u64, piece.len(), elements);
                for (n, input) in block.inputs.iter_mut().enumerate() {
                    if let EventData::F32(values) = &mut input.data {
                        events.fill(n, block.first, values);
                    }
                }
                Ok(block)
            }
        }
    }
}

/// The inputs that events are wanted for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    inputs: Vec<InputSpec>,
    /// What each is read as.
    types: Vec<FixedType>,
}

impl Wanted {
    /// The inputs of a model.
    pub(crate) fn by(loaded: &LoadedModel) -> Self {
        let types = loaded.model.inputs.iter().map(|&c| read_as(loaded, c)).collect();
        Self { inputs: loaded.inputs(), types }
    }
}

impl Source {
    /// Opens event files, or what stands for them.
    pub(crate) fn open(
        paths: &[PathBuf],
        Wanted { inputs, types }: &Wanted,
        options: &EventOptions,
    ) -> Result<Self, Error> {
        let described = paths.iter().find_map(|p| GeneratedEvents::described(p).map(|t| (p, t)));
        let Some((path, text)) = described else {
            return Ok(Self::Files(EventSource::open_all(paths, inputs, options)?));
        };
        if paths.len() > 1 {
            let message = format!("{text}: made events cannot be mixed with others");
            return Err(Error::new(ErrorKind::Events, message)
                .with_help(Some("give one description, or only files")));
        }
        let events = GeneratedEvents::new(text, inputs, types, options)?;
        let file = EventFile { path: path.clone(), bytes: 0, first: 0, events: events.total() };
        let elements = inputs.iter().map(|i| i.shape.iter().product()).collect();
        Ok(Self::Generated { events, elements, file })
    }

    /// Events that are still to come.
    pub(crate) fn count(&self) -> u64 {
        match self {
            Self::Files(files) => files.count(),
            Self::Generated { events, .. } => events.count(),
        }
    }

    /// Events left out at the beginning.
    pub(crate) fn skipped(&self) -> u64 {
        match self {
            Self::Files(files) => files.skipped(),
            Self::Generated { events, .. } => events.skipped(),
        }
    }

    /// Values of one event, over all inputs.
    pub(crate) fn elements(&self) -> usize {
        match self {
            Self::Files(files) => files.elements(),
            Self::Generated { events, .. } => events.elements(),
        }
    }

    /// For each input the dtype that holds the values of all files.
    pub(crate) fn dtypes(&self) -> Vec<EventDtype> {
        match self {
            Self::Files(files) => files.dtypes().to_vec(),
            Self::Generated { elements, .. } => vec![EventDtype::F32; elements.len()],
        }
    }

    /// The files in their order, or the description in the place of one.
    pub(crate) fn files(&self) -> Vec<&EventFile> {
        match self {
            Self::Files(files) => files.files().collect(),
            Self::Generated { file, .. } => vec![file],
        }
    }

    /// Whether the events are made rather than read, so that there is no file to look at.
    pub(crate) fn is_generated(&self) -> bool {
        matches!(self, Self::Generated { .. })
    }

    /// The next events, about `max`; `None` after the last one.
    pub(crate) fn next_batch(&mut self, max: usize) -> Result<Option<Batch>, Error> {
        match self {
            Self::Files(files) => Ok(files.next_batch(max)?.map(|batch| match batch {
                bittrue_io::Batch::Read(block) => Batch::Read(block),
                bittrue_io::Batch::Pending(pending) => Batch::Pending(pending),
            })),
            Self::Generated { events, elements, .. } => {
                Ok(events.advance(max).map(|(first, count)| Batch::Generated {
                    events: events.clone(),
                    elements: elements.clone(),
                    first,
                    count,
                }))
            }
        }
    }

    /// The next events, at most `max` (and at least one); `None` after the last one.
    pub(crate) fn next_block(&mut self, max: usize) -> Result<Option<EventBlock>, Error> {
        match self {
            Self::Files(files) => Ok(files.next_block(max)?),
            Self::Generated { events, elements, .. } => {
                Ok(events.advance(max).map(|(first, count)| make(events, elements, first, count)))
            }
        }
    }
}

/// Makes events on all threads; which thread makes which does not matter.
fn make(events: &GeneratedEvents, elements: &[usize], first: u64, count: usize) -> EventBlock {
    const PIECE: usize = 1 << 12;
    let inputs = elements.iter().enumerate().map(|(input, &elements)| {
        let mut values = vec![0.0_f32; count * elements];
        let pieces = values.par_chunks_mut(PIECE * elements.max(1)).enumerate();
        pieces.for_each(|(n, out)| events.fill(input, first + (n * PIECE) as u64, out));
        InputEvents { elements, data: EventData::F32(values) }
    });
    EventBlock { first, count, inputs: inputs.collect() }
}

/// The type of the quantizer that reads an input; hls4ml's default type where there is none.
fn read_as(loaded: &LoadedModel, input: CallId) -> FixedType {
    let model = &loaded.model;
    let mut readers = model.consumers(input);
    let mut n = 0;
    while let Some(&call) = readers.get(n) {
        n += 1;
        let found = match &model.layer_of(call).kind {
            LayerKind::QActivation(Activation::Quantizer(q))
            | LayerKind::Activation(Activation::Quantizer(q)) => match q {
                Quantizer::QuantizedBits(q) => exact::bits_cast(q),
                Quantizer::QuantizedRelu(q) => exact::relu_cast(q),
                Quantizer::QuantizedCurve(q) => exact::curve_cast(q),
                _ => None,
            },
            LayerKind::FixedPointQuantizer(q) => first_type(q),
            LayerKind::Flatten | LayerKind::Reshape | LayerKind::Nested | LayerKind::Permute(_) => {
                readers.extend(model.consumers(call));
                None
            }
            _ => None,
        };
        if let Some(found) = found.filter(|t| t.width <= 32) {
            return found;
        }
    }
    FixedType {
        signed: true,
        width: 16,
        integer: 6,
        rounding: Rounding::Trn,
        overflow: Overflow::Wrap,
        saturation_bits: 0,
    }
}

/// The type of the first element of a proxy's quantizer.
fn first_type(q: &FixedPointQuantizer) -> Option<FixedType> {
    let (signed, bits, integer) = (q.keep_negative.first()?, q.bits.first()?, q.integers.first()?);
    let width = u32::try_from(*bits).ok()?;
    FixedType::new(*signed != 0, width, *integer, q.rounding, q.overflow).ok()
}
