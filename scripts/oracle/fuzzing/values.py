"""What the real software gives: every layer of every leg.

TensorFlow optimises the program it is given, so a layer's value depends on what
else is fetched. By definition it is that of the sub-model which ends in this one
layer. Fetching every layer in one `predict` is faster, but it forbids TensorFlow
to fuse them and to regroup their sums; it serves as a first look.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import layer_values
import reference
from reference import tf

LEGS = {"qkeras": None, "proxy:sat": False, "proxy:wrap": True, "proxy": True}
"""Name of each leg, and HGQ's `aggressive` argument. `proxy` is HGQ's own file of the third."""


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
    seen: dict[str, np.ndarray] = field(default_factory=dict)
    joint: dict[str, np.ndarray] | None = None
    whole: list[np.ndarray] | None = None

    def alone(self, name: str) -> np.ndarray:
        """The value of one call from the sub-model that ends in it."""
        if name not in self.seen:
            self.seen[name] = self._predict([self.tensors[name]])[0]
        return self.seen[name]

    def each_alone(self) -> dict[str, np.ndarray]:
        """Values per call, each from its own sub-model."""
        return {name: self.alone(name) for name in self.tensors}

    def jointly(self) -> dict[str, np.ndarray]:
        """Values per call from one `predict` with every call as an output."""
        if self.joint is None:
            values = self._predict(list(self.tensors.values()))
            self.joint = dict(zip(self.tensors, values, strict=True))
        return self.joint

    def outputs(self) -> list[np.ndarray]:
        """What the user's own `predict` of the whole model gives."""
        if self.whole is None:
            self.whole = reference.predict(self.model, self.events)
        return self.whole

    def save(self, path: Path) -> Path:
        """Writes the leg's model, for a proxy the file that goes to the firmware."""
        self.model.save(path, save_format="h5", include_optimizer=False)
        return path

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
    tensors = layer_values.stand_ins(found, converted, proxy)
    return Side(proxy, events, tensors, output_calls)
