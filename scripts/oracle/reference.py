"""The reference software in the one environment whose numbers we quote.

Importing this module fixes what decides bits: CPU only, oneDNN, one thread, Keras 2
rather than the tf_keras package that QKeras' dependencies pull in. Take `tf`,
`qkeras` and HGQ's `conversion` from here only: whoever imports them first
decides the environment.

Models come from their `.h5` file, never from memory, because the legacy HDF5
path resolves activation names to the same function objects HGQ tests for.
"""

from __future__ import annotations

import os
import tempfile
from importlib.metadata import version
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
# oneDNN's kernels, which TensorFlow takes by itself only on processors with AVX-512 VNNI
# or newer: without them softmax, batch normalisation and grouped convolutions differ.
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

# One thread, unless `time_predict.py` asks for another number; 0 is TensorFlow's own
# choice. Importing HGQ already starts the runtime, after which this is refused.
_THREADS = int(os.environ.get("BITTRUE_ORACLE_THREADS", "1"))
tf.config.threading.set_intra_op_parallelism_threads(_THREADS)
tf.config.threading.set_inter_op_parallelism_threads(_THREADS)

# TensorFlow binds `tf.keras` lazily, to whichever Keras registered last. This
# access has to happen before QKeras imports tfmot, and tfmot imports tf_keras;
# otherwise HGQ's QKeras plugin registers for classes nobody uses.
_ = tf.keras.layers

import h5py
import HGQ.proxy.convert as conversion
import numpy as np
import qkeras
from qkeras.utils import _add_supported_quantized_objects

import serialisation

BATCH_SIZE = 32
"""Events per batch, Keras' default; part of the definition of a reference value."""

_PACKAGES = ("tensorflow-cpu", "keras", "qkeras", "HGQ", "numpy", "h5py")


def versions() -> dict[str, str]:
    """Versions of the packages that decide the numbers."""
    return {package: version(package) for package in _PACKAGES}


def load_model(path: Path) -> tf.keras.Model:
    """Load a Keras-2 HDF5 file with QKeras layers, in a fresh Keras session.

    The session is reset so that HGQ's generated layer names start from the
    same counters every time. Pruning wrappers are stripped, as one does before a
    conversion: HGQ knows no such layer.
    """
    if serialisation.is_pruned(path):
        with tempfile.TemporaryDirectory() as scratch:
            serialisation.strip(path, Path(scratch) / "stripped.h5")
            return load_model(Path(scratch) / "stripped.h5")
    tf.keras.backend.clear_session()
    objects: dict = {}
    _add_supported_quantized_objects(objects)
    return tf.keras.models.load_model(path, custom_objects=objects, compile=False)


def load_events(path: Path, model: tf.keras.Model) -> list[np.ndarray]:
    """One float32 array per model input, first axis = event.

    A file holds one dataset `events`, or with several inputs one dataset per
    input, named like its InputLayer.
    """
    names = model.input_names if len(model.inputs) > 1 else ["events"]
    with h5py.File(path) as file:
        missing = [name for name in names if name not in file]
        if missing:
            raise SystemExit(f"{path} lacks {missing}, it holds {sorted(file)}")
        return [np.asarray(file[name][:], dtype=np.float32) for name in names]


def predict(model: tf.keras.Model, events: list[np.ndarray]) -> list[np.ndarray]:
    """`model.predict` with the reference batch size, one array per output."""
    inputs = events if len(events) > 1 else events[0]
    outputs = model.predict(inputs, batch_size=BATCH_SIZE, verbose=0)
    return outputs if isinstance(outputs, list) else [outputs]


def _without_tf_keras(make_table):
    """HGQ's second pass as it is where tf_keras is not loaded.

    HGQ leaves relu, softmax and linear alone by comparing function objects. The relu that its plugin
    for QKeras makes is named by a string, which Keras resolves to tf_keras' function once that is
    loaded; the comparison then fails, and HGQ makes a table of relu. What its manual says, and does
    without tf_keras, is the reference.
    """

    def transform(layer, max_table_size=1024):
        function = getattr(layer, "activation", None)
        plain = getattr(function, "__name__", "") in ("relu", "linear", "softmax")
        if isinstance(layer, tf.keras.layers.Activation) and plain:
            return layer
        return make_table(layer, max_table_size=max_table_size)

    return transform


conversion.xfr_to_unary_lut = _without_tf_keras(conversion.xfr_to_unary_lut)


def to_proxy(model: tf.keras.Model, aggressive: bool) -> tf.keras.Model:
    """HGQ's proxy of `model`: overflow mode WRAP if aggressive, else SAT."""
    return conversion.to_proxy_model(model, aggressive=aggressive)
