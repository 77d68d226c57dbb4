"""What stands between layers: operations that do nothing, second readers, outputs in the middle.

TensorFlow fuses a sum with what follows it, and what stands between or reads it too decides
whether it does. Drawn at random such places are rare; here they are drawn on purpose.
"""

from __future__ import annotations

from fuzzing.spec import Layer

UNSUPPORTED = ("GaussianNoise", "GaussianDropout", "AlphaDropout", "ActivityRegularization")
"""Identities of Keras that HGQ does not convert."""


class Wiring:
    """The part of a drawer that draws such places; the rest of it is in `draw.Drawer`."""

    wired = False
    """Whether the model is to consist of such places."""

    def __init__(self) -> None:
        self.watched: list[int] = []
        """Calls around a place where something is fused: likely outputs and arguments."""

    def place(self, source: int) -> int:
        """One step of a model that consists of such places."""
        kind = self.between(0, 19)
        if kind < 8:
            return self.fused(source)
        if kind < 13 and self.depth < 2:
            return self.nested(source)
        if kind < 15:
            return self.again(source)
        if kind < 17:
            others = [i for i in range(len(self.calls)) if self.shape(i) == self.shape(source)]
            return self.together(source, int(self.pick(*others)))
        return self.idle(source) if kind < 18 else self.q_activation(source)

    def idle(self, source: int) -> int:
        """A layer that changes no value and no shape."""
        shape = self.shape(source)
        axes = len(shape) - 1
        kind = self.between(0, 19)
        if kind < 6:
            return self.same_shape("Dropout", source, rate=0.1)
        if kind < 9:
            cls = f"SpatialDropout{axes}D" if axes in (1, 2) else "Dropout"
            return self.same_shape(cls, source, rate=0.1)
        if kind < 12:
            return self.same_shape("Activation", source, activation="linear")
        if kind < 17:
            target = list(shape)
            if self.chance(0.3):
                target[self.between(0, axes)] = -1
            return self.same_shape("Reshape", source, target_shape=target)
        if kind == 17:
            if axes == 0:
                return self.same_shape("Flatten", source)
            return self.same_shape("Permute", source, dims=list(range(1, axes + 2)))
        if kind == 18 and axes in (1, 2):
            padding = [0, 0] if axes == 1 else [[0, 0]] * 2
            return self.same_shape(f"ZeroPadding{axes}D", source, padding=padding)
        if kind == 19 and self.chance(0.3):
            cls = str(self.pick(*UNSUPPORTED))
            arguments = {"GaussianNoise": {"stddev": 0.1}, "ActivityRegularization": {}}
            return self.same_shape(cls, source, **arguments.get(cls, {"rate": 0.1}))
        return self.same_shape("Activation", source, activation="linear")

    def fused(self, source: int) -> int:
        """A sum, nothing or something idle, then what TensorFlow may fuse with it; and sometimes
        a second reader of one of them."""
        places = [self.weighted(source)]
        for _ in range(int(self.pick(0, 1, 1, 1, 2))):
            places.append(self.idle(places[-1]))
        for _ in range(int(self.pick(1, 1, 2))):
            places.append(self.follower(places[-1]))
            if self.chance(0.3):
                places.append(self.idle(places[-1]))
        self.watched += places
        if self.chance(0.4):
            read = int(self.pick(*places[:-1]))
            if self.chance(0.4):
                self.follower(self.idle(read) if self.chance(0.4) else read)
            else:
                self.together(read, places[-1])
        return places[-1]

    def weighted(self, source: int) -> int:
        """A layer of sums, mostly without a function of its own."""
        fresh = len(self.layers)
        draws = [self.dense]
        if len(self.shape(source)) in (2, 3):
            draws = [self.conv] * 4 + draws if hasattr(self, "conv") else draws
        call = self.pick(*draws)(source)
        for layer in list(self.layers.values())[fresh:]:
            if layer.arguments.get("use_bias") and self.chance(0.4):
                layer.arguments["use_bias"] = False
                del layer.weights[-1]
            if self.chance(0.75):
                layer.arguments.pop("activation", None)
        return call

    def follower(self, source: int) -> int:
        """What TensorFlow may compute together with a sum before it."""
        kind = self.between(0, 9)
        if kind < 4:
            return self.normalise(source)
        if kind < 6:
            return self.same_shape("Activation", source, activation="relu")
        if kind < 7:
            return self.function(source)
        if kind < 9:
            name = self.pick("tanh", "sigmoid", "elu")
            return self.same_shape("Activation", source, activation=name)
        return self.q_activation(source)

    def together(self, one: int, other: int) -> int:
        """Both as arguments of one layer."""
        if self.shape(one) != self.shape(other):
            return self.q_activation(one)
        arguments = [one, other] if self.chance(0.5) else [other, one]
        shape = self.shape(one)
        if self.chance(0.3):
            new = (*shape[:-1], 2 * shape[-1])
            return self.add(Layer("Concatenate", {"axis": -1}), arguments, new)
        cls = str(self.pick("Add", "Add", "Subtract", "Multiply", "Maximum", "Average"))
        return self.add(Layer(cls), arguments, shape)

    def some_outputs(self, inputs: list[int], leaves: list[int]) -> list[int]:
        """Outputs of a functional model: most leaves, some calls in the middle, rarely an input
        or the same tensor twice."""
        used = {a for call in self.calls for a in call.arguments}
        middle = [i for i in range(len(inputs), len(self.calls)) if i in used]
        inner = [i for i in middle if self.chance(0.3 if i in self.watched else 0.08)]
        outputs = [i for i in leaves if self.chance(0.7)] or leaves[-1:]
        outputs = [i for i in outputs if i not in inputs] + inner
        if not outputs:
            outputs = [self.dense(inputs[0])]
        if self.chance(0.02):
            outputs.append(int(self.pick(*inputs)))
        if self.chance(0.02):
            outputs.append(int(self.pick(*outputs)))
        order: list[int] = [int(i) for i in outputs]
        self.rng.shuffle(order)
        return order

    def inner_outputs(self, last: int) -> list[int]:
        """Outputs of a model inside that ends in `last`: sometimes several."""
        outputs = [last]
        if self.chance(0.35):
            calls = [i for i, c in enumerate(self.calls) if self.layers[c.layer].cls != "Input"]
            likely = [*calls, *(i for i in calls if i in self.watched)]
            for _ in range(int(self.pick(1, 1, 2))):
                anything = self.chance(0.06)
                outputs.append(int(self.pick(*(range(len(self.calls)) if anything else likely))))
            if not self.chance(0.1):
                outputs = list(dict.fromkeys(outputs))
            outputs = [outputs[int(i)] for i in self.rng.permutation(len(outputs))]
        return outputs
