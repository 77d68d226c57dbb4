"""Makes a failing model small while it still fails in the same way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

from fuzzing.draw import prune
from fuzzing.spec import Call, Spec

ELEMENTWISE = {"QActivation", "Activation", "ReLU", "LeakyReLU", "Dropout", "Add", "Subtract",
               "Multiply", "Average", "Maximum", "Minimum"}
"""Classes that work element by element (all functions but softmax do)."""


def reduce(spec: Spec, fails: Callable[[Spec], bool], layer: str, seconds: float) -> Spec:
    """The smallest variant found in the time; `layer` is the failing call."""
    deadline = time.monotonic() + seconds
    progress = True
    while progress:
        progress = False
        for variant in variants(spec, layer):
            if time.monotonic() > deadline:
                return spec
            if fails(variant):
                spec, progress = variant, True
                break
    return spec


def variants(spec: Spec, layer: str) -> Iterator[Spec]:
    """Smaller models, the boldest first."""
    yield from fewer_outputs(spec, layer)
    yield from plainer_form(spec)
    yield from nothing_inside(spec)
    yield from fewer_events(spec)
    yield from fewer_calls(spec)
    yield from fewer_units(spec)
    yield from fewer_weights(spec)
    yield from simpler_arguments(spec)
    yield from plainer_events(spec)


def fewer_outputs(spec: Spec, layer: str) -> Iterator[Spec]:
    """The failing call as the only output, else one output less."""
    name = layer.split("::")[0].split("@")[0].split(":")[0]
    calls = [i for i, c in enumerate(spec.calls) if c.layer == name]
    candidates = [[i] for i in calls] + [
        [o for o in spec.outputs if o != gone] for gone in spec.outputs
    ]
    for outputs in candidates:
        variant = spec.copy()
        variant.outputs = outputs
        if variant.style != "functional" and outputs != [len(spec.calls) - 1]:
            variant.calls = variant.calls[: max(outputs, default=0) + 1]
        prune(variant)
        if outputs and size(variant) < size(spec):
            yield variant


def size(spec: Spec) -> tuple[int, int]:
    return len(spec.calls), len(spec.outputs)


def plainer_form(spec: Spec) -> Iterator[Spec]:
    """The model as `save` stores it."""
    if spec.form != "plain":
        variant = spec.copy()
        variant.form = "plain"
        yield variant


def nothing_inside(spec: Spec) -> Iterator[Spec]:
    """The layers of a model inside in its place, else the model inside made smaller."""
    for name, layer in spec.layers.items():
        if not layer.inner:
            continue
        yield inlined(spec, name)
        yield from fewer_results(spec, name)
        inner = layer.inner
        for smaller in (*fewer_calls(inner), *simpler_arguments(inner)):
            same = [smaller.calls[i].shape for i in (*smaller.inputs(), *smaller.outputs)] == [
                inner.calls[i].shape for i in (*inner.inputs(), *inner.outputs)
            ]
            if same and len(smaller.calls) > 1:
                variant = spec.copy()
                variant.layers[name].inner = smaller
                yield variant


def inlined(spec: Spec, name: str) -> Spec:
    """The model with every call of one model inside replaced by the calls in it."""
    variant = spec.copy()
    inner = variant.layers.pop(name).inner
    variant.layers |= {k: v for k, v in inner.layers.items() if v.cls != "Input"}
    calls: list[Call] = []
    place: list[int] = []
    results: dict[int, list[int]] = {}
    for position, call in enumerate(variant.calls):
        if call.layer == name and call.output:
            place.append(results[call.arguments[0]][call.output])
            continue
        arguments = [place[a] for a in call.arguments]
        if call.layer != name:
            # A result of another model inside belongs to the call as it is now.
            calls.append(Call(call.layer, arguments, call.shape, call.output))
        else:
            given = iter(arguments)
            at: list[int] = []
            for i, inside in enumerate(inner.calls):
                if inner.is_input(i):
                    at.append(next(given))
                    continue
                into = [at[a] for a in inside.arguments]
                calls.append(Call(inside.layer, into, inside.shape, inside.output))
                at.append(len(calls) - 1)
            results[position] = [at[o] for o in inner.outputs]
            place.append(results[position][0])
            continue
        place.append(len(calls) - 1)
    variant.outputs = list(dict.fromkeys(place[o] for o in variant.outputs))
    variant.calls = calls
    return variant


def fewer_results(spec: Spec, name: str) -> Iterator[Spec]:
    """A model inside without a further output that nothing reads."""
    read = {c.output for c in spec.calls if c.layer == name}
    for gone in range(1, len(spec.layers[name].inner.outputs)):
        if gone in read:
            continue
        variant = spec.copy()
        inner = variant.layers[name].inner
        inputs = inner.inputs()
        del inner.outputs[gone]
        prune(inner)
        if len(inner.inputs()) != len(inputs):
            continue
        for call in variant.calls:
            if call.layer == name and call.output > gone:
                call.output -= 1
        yield variant


def fewer_events(spec: Spec) -> Iterator[Spec]:
    """Half of the events, a quarter, … down to one event less."""
    count = len(spec.events[0])
    step = count // 2
    while step >= 1:
        for start in range(0, count, step):
            keep = [i for i in range(count) if not start <= i < start + step]
            if keep:
                variant = spec.copy()
                variant.events = [e[keep] for e in variant.events]
                yield variant
        step //= 2
        if step < max(1, count // 16):
            return


def fewer_calls(spec: Spec) -> Iterator[Spec]:
    """A call replaced by its argument; an embedded activation, quantizer or bias left out."""
    for i, call in enumerate(spec.calls):
        if not call.arguments or len(spec.calls) <= 2:
            continue
        if any(c.output and c.arguments == [i] for c in spec.calls):
            continue
        for a in dict.fromkeys(call.arguments):
            if spec.calls[a].shape != call.shape or (spec.is_input(a) and i in spec.outputs):
                continue
            variant = spec.copy()
            for other in variant.calls[i + 1 :]:
                other.arguments = [a if x == i else x for x in other.arguments]
            variant.outputs = list(dict.fromkeys(a if o == i else o for o in variant.outputs))
            prune(variant)
            yield variant
    for name, layer in spec.layers.items():
        for key in ("activation", "bias_quantizer", "kernel_quantizer"):
            if layer.weights and layer.arguments.get(key) is not None:
                variant = spec.copy()
                variant.layers[name].arguments[key] = None
                yield variant
        if layer.arguments.get("use_bias"):
            variant = spec.copy()
            variant.layers[name].arguments["use_bias"] = False
            del variant.layers[name].weights[-1]
            yield variant


def fewer_units(spec: Spec) -> Iterator[Spec]:
    """One element less on the last axis of an input or of a dense layer, where all follow suit."""
    for i, call in enumerate(spec.calls):
        layer = spec.layers[call.layer]
        if call.shape[-1] < 2 or not (layer.cls == "Input" or layer.weights):
            continue
        for element in range(call.shape[-1]):
            variant = without_element(spec, i, element)
            if variant is not None:
                yield variant


def without_element(spec: Spec, start: int, element: int) -> Spec | None:
    """Drops an element of the last axis, and what it feeds; None where that is not one element."""
    variant = spec.copy()
    last = variant.calls[start].shape[-1]
    done, todo = set(), [start]
    shared = [c.layer for c in spec.calls]
    while todo:
        at = todo.pop()
        if at in done:
            continue
        done.add(at)
        call = variant.calls[at]
        layer = variant.layers[call.layer]
        spatial = any(word in layer.cls for word in ("Conv", "Pooling", "Normal", "Perm", "Pad"))
        if call.shape[-1] != last or shared.count(call.layer) > 1 or spatial:
            return None
        call.shape = (*call.shape[:-1], last - 1)
        if layer.cls == "Input":
            position = variant.inputs().index(at)
            variant.events[position] = np.delete(variant.events[position], element, axis=-1)
        elif layer.weights:
            layer.weights = [np.delete(w, element, axis=-1) for w in layer.weights]
            layer.arguments["units"] = last - 1
        elif layer.cls in ELEMENTWISE:
            # The other arguments of a merge lose the element as well.
            todo += [a for a in call.arguments if a not in done]
        else:
            return None
        for next_at, after in enumerate(variant.calls):
            if at not in after.arguments:
                continue
            next_layer = variant.layers[after.layer]
            if next_layer.weights:
                # Only a dense kernel has the element as its first axis.
                dense = "Dense" in next_layer.cls and next_layer.weights[0].ndim == 2
                if shared.count(after.layer) > 1 or not dense:
                    return None
                next_layer.weights[0] = np.delete(next_layer.weights[0], element, axis=0)
            else:
                todo.append(next_at)
    return variant


def fewer_weights(spec: Spec) -> Iterator[Spec]:
    """A kernel row or a bias set to zero, weights cut to few bits."""
    for name, layer in spec.layers.items():
        for index, weights in enumerate(layer.weights):
            for row in range(len(weights)):
                if np.any(weights[row]):
                    variant = spec.copy()
                    variant.layers[name].weights[index][row] = 0
                    yield variant
            rounded = np.round(weights * 8) / 8
            if not np.array_equal(rounded, weights):
                variant = spec.copy()
                variant.layers[name].weights[index] = rounded.astype(np.float32)
                yield variant


def simpler_arguments(spec: Spec) -> Iterator[Spec]:
    """A quantizer argument left out, a layer argument left out."""
    for name, layer in spec.layers.items():
        for key, value in layer.arguments.items():
            if isinstance(value, dict):
                for inner in value["arguments"]:
                    if inner not in ("bits", "integer", "alpha"):
                        variant = spec.copy()
                        del variant.layers[name].arguments[key]["arguments"][inner]
                        yield variant
            elif layer.cls == "ReLU":
                variant = spec.copy()
                del variant.layers[name].arguments[key]
                yield variant


def plainer_events(spec: Spec) -> Iterator[Spec]:
    """Values set to zero one by one, once few are left."""
    for index, events in enumerate(spec.events):
        if events.size > 60:
            continue
        for at in np.ndindex(events.shape):
            if events[at] != 0 or np.signbit(events[at]):
                variant = spec.copy()
                variant.events[index][at] = 0
                yield variant


