//! Events as HDF5 datasets.

use std::path::Path;

use bittrue_block::EventData;
use hdf5::{File, Group};

use crate::InputSpec;
use crate::trace::EVENT_ROWS;
use crate::trace::column::Column;

/// A file with a dataset for each input.
#[derive(Debug)]
pub(super) struct Hdf5Events {
    // Dropped before the file.
    columns: Vec<Values>,
    rows: Column<i64>,
    inputs: Vec<InputSpec>,
    file: File,
}

#[derive(Debug)]
enum Values {
    F32(Column<f32>),
    F64(Column<f64>),
    I64(Column<i64>),
    U64(Column<u64>),
}

impl Hdf5Events {
    pub(super) fn create(path: &Path, inputs: &[InputSpec]) -> Result<Self, String> {
        let file = File::create(path).map_err(|e| e.to_string())?;
        let rows = Column::create(&file, EVENT_ROWS, &[]).map_err(|e| e.to_string())?;
        if inputs.iter().any(|i| i.name == EVENT_ROWS) {
            return Err(format!(
                "an input is called `{EVENT_ROWS}`, as the rows of the events are"
            ));
        }
        Ok(Self { columns: Vec::new(), rows, inputs: inputs.to_vec(), file })
    }

    pub(super) fn append(&mut self, rows: &[u64], inputs: &[EventData]) -> Result<(), String> {
        self.begin(inputs).map_err(|e| e.to_string())?;
        for (column, input) in self.columns.iter_mut().zip(inputs) {
            column.append(input)?;
        }
        self.rows.append(rows.iter().map(|&r| r.cast_signed())).map_err(|e| e.to_string())
    }

    pub(super) fn finish(mut self) -> Result<(), String> {
        // A file without events has float32 datasets.
        let none: Vec<EventData> = self.inputs.iter().map(|_| EventData::F32(Vec::new())).collect();
        let flushed = self.begin(&none).and_then(|()| {
            self.columns.iter_mut().try_for_each(Values::flush)?;
            self.rows.flush()
        });
        flushed.map_err(|e| e.to_string())?;
        let Self { columns, rows, file, .. } = self;
        drop((columns, rows));
        file.flush().and_then(|()| file.close()).map_err(|e| e.to_string())
    }

    /// Creates the datasets, once the dtypes are known.
    fn begin(&mut self, inputs: &[EventData]) -> Result<(), hdf5::Error> {
        if !self.columns.is_empty() {
            return Ok(());
        }
        for (spec, data) in self.inputs.iter().zip(inputs) {
            let (group, name) = place(&self.file, &spec.name)?;
            self.columns.push(match data {
                EventData::F32(_) => Values::F32(Column::create(&group, name, &spec.shape)?),
                EventData::F64(_) => Values::F64(Column::create(&group, name, &spec.shape)?),
                EventData::I64(_) => Values::I64(Column::create(&group, name, &spec.shape)?),
                EventData::U64(_) => Values::U64(Column::create(&group, name, &spec.shape)?),
            });
        }
        Ok(())
    }
}

impl Values {
    fn append(&mut self, input: &EventData) -> Result<(), String> {
        match (self, input) {
            (Self::F32(c), EventData::F32(v)) => c.append(v.iter().copied()),
            (Self::F64(c), EventData::F64(v)) => c.append(v.iter().copied()),
            (Self::I64(c), EventData::I64(v)) => c.append(v.iter().copied()),
            (Self::U64(c), EventData::U64(v)) => c.append(v.iter().copied()),
            _ => return Err("the events change their dtype".to_owned()),
        }
        .map_err(|e| e.to_string())
    }

    fn flush(&mut self) -> Result<(), hdf5::Error> {
        match self {
            Self::F32(c) => c.flush(),
            Self::F64(c) => c.flush(),
            Self::I64(c) => c.flush(),
            Self::U64(c) => c.flush(),
        }
    }
}

/// The group of a dataset and its name there: `/` in the name of an input makes groups, in which
/// the reader looks for it.
fn place<'a>(file: &File, name: &'a str) -> Result<(Group, &'a str), hdf5::Error> {
    let mut group = file.group("/")?;
    let mut rest = name;
    while let Some((outer, inner)) = rest.split_once('/') {
        if !outer.is_empty() {
            group = match group.link_exists(outer) {
                true => group.group(outer)?,
                false => group.create_group(outer)?,
            };
        }
        rest = inner;
    }
    Ok((group, rest))
}
