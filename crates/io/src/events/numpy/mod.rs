//! NumPy's own files: one array, or a zip archive of arrays.
//!
//! | file | one idea |
//! |---|---|
//! | `literal` | the Python in which headers are written |
//! | `header` | dtype and shape of an array |
//! | `npy` | a `.npy` file |
//! | `npz` | a `.npz` archive |
//! | `rows` | rows of an array, read forward |

mod header;
mod literal;
mod npy;
mod npz;
mod rows;

pub(super) use npy::Npy;
pub(super) use npz::Npz;
