//! Events as NumPy arrays.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bittrue_block::EventData;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::InputSpec;
use crate::trace::EVENT_ROWS;

/// Bytes of the header, which is written again when the number of events is known.
const HEADER: usize = 192;

/// A `.npy` file, little-endian and in C order.
#[derive(Debug)]
pub(super) struct NpyEvents {
    file: BufWriter<File>,
    /// Shape of one event.
    shape: Vec<usize>,
    dtype: Option<&'static str>,
    values: u64,
}

impl NpyEvents {
    pub(super) fn create(path: &Path, shape: &[usize]) -> Result<Self, String> {
        let file = File::create(path).map_err(|e| e.to_string())?;
        let mut file = BufWriter::new(file);
        file.write_all(&[0; HEADER]).map_err(|e| e.to_string())?;
        Ok(Self { file, shape: shape.to_vec(), dtype: None, values: 0 })
    }

    pub(super) fn append(&mut self, input: &EventData) -> Result<(), String> {
        let dtype = match input {
            EventData::F32(_) => "<f4",
            EventData::F64(_) => "<f8",
            EventData::I64(_) => "<i8",
            EventData::U64(_) => "<u8",
        };
        if self.dtype.is_some_and(|d| d != dtype) {
            return Err("the events change their dtype".to_owned());
        }
        self.dtype = Some(dtype);
        self.values += input.len() as u64;
        let written = match input {
            EventData::F32(v) => self.write(v.iter().map(|x| x.to_le_bytes())),
            EventData::F64(v) => self.write(v.iter().map(|x| x.to_le_bytes())),
            EventData::I64(v) => self.write(v.iter().map(|x| x.to_le_bytes())),
            EventData::U64(v) => self.write(v.iter().map(|x| x.to_le_bytes())),
        };
        written.map_err(|e| e.to_string())
    }

    fn write<const N: usize>(&mut self, values: impl Iterator<Item = [u8; N]>) -> io::Result<()> {
        for value in values {
            self.file.write_all(&value)?;
        }
        Ok(())
    }

    /// Completes the file.
    pub(super) fn finish(mut self) -> Result<File, String> {
        let header = self.header()?;
        let place = |file: &mut BufWriter<File>| {
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&header)
        };
        place(&mut self.file).map_err(|e| e.to_string())?;
        let file = self.file.into_inner().map_err(|e| e.to_string())?;
        file.sync_all().map_err(|e| e.to_string())?;
        Ok(file)
    }

    /// Magic, version 1.0, and a literal of Python padded with blanks.
    fn header(&self) -> Result<Vec<u8>, String> {
        let elements: u64 = self.shape.iter().map(|&d| d as u64).product();
        let mut shape = format!("{},", self.values / elements.max(1));
        for dimension in &self.shape {
            shape += &format!(" {dimension},");
        }
        let dtype = self.dtype.unwrap_or("<f4");
        let text = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({shape}), }}");
        let room = HEADER - 11;
        if text.len() > room {
            return Err(format!(
                "events of {} axes are too many for a .npy file",
                self.shape.len()
            ));
        }
        let mut header = b"\x93NUMPY\x01\x00".to_vec();
        header.extend((HEADER as u16 - 10).to_le_bytes());
        header.extend(format!("{text:<room$}\n").into_bytes());
        Ok(header)
    }
}

/// A `.npz` archive. Its members are written one behind the other, so until then each array has a
/// file of its own.
#[derive(Debug)]
pub(super) struct NpzEvents {
    archive: File,
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    name: String,
    events: NpyEvents,
    file: Removed,
}

/// A file that is removed in the end.
#[derive(Debug)]
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        // It is not needed any more, and there is nobody to tell.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl NpzEvents {
    pub(super) fn create(path: &Path, inputs: &[InputSpec]) -> Result<Self, String> {
        let archive = File::create(path).map_err(|e| e.to_string())?;
        let mut members = Vec::new();
        let rows = InputSpec { name: EVENT_ROWS.to_owned(), shape: Vec::new() };
        for spec in inputs.iter().chain([&rows]) {
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".{}", members.len()));
            let file = Removed(name.into());
            let events = NpyEvents::create(&file.0, &spec.shape)?;
            members.push(Member { name: spec.name.clone(), events, file });
        }
        Ok(Self { archive, members })
    }

    pub(super) fn append(&mut self, rows: &[u64], inputs: &[EventData]) -> Result<(), String> {
        let rows = EventData::I64(rows.iter().map(|&r| r.cast_signed()).collect());
        for (member, data) in self.members.iter_mut().zip(inputs.iter().chain([&rows])) {
            member.events.append(data)?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<(), String> {
        let mut zip = ZipWriter::new(self.archive);
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(true);
        for member in self.members {
            drop(member.events.finish()?);
            let mut array = File::open(&member.file.0).map_err(|e| e.to_string())?;
            zip.start_file(format!("{}.npy", member.name), options).map_err(|e| e.to_string())?;
            io::copy(&mut array, &mut zip).map_err(|e| e.to_string())?;
        }
        let file = zip.finish().map_err(|e| e.to_string())?;
        file.sync_all().map_err(|e| e.to_string())
    }
}
