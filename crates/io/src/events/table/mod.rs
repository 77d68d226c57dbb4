//! Tables of numbers as text: `.csv`, and the `tb_data/*.dat` of hls4ml.
//!
//! | file | one idea |
//! |---|---|
//! | `lines` | the lines of a file, of bounded length |
//! | `fields` | what separates the values of a line |
//! | `number` | what a value means |
//! | `columns` | names and kinds of the columns |
//! | `scan` | a whole file, read once to know its columns and events |
//! | `rows` | the values of events, read forward |

mod columns;
mod fields;
mod lines;
mod number;
mod rows;
mod scan;

pub(super) use columns::Columns;
pub(super) use rows::Rows;
pub(super) use scan::Table;
