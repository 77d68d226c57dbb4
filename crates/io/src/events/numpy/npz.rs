//! A `.npz` archive: a zip file of arrays, stored or deflated.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};
use std::path::{Path, PathBuf};

use flate2::Crc;
use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use super::header::{self, Array};
use super::rows::{Forward, check_length};
use crate::events::catalogue::{Entry, Kind};
use crate::events::records::Records;
use crate::events::select::Pick;

/// Deflate makes nothing shorter than this, so that an archive cannot claim to hold more.
const MAX_RATIO: u64 = 1032;

/// Most arrays of an archive.
const MAX_ARRAYS: usize = 1000;

/// An open `.npz` archive.
#[derive(Debug)]
pub(in crate::events) struct Npz {
    path: PathBuf,
    members: Vec<(Member, Array)>,
}

/// Where a member lies in the archive.
#[derive(Debug, Clone)]
struct Member {
    /// Without `.npy`.
    name: String,
    deflated: bool,
    /// Bytes from the start of the archive.
    start: u64,
    compressed: u64,
    size: u64,
    crc: u32,
}

impl Npz {
    pub(in crate::events) fn open(path: &Path) -> Result<Self, String> {
        let wrong = |what: String| format!("is a zip archive that cannot be read: {what}");
        let file = File::open(path).map_err(|e| wrong(e.to_string()))?;
        let mut archive =
            ZipArchive::new(BufReader::new(file)).map_err(|e| wrong(e.to_string()))?;
        if archive.len() > MAX_ARRAYS {
            return Err(wrong(format!("it holds more than {MAX_ARRAYS} files")));
        }
        let mut members = Vec::new();
        for index in 0..archive.len() {
            let found = archive.by_index_raw(index).map_err(|e| wrong(e.to_string()))?;
            let name = found.name().map_err(|e| wrong(e.to_string()))?;
            let Some(name) = name.strip_suffix(".npy") else {
                continue;
            };
            let name = name.trim_matches('/').to_owned();
            let deflated = found.compression() == CompressionMethod::DEFLATE;
            let unreadable = if found.encrypted() {
                Some("an encrypted array".to_owned())
            } else if !deflated && found.compression() != CompressionMethod::STORE {
                Some(format!("an array compressed with {}", found.compression()))
            } else {
                None
            };
            let member = Member {
                deflated,
                start: found.data_start().unwrap_or(u64::MAX),
                compressed: found.compressed_size(),
                size: found.size(),
                crc: found.crc32(),
                name,
            };
            let array = match unreadable {
                Some(why) => Array::unreadable(why),
                None => member
                    .header(path)
                    .map_err(|what| wrong(format!("array {} {what}", member.name)))?,
            };
            members.push((member, array));
        }
        if members.is_empty() {
            return Err("is a zip archive without NumPy arrays".to_owned());
        }
        Ok(Self { path: path.to_owned(), members })
    }

    pub(in crate::events) fn entries(&self) -> Vec<Entry> {
        self.members.iter().map(|(member, array)| array.entry(&member.name)).collect()
    }

    /// What is picked of the array that `entries` lists at an index.
    pub(in crate::events) fn records(&self, index: usize, pick: &Pick) -> Result<Records, String> {
        let (member, array) = self.members.get(index).ok_or("is not in the archive")?;
        let mut reader = member.open(&self.path).map_err(|e| e.to_string())?;
        reader.skip(array.start).map_err(|e| e.to_string())?;
        array.records(pick, reader)
    }
}

impl Array {
    /// An array whose header cannot be read.
    fn unreadable(why: String) -> Self {
        Self { shape: Vec::new(), kind: Kind::Other(why), big_endian: false, start: 0, bytes: 0 }
    }
}

impl Member {
    fn header(&self, path: &Path) -> Result<Array, String> {
        let most = match self.deflated {
            true => self.compressed.saturating_mul(MAX_RATIO),
            false => self.compressed,
        };
        if self.size > most {
            return Err(format!(
                "claims to hold {} bytes in {} compressed ones",
                self.size, self.compressed
            ));
        }
        let reader = self.open(path).map_err(|e| format!("cannot be read: {e}"))?;
        let array = header::read(reader).map_err(|what| format!("has a header that {what}"))?;
        check_length(&array, self.size)?;
        Ok(array)
    }

    /// The bytes of the member, from its start.
    fn open(&self, path: &Path) -> io::Result<MemberReader> {
        let mut file = File::open(path)?;
        let end = self.start.checked_add(self.compressed);
        if end.is_none_or(|end| file.metadata().is_ok_and(|m| m.len() < end)) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        file.seek(SeekFrom::Start(self.start))?;
        let raw = BufReader::new(file).take(self.compressed);
        let bytes = match self.deflated {
            true => Bytes::Deflated(Box::new(DeflateDecoder::new(raw))),
            false => Bytes::Stored(raw),
        };
        Ok(MemberReader { bytes, left: self.size, crc: Crc::new(), expected: self.crc })
    }
}

/// The bytes of a member, which end with an error if they are not what the archive promises.
#[derive(Debug)]
struct MemberReader {
    bytes: Bytes,
    left: u64,
    crc: Crc,
    expected: u32,
}

#[derive(Debug)]
enum Bytes {
    Stored(Take<BufReader<File>>),
    Deflated(Box<DeflateDecoder<Take<BufReader<File>>>>),
}

impl Read for MemberReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = &mut buffer[..most];
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = match &mut self.bytes {
            Bytes::Stored(bytes) => bytes.read(buffer)?,
            Bytes::Deflated(bytes) => bytes.read(buffer)?,
        };
        self.crc.update(&buffer[..count]);
        self.left -= count as u64;
        if self.left == 0 && self.crc.sum() != self.expected {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum is wrong"));
        }
        Ok(count)
    }
}

impl Forward for MemberReader {
    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.take(bytes), &mut io::sink())?;
        match skipped == bytes {
            true => Ok(()),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}
