"""A model as plain data: what is drawn, built, reduced and written beside a failure.

A `Spec` holds layers and their calls apart, because a shared layer has several
calls. Calls are in topological order and refer to earlier ones by position.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

from reference import qkeras, tf

MERGES = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")

Quantizer = dict
"""`{"class": name, "arguments": {…}, "form": "object" or "text"}`."""


@dataclass
class Layer:
    """Class, constructor arguments without the name, and weights in Keras' order."""

    cls: str
    arguments: dict = field(default_factory=dict)
    weights: list[np.ndarray] = field(default_factory=list)


@dataclass
class Call:
    """One call of a layer; an input has no arguments and a shape."""

    layer: str
    arguments: list[int]
    shape: tuple[int, ...]


@dataclass
class Spec:
    """A model with the events to run it on, one array per input."""

    layers: dict[str, Layer]
    calls: list[Call]
    outputs: list[int]
    events: list[np.ndarray]
    style: str = "functional"
    """`functional`, `sequential` (with InputLayer) or `bare` (Sequential without)."""

    def copy(self) -> Spec:
        return copy.deepcopy(self)

    def inputs(self) -> list[int]:
        """Positions of the calls that are inputs."""
        return [i for i, call in enumerate(self.calls) if self.is_input(i)]

    def is_input(self, position: int) -> bool:
        return self.layers[self.calls[position].layer].cls == "Input"

    def summary(self) -> list[str]:
        """One line per call."""
        lines = []
        for i, call in enumerate(self.calls):
            layer = self.layers[call.layer]
            arguments = ", ".join(f"{k}={_text(v)}" for k, v in layer.arguments.items())
            out = " -> output" if i in self.outputs else ""
            lines.append(
                f"{i}: {call.layer} = {layer.cls}({arguments}) of {call.arguments}"
                f" shape {list(call.shape)}{out}"
            )
        return lines


def _text(value: object) -> str:
    return quantizer_text(value) if isinstance(value, dict) else repr(value)


def quantizer_text(quantizer: Quantizer) -> str:
    """The call as QKeras' string parser takes it."""
    arguments = ",".join(f"{k}={v!r}" for k, v in quantizer["arguments"].items())
    return f"{quantizer['class']}({arguments})"


def _argument(value: object) -> object:
    """The constructor argument that `value` stands for."""
    if not isinstance(value, dict):
        return value
    if value["form"] == "text":
        return quantizer_text(value)
    return getattr(qkeras, value["class"])(**value["arguments"])


def _layer(name: str, layer: Layer, **more: object) -> tf.keras.layers.Layer:
    where = qkeras if layer.cls.startswith("Q") else tf.keras.layers
    arguments = {k: _argument(v) for k, v in layer.arguments.items()}
    return getattr(where, layer.cls)(name=name, **arguments, **more)


def build(spec: Spec) -> tf.keras.Model:
    """The Keras model of `spec`, with its weights."""
    tf.keras.backend.clear_session()
    if spec.style == "functional":
        model, layers = _functional(spec)
    else:
        model, layers = _sequential(spec)
    for name, layer in layers.items():
        if spec.layers[name].weights:
            layer.set_weights(spec.layers[name].weights)
    return model


def _functional(spec: Spec) -> tuple[tf.keras.Model, dict]:
    layers: dict = {}
    tensors: list = []
    for call in spec.calls:
        layer = spec.layers[call.layer]
        if layer.cls == "Input":
            tensors.append(tf.keras.Input(shape=call.shape, name=call.layer))
            continue
        if call.layer not in layers:
            layers[call.layer] = _layer(call.layer, layer)
        arguments = [tensors[i] for i in call.arguments]
        merged = layer.cls in MERGES or layer.cls == "Concatenate"
        tensors.append(layers[call.layer](arguments if merged else arguments[0]))
    inputs = [tensors[i] for i in spec.inputs()]
    return tf.keras.Model(inputs, [tensors[i] for i in spec.outputs]), layers


def _sequential(spec: Spec) -> tuple[tf.keras.Model, dict]:
    model = tf.keras.Sequential()
    layers: dict = {}
    shape = {"input_shape": spec.calls[0].shape}
    if spec.style == "sequential":
        model.add(tf.keras.Input(name=spec.calls[0].layer, shape=spec.calls[0].shape))
        shape = {}
    for call in spec.calls[1:]:
        layers[call.layer] = _layer(call.layer, spec.layers[call.layer], **shape)
        model.add(layers[call.layer])
        shape = {}
    return model, layers


def save(spec: Spec, directory: Path) -> tuple[Path, Path]:
    """Write `model.h5` and `events.h5`, and give their paths."""
    model_path, events_path = directory / "model.h5", directory / "events.h5"
    build(spec).save(model_path, save_format="h5", include_optimizer=False)
    names = [spec.calls[i].layer for i in spec.inputs()]
    with h5py.File(events_path, "w") as file:
        for name, array in zip(names, spec.events, strict=True):
            file.create_dataset(name if len(names) > 1 else "events", data=array)
    return model_path, events_path
