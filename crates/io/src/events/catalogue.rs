//! The datasets of a file.

use std::fmt;

use hdf5::types::TypeDescriptor;
use hdf5::{
    Dataset, Datatype, Group, IndexType, IterationOrder, LinkType, LocationToken, LocationType,
};

use super::row::Scalar;
use super::table::Columns;
use crate::number::Dtype;
use crate::watch;

/// Deepest groups that are searched.
const MAX_DEPTH: usize = 16;

/// Most links that are followed.
pub(super) const MAX_LINKS: usize = 10_000;

/// Most fields that a message lists.
const LISTED: usize = 40;

/// A dataset of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Path from the root, without a leading `/`.
    pub(super) path: String,
    /// `[event, …]`.
    pub(super) shape: Vec<usize>,
    pub(super) kind: Kind,
}

/// What the elements of a dataset are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Numbers(Dtype),
    /// Structs.
    Record(Record),
    /// Lines of text, whose values are in C order whatever the shape of an event is.
    Text(Columns),
    /// Something else, by its name.
    Other(String),
}

/// A struct as it lies in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Bytes, with all padding.
    pub(super) size: usize,
    pub(super) fields: Vec<Field>,
}

/// A field of a struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    /// Bytes from the start of the struct.
    pub(super) offset: usize,
    /// More than one if it is an array.
    pub(super) count: usize,
    /// The numbers it holds, or the name of something that holds none.
    pub(super) scalar: Result<Scalar, String>,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {}", self.path, self.shape, self.kind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numbers(dtype) => dtype.fmt(f),
            Self::Record(record) => write!(f, "a compound type with fields {}", record.names()),
            Self::Text(columns) => columns.fmt(f),
            Self::Other(name) => f.write_str(name),
        }
    }
}

impl Record {
    /// The names of the fields, for a message.
    pub(super) fn names(&self) -> String {
        let mut names: Vec<&str> =
            self.fields.iter().take(LISTED).map(|f| f.name.as_str()).collect();
        if self.fields.len() > LISTED {
            names.push("…");
        }
        names.join(", ")
    }
}

impl Kind {
    fn of(dataset: &Dataset) -> Self {
        let descriptor = dataset.dtype().and_then(|d| Ok((d.to_descriptor()?, d)));
        let Ok((descriptor, dtype)) = descriptor else {
            return Self::Other("an unknown type".to_owned());
        };
        let TypeDescriptor::Compound(compound) = &descriptor else {
            return match Dtype::of_type(&descriptor) {
                Ok(dtype) => Self::Numbers(dtype),
                Err(name) => Self::Other(name),
            };
        };
        // Structs are read as bytes, which must be what their fields' types say they are; the
        // library tells that only by comparing with the machine's own types.
        let native = Datatype::from_descriptor(&descriptor).is_ok_and(|native| native == dtype);
        let fields = compound
            .fields
            .iter()
            .map(|field| {
                let (count, element) = match &field.ty {
                    TypeDescriptor::FixedArray(element, count) => (*count, element.as_ref()),
                    scalar => (1, scalar),
                };
                let scalar = Dtype::of_type(element).and_then(|dtype| match native {
                    true => Ok(Scalar { dtype, big_endian: cfg!(target_endian = "big") }),
                    false => Err("a type of a foreign byte order or format".to_owned()),
                });
                // The library's binding takes any bytes for UTF-8 here.
                let name = String::from_utf8_lossy(field.name.as_bytes()).into_owned();
                Field { name, offset: field.offset, count, scalar }
            })
            .collect();
        Self::Record(Record { size: compound.size, fields })
    }
}

/// The datasets of an HDF5 file by path, breadth first. Links to other files are not followed, and a
/// group that several links name is searched once, so that links in circles end.
pub(super) fn list(root: &Group) -> Result<Vec<Entry>, String> {
    let mut found = Vec::new();
    let mut seen: Vec<LocationToken> = Vec::new();
    let mut links = 0;
    let mut level = vec![(String::new(), root.clone())];
    for _ in 0..MAX_DEPTH {
        let mut next = Vec::new();
        for (prefix, group) in level {
            watch::step();
            let members = group
                .links(IndexType::Name, IterationOrder::Increasing)
                .map_err(|e| format!("group /{prefix} cannot be listed: {e}"))?;
            for (name, link) in members {
                watch::step();
                links += 1;
                if links > MAX_LINKS {
                    return Err(format!("holds more than {MAX_LINKS} objects"));
                }
                if !matches!(link.link_type, LinkType::Hard | LinkType::Soft) {
                    continue;
                }
                let path = match prefix.is_empty() {
                    true => name.clone(),
                    false => format!("{prefix}/{name}"),
                };
                // A soft link may lead nowhere.
                let Ok(info) = group.loc_info_by_name(&name) else {
                    continue;
                };
                match info.loc_type {
                    LocationType::Dataset => {
                        let dataset = group.dataset(&name).map_err(|e| format!("/{path}: {e}"))?;
                        let shape = dataset.get_shape().map_err(|e| format!("/{path}: {e}"))?;
                        found.push(Entry { path, shape, kind: Kind::of(&dataset) });
                    }
                    LocationType::Group if !seen.contains(&info.token) => {
                        seen.push(info.token);
                        let inner = group.group(&name).map_err(|e| format!("/{path}: {e}"))?;
                        next.push((path, inner));
                    }
                    _ => {}
                }
            }
        }
        if next.is_empty() {
            return Ok(found);
        }
        level = next;
    }
    Ok(found)
}
