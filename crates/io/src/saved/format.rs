//! Which kind of file, by its name.

use std::path::Path;

/// A kind of file for events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SavedFormat {
    /// HDF5.
    Hdf5,
    /// One NumPy array.
    Npy,
    /// An archive of NumPy arrays.
    Npz,
    /// Text, as hls4ml's `tb_data`.
    Dat,
}

impl SavedFormat {
    /// The kinds by their extension, for messages.
    pub const EXTENSIONS: &str = ".h5, .hdf5, .npy, .npz, .dat";

    /// The kind that the extension of a file names.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "h5" | "hdf5" => Some(Self::Hdf5),
            "npy" => Some(Self::Npy),
            "npz" => Some(Self::Npz),
            "dat" => Some(Self::Dat),
            _ => None,
        }
    }

    /// Whether it has room for so many inputs.
    pub fn holds(self, inputs: usize) -> bool {
        self != Self::Npy || inputs == 1
    }
}
