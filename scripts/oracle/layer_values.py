"""One value per layer call, of a QKeras model and of its HGQ proxy.

All values come from one `predict` of a model with every layer as an output,
unless the source has a BatchNormalization: then each is the output of the
sub-model that ends in its layer. Fetching a value forbids TensorFlow to fuse
its layer with the next one, which for convolution, normalisation and relu
would give numbers that the user's own `predict` never produces.

Calls are named like the layer; the second call of a shared layer is `layer@1`; a
layer inside a nested model is `outer::inner`, `outer` itself is the nested model's
output, and `outer:1` its second one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from reference import conversion, predict, tf, to_proxy


class ProxyRefused(Exception):
    """HGQ does not convert this model; the text is its own error."""


@dataclass
class Call:
    """One result of one call of a layer of the source model.

    `node` is Keras' graph node. `tensor` is its value as a function of the
    whole model's inputs. Only nested models have more than one `output`.
    """

    name: str
    node: object
    tensor: object
    output: int = 0


def calls(model: tf.keras.Model) -> list[Call]:
    """Every layer call on the way to an output, in topological order."""
    return list(_walk(model, list(model.inputs), ""))


def _walk(model: tf.keras.Model, inputs: list, prefix: str) -> Iterator[Call]:
    """Calls of `model` when it is applied to the tensors `inputs`."""
    by_depth = model._nodes_by_depth
    nodes = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
    inside = {id(node) for node in nodes}
    for node in nodes:
        if node.is_input:
            continue
        layer = node.layer
        used = [n for n in layer._inbound_nodes if id(n) in inside]
        position = next(i for i, n in enumerate(used) if n is node)
        name = prefix + layer.name + (f"@{position}" if position else "")
        if isinstance(layer, tf.keras.Model):
            arguments = tf.nest.flatten(node.keras_inputs)
            yield from _walk(
                layer, [_apply(model, inputs, a) for a in arguments], f"{name}::"
            )
        for output, tensor in enumerate(tf.nest.flatten(node.outputs)):
            suffix = f":{output}" if output else ""
            yield Call(name + suffix, node, _apply(model, inputs, tensor), output)


def _apply(model: tf.keras.Model, inputs: list, tensor: object) -> object:
    """`tensor` of `model` as a function of the tensors `inputs`.

    Without nesting `inputs` are the model's own and nothing needs to be built.
    """
    if all(a is b for a, b in zip(inputs, model.inputs, strict=True)):
        return tensor
    return tf.keras.Model(model.inputs, tensor)(inputs if len(inputs) > 1 else inputs[0])


def source_values(
    model: tf.keras.Model, events: list[np.ndarray]
) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
    """Values per call of a QKeras model, and its outputs."""
    found = calls(model)
    tensors = {call.name: call.tensor for call in found}
    return _values(model, tensors, events, _normalises(found)), predict(model, events)


def proxy_values(
    model: tf.keras.Model, events: list[np.ndarray], aggressive: bool
) -> tuple[dict[str, np.ndarray], list[np.ndarray], dict[str, str]]:
    """The same of the model's HGQ proxy, plus the proxy layer behind each call.

    The conversion renames layers of `model`, so do not use it afterwards.
    Raises ProxyRefused if HGQ rejects the model.
    """
    found = calls(model)
    with _recorded_conversion() as converted:
        try:
            proxy = to_proxy(model, aggressive)
        except Exception as error:  # HGQ has no error type of its own.
            raise ProxyRefused(f"{type(error).__name__}: {error}") from error
    tensors = stand_ins(found, converted, proxy)
    alignment = {
        name: tensor._keras_history.layer.name for name, tensor in tensors.items()
    }
    values = _values(proxy, tensors, events, _normalises(found))
    return values, predict(proxy, events), alignment


def stand_ins(
    found: list[Call],
    converted: dict[int, list[tuple[object, object]]],
    proxy: tf.keras.Model,
) -> dict[str, object]:
    """The proxy tensor of each call that the proxy holds.

    What leads to no output of the proxy is not part of it. A node inside a nested
    model that is called several times is converted once for each call of that model,
    in the order of the calls (HGQ goes from the outputs back, so this holds where
    one call is behind the other).
    """
    inside = {
        id(tensor)
        for nodes in proxy._nodes_by_depth.values()
        for node in nodes
        for tensor in tf.nest.flatten(node.outputs)
    }
    seen: dict[tuple[int, int], int] = {}
    tensors = {}
    for call in found:
        key = id(call.node), call.output
        at = seen.get(key, 0)
        seen[key] = at + 1
        if at >= len(converted.get(id(call.node), [])):
            continue
        tensor = converted[id(call.node)][at][1]
        if isinstance(tensor, list):
            # All results of a nested model, whichever of them is meant.
            tensor = tensor[_meant(call.node, call.output)]
        if id(tensor) in inside:
            tensors[call.name] = tensor
    return tensors


def _meant(node: object, output: int) -> int:
    """Which result of a nested model the source means: this one, or that which a layer without a
    stand-in of its own (a Dropout) was given."""
    while not isinstance(node.layer, tf.keras.Model):
        output = node.keras_inputs[0]._keras_history.tensor_index
        node = node.parent_nodes[0]
    return output


def _normalises(found: list[Call]) -> bool:
    return any(
        isinstance(call.node.layer, tf.keras.layers.BatchNormalization) for call in found
    )


def _values(
    model: tf.keras.Model,
    tensors: dict[str, object],
    events: list[np.ndarray],
    separately: bool,
) -> dict[str, np.ndarray]:
    """Values of `tensors` of `model`, each from its own sub-model or all at once."""
    if separately:
        return {
            name: predict(tf.keras.Model(model.inputs, tensor), events)[0]
            for name, tensor in tensors.items()
        }
    arrays = predict(tf.keras.Model(model.inputs, list(tensors.values())), events)
    return dict(zip(tensors, arrays, strict=True))


@contextmanager
def _recorded_conversion() -> Iterator[dict[int, list[tuple[object, object]]]]:
    """Remember which proxy tensors HGQ makes of each node of the source.

    HGQ itself says which value stands for which, so nothing is inferred from
    generated names. The node is kept too: its id must not be reused.
    """
    original = conversion._get_out_tensor
    converted: dict[int, list[tuple[object, object]]] = {}

    def recording(dependencies, satisfied, node, *rest, **options):
        # A node that leads to another output too is asked for again.
        fresh = node not in satisfied
        tensor = original(dependencies, satisfied, node, *rest, **options)
        if fresh:
            converted.setdefault(id(node), []).append((node, tensor))
        return tensor

    conversion._get_out_tensor = recording
    try:
        yield converted
    finally:
        conversion._get_out_tensor = original
