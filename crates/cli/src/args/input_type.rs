//! Casts of the inputs.

use bittrue_fixed::FixedType;
use bittrue_verify::{InputType, InputTypeOption};
use clap::Args;

/// Casts of the inputs.
#[derive(Debug, Args)]
pub(crate) struct InputTypeArgs {
    /// Cast an input of the proxies to a type, as the firmware's input would be
    ///
    /// TYPE is e.g. 'ap_fixed<16,6>' (in quotes, for < and > mean something to the shell; the 6
    /// counts the sign bit), or auto: the smallest type of at most 32 bits that holds every event
    /// exactly. Without INPUT it is for every input. The qkeras leg reads the events as they are.
    #[arg(long, value_name = "[INPUT=]TYPE|auto", value_parser = input_type)]
    pub(crate) input_type: Vec<InputTypeOption>,
}

/// Reads `TYPE`, `auto`, `INPUT=TYPE` or `INPUT=auto`.
fn input_type(text: &str) -> Result<InputTypeOption, String> {
    let (input, text) = match text.split_once('=') {
        Some((input, text)) => (Some(input.to_owned()), text),
        None => (None, text),
    };
    if text == "auto" {
        return Ok((input, InputType::Auto));
    }
    let fixed: FixedType = text.parse().map_err(|e| format!("{e}"))?;
    Ok((input, InputType::Fixed(fixed)))
}
