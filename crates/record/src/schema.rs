//! The JSON schema of the report, made from its types.

use schemars::generate::SchemaSettings;

use crate::Report;

/// The JSON schema (draft 2020-12) of the report as it is written, pretty-printed and ending in a
/// newline: the text of `schema/report-v1.schema.json`.
pub fn schema_json() -> String {
    // A written report holds every field that is not documented as optional, so the schema of the
    // writer demands more than that of a lenient reader.
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<Report>();
    format!("{:#}\n", schema.to_value())
}
