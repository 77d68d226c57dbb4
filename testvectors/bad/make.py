"""Files that must be refused: one defect each, everything else taken from golden files.

    python make.py        # writes the files of ORIGIN.md beside this one

Run it in the environment of scripts/oracle: proxy.h5 is made by real HGQ.
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).resolve().parent
GOLDEN = HERE.parent / "golden" / "a_leaky"
EVENTS = 8


def layer(config: dict, name: str) -> dict:
    """A layer of a model configuration."""
    return next(entry for entry in config["config"]["layers"] if entry["config"]["name"] == name)


def quantizer(config: dict, name: str) -> dict:
    """The arguments of a layer's activation quantizer."""
    return layer(config, name)["config"]["activation"]["config"]


def copy(source: Path, target: str, edit: Callable[[h5py.File, dict], None]) -> None:
    """A model file with a defect."""
    with h5py.File(source) as old, h5py.File(HERE / target, "w") as new:
        for key in ("backend", "keras_version"):
            new.attrs[key] = old.attrs[key]
        old.copy("model_weights", new)
        config = json.loads(old.attrs["model_config"])
        edit(new, config)
        if config:
            new.attrs["model_config"] = json.dumps(config, separators=(",", ":"))


def models() -> None:
    def no_model_config(_: h5py.File, config: dict) -> None:
        config.clear()

    def nan_weights(file: h5py.File, _: dict) -> None:
        kernel = file["model_weights/d1/d1/kernel:0"]
        kernel[3, 5] = np.nan
        kernel[7, 1] = np.inf

    def missing_weights(file: h5py.File, _: dict) -> None:
        file["model_weights/d"].attrs["weight_names"] = np.array([], np.float64)
        del file["model_weights/d/d"]

    def unknown_layer(_: h5py.File, config: dict) -> None:
        layer(config, "a")["class_name"] = "AttentionGate"

    def unknown_quantizer(_: h5py.File, config: dict) -> None:
        layer(config, "q_a")["config"]["activation"]["class_name"] = "quantized_ulaw"

    def unknown_argument(_: h5py.File, config: dict) -> None:
        quantizer(config, "q_a")["overflow"] = "wrap"

    def unknown_attribute(_: h5py.File, config: dict) -> None:
        layer(config, "d1")["config"]["spectral_norm"] = True

    def alpha_unset(_: h5py.File, config: dict) -> None:
        quantizer(config, "q_in")["alpha"] = None

    for edit in (
        no_model_config,
        nan_weights,
        missing_weights,
        unknown_layer,
        unknown_quantizer,
        unknown_argument,
        unknown_attribute,
        alpha_unset,
    ):
        copy(GOLDEN / "model.h5", f"{edit.__name__}.h5", edit)

    with zipfile.ZipFile(HERE / "model.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (
            ("metadata.json", {"keras_version": "3.6.0"}),
            ("config.json", {"class_name": "Functional", "config": {}}),
        ):
            # Of the year 1980, so that the file is the same whenever it is made.
            archive.writestr(zipfile.ZipInfo(name), json.dumps(content))


def proxy() -> None:
    """The proxy that HGQ makes of the golden model."""
    sys.path.insert(0, str(HERE.parents[1] / "scripts" / "oracle"))
    from reference import load_model, to_proxy

    whole = HERE / "proxy_whole.h5"
    to_proxy(load_model(GOLDEN / "model.h5"), aggressive=False).save(whole, include_optimizer=False)
    copy(whole, "proxy.h5", lambda file, config: None)
    whole.unlink()

    def reads(config: dict, name: str, argument: str) -> None:
        layer(config, name)["inbound_nodes"] = [[[argument, 0, 0, {}]]]

    def swapped(_: h5py.File, config: dict) -> None:
        reads(config, "a", "d1")
        reads(config, "fixed_point_quantizer_1", "a")
        reads(config, "fixed_point_quantizer_2", "fixed_point_quantizer_1")

    def other_weights(file: h5py.File, _: dict) -> None:
        kernel = file["model_weights/d/kernel:0"]
        kernel[2, 1] += 0.25

    copy(HERE / "proxy.h5", "proxy_swapped.h5", swapped)
    copy(HERE / "proxy.h5", "proxy_other_weights.h5", other_weights)


def fused_first_axis() -> None:
    """A model that TensorFlow's optimiser computes as another one."""
    sys.path.insert(0, str(HERE.parents[1] / "scripts" / "oracle"))
    from reference import tf

    layers = tf.keras.layers
    x = inputs = layers.Input((4, 4, 1), name="in")
    x = layers.Conv2D(3, 3, padding="same", use_bias=False, name="conv")(x)
    x = layers.BatchNormalization(axis=1, name="norm")(x)
    model = tf.keras.Model(inputs, layers.ReLU(name="relu")(x))
    whole = HERE / "whole.h5"
    model.save(whole, save_format="h5", include_optimizer=False)
    copy(whole, "fused_first_axis.h5", lambda file, config: None)
    whole.unlink()


def events() -> None:
    with h5py.File(GOLDEN / "events.h5") as file:
        values = file["events"][:EVENTS]

    def write(name: str, **datasets: np.ndarray) -> None:
        with h5py.File(HERE / name, "w", libver="latest") as file:
            for path, data in datasets.items():
                file.create_dataset(path, data=data)

    write("wrong_shape.h5", events=values[:, :12])
    write("images.h5", events=values.reshape(EVENTS, 4, 4))
    write("empty_events.h5", events=values[:0])
    write("ambiguous.h5", raw=values, scaled=values / 4, labels=np.arange(EVENTS))
    write("text_events.h5", events=np.char.mod("%.6f", values).astype("S12"))
    write("other_kind.h5", **{"run/number": np.arange(3), "calo/towers": np.zeros((3, 4, 4))})

    # Chunks that were never written take no space.
    with h5py.File(HERE / "endless_events.h5", "w", libver="latest") as file:
        file.create_dataset("events", (2_000_000_000, 16), "f4", chunks=(4096, 16))

    # Three chunks of which the second is not what gzip wrote.
    path = HERE / "damaged_events.h5"
    with h5py.File(path, "w", libver="latest") as file:
        data = file.create_dataset("events", data=values[:6], chunks=(2, 16), compression="gzip")
        chunk = data.id.get_chunk_info(1)
    raw = bytearray(path.read_bytes())
    middle = chunk.byte_offset + chunk.size // 2
    raw[middle : middle + 8] = b"\0" * 8
    path.write_bytes(raw)


if __name__ == "__main__":
    models()
    events()
    proxy()
    fused_first_axis()
