"""What the real software gives: every layer of every leg.

TensorFlow optimises the program it is given, so a layer's value depends on what
else is fetched. Here it is the value in the user's own `predict`: that of a
model with the same outputs, first of all, and the layer as one more. Fetching
every layer in one `predict` is faster, but it forbids TensorFlow to fuse them
and to regroup their sums; it serves as a first look.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

import layer_values
import reference
from reference import tf

LEGS = {"qkeras": None, "proxy:sat": False, "proxy:wrap": True}
"""Name of each leg, and HGQ's `aggressive` argument."""


class Refused(Exception):
    """The real software raises; `software` is `QKeras` or `HGQ`."""

    def __init__(self, software: str, error: Exception | str):
        text = str(error).strip().splitlines()
        name = type(error).__name__ + ": " if isinstance(error, Exception) else ""
        super().__init__(f"{name}{text[-1] if text else ''}"[:300])
        self.software = software


@dataclass
class Side:
    """One leg in the real software, ready to be run."""

    model: tf.keras.Model
    events: list[np.ndarray]
    tensors: dict[str, object]
    """Layer call to tensor."""
    output_calls: list[str | None]
    """Which call makes each model output; None where it is an input."""

    def separately(self, only: list[str] | None = None) -> dict[str, np.ndarray]:
        """Values per call, each from its own `predict` beside the model's outputs."""
        given = self.model.outputs
        return {
            name: self._predict([*given, tensor])[-1]
            for name, tensor in self.tensors.items()
            if only is None or name in only
        }

    def alone(self, name: str) -> np.ndarray:
        """The value of one call from the sub-model that ends in it."""
        return self._predict([self.tensors[name]])[0]

    def jointly(self) -> dict[str, np.ndarray]:
        """Values per call from one `predict` with every call as an output."""
        return dict(zip(self.tensors, self._predict(list(self.tensors.values())), strict=True))

    def outputs(self) -> list[np.ndarray]:
        """What the user's own `predict` of the whole model gives."""
        return reference.predict(self.model, self.events)

    def _predict(self, tensors: list) -> list[np.ndarray]:
        model = tf.keras.Model(self.model.inputs, tensors, name=self.model.name)
        return reference.predict(model, self.events)


def load(model_path: Path, events_path: Path, leg: str) -> Side:
    """The model of a file as one leg runs it. Raises Refused."""
    try:
        model = reference.load_model(model_path)
        found = layer_values.calls(model)
    except Exception as error:  # Keras has no error type of its own.
        raise Refused("QKeras", error) from error
    by_tensor = {id(c.tensor): c.name for c in found}
    output_calls = [by_tensor.get(id(t)) for t in model.outputs]
    # Read now: the conversion renames layers of the source.
    events = reference.load_events(events_path, model)
    aggressive = LEGS[leg]
    if aggressive is None:
        tensors = {c.name: c.tensor for c in found}
        return Side(model, events, tensors, output_calls)
    with layer_values._recorded_conversion() as converted:
        try:
            proxy = reference.to_proxy(model, aggressive)
        except Exception as error:  # Nor has HGQ.
            raise Refused("HGQ", error) from error
    tensors = layer_values.stand_ins(found, converted)
    return Side(proxy, events, tensors, output_calls)
