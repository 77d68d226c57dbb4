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

import serialisation
from reference import load_model, qkeras, tf

MERGES = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")

Quantizer = dict
"""`{"class": name, "arguments": {…}, "form": "object" or "text"}`."""


NESTED = "Model"
"""Class of a layer that is a model of its own."""

FORMS = ("plain", "reloaded", "compiled", "aged", "pruned")
"""How a model is stored: by `save`, loaded and saved again, with an optimizer, in the words of an
older Keras, with pruning wrappers around its outermost dense and convolutional layers."""


@dataclass
class Layer:
    """Class, constructor arguments without the name, and weights in Keras' order."""

    cls: str
    arguments: dict = field(default_factory=dict)
    weights: list[np.ndarray] = field(default_factory=list)
    inner: Spec | None = None
    """The model that the layer is; it has no events, and may have several outputs."""


@dataclass
class Call:
    """One call of a layer; an input has no arguments and a shape. A further result of a model inside
    is a call whose one argument is the call itself."""

    layer: str
    arguments: list[int]
    shape: tuple[int, ...]
    output: int = 0
    """Which result of a model inside."""


@dataclass
class Spec:
    """A model with the events to run it on, one array per input."""

    layers: dict[str, Layer]
    calls: list[Call]
    outputs: list[int]
    events: list[np.ndarray]
    style: str = "functional"
    """`functional`, `sequential` (with InputLayer) or `bare` (Sequential without)."""
    form: str = "plain"
    """One of `FORMS`."""

    def copy(self) -> Spec:
        return copy.deepcopy(self)

    def inputs(self) -> list[int]:
        """Positions of the calls that are inputs."""
        return [i for i, call in enumerate(self.calls) if self.is_input(i)]

    def is_input(self, position: int) -> bool:
        return self.layers[self.calls[position].layer].cls == "Input"

    def find(self, call: str) -> Layer | None:
        """The layer of a call by its name in a trace: `layer`, `layer@1`, `outer::layer`, `outer:1`."""
        first, _, rest = call.partition("::")
        layer = self.layers.get(first.split("@")[0].split(":")[0])
        if rest and layer is not None:
            return layer.inner.find(rest) if layer.inner else None
        return layer

    def summary(self) -> list[str]:
        """One line per call, those of a model inside indented; first the form, if it is special."""
        lines = [] if self.form == "plain" else [f"stored: {self.form}"]
        for i, call in enumerate(self.calls):
            layer = self.layers[call.layer]
            arguments = ", ".join(f"{k}={_text(v)}" for k, v in layer.arguments.items())
            out = " -> output" if i in self.outputs else ""
            if call.output:
                lines.append(f"{i}: result {call.output} of {call.arguments} shape {list(call.shape)}{out}")
                continue
            lines.append(
                f"{i}: {call.layer} = {layer.cls}({arguments}) of {call.arguments}"
                f" shape {list(call.shape)}{out}"
            )
            if layer.inner and call.layer not in [c.layer for c in self.calls[:i]]:
                lines.append(f"    {layer.inner.style}:")
                lines += ["    " + line for line in layer.inner.summary()]
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
    if layer.inner:
        return _model(layer.inner, name)
    where = qkeras if layer.cls.startswith("Q") else tf.keras.layers
    arguments = {k: _argument(v) for k, v in layer.arguments.items()}
    return getattr(where, layer.cls)(name=name, **arguments, **more)


def build(spec: Spec) -> tf.keras.Model:
    """The Keras model of `spec`, with its weights."""
    tf.keras.backend.clear_session()
    return _model(spec)


def _model(spec: Spec, name: str | None = None) -> tf.keras.Model:
    make = _functional if spec.style == "functional" else _sequential
    model, layers = make(spec, name)
    for key, layer in layers.items():
        if spec.layers[key].weights:
            layer.set_weights(spec.layers[key].weights)
    return model


def _functional(spec: Spec, name: str | None) -> tuple[tf.keras.Model, dict]:
    layers: dict = {}
    tensors: list = []
    results: list[list] = []
    for call in spec.calls:
        layer = spec.layers[call.layer]
        if call.output:
            results.append([])
            tensors.append(results[call.arguments[0]][call.output])
            continue
        if layer.cls == "Input":
            tensors.append(tf.keras.Input(shape=call.shape, name=call.layer))
            results.append([])
            continue
        if call.layer not in layers:
            layers[call.layer] = _layer(call.layer, layer)
        arguments = [tensors[i] for i in call.arguments]
        merged = layer.cls in MERGES or layer.cls == "Concatenate" or len(arguments) > 1
        results.append(tf.nest.flatten(layers[call.layer](arguments if merged else arguments[0])))
        tensors.append(results[-1][0])
    inputs = [tensors[i] for i in spec.inputs()]
    outputs = [tensors[i] for i in spec.outputs]
    # The one output of a model inside is no list of one.
    single = name is not None and len(outputs) == 1
    return tf.keras.Model(inputs, outputs[0] if single else outputs, name=name), layers


def _sequential(spec: Spec, name: str | None) -> tuple[tf.keras.Model, dict]:
    model = tf.keras.Sequential(name=name)
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
    _store(spec, model_path)
    names = [spec.calls[i].layer for i in spec.inputs()]
    with h5py.File(events_path, "w") as file:
        for name, array in zip(names, spec.events, strict=True):
            file.create_dataset(name if len(names) > 1 else "events", data=array)
    return model_path, events_path


def _store(spec: Spec, path: Path) -> None:
    model = build(spec)
    if spec.form == "compiled":
        optimizer = tf.keras.optimizers.Adam()
        model.compile(optimizer=optimizer, loss="mse")
        optimizer.build(model.trainable_variables)
    model.save(path, save_format="h5", include_optimizer=spec.form == "compiled")
    match spec.form:
        case "reloaded":
            load_model(path).save(path, save_format="h5", include_optimizer=False)
        case "aged":
            serialisation.age(path)
        case "pruned":
            serialisation.wrap(path, prunable(spec))


def prunable(spec: Spec) -> list[str]:
    """Outermost layers with one kernel, which the pruning wrapper takes."""
    kinds = ("Dense", "Conv1D", "Conv2D")
    return [
        name
        for name, layer in spec.layers.items()
        if layer.weights and layer.cls.removeprefix("Q") in kinds
    ]
