//! Tensors in HDF5 and NumPy files.

use std::path::{Path, PathBuf};

use bittrue_block::{EventData, InputEvents};

use super::{
    CodeType, Precision, RecordedBands, RecordedNames, RecordedRows, RecordedTensor, TraceOptions,
    check_outputs, of_output,
};
use crate::events::{Array, arrays};
use crate::trace::{EVENT_ROWS, unescape};
use crate::{EventOptions, EventSource, InputSpec, IoError, IoErrorKind};

/// The groups of our own traces.
const LAYERS: &str = "layers/";
const BANDS: &str = "bands/";
const FLAGS: &str = "flags/";

/// Largest integer of which float64 holds it and both neighbours.
const EXACT: f64 = (1u64 << 53) as f64;

#[derive(Debug)]
pub(super) struct Arrays {
    path: PathBuf,
    names: RecordedNames,
    tensors: Vec<RecordedTensor>,
    places: Vec<Place>,
    reading: Option<Reading>,
}

/// Where a tensor is found.
#[derive(Debug, Clone)]
struct Place {
    array: Array,
    /// Its bands and flags.
    uncertain: Option<(Array, Array)>,
    code: Option<CodeType>,
}

#[derive(Debug)]
struct Reading {
    source: EventSource,
    /// The places in their order in the source.
    places: Vec<Place>,
}

impl Arrays {
    pub(super) fn open(
        path: &Path,
        outputs: &[InputSpec],
        options: &TraceOptions,
    ) -> Result<Self, IoError> {
        let error = |what: &str| IoError::new(IoErrorKind::Trace, path, what);
        if !options.columns.is_empty() {
            return Err(error("--trace-columns: only a text has columns")
                .with_help("name the arrays after the layers or outputs instead"));
        }
        let all = arrays(path).map_err(|e| as_trace(&e))?.unwrap_or_default();
        let find = |group: &str, name: &str| {
            all.iter().find(|a| a.path.strip_prefix(group) == Some(name)).cloned()
        };
        let ours = all.iter().any(|a| a.path.starts_with(LAYERS));
        if ours && find("", EVENT_ROWS).is_some() {
            return Err(error("is a trace of chosen events, which cannot be lined up with others")
                .with_help("write one of all events: `verify trace` without --only-differing"));
        }
        let mut tensors = Vec::new();
        let mut places = Vec::new();
        let mut unnamed = 0;
        for array in all.iter().filter(|a| !ours || a.path.starts_with(LAYERS)) {
            let [events, shape @ ..] = array.shape.as_slice() else { continue };
            let in_file = array.path.strip_prefix(LAYERS).unwrap_or(&array.path);
            let name = match ours {
                true => unescape(in_file),
                false => array.path.clone(),
            };
            unnamed += usize::from(name == format!("arr_{}", tensors.len()));
            let precision = match array.significand {
                Some(bits @ ..53) => Precision::Bits(bits),
                _ => Precision::Exact,
            };
            tensors.push(RecordedTensor {
                name,
                shape: shape.to_vec(),
                events: *events as u64,
                precision,
            });
            let uncertain = match ours {
                true => find(BANDS, in_file).zip(find(FLAGS, in_file)),
                false => None,
            };
            places.push(Place { array: array.clone(), uncertain, code: None });
        }
        if tensors.is_empty() {
            return Err(error("holds no array of numbers with an axis of events"));
        }
        // What numpy.save, or numpy.savez without names, calls its arrays.
        let by_position = unnamed == tensors.len() && unnamed == outputs.len();
        let names = match (ours, by_position) {
            (true, _) => RecordedNames::Layers,
            (_, true) => RecordedNames::Outputs,
            _ => RecordedNames::Arrays,
        };
        if by_position {
            for (tensor, output) in tensors.iter_mut().zip(outputs) {
                tensor.name.clone_from(&output.name);
            }
        }
        let mut read = Self { path: path.to_owned(), names, tensors, places, reading: None };
        read.set_codes(outputs, options)?;
        Ok(read)
    }

    fn set_codes(&mut self, outputs: &[InputSpec], options: &TraceOptions) -> Result<(), IoError> {
        let error = |what: String| IoError::new(IoErrorKind::Trace, &self.path, what);
        for (name, code) in &options.codes {
            let found = match name {
                Some(name) => self.tensors.iter().position(|t| t.name == *name),
                None => {
                    let named = options.codes.iter().map(|(name, _)| name.clone());
                    check_outputs(&self.path, outputs, "--trace-type", named)?;
                    let only = &outputs[0].name;
                    let found = self.tensors.iter().position(|t| t.name == *only);
                    found.or((self.tensors.len() == 1).then_some(0))
                }
            };
            let Some(n) = found else {
                let names: Vec<&str> = self.tensors.iter().map(|t| t.name.as_str()).collect();
                let name = name.as_ref().or(outputs.first().map(|o| &o.name));
                return Err(error(format!(
                    "--trace-type: has no array `{}`; its arrays are {}",
                    name.map_or("", String::as_str),
                    names.join(", ")
                )));
            };
            if self.places[n].array.significand.is_some() {
                return Err(error(format!(
                    "--trace-type: array {} holds no integers, which raw codes are",
                    self.tensors[n].name
                )));
            }
            let of_tensor = of_output(&options.codes, &self.tensors[n].name, true);
            self.places[n].code = Some(*of_tensor.unwrap_or(code));
        }
        Ok(())
    }

    pub(super) fn tensors(&self) -> &[RecordedTensor] {
        &self.tensors
    }

    pub(super) fn names(&self) -> RecordedNames {
        self.names
    }

    pub(super) fn start(&mut self, tensors: &[usize], skip: u64) -> Result<(), IoError> {
        let places: Vec<Place> = tensors.iter().map(|&n| self.places[n].clone()).collect();
        let arrays = places.iter().flat_map(|place| {
            let uncertain = place.uncertain.iter().flat_map(|(bands, flags)| [bands, flags]);
            std::iter::once(&place.array).chain(uncertain)
        });
        let spec = |a: &Array| InputSpec { name: a.path.clone(), shape: a.shape[1..].to_vec() };
        let specs: Vec<InputSpec> = arrays.map(spec).collect();
        let datasets = specs.iter().map(|s| (Some(s.name.clone()), format!("/{}", s.name)));
        let options =
            EventOptions { datasets: datasets.collect(), skip, ..EventOptions::default() };
        let source = EventSource::open(&self.path, &specs, &options).map_err(|e| as_trace(&e))?;
        self.reading = Some(Reading { source, places });
        Ok(())
    }

    pub(super) fn advance(&mut self, count: usize) -> Result<Vec<RecordedRows>, IoError> {
        let short = IoError::new(IoErrorKind::Trace, &self.path, "has fewer events than it had");
        let Some(Reading { source, places }) = &mut self.reading else { return Err(short) };
        let mut rows: Vec<RecordedRows> = Vec::new();
        let mut left = count;
        while left > 0 {
            let block = source.next_block(left).map_err(|e| as_trace(&e))?;
            let Some(block) = block else { return Err(short) };
            left -= block.count.min(left);
            rows.resize_with(places.len(), RecordedRows::default);
            let mut inputs = block.inputs.iter();
            for (place, rows) in places.iter().zip(&mut rows) {
                let Some(input) = inputs.next() else { break };
                let values = values(input, place);
                rows.values.extend(values.map_err(|what| {
                    let what = format!("array {}: {what}", place.array.path);
                    IoError::new(IoErrorKind::Trace, &self.path, what)
                })?);
                if place.uncertain.is_some()
                    && let (Some(bands), Some(flags)) = (inputs.next(), inputs.next())
                {
                    rows.uncertain.get_or_insert_default().extend(bands, flags);
                }
            }
        }
        Ok(rows)
    }
}

impl RecordedBands {
    fn extend(&mut self, bands: &InputEvents, flags: &InputEvents) {
        let bands = reals(&bands.data);
        self.lo.extend(bands.iter().step_by(2));
        self.hi.extend(bands.iter().skip(1).step_by(2));
        self.flags.extend(reals(&flags.data).iter().map(|&f| f as u16));
    }
}

fn reals(data: &EventData) -> Vec<f64> {
    match data {
        EventData::F32(v) => v.iter().map(|&x| f64::from(x)).collect(),
        EventData::F64(v) => v.clone(),
        EventData::I64(v) => v.iter().map(|&x| x as f64).collect(),
        EventData::U64(v) => v.iter().map(|&x| x as f64).collect(),
    }
}

/// The values of an array, codes as what they stand for.
fn values(input: &InputEvents, place: &Place) -> Result<Vec<f64>, String> {
    let mut values = reals(&input.data);
    if matches!(input.data, EventData::I64(_) | EventData::U64(_))
        && let Some(large) = values.iter().find(|v| v.abs() > EXACT)
    {
        return Err(format!("{large} is beyond 53 bits, in which values are compared"));
    }
    if let Some(code) = &place.code {
        let t = &code.fixed_type;
        for value in &mut values {
            *value = super::words::coded(&format!("{value}"), None, code)
                .map_err(|what| format!("{what} (--trace-type {t})"))?;
        }
    }
    Ok(values)
}

/// The same failure of a file that holds a trace.
fn as_trace(e: &IoError) -> IoError {
    e.clone().of_kind(IoErrorKind::Trace)
}
