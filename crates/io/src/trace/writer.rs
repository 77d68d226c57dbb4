//! Writing a trace while the events run.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use hdf5::types::VarLenUnicode;
use hdf5::{File, Group};

use super::column::Column;
use super::name::escape;
use crate::beside::Temporary;
use crate::number::read_rows;
use crate::output::write_text;
use crate::{IoError, IoErrorKind};

/// The version of the layout.
const FORMAT: u32 = 1;

/// The dataset that says which events of a file these are.
pub(crate) const EVENT_ROWS: &str = "event_rows";

/// What a trace says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceMeta {
    /// The leg, e.g. `proxy:wrap`.
    pub leg: String,
    /// The model, by its path or name.
    pub model: String,
    /// The events, by their path or name.
    pub events: String,
    /// Name of each flag, by bit; at most 16.
    pub flags: Vec<String>,
}

/// A layer of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceLayer {
    /// Name, as in reports.
    pub name: String,
    /// Shape of one event.
    pub shape: Vec<usize>,
    /// Its fixed-point type, if it has one.
    pub fixed_type: Option<String>,
}

/// The uncertainty of some events of a layer, each list event-major like the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TraceBands<'a> {
    /// Lowest value that the real software may give.
    pub lo: &'a [f64],
    /// Highest value that the real software may give.
    pub hi: &'a [f64],
    /// Flags, one bit each.
    pub flags: &'a [u16],
}

/// Writes a trace file.
///
/// The file appears under its name when [`TraceWriter::finish`] succeeds; until then it has a
/// temporary name in the same directory, and it is removed if the writer is dropped before.
#[derive(Debug)]
pub struct TraceWriter {
    path: PathBuf,
    flag_names: Vec<String>,
    // Dropped in this order: the datasets before their file, the file before it is removed.
    layers: Vec<LayerColumns>,
    event_rows: Option<Column<i64>>,
    root: Option<File>,
    temporary: Temporary,
}

#[derive(Debug)]
struct LayerColumns {
    name: String,
    shape: Vec<usize>,
    values: Column<f64>,
    uncertain: Option<Uncertain>,
}

#[derive(Debug)]
struct Uncertain {
    flags: Column<u16>,
    bands: Column<f64>,
}

impl TraceWriter {
    /// Creates a trace with empty datasets for all layers.
    ///
    /// # Errors
    /// [`IoErrorKind::Output`]: the file cannot be created there, or two layers have one name.
    pub fn create(path: &Path, meta: &TraceMeta, layers: &[TraceLayer]) -> Result<Self, IoError> {
        let error = |what: String| IoError::new(IoErrorKind::Output, path, what);
        let failed = |e: hdf5::Error| error(format!("cannot be written: {e}"));
        if meta.flags.len() > 16 {
            return Err(error(format!("{} kinds of flag, at most 16 fit", meta.flags.len())));
        }
        let temporary = Temporary::beside(path)?;
        let root = File::create(&temporary.path).map_err(failed)?;
        root.new_attr::<u32>()
            .create("bittrue_format")
            .and_then(|a| a.write_scalar(&FORMAT))
            .map_err(failed)?;
        for (name, value) in [("leg", &meta.leg), ("model", &meta.model), ("events", &meta.events)]
        {
            write_text(&root, name, value).map_err(error)?;
        }
        let group = root.create_group("layers").map_err(failed)?;
        let mut columns = Vec::with_capacity(layers.len());
        for layer in layers {
            let name = escape(&layer.name);
            if group.link_exists(&name) {
                return Err(error(format!("two layers are called `{}`", layer.name)));
            }
            let values = Column::create(&group, &name, &layer.shape)
                .map_err(|e| error(format!("layer `{}` cannot be written: {e}", layer.name)))?;
            if let Some(text) = &layer.fixed_type {
                write_text(values.dataset(), "type", text).map_err(error)?;
            }
            columns.push(LayerColumns {
                name,
                shape: layer.shape.clone(),
                values,
                uncertain: None,
            });
        }
        Ok(Self {
            path: path.to_owned(),
            temporary,
            flag_names: meta.flags.clone(),
            layers: columns,
            event_rows: None,
            root: Some(root),
        })
    }

    /// Appends events of one layer, event-major. A layer's flags and bands begin with its first
    /// flag: events before it have no flag and a band of their value alone.
    ///
    /// # Errors
    /// [`IoErrorKind::Output`]: the disk is full, or lists whose lengths do not fit the layer.
    pub fn append(
        &mut self,
        layer: usize,
        values: &[f64],
        bands: Option<TraceBands<'_>>,
    ) -> Result<(), IoError> {
        let path = self.path.clone();
        let error = |what: String| IoError::new(IoErrorKind::Output, &path, what);
        let Some(columns) = self.layers.get_mut(layer) else {
            return Err(error(format!("no layer {layer} in this trace")));
        };
        let elements = columns.values.elements();
        let fits = |n: usize| n == values.len();
        let whole = values.len().is_multiple_of(elements.max(1));
        if !whole
            || bands.is_some_and(|b| !fits(b.lo.len()) || !fits(b.hi.len()) || !fits(b.flags.len()))
        {
            return Err(error(format!(
                "layer `{}`: {} values in events of {elements}, or bands of another length",
                columns.name,
                values.len()
            )));
        }
        let failed = |e: hdf5::Error| error(format!("cannot be written: {e}"));
        let flagged = bands.filter(|b| b.flags.iter().any(|&f| f != 0));
        if let (Some(_), None, Some(root)) = (&flagged, &columns.uncertain, &self.root) {
            columns.begin_bands(root, &self.flag_names).map_err(failed)?;
        }
        if let Some(uncertain) = &mut columns.uncertain {
            uncertain.append(values, flagged).map_err(failed)?;
        }
        columns.values.append(values.iter().copied()).map_err(failed)
    }

    /// Makes the trace one of chosen events: `/event_rows` says which rows of the event file they
    /// are, those in which the leg differs from `reference`.
    ///
    /// # Errors
    /// [`IoErrorKind::Output`]: the disk is full.
    pub fn number_events(&mut self, reference: &str) -> Result<(), IoError> {
        let error = |what: String| IoError::new(IoErrorKind::Output, &self.path, what);
        let Some(root) = &self.root else { return Ok(()) };
        let column = Column::create(root, EVENT_ROWS, &[])
            .map_err(|e| error(format!("cannot be written: {e}")))?;
        write_text(column.dataset(), "differ_from", reference).map_err(error)?;
        self.event_rows = Some(column);
        Ok(())
    }

    /// Appends the rows of the events whose values are appended.
    ///
    /// # Errors
    /// [`IoErrorKind::Output`]: the disk is full, or a trace of all events.
    pub fn append_rows(&mut self, rows: &[u64]) -> Result<(), IoError> {
        let error = |what: String| IoError::new(IoErrorKind::Output, &self.path, what);
        let Some(column) = &mut self.event_rows else {
            return Err(error("a trace of all events has no rows".to_owned()));
        };
        column
            .append(rows.iter().map(|&r| r.cast_signed()))
            .map_err(|e| error(format!("cannot be written: {e}")))
    }

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    /// [`IoErrorKind::Output`]: the disk is full, or layers with different numbers of events.
    pub fn finish(mut self) -> Result<(), IoError> {
        let path = self.path.clone();
        let error = |what: String| IoError::new(IoErrorKind::Output, &path, what);
        let failed = |e: hdf5::Error| error(format!("cannot be written: {e}"));
        let numbered = self.event_rows.iter().map(Column::rows);
        let rows: Vec<usize> =
            self.layers.iter().map(|l| l.values.rows()).chain(numbered).collect();
        if rows.windows(2).any(|pair| pair[0] != pair[1]) {
            return Err(error(format!("the layers have different numbers of events: {rows:?}")));
        }
        for layer in &mut self.layers {
            layer.values.flush().map_err(failed)?;
            if let Some(uncertain) = &mut layer.uncertain {
                uncertain.flags.flush().map_err(failed)?;
                uncertain.bands.flush().map_err(failed)?;
            }
        }
        if let Some(event_rows) = &mut self.event_rows {
            event_rows.flush().map_err(failed)?;
        }
        self.event_rows = None;
        self.layers.clear();
        if let Some(root) = self.root.take() {
            root.flush().map_err(failed)?;
            root.close().map_err(failed)?;
        }
        self.temporary.keep()
    }
}

impl LayerColumns {
    /// Creates flags and bands, and fills them for the events that are already there.
    fn begin_bands(&mut self, root: &Group, flag_names: &[String]) -> Result<(), hdf5::Error> {
        let group = |name: &str| match root.link_exists(name) {
            true => root.group(name),
            false => root.create_group(name),
        };
        let mut band_shape = self.shape.clone();
        band_shape.push(2);
        let mut uncertain = Uncertain {
            flags: Column::create(&group("flags")?, &self.name, &self.shape)?,
            bands: Column::create(&group("bands")?, &self.name, &band_shape)?,
        };
        let names: Result<Vec<VarLenUnicode>, _> =
            flag_names.iter().map(|n| VarLenUnicode::from_str(n)).collect();
        let names = names.map_err(|e| hdf5::Error::from(e.to_string()))?;
        uncertain.flags.dataset().new_attr_builder().with_data(names.as_slice()).create("names")?;
        // Some chunks at a time: the layer may be long.
        self.values.flush()?;
        let rows = self.values.rows();
        let step = (1 << 20) / self.values.elements().max(1) + 1;
        for start in (0..rows).step_by(step) {
            let end = rows.min(start + step);
            let rank = self.shape.len() + 1;
            let values: Vec<f64> = read_rows(self.values.dataset(), rank, start..end, None)?;
            uncertain.append(&values, None)?;
        }
        self.uncertain = Some(uncertain);
        Ok(())
    }
}

impl Uncertain {
    fn append(&mut self, values: &[f64], bands: Option<TraceBands<'_>>) -> Result<(), hdf5::Error> {
        match bands {
            Some(b) => {
                self.flags.append(b.flags.iter().copied())?;
                self.bands.append(b.lo.iter().zip(b.hi).flat_map(|(&lo, &hi)| [lo, hi]))
            }
            None => {
                self.flags.append(values.iter().map(|_| 0))?;
                self.bands.append(values.iter().flat_map(|&v| [v, v]))
            }
        }
    }
}
