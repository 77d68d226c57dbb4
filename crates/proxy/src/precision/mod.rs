//! The precisions of a proxy by HGQ's own rules (`to_proxy_model(…, skip_precision_reg=False)`).
//!
//! | file | one idea |
//! |---|---|
//! | `bits` | formats with unlimited parts, and their types |
//! | `container` | the smallest format of some numbers, or of a function's results |
//! | `flow` | what each layer produces, and what its readers can use |
//! | `derive` | the types of each layer, and the rule that set each |
//! | `operations` | bits of inputs times bits of weights (EBOPs) |
//! | `products` | products by the bits of argument and weight |
//! | `register` | the types as HGQ writes them into a file |

mod bits;
mod container;
mod derive;
mod flow;
mod operations;
mod products;
mod register;

pub use bits::{Bits, WideType};
pub(crate) use derive::result_type;
pub use derive::{NodePrecision, Rule, Typed, precisions};
pub(crate) use flow::{Flow, of_constant, of_quantizer};
pub use operations::{EffectiveBits, effective_bits};
pub use products::Products;
pub(crate) use register::narrow;
pub use register::{Registered, register};
