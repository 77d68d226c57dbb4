//! From a model file to an engine that is ready to run.

use std::path::{Path, PathBuf};

use bittrue_engine::Engine;
use bittrue_fixed::FixedType;
use bittrue_io::InputSpec;
use bittrue_model::{CallId, Layer, LayerKind, Model, ModelClass, TypedModel};
use bittrue_proxy::{Converted, FirmwareTypes, Mode, by_itself, convert, firmware, fit, types};
use bittrue_record::{FileInfo, ModelInfo, Warning};

use crate::beside::Beside;
use crate::proof::proven;
use crate::{Error, ErrorKind, Leg, findings};

/// A model as read from its file.
#[derive(Debug)]
pub struct LoadedModel {
    /// The file.
    pub path: PathBuf,
    /// The model.
    pub model: Model,
}

impl LoadedModel {
    /// Reads a model file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or holds something that no leg can evaluate.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = bittrue_io::read_keras(path)?;
        let model = bittrue_model::parse::from_keras(&file).map_err(|e| Error::model(path, &e))?;
        Ok(Self { path: path.to_owned(), model })
    }

    /// The proxy of the model.
    ///
    /// # Errors
    ///
    /// Where the conversion refuses the model.
    pub fn convert(&self, mode: Mode) -> Result<Converted, Error> {
        let leg = match mode {
            Mode::Sat => Leg::ProxySat,
            Mode::Wrap => Leg::ProxyWrap,
        };
        convert(&self.model, mode).map_err(|e| Error::convert(leg.name(), &self.path, &e))
    }

    /// Whether the model is itself a proxy.
    pub fn is_proxy(&self) -> bool {
        self.proxy_layer().is_some()
    }

    /// The first layer that only proxies have.
    fn proxy_layer(&self) -> Option<&Layer> {
        let of_proxy = |kind: &LayerKind| {
            matches!(kind, LayerKind::FixedPointQuantizer(_) | LayerKind::UnaryLut(_))
        };
        self.model.layers.iter().find(|layer| of_proxy(&layer.kind))
    }

    /// Refuses legs that are made from a QKeras model, where the model is itself a proxy.
    pub(crate) fn refuse_proxy(&self, leg: Leg) -> Result<(), Error> {
        let Some(layer) = self.proxy_layer() else {
            return Ok(());
        };
        let message = format!(
            "{}: layer `{}` has class `{}`, so this model is a proxy already, of which only the \
             legs `proxy` and `hls4ml` can be run, not `{leg}`",
            self.path.display(),
            layer.name,
            layer.class_name,
        );
        Err(Error::new(ErrorKind::Conversion, message).with_help(Some(
            "give the QKeras model that the proxy was made from with --model and this file with \
             --proxy; or compare the proxy with its C simulation: --reference proxy --target \
             hls4ml",
        )))
    }

    /// The inputs that events have to be found for.
    pub fn inputs(&self) -> Vec<InputSpec> {
        self.model
            .inputs
            .iter()
            .map(|&c| InputSpec {
                name: self.model.call_name(c),
                shape: self.model.call(c).shape.clone(),
            })
            .collect()
    }

    /// What a report says of the model.
    ///
    /// # Errors
    ///
    /// When the file cannot be read any more.
    pub fn info(&self) -> Result<ModelInfo, Error> {
        Ok(ModelInfo {
            path: self.path.display().to_string(),
            sha256: bittrue_io::sha256_file(&self.path, bittrue_io::IoErrorKind::Model)?,
            class: match self.model.class {
                ModelClass::Sequential => "Sequential".to_owned(),
                ModelClass::Functional => "Functional".to_owned(),
            },
        })
    }
}

/// A proxy file beside the model that it was made from.
#[derive(Debug)]
pub struct LoadedProxy {
    /// The file.
    pub path: PathBuf,
    /// The proxy, aligned with the model.
    converted: Converted,
}

impl LoadedProxy {
    /// Reads a proxy file and aligns it with its model.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or does not belong to the model: both of the kind
    /// [`ErrorKind::Conversion`].
    pub fn open(path: &Path, model: &LoadedModel) -> Result<Self, Error> {
        let unreadable = |e: Error| {
            let message = format!("--proxy: {e}");
            Error::new(ErrorKind::Conversion, message).with_help(e.help())
        };
        let file = bittrue_io::read_keras(path).map_err(|e| unreadable(e.into()))?;
        let proxy = bittrue_model::parse::from_keras(&file)
            .map_err(|e| unreadable(Error::model(path, &e)))?;
        if model.is_proxy() {
            let message =
                format!("{}: the model is a proxy itself, so --proxy has no place", path.display());
            return Err(Error::new(ErrorKind::Conversion, message)
                .with_help(Some("give the QKeras model with --model, or leave --proxy out")));
        }
        let converted = fit(&model.model, proxy).map_err(|e| {
            let message = format!("--proxy: {}: {e}", path.display());
            Error::new(ErrorKind::Conversion, message).with_help(Some(e.help()))
        })?;
        Ok(Self { path: path.to_owned(), converted })
    }

    /// The proxy, aligned with the model.
    pub(crate) fn converted(&self) -> &Converted {
        &self.converted
    }

    /// What a report says of the proxy.
    ///
    /// # Errors
    ///
    /// When the file cannot be read any more.
    pub fn info(&self) -> Result<FileInfo, Error> {
        Ok(FileInfo {
            path: self.path.display().to_string(),
            sha256: bittrue_io::sha256_file(&self.path, bittrue_io::IoErrorKind::Model)?,
        })
    }
}

/// A model with the legs to be compared, ready to run.
#[derive(Debug)]
pub struct Session {
    /// The model.
    pub loaded: LoadedModel,
    /// The plan of all legs, the reference first.
    pub engine: Engine,
    /// The typed graph of each leg, the reference first.
    pub typed: Vec<TypedModel>,
    /// For each of them hls4ml's nodes and types, if it is a C simulation.
    pub firmware: Vec<Option<FirmwareTypes>>,
    /// The type that each input of the targets is cast to.
    pub input_types: Vec<Option<FixedType>>,
    /// What is given beside the model.
    pub beside: Beside,
    /// Findings of the conversions.
    pub warnings: Vec<Warning>,
    /// For each layer call of the model: whether the reference is proven to give the real
    /// software's value there, for these weights and whatever the events are.
    pub proven: Vec<bool>,
    /// The layer calls that are compared and traced, in report order.
    pub calls: Vec<CallId>,
}

impl Session {
    /// Builds the reference and the targets of a model; the leg `proxy` needs a proxy file, beside
    /// the model or as the model itself, and hls4ml's configuration is that beside it. Inputs with an entry in `input_types` are
    /// cast to that type in every leg but `qkeras`.
    ///
    /// # Errors
    ///
    /// When a leg cannot evaluate the model.
    pub fn new(
        loaded: LoadedModel,
        beside: Beside,
        reference: Leg,
        targets: &[Leg],
        input_types: Vec<Option<FixedType>>,
    ) -> Result<Self, Error> {
        let mut warnings: Vec<Warning> = Vec::new();
        let (mut typed, mut firmware) = (Vec::new(), Vec::new());
        for &leg in std::iter::once(&reference).chain(targets) {
            let of_leg = typed_model(&loaded, &beside, leg, &input_types, &mut warnings)?;
            typed.push(of_leg.0);
            firmware.push(of_leg.1);
        }
        let engine = Engine::new(&loaded.model, &typed[0], &typed[1..])
            .map_err(|e| Error::plan(&loaded.path, &e))?;
        let proven = proven(&engine, &typed[0]);
        let model = &loaded.model;
        let calls = model
            .call_ids()
            .filter(|c| {
                // What is read is not computed; it only matters when it is cast, or an output.
                let is_cast = || {
                    let input = model.inputs.iter().position(|i| i == c);
                    input.is_some_and(|i| input_types.get(i).is_some_and(Option::is_some))
                };
                !matches!(model.layer_of(*c).kind, LayerKind::Input)
                    || model.outputs.contains(c)
                    || is_cast()
            })
            .collect();
        Ok(Self { loaded, beside, engine, typed, firmware, input_types, warnings, proven, calls })
    }
}

pub(crate) fn typed_model(
    loaded: &LoadedModel,
    beside: &Beside,
    leg: Leg,
    input_types: &[Option<FixedType>],
    warnings: &mut Vec<Warning>,
) -> Result<(TypedModel, Option<FirmwareTypes>), Error> {
    let built;
    let converted = match leg.simulated().unwrap_or(leg) {
        Leg::Qkeras => {
            loaded.refuse_proxy(leg)?;
            return bittrue_keras::reference::reference(&loaded.model)
                .map(|typed| (typed, None))
                .map_err(|e| Error::model(&loaded.path, &e));
        }
        simulated @ (Leg::ProxySat | Leg::ProxyWrap) => {
            loaded.refuse_proxy(leg)?;
            let mode = if simulated == Leg::ProxySat { Mode::Sat } else { Mode::Wrap };
            built = loaded.convert(mode)?;
            &built
        }
        _ => match &beside.proxy {
            Some(proxy) => &proxy.converted,
            None if loaded.is_proxy() => {
                built = by_itself(loaded.model.clone());
                &built
            }
            None => {
                let message = format!(
                    "the leg `{leg}` takes the proxy of a file, but {} is no proxy and none is given",
                    loaded.path.display()
                );
                return Err(Error::new(ErrorKind::Conversion, message).with_help(Some(
                    "give the proxy file with --proxy, or run the legs with `:sat` or `:wrap`, whose \
                     proxies are built from the model",
                )));
            }
        },
    };
    for w in &converted.warnings {
        let warning =
            Warning { code: w.code.to_owned(), layer: Some(w.layer.clone()), text: w.text.clone() };
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
    findings::warn(&loaded.model, converted, warnings);
    let typed = match leg.simulated() {
        None => types(converted, leg.name(), input_types).map(|typed| (typed, None)),
        Some(_) => {
            firmware(converted, leg.name(), input_types, &beside.config()).map(|(typed, types)| {
                warnings.extend(types.warnings().map(|(layer, text)| Warning {
                    code: "hls4ml".to_owned(),
                    layer: Some(layer.to_owned()),
                    text: text.to_owned(),
                }));
                (typed, Some(types))
            })
        }
    };
    typed.map_err(|e| Error::convert(leg.name(), &loaded.path, &e))
}
