"""Random models over what bittrue supports, and a little beyond it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fuzzing.spec import FORMS, MERGES, NESTED, Call, Layer, Quantizer, Spec, prunable
from fuzzing.wiring import Wiring

TRICKY_NAMES = ("activation", "fixed_point_quantizer", "fixed_point_quantizer_1", "input_1",
                "input_2", "input_3", "re_lu", "dense", "a.b", "op", "q_dense_0", "0", "x y")


class Drawer(Wiring):
    """Draws one model; every choice comes from `rng`."""

    branched = False
    """Whether what was drawn as a chain has become a graph."""

    def __init__(self, rng: np.random.Generator, prefix: str = "", depth: int = 0):
        super().__init__()
        self.rng = rng
        self.depth = depth
        self.prefix = prefix
        """Of every name in a model inside: Keras cannot store one name at two depths."""
        self.layers: dict[str, Layer] = {}
        self.calls: list[Call] = []
        self.wide = self.chance(0.25)

    # Choices.

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def pick(self, *options: object) -> object:
        return options[int(self.rng.integers(len(options)))]

    def between(self, low: int, high: int) -> int:
        """An integer, both ends included."""
        return int(self.rng.integers(low, high + 1))

    # Quantizers.

    def bits(self) -> int:
        if self.wide:
            return self.between(10, 16)
        return self.between(1, 16) if self.chance(0.4) else self.between(3, 9)

    def form(self) -> str:
        return "text" if self.chance(0.3) else "object"

    def quantized_bits(self) -> Quantizer:
        """As an activation."""
        bits = self.bits()
        integer = self.between(0, min(bits, 5)) if self.chance(0.85) else self.between(0, 8)
        arguments = {"bits": bits, "integer": integer, "alpha": self.pick(1, 1, 1.0)}
        if self.chance(0.15):
            arguments["symmetric"] = self.pick(1, True)
        if self.chance(0.15):
            arguments["keep_negative"] = self.pick(0, False)
        for probability, key, value in (
            (0.02, "alpha", self.pick(None, 2.0, 0.5, "auto", "auto_po2")),
            (0.02, "qnoise_factor", self.pick(0.5, 0.3, 0.0)),
            (0.02, "use_stochastic_rounding", True),
            (0.005, "integer", -1),
            (0.01, "bits", self.pick(20, 24, 30)),
            (0.01, "integer", self.pick(24, 30, 31)),
        ):
            if self.chance(probability):
                arguments[key] = value
        # QKeras 0.9.0 reads the text None as the text "on".
        form = "object" if arguments["alpha"] is None else self.form()
        return {"class": "quantized_bits", "arguments": arguments, "form": form}

    def quantized_relu(self) -> Quantizer:
        bits = self.bits()
        arguments = {"bits": bits, "integer": self.between(0, min(bits, 8))}
        for probability, key, value in (
            (0.05, "integer", self.between(0, 8)),
            (0.1, "use_sigmoid", self.pick(1, True)),
            (0.15, "negative_slope", self.pick(0.5, 0.25, 0.125, 2.0**-5, 1.0, 2.0)),
            (0.1, "relu_upper_bound", self.pick(1.0, 1.7, 6, 0.25)),
            (0.02, "qnoise_factor", self.pick(0.5, 0.3, 0.0)),
            (0.01, "bits", self.pick(20, 24)),
        ):
            if self.chance(probability):
                arguments[key] = value
        return {"class": "quantized_relu", "arguments": arguments, "form": self.form()}

    def activation_quantizer(self) -> Quantizer:
        return self.quantized_bits() if self.chance(0.55) else self.quantized_relu()

    def constant_quantizer(self) -> Quantizer | None:
        """Of a kernel or a bias."""
        if self.chance(0.08):
            return None
        if self.chance(0.06):
            name, arguments = self.pick(
                ("quantized_po2", {"bits": 4}),
                ("quantized_po2", {"bits": 5, "max_value": 2}),
                ("quantized_relu_po2", {"bits": 4}),
                ("binary", {"alpha": 1}),
                ("binary", {"alpha": self.pick(None, "auto", "auto_po2")}),
                ("ternary", {"alpha": 0.5}),
                ("ternary", {"alpha": self.pick(None, "auto", "auto_po2")}),
                ("stochastic_binary", {"alpha": 1}),
                ("stochastic_ternary", {"alpha": 1, "threshold": 0.4}),
                ("quantized_relu", {"bits": 5, "integer": 1}),
            )
            return {"class": name, "arguments": arguments, "form": "object"}
        alpha = self.pick(1, 1, 1, 1.0, 1, 1, 0.5, 2.0, 0.7, 1)
        if self.chance(0.1):
            alpha = self.pick(None, "auto", "auto_po2", 0.3, -1.0)
        bits = self.bits()
        arguments = {"bits": bits, "integer": self.between(0, min(bits, 4)), "alpha": alpha}
        if self.chance(0.1):
            arguments["symmetric"] = 1
        if self.chance(0.05):
            arguments["keep_negative"] = 0
        if self.chance(0.01):
            arguments["integer"] = 31
        form = "object" if alpha is None else self.form()
        return {"class": "quantized_bits", "arguments": arguments, "form": form}

    # Layers.

    def name(self) -> str:
        if self.chance(0.05):
            name = self.prefix + str(self.pick(*TRICKY_NAMES))
            if name not in self.layers:
                return name
        return f"{self.prefix}n{len(self.layers)}"

    def add(self, layer: Layer, arguments: list[int], shape: tuple[int, ...]) -> int:
        """A new layer, called once."""
        name = self.name()
        self.layers[name] = layer
        self.calls.append(Call(name, arguments, shape))
        return len(self.calls) - 1

    def shape(self, call: int) -> tuple[int, ...]:
        return self.calls[call].shape

    def constants(self, shape: tuple[int, ...], quantizer: Quantizer | None) -> np.ndarray:
        """Weights that use the range of their quantizer, with ties, zeros and saturation."""
        arguments = quantizer["arguments"] if quantizer else {}
        scale = 2.0 ** arguments.get("integer", 0) * self.pick(0.3, 0.5, 1.0, 2.0)
        values = self.rng.normal(0, scale, shape)
        kind = self.between(0, 5)
        if kind == 0:
            step = 2.0 ** -self.between(1, 8)
            values = np.round(values / step) * step
        elif kind == 1:
            values *= self.rng.random(shape) < 0.4
        elif kind == 2 and len(shape) == 2:
            # At most one term per column: a sum that is one rounded product.
            values *= np.arange(shape[0])[:, None] == self.rng.integers(0, shape[0], shape[1])
        return values.astype(np.float32)

    def dense(self, source: int, units: int | None = None, plain: bool | None = None) -> int:
        shape = self.shape(source)
        units = units or self.between(1, 12)
        use_bias = self.chance(0.75)
        arguments: dict = {"units": units, "use_bias": use_bias}
        kernel_quantizer = bias_quantizer = None
        quantized = not (self.chance(0.2) if plain is None else plain)
        function = str(self.pick("relu", "tanh", "sigmoid", "softmax", "linear"))
        if quantized:
            kernel_quantizer, bias_quantizer = self.constant_quantizer(), self.constant_quantizer()
            arguments |= {"kernel_quantizer": kernel_quantizer, "bias_quantizer": bias_quantizer}
            if self.chance(0.5):
                arguments["activation"] = self.activation_quantizer()
            elif self.chance(0.4):
                arguments["activation"] = function
        elif self.chance(0.4):
            arguments["activation"] = function
        weights = [self.constants((shape[-1], units), kernel_quantizer)]
        if use_bias:
            weights.append(self.constants((units,), bias_quantizer))
        cls = "QDense" if quantized else "Dense"
        return self.add(Layer(cls, arguments, weights), [source], (*shape[:-1], units))

    def same_shape(self, cls: str, source: int, **arguments: object) -> int:
        return self.add(Layer(cls, arguments), [source], self.shape(source))

    def q_activation(self, source: int) -> int:
        if self.chance(0.04):
            name = self.pick("relu", "linear", "tanh", "sigmoid", "softmax", "hard_sigmoid")
            return self.same_shape("QActivation", source, activation=name)
        return self.same_shape("QActivation", source, activation=self.activation_quantizer())

    def function(self, source: int) -> int:
        match self.between(0, 7):
            case 6 | 7:
                return self.negative(source)
            case 0 | 1:
                name = self.pick("linear", "relu", "softmax", "sigmoid", "tanh")
                return self.same_shape("Activation", source, activation=name)
            case 2 | 3:
                arguments: dict = {}
                if self.chance(0.5):
                    arguments["max_value"] = self.pick(6.0, 1.0, 0.7, 2.5, 0.0)
                if self.chance(0.4):
                    arguments["negative_slope"] = self.pick(0.25, 0.1, 0.3, 1.0)
                if self.chance(0.3):
                    arguments["threshold"] = self.pick(0.5, 0.3, 1.0)
                return self.same_shape("ReLU", source, **arguments)
            case 4:
                alpha = self.pick(0.25, 0.3, 0.1, 0.5, 1.5, 0.0)
                return self.same_shape("LeakyReLU", source, alpha=alpha)
            case _:
                return self.same_shape("Softmax", source)

    def negative(self, source: int) -> int:
        match self.between(0, 3):
            case 0:
                return self.same_shape("ThresholdedReLU", source, theta=self.pick(1.0, 0.5, 0.3))
            case 1:
                return self.same_shape("ELU", source, alpha=self.pick(1.0, 0.5, 0.3))
            case 2:
                return self.same_shape("Activation", source, activation="elu")
            case _:
                axes = len(self.shape(source)) - 1
                cls = f"SpatialDropout{axes}D" if axes in (1, 2) else "Dropout"
                return self.same_shape(cls, source, rate=0.2)

    def normalise(self, source: int) -> int:
        shape = self.shape(source)
        axis = int(self.pick(-1, -1, -1, len(shape), self.between(1, len(shape))))
        length = shape[axis - 1] if axis > 0 else shape[axis]
        scale, center = self.chance(0.85), self.chance(0.85)
        arguments = {"axis": axis, "scale": scale, "center": center}
        rng = self.rng
        weights = []
        if scale:
            weights.append(rng.normal(1, 0.3, length))
        if center:
            weights.append(rng.normal(0, 0.5, length))
        weights += [rng.normal(0, 0.5, length), rng.uniform(0.05, 3, length)]
        weights = [w.astype(np.float32) for w in weights]
        call = self.add(Layer("BatchNormalization", arguments, weights), [source], shape)
        if self.chance(0.6):
            if self.chance(0.5):
                return self.q_activation(call)
            return self.same_shape("Activation", call, activation="relu")
        return call

    def permute(self, source: int) -> int:
        shape = self.shape(source)
        axes = [int(a) for a in self.rng.permutation(len(shape))]
        dims = [a + 1 for a in axes]
        return self.add(Layer("Permute", {"dims": dims}), [source], tuple(shape[a] for a in axes))

    def nested(self, source: int) -> int:
        """A model of a few layers, as one layer; sometimes it takes a second tensor."""
        name = self.name()
        inside = type(self)(self.rng, f"{name}_", self.depth + 1)
        inside.wired = self.wired
        sources = [source]
        if self.chance(0.25):
            sources.append(int(self.pick(*range(len(self.calls)))))
        at = [inside.add(Layer("Input"), [], self.shape(s)) for s in sources][0]
        for _ in range(self.between(1, 4)):
            at = inside.step(at) if self.chance(0.7) else inside.q_activation(at)
        spec = Spec(inside.layers, inside.calls, inside.inner_outputs(at), [])
        needed = reached(spec)
        sources = [s for i, s in enumerate(sources) if i in needed]
        prune(spec)
        if is_chain(spec) and self.chance(0.4):
            spec.style = "sequential"
        self.layers[name] = Layer(NESTED, inner=spec)
        return self.pick_result(self.call_model(name, sources))

    def call_model(self, name: str, sources: list[int]) -> int:
        """A call of a model inside, with one more call for each further result."""
        spec = self.layers[name].inner
        shapes = [spec.calls[o].shape for o in spec.outputs]
        first = len(self.calls)
        self.calls.append(Call(name, sources, shapes[0]))
        for output, shape in enumerate(shapes[1:], 1):
            self.calls.append(Call(name, [first], shape, output))
        return first

    def pick_result(self, first: int) -> int:
        """One of the results of a model inside, to go on from; the others may be read later."""
        results = [first, *(i for i, c in enumerate(self.calls) if c.output and c.arguments == [first])]
        return int(self.pick(*results))

    def reshape(self, source: int) -> int:
        shape = self.shape(source)
        size = int(np.prod(shape))
        match self.between(0, 3):
            case 3:
                return self.permute(source)
            case 0:
                return self.add(Layer("Flatten"), [source], (size,))
            case 1:
                return self.same_shape("Dropout", source, rate=0.3)
            case _:
                first = int(self.pick(*(d for d in range(1, size + 1) if size % d == 0)))
                new = (first, size // first) if self.chance(0.7) else (size,)
                target = list(new)
                if self.chance(0.3):
                    target[self.between(0, len(target) - 1)] = -1
                return self.add(Layer("Reshape", {"target_shape": target}), [source], new)

    def merge(self, source: int) -> int:
        cls = str(self.pick(*MERGES))
        shape = self.shape(source)
        count = 2 if cls == "Subtract" or self.chance(0.6) else self.between(3, 4)
        same = [i for i in range(len(self.calls)) if self.shape(i) == shape]
        if len(same) < 2:
            other = self.dense(source, shape[-1])
            same.append(self.q_activation(other) if self.chance(0.5) else other)
        chosen = [int(self.pick(*same)) for _ in range(count - 1)]
        chosen.insert(self.between(0, len(chosen)), source)
        return self.add(Layer(cls), chosen, shape)

    def concatenate(self, source: int) -> int:
        shape = self.shape(source)
        axis = len(shape) - 1 if self.chance(0.7) else self.between(0, len(shape) - 1)

        def fits(other: tuple[int, ...]) -> bool:
            return len(other) == len(shape) and all(
                a == b for i, (a, b) in enumerate(zip(shape, other)) if i != axis
            )

        fitting = [i for i in range(len(self.calls)) if fits(self.shape(i))]
        chosen = [source, *(int(self.pick(*fitting)) for _ in range(self.between(1, 3)))]
        total = sum(self.shape(i)[axis] for i in chosen)
        # Counted from the front with the batch, or from the back.
        written = axis + 1 if self.chance(0.1) else axis - len(shape)
        new = (*shape[:axis], total, *shape[axis + 1 :])
        return self.add(Layer("Concatenate", {"axis": written}), chosen, new)

    def again(self, source: int) -> int:
        """Call an existing layer a second time, if one fits."""
        shape = self.shape(source)
        for i in self.rng.permutation(len(self.calls)):
            call = self.calls[int(i)]
            if self.layers[call.layer].inner and not self.behind(source, call.layer):
                continue
            if call.output == 0 and len(call.arguments) == 1:
                if self.shape(call.arguments[0]) != shape:
                    continue
                if self.layers[call.layer].inner:
                    return self.pick_result(self.call_model(call.layer, [source]))
                self.calls.append(Call(call.layer, [source], call.shape))
                return len(self.calls) - 1
        return self.dense(source)

    def behind(self, source: int, layer: str) -> bool:
        """Whether `source` follows from every call of `layer` so far. HGQ converts calls of a
        model inside in an order of its own, which the oracle only knows for such calls."""
        before, todo = set(), [source]
        while todo:
            at = todo.pop()
            before.add(at)
            todo += self.calls[at].arguments
        own = (i for i, c in enumerate(self.calls) if c.layer == layer and c.output == 0)
        return all(i in before for i in own)

    # Models.

    def input(self) -> int:
        if self.chance(0.75):
            shape = (self.between(1, 12),) if self.chance(0.9) else (self.pick(17, 33, 70),)
        else:
            shape = (self.between(1, 4), self.between(1, 6))
        return self.add(Layer("Input"), [], shape)

    def step(self, source: int) -> int:
        if self.wired and self.chance(0.7):
            return self.place(source)
        choices: list[tuple[float, Callable[[int], int]]] = [
            (0.30, self.dense),
            (0.12, self.fused),
            (0.03, self.idle),
            (0.22, self.q_activation),
            (0.12, self.function),
            (0.08, self.reshape),
            (0.12, self.merge),
            (0.07, self.concatenate),
            (0.05, self.again),
            (0.03, self.normalise),
            *([(0.07, self.nested)] if self.depth < 2 else []),
        ]
        weights = np.array([w for w, _ in choices])
        chosen = int(self.rng.choice(len(choices), p=weights / weights.sum()))
        return choices[chosen][1](source)

    def functional(self) -> list[int]:
        """Fills layers and calls; gives the outputs."""
        count = int(self.rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1]))
        inputs = [self.input() for _ in range(count)]
        heads = []
        for i in inputs:
            if self.chance(0.75):
                quantizer = self.quantized_bits()
                heads.append(self.same_shape("QActivation", i, activation=quantizer))
            else:
                heads.append(i)
        for _ in range(self.between(2, 8)):
            # Mostly the newest call, so that models get deep.
            source = len(self.calls) - 1 if self.chance(0.6) else int(
                self.pick(*heads, *range(heads[0], len(self.calls)))
            )
            self.step(source)
        used = {a for call in self.calls for a in call.arguments}
        leaves = [i for i in range(len(self.calls)) if i not in used]
        return self.some_outputs(inputs, leaves)

    def chain(self) -> list[int]:
        """A model without branches."""
        last = self.input()
        if self.chance(0.7):
            quantizer = self.quantized_bits()
            last = self.same_shape("QActivation", last, activation=quantizer)
        for _ in range(self.between(1, 7)):
            options = (self.dense, self.dense, self.q_activation, self.function, self.reshape,
                       self.idle)
            last = self.nested(last) if self.chance(0.04) else self.pick(*options)(last)
        self.branched = not is_chain(Spec(self.layers, self.calls, [last], []))
        return [last]


def is_chain(spec: Spec) -> bool:
    """Whether every call follows the one before, each of its own layer with one result."""
    calls = spec.calls
    links = all(call.arguments == [i - 1] for i, call in enumerate(calls) if i)
    single = all(len(x.inner.outputs) == 1 for x in spec.layers.values() if x.inner)
    once = len({call.layer for call in calls}) == len(calls)
    return links and single and once and spec.outputs == [len(calls) - 1]


def reached(spec: Spec) -> set[int]:
    """The calls on the way to an output."""
    needed: set[int] = set()
    todo = list(spec.outputs)
    while todo:
        call = todo.pop()
        if call not in needed:
            needed.add(call)
            todo.extend(spec.calls[call].arguments)
    return needed


def prune(spec: Spec) -> None:
    """Drop calls that lead to no output, and layers without calls; unused inputs too."""
    needed = reached(spec)
    keep = [i for i in range(len(spec.calls)) if i in needed]
    place = {old: new for new, old in enumerate(keep)}
    spec.events = [e for i, e in zip(spec.inputs(), spec.events) if i in needed]
    spec.calls = [
        Call(c.layer, [place[a] for a in c.arguments], c.shape, c.output)
        for c in (spec.calls[i] for i in keep)
    ]
    spec.outputs = [place[o] for o in spec.outputs]
    used = {c.layer for c in spec.calls}
    spec.layers = {name: layer for name, layer in spec.layers.items() if name in used}


def draw(
    rng: np.random.Generator,
    max_events: int,
    special: bool,
    drawer: type[Drawer] = Drawer,
    wired: bool = False,
) -> Spec:
    """A random model with random events."""
    drawer = drawer(rng)
    drawer.wired = wired
    style = str(rng.choice(["functional", "sequential", "bare"], p=[0.7, 0.2, 0.1]))
    outputs = drawer.functional() if style == "functional" else drawer.chain()
    if drawer.branched:
        style = "functional"
    spec = Spec(drawer.layers, drawer.calls, outputs, [], style)
    form = str(rng.choice(FORMS, p=[0.56, 0.12, 0.1, 0.12, 0.1]))
    count = min(max_events, int(drawer.pick(77, 77, 33, 31, 64, 1, 5, max_events)))
    for i in spec.inputs():
        spec.events.append(events(drawer, spec, i, count, special))
    prune(spec)
    if form != "pruned" or (style != "bare" and prunable(spec)):
        spec.form = form
    return spec


def events(drawer: Drawer, spec: Spec, at: int, count: int, special: bool) -> np.ndarray:
    """Values for one input, of mixed kinds: some for a whole event, some element by element."""
    rng = drawer.rng
    shape = (count, *spec.calls[at].shape)
    fractional, top = 4, 1.0
    for call in spec.calls:
        quantizer = spec.layers[call.layer].arguments.get("activation")
        if at in call.arguments and isinstance(quantizer, dict):
            a = quantizer["arguments"]
            fractional, top = a["bits"] - a["integer"], 2.0 ** a["integer"]
    normal = rng.normal(0, top / 2, shape)
    sign = rng.choice([-1.0, 1.0], shape)
    half = 2.0 ** -(fractional + 1)
    ties = np.round(rng.normal(0, 1, shape) * top / half) * half
    tiny = sign * 10.0 ** rng.uniform(-44.5, -30, shape)
    kinds = [
        (0.30, normal),
        (0.12, np.round(normal / half) * half),
        (0.20, ties),
        (0.10, normal * 16),
        (0.05, sign * 10.0 ** rng.uniform(3, 9, shape)),
        (0.05, sign * 10.0 ** rng.uniform(-12, -3, shape)),
        (0.02, tiny),
        (0.10, np.zeros(shape)),
        (0.02, np.full(shape, -0.0)),
    ]
    if special:
        odd = rng.choice([np.nan, np.inf, -np.inf, 3e38, -3e38, 2.0**100, -(2.0**30)], shape)
        kinds += [(0.06, odd), (0.06, tiny)]
    weights = np.array([w for w, _ in kinds])
    weights /= weights.sum()
    per_event = rng.choice(len(kinds), (count, *[1] * (len(shape) - 1)), p=weights)
    per_element = rng.choice(len(kinds), shape, p=weights)
    own = rng.random((count, *[1] * (len(shape) - 1))) < 0.3
    kind = np.where(own, per_element, np.broadcast_to(per_event, shape))
    result = np.choose(kind, [v for _, v in kinds])
    return result.astype(np.float64 if drawer.chance(0.1) else np.float32)
