//! Building a proxy, and writing it as HGQ would have saved it.

use std::path::{Path, PathBuf};

use bittrue_model::parse::{from_keras, layer_configs};
use bittrue_model::{KerasDocument, Model};
use bittrue_proxy::{
    Converted, HlsConfig, Mode, Registered, document, firmware_types, make_tables, register,
};

use crate::session::LoadedModel;
use crate::{Error, Leg};

/// The arguments of HGQ's `to_proxy_model`.
#[derive(Debug, Clone, Copy)]
pub struct ProxyOptions {
    /// `aggressive`.
    pub mode: Mode,
    /// `unary_lut_max_table_size`: 0 or less for no tables.
    pub max_table_size: i64,
    /// The opposite of `skip_precision_reg`.
    pub register: bool,
    /// `accum_fp_max_offset`, which has an effect only where precisions are registered.
    pub accum_fp_max_offset: Option<i64>,
}

/// A proxy that was built from a model file.
#[derive(Debug)]
pub struct BuiltProxy {
    /// The model file.
    pub path: PathBuf,
    /// The model that it was built from.
    pub source: Model,
    /// The proxy.
    pub converted: Converted,
    /// What its signed quantizers do with values outside their range.
    mode: Mode,
    /// The file that HGQ would have saved.
    document: KerasDocument,
}

impl BuiltProxy {
    /// Builds the proxy of a model as HGQ does.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is a proxy already, or the conversion refuses it.
    pub fn build(path: &Path, options: &ProxyOptions) -> Result<Self, Error> {
        let mode = options.mode;
        let file = bittrue_io::read_keras(path)?;
        let in_model = |e| Error::model(path, &e);
        let model = from_keras(&file).map_err(in_model)?;
        let loaded = LoadedModel { path: path.to_owned(), model };
        let leg = match mode {
            Mode::Sat => Leg::ProxySat,
            Mode::Wrap => Leg::ProxyWrap,
        };
        loaded.refuse_proxy(leg)?;
        let refused = |e| Error::convert(leg.name(), path, &e);
        let mut converted = loaded.convert(mode)?;
        make_tables(&mut converted, options.max_table_size).map_err(refused)?;
        let registered = match options.register {
            true => register(&mut converted, options.accum_fp_max_offset).map_err(refused)?,
            false => Registered::new(),
        };
        let configs = layer_configs(&file).map_err(in_model)?;
        let document =
            document(&converted, &loaded.model, &configs, &registered).map_err(refused)?;
        Ok(Self { path: path.to_owned(), source: loaded.model, converted, mode, document })
    }

    /// The types that hls4ml gives to every node of the proxy by a configuration, as JSON.
    ///
    /// # Errors
    ///
    /// Where hls4ml refuses the proxy.
    pub fn types(&self, config: &HlsConfig) -> Result<String, Error> {
        let leg = match self.mode {
            Mode::Sat => Leg::Hls4mlSat,
            Mode::Wrap => Leg::Hls4mlWrap,
        };
        let types = firmware_types(&self.converted.model, config);
        Ok(types.map_err(|e| Error::convert(leg.name(), &self.path, &e))?.to_json())
    }

    /// Writes the file that HGQ would have saved.
    ///
    /// # Errors
    ///
    /// When it cannot be written there; then nothing has changed there.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        Ok(bittrue_io::write_keras(path, &self.document)?)
    }
}
