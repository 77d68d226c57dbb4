"""Other forms in which the same model may be stored: pruning wrappers, older files.

The wrapper `PruneLowMagnitude` of TensorFlow Model Optimization (0.8.1 belongs to tf_keras and
cannot wrap the layers of the Keras that HGQ knows) is written here as that package writes it; see
`testvectors/models/pruned.h5`, which it wrote itself. `strip` is its `strip_pruning`, on a file.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

WRAPPER = "PruneLowMagnitude"
PREFIX = "prune_low_magnitude_"


def is_pruned(path: Path) -> bool:
    """Whether a model file has a pruning wrapper."""
    with h5py.File(path) as file:
        return WRAPPER in str(file.attrs.get("model_config", ""))


def wrap(path: Path, names: list[str]) -> None:
    """Puts outermost layers of a model file into pruning wrappers, in place."""
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        for entry in _entries(config):
            name = entry["config"]["name"]
            if name not in names:
                continue
            layer = {
                "module": "keras.layers",
                "class_name": entry["class_name"],
                "config": entry["config"],
                "registered_name": entry.get("registered_name"),
            }
            schedule = {"target_sparsity": 0.5, "begin_step": 0, "end_step": -1, "frequency": 100}
            entry["class_name"] = WRAPPER
            entry["config"] = {
                "name": PREFIX + name,
                "trainable": True,
                "dtype": "float32",
                "layer": layer,
                "pruning_schedule": {"class_name": "ConstantSparsity", "config": schedule},
                "block_size": [1, 1],
                "block_pooling_type": "AVG",
            }
            for key in ("module", "registered_name", "build_config"):
                entry.pop(key, None)
        _rename(config, {name: PREFIX + name for name in names})
        file.attrs["model_config"] = json.dumps(config)
        _rename_weights(file["model_weights"], {name: PREFIX + name for name in names}, True)


def strip(path: Path, to: Path) -> None:
    """Writes a copy of a model file without pruning wrappers, as `strip_pruning` gives it."""
    shutil.copyfile(path, to)
    with h5py.File(to, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        inner: dict[str, str] = {}
        for entry in _entries(config):
            if entry["class_name"] in (WRAPPER, f"Custom>{WRAPPER}"):
                wrapper = entry["config"]["name"]
                layer = entry["config"]["layer"]
                entry["class_name"], entry["config"] = layer["class_name"], layer["config"]
                inner[wrapper] = layer["config"]["name"]
        _rename(config, inner)
        file.attrs["model_config"] = json.dumps(config)
        _rename_weights(file["model_weights"], inner, False)


def age(path: Path) -> None:
    """Rewrites a model file as Keras before 2.13 did: objects as class and configuration only."""

    def old(value: object) -> object:
        if isinstance(value, list):
            return [old(v) for v in value]
        if not isinstance(value, dict):
            return value
        plain = {k: old(v) for k, v in value.items()}
        if set(plain) >= {"module", "class_name", "config", "registered_name"}:
            plain = {"class_name": plain["class_name"], "config": plain["config"]}
        # QKeras files of that time have no noise factor.
        if plain.get("qnoise_factor") == 1.0:
            del plain["qnoise_factor"]
        return plain

    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = json.dumps(old(json.loads(file.attrs["model_config"])))


def _entries(config: dict) -> Iterator[dict]:
    yield from config["config"]["layers"]


def _rename(config: dict, names: dict[str, str]) -> None:
    """Renames layers wherever the outermost model refers to them."""

    def renamed(value: object) -> object:
        if isinstance(value, list):
            if len(value) >= 3 and isinstance(value[0], str) and isinstance(value[1], int):
                return [names.get(value[0], value[0]), *value[1:]]
            return [renamed(v) for v in value]
        return value

    model = config["config"]
    for entry in model["layers"]:
        if "name" in entry:
            entry["name"] = names.get(entry["name"], entry["name"])
        if "inbound_nodes" in entry:
            entry["inbound_nodes"] = renamed(entry["inbound_nodes"])
    for key in ("input_layers", "output_layers"):
        if key in model:
            model[key] = renamed(model[key])


def _rename_weights(group: h5py.Group, names: dict[str, str], wrapped: bool) -> None:
    """Moves the weights of layers; the wrapper adds mask, threshold and step to each kernel."""
    listed = [n.decode() if isinstance(n, bytes) else n for n in group.attrs["layer_names"]]
    for name, new in names.items():
        weights = {}
        for weight in group[name].attrs["weight_names"]:
            weight = weight.decode() if isinstance(weight, bytes) else weight
            last = weight.split("/")[-1]
            if wrapped or last not in ("mask:0", "threshold:0", "pruning_step:0"):
                weights[f"{new}/{last}"] = group[name][weight][()]
        if wrapped:
            kernel = weights[f"{new}/kernel:0"]
            weights |= {
                f"{new}/mask:0": (kernel != 0).astype(np.float32),
                f"{new}/threshold:0": np.float32(0.25),
                f"{new}/pruning_step:0": np.int64(100),
            }
        del group[name]
        target = group.create_group(new)
        target.attrs["weight_names"] = [w.encode() for w in weights]
        for weight, value in weights.items():
            target[weight] = value
    group.attrs["layer_names"] = [names.get(n, n).encode() for n in listed]
