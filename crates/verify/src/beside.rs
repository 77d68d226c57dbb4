//! What is given beside a model: its proxy, and hls4ml's configuration.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use bittrue_io::IoErrorKind;
use bittrue_proxy::{ConfigError, HlsConfig};
use bittrue_record::FileInfo;

use crate::session::{LoadedModel, LoadedProxy};
use crate::{Error, ErrorKind};

/// Files beside a model. The default is none: a proxy is built from the model, and hls4ml's own
/// configuration applies.
#[derive(Debug, Default)]
pub struct Beside {
    /// The proxy file.
    pub proxy: Option<LoadedProxy>,
    /// hls4ml's configuration, for the legs that are its C simulation.
    pub hls_config: Option<LoadedConfig>,
}

impl Beside {
    /// Reads the files that are given.
    ///
    /// # Errors
    ///
    /// When one cannot be read, or does not fit.
    pub fn open(
        proxy: Option<&Path>,
        hls_config: Option<&Path>,
        model: &LoadedModel,
    ) -> Result<Self, Error> {
        Ok(Self {
            proxy: proxy.map(|path| LoadedProxy::open(path, model)).transpose()?,
            hls_config: hls_config.map(LoadedConfig::open).transpose()?,
        })
    }

    /// The configuration of the C simulation.
    pub(crate) fn config(&self) -> HlsConfig {
        self.hls_config.as_ref().map(|c| c.config.clone()).unwrap_or_default()
    }

    /// What a report says of the proxy.
    pub(crate) fn proxy_info(&self) -> Result<Option<FileInfo>, Error> {
        self.proxy.as_ref().map(LoadedProxy::info).transpose()
    }

    /// What a report says of the configuration.
    pub(crate) fn config_info(&self) -> Result<Option<FileInfo>, Error> {
        self.hls_config.as_ref().map(LoadedConfig::info).transpose()
    }
}

/// A configuration of hls4ml as read from its file.
#[derive(Debug)]
pub struct LoadedConfig {
    /// The file.
    pub path: PathBuf,
    /// The configuration.
    pub config: HlsConfig,
}

impl LoadedConfig {
    /// Reads a configuration.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or says something that is not followed: of the kind
    /// [`ErrorKind::Conversion`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        let refused = |what: String| {
            let message = format!("--hls-config: {}: {what}", path.display());
            Error::new(ErrorKind::Conversion, message).with_help(Some(ConfigError::HELP))
        };
        let mut bytes = Vec::new();
        // One byte more than is taken shows that there are too many; a device may have no end.
        let most = HlsConfig::MOST_BYTES as u64 + 1;
        File::open(path)
            .and_then(|file| file.take(most).read_to_end(&mut bytes))
            .map_err(|e| refused(format!("cannot be read: {e}")))?;
        let text =
            String::from_utf8(bytes).map_err(|_| refused("it is no UTF-8 text".to_owned()))?;
        let config = HlsConfig::parse(&text).map_err(|e| refused(e.to_string()))?;
        Ok(Self { path: path.to_owned(), config })
    }

    /// What a report says of the configuration.
    ///
    /// # Errors
    ///
    /// When the file cannot be read any more.
    pub fn info(&self) -> Result<FileInfo, Error> {
        Ok(FileInfo {
            path: self.path.display().to_string(),
            sha256: bittrue_io::sha256_file(&self.path, IoErrorKind::Model)?,
        })
    }
}
