"""Random models with convolutions, poolings and padding."""

from __future__ import annotations

import numpy as np

from fuzzing.draw import Drawer, is_chain
from fuzzing.spec import Layer, Spec


class SpatialDrawer(Drawer):
    """Draws events of rank 2 (steps) and 3 (images) and the layers that know them."""

    def input(self) -> int:
        if self.chance(0.5):
            shape = (self.between(1, 17), self.between(1, 5))
        else:
            shape = (self.between(1, 11), self.between(1, 11), self.between(1, 4))
        return self.add(Layer("Input"), [], shape)

    def step(self, source: int) -> int:
        if self.wired and self.chance(0.7):
            return self.place(source)
        rank = len(self.shape(source))
        if rank not in (2, 3) or int(np.prod(self.shape(source))) > 3000:
            return super().step(source)
        choices = [
            (0.22, self.conv),
            (0.14, self.fused),
            (0.16, self.pool),
            (0.12, self.normalise),
            (0.05, self.pad),
            (0.04, self.permute),
            (0.06, self.separable),
            (0.06, self.negative),
            (0.21, super().step),
        ]
        weights = np.array([w for w, _ in choices])
        chosen = int(self.rng.choice(len(choices), p=weights / weights.sum()))
        return choices[chosen][1](source)

    def chain(self) -> list[int]:
        last = self.input()
        if self.chance(0.8):
            quantizer = self.quantized_bits()
            last = self.same_shape("QActivation", last, activation=quantizer)
        for _ in range(self.between(2, 6)):
            last = self.step(last)
        self.branched = not is_chain(Spec(self.layers, self.calls, [last], []))
        return [last]

    def window(self, axes: int, shape: tuple[int, ...]) -> dict:
        """Size, strides, padding and dilation of a window that fits."""
        padding = str(self.pick("valid", "same", "same", *(["causal"] if axes == 1 else [])))
        strides = [self.between(1, 3) if self.chance(0.4) else 1 for _ in range(axes)]
        dilation = [1] * axes
        if all(s == 1 for s in strides) and self.chance(0.25):
            dilation = [self.between(1, 3) for _ in range(axes)]
        size = []
        for axis in range(axes):
            most = min(5, shape[axis]) if padding == "valid" else 5
            size.append(self.between(1, most))
            if padding == "valid":
                while (size[axis] - 1) * dilation[axis] + 1 > shape[axis]:
                    dilation[axis] -= 1
        return {"size": size, "strides": strides, "padding": padding, "dilation": dilation}

    def result(self, window: dict, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Positions of a window along each axis."""
        found = []
        for n, k, s, d in zip(shape, window["size"], window["strides"], window["dilation"]):
            span = (k - 1) * d + 1
            found.append((n - span) // s + 1 if window["padding"] == "valid" else -(-n // s))
        return tuple(found)

    def conv(self, source: int) -> int:
        shape = self.shape(source)
        axes = len(shape) - 1
        window = self.window(axes, shape)
        filters = self.between(1, 9)
        groups = 1
        if shape[-1] > 1 and self.chance(0.12):
            groups = int(self.pick(*(g for g in range(2, shape[-1] + 1) if shape[-1] % g == 0)))
            filters = groups * self.between(1, 3)
        arguments: dict = {
            "filters": filters,
            "kernel_size": window["size"],
            "strides": window["strides"],
            "padding": window["padding"],
            "dilation_rate": window["dilation"],
            "groups": groups,
            "use_bias": self.chance(0.6),
        }
        kernel_quantizer = bias_quantizer = None
        quantized = self.chance(0.8)
        function = str(self.pick("relu", "tanh", "sigmoid", "linear", "elu"))
        if quantized:
            kernel_quantizer, bias_quantizer = self.constant_quantizer(), self.constant_quantizer()
            arguments |= {"kernel_quantizer": kernel_quantizer, "bias_quantizer": bias_quantizer}
            if self.chance(0.5):
                arguments["activation"] = self.activation_quantizer()
            elif self.chance(0.3):
                arguments["activation"] = function
        elif self.chance(0.4):
            arguments["activation"] = function
        weights = [self.constants((*window["size"], shape[-1] // groups, filters), kernel_quantizer)]
        if arguments["use_bias"]:
            weights.append(self.constants((filters,), bias_quantizer))
        cls = f"{'Q' if quantized else ''}Conv{axes}D"
        new = (*self.result(window, shape), filters)
        return self.add(Layer(cls, arguments, weights), [source], new)

    def separable(self, source: int) -> int:
        shape = self.shape(source)
        axes = len(shape) - 1
        window = self.window(axes, shape)
        if window["padding"] == "causal":
            window["padding"] = "same"
        stride = window["strides"][0]
        window["strides"] = [stride] * axes
        if stride > 1:
            window["dilation"] = [1] * axes
        filters, multiplier = self.between(1, 6), self.between(1, 2)
        quantized = self.chance(0.6)
        arguments: dict = {
            "filters": filters,
            "kernel_size": window["size"],
            "strides": window["strides"],
            "padding": window["padding"],
            "dilation_rate": window["dilation"],
            "depth_multiplier": multiplier,
            "use_bias": self.chance(0.6),
        }
        quantizers = [None, None, None]
        if quantized:
            quantizers = [self.constant_quantizer() for _ in range(3)]
            names = ("depthwise_quantizer", "pointwise_quantizer", "bias_quantizer")
            arguments |= dict(zip(names, quantizers))
        ones = (1,) * axes
        weights = [
            self.constants((*window["size"], shape[-1], multiplier), quantizers[0]),
            self.constants((*ones, shape[-1] * multiplier, filters), quantizers[1]),
        ]
        if arguments["use_bias"]:
            weights.append(self.constants((filters,), quantizers[2]))
        cls = f"{'Q' if quantized else ''}SeparableConv{axes}D"
        new = (*self.result(window, shape), filters)
        return self.add(Layer(cls, arguments, weights), [source], new)

    def pool(self, source: int) -> int:
        shape = self.shape(source)
        axes = len(shape) - 1
        kind = str(self.pick("Max", "Average"))
        if self.chance(0.25):
            keep = self.chance(0.3)
            new = (*([1] * axes if keep else []), shape[-1])
            arguments = {"keepdims": True} if keep else {}
            return self.add(Layer(f"Global{kind}Pooling{axes}D", arguments), [source], new)
        window = self.window(axes, shape)
        if window["padding"] == "causal":
            window["padding"] = "same"
        window["dilation"] = [1] * axes
        one = axes == 1
        arguments = {
            "pool_size": window["size"][0] if one else window["size"],
            "strides": window["strides"][0] if one else window["strides"],
            "padding": window["padding"],
        }
        new = (*self.result(window, shape), shape[-1])
        return self.add(Layer(f"{kind}Pooling{axes}D", arguments), [source], new)

    def pad(self, source: int) -> int:
        shape = self.shape(source)
        axes = len(shape) - 1
        cells = [(self.between(0, 2), self.between(0, 2)) for _ in range(axes)]
        new = (*(n + a + b for n, (a, b) in zip(shape, cells)), shape[-1])
        padding = list(cells[0]) if axes == 1 else [list(c) for c in cells]
        return self.add(Layer(f"ZeroPadding{axes}D", {"padding": padding}), [source], new)
