"""A Keras model for each row of `table.json`: what the row's layer and configuration say, between
quantizers, as small as possible."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from reference import qkeras, tf

L = tf.keras.layers
Q = qkeras

SKIPPED = {
    "Sequential": "a model that was never built cannot be saved",
    "Model subclass": "a subclassed model cannot be saved as .h5",
}


def bits(width: int, integer: int, **more: object) -> object:
    return Q.quantized_bits(width, integer, alpha=1, **more)


def relu(width: int, integer: int) -> object:
    return Q.quantized_relu(width, integer)


def dense(units: int = 4, **more: object) -> object:
    more = {"kernel_quantizer": bits(6, 1), "bias_quantizer": bits(6, 1)} | more
    return Q.QDense(units, **more)


def conv(axes: int, filters: int = 2, size: int = 3, **more: object) -> object:
    more = {"kernel_quantizer": bits(6, 1), "bias_quantizer": bits(6, 1)} | more
    return getattr(Q, f"QConv{axes}D")(filters, size, **more)


def chain(shape: tuple, *layers: object, first: object = (8, 3), last: object = (12, 5)) -> tf.keras.Model:
    """Input, quantizer, layers, quantizer; None leaves a quantizer out."""
    start = x = L.Input(shape)
    if first:
        x = Q.QActivation(bits(*first))(x)
    for layer in layers:
        x = layer(x)
    if last:
        x = Q.QActivation(bits(*last))(x)
    return tf.keras.Model(start, x)


def merged(shapes: list[tuple], layer: object, *after: object, last: object = (14, 7)) -> tf.keras.Model:
    """Quantized inputs into one layer."""
    starts = [L.Input(s) for s in shapes]
    widths = [(8, 3), (8, 2), (8, 3)]
    x = layer([Q.QActivation(bits(*w))(s) for w, s in zip(widths, starts)])
    for one in after:
        x = one(x)
    if last:
        x = Q.QActivation(bits(*last))(x)
    return tf.keras.Model(starts, x)


def activation(quantizer: object) -> tf.keras.Model:
    """A QActivation between dense layers."""
    return chain((4,), dense(), Q.QActivation(quantizer), dense(), first=(10, 4))


def one(shape: tuple, make: Callable[[], object], *after: Callable[[], object]) -> Callable:
    return lambda: chain(shape, make(), *(a() for a in after))


def separable(axes: int) -> object:
    quantizers = {f"{k}_quantizer": bits(6, 1) for k in ("depthwise", "pointwise", "bias")}
    return getattr(Q, f"QSeparableConv{axes}D")(2, 3, **quantizers)


V, S, I = (4,), (6, 4), (6, 6, 2)
"""Shapes of a vector, a series and an image."""

ROWS: dict[tuple[str, str], Callable[[], tf.keras.Model]] = {}


def add(layer: str, configs: dict[str, Callable]) -> None:
    for config, make in configs.items():
        ROWS[layer, config] = make


add("QDense", {
    "bits+bias, activation None": one(V, dense),
    "activation=quantized_bits obj": one(V, lambda: dense(activation=bits(6, 2))),
    "activation=quantized_relu string": one(V, lambda: dense(activation="quantized_relu(6,2)")),
    'activation="relu"': one(V, lambda: dense(activation="relu")),
    'activation="softmax"': one(V, lambda: dense(activation="softmax")),
    'activation="hard_sigmoid" (QKeras fn)': one(V, lambda: dense(activation="hard_sigmoid")),
    'activation="sigmoid"': one(V, lambda: dense(activation="sigmoid")),
    "no quantizers": one(V, lambda: dense(kernel_quantizer=None, bias_quantizer=None)),
    "use_bias=False": one(V, lambda: dense(use_bias=False)),
    "kernel alpha auto_po2": one(
        V, lambda: dense(kernel_quantizer=Q.quantized_bits(6, 1, alpha="auto_po2"))),
    "kernel alpha auto": one(
        V, lambda: dense(kernel_quantizer=Q.quantized_bits(6, 1, alpha="auto"))),
    "kernel alpha None (becomes auto_po2)": one(
        V, lambda: dense(kernel_quantizer=Q.quantized_bits(6, 1))),
    "kernel ternary": one(V, lambda: dense(kernel_quantizer=Q.ternary(alpha=1))),
    "kernel binary": one(V, lambda: dense(kernel_quantizer=Q.binary(alpha=1))),
    "kernel quantized_po2": one(V, lambda: dense(kernel_quantizer=Q.quantized_po2(4))),
    "rank-3 input": one((3, 4), dense),
    "activation=quantized_tanh": one(
        V, lambda: dense(activation=Q.quantized_tanh(6)), lambda: dense(name="after")),
    "activation=quantized_bits alpha None": one(
        V, lambda: dense(activation=Q.quantized_bits(6, 2)), lambda: dense(name="after")),
    "activation=tanh": one(V, lambda: dense(activation="tanh"), lambda: dense(name="after")),
    "activation=linear string": one(
        V, lambda: dense(activation="linear"), lambda: dense(name="after")),
    "name = activation, activation=quantized_relu": one(
        V, lambda: dense(name="activation", activation=relu(6, 2))),
    "bias quantizer None": one(
        V, lambda: dense(bias_quantizer=None), lambda: dense(name="after")),
})
for _axes, _shape in ((1, S), (2, I)):
    _n = f"QConv{_axes}D"
    add(_n, {
        "valid": one(_shape, lambda a=_axes: conv(a)),
        "same, strides 2, quantized_relu": one(
            _shape, lambda a=_axes: conv(a, strides=2, padding="same", activation=relu(6, 2))),
        "same strides 2": one(_shape, lambda a=_axes: conv(a, strides=2, padding="same")),
        "causal": one(_shape, lambda a=_axes: conv(a, padding="causal")),
        "dilation_rate=2": one(_shape, lambda a=_axes: conv(a, dilation_rate=2)),
        "groups=2": one(_shape, lambda a=_axes: conv(a, groups=2)),
        "1x1 kernel": one(_shape, lambda a=_axes: conv(a, size=1)),
    })
add("QDepthwiseConv2D", {"default": one(I, lambda: Q.QDepthwiseConv2D(3))})
add("QSeparableConv1D", {"default": one(S, lambda: separable(1))})
add("QSeparableConv2D", {"default": one(I, lambda: separable(2))})
add("QBatchNormalization", {
    "default": one(V, Q.QBatchNormalization),
    "all quantizers quantized_bits": one(V, lambda: Q.QBatchNormalization(**{
        f"{k}_quantizer": bits(8, 3) for k in ("beta", "gamma", "mean", "variance")})),
})
add("QConv2DBatchnorm", {"default": one(
    I, lambda: Q.QConv2DBatchnorm(2, 3, kernel_quantizer=bits(6, 1), bias_quantizer=bits(6, 1)))})
add("QDepthwiseConv2DBatchnorm", {"default": one(I, lambda: Q.QDepthwiseConv2DBatchnorm(
    3, depthwise_quantizer=bits(6, 1), bias_quantizer=bits(6, 1)))})
add("QAveragePooling2D", {
    "pool 2, average_quantizer 8 bit": one(I, lambda: Q.QAveragePooling2D(
        2, average_quantizer=bits(8, 0), activation=bits(10, 3))),
    "pool 3, average_quantizer 4 bit": one(I, lambda: Q.QAveragePooling2D(
        3, average_quantizer=bits(4, 0), activation=bits(10, 3))),
    "pool 2, no quantizers": one(I, lambda: Q.QAveragePooling2D(2)),
})
add("QGlobalAveragePooling2D", {
    "average_quantizer 4 bit": one(I, lambda: Q.QGlobalAveragePooling2D(
        average_quantizer=bits(4, 0), activation=bits(10, 3))),
    "no quantizers": one(I, Q.QGlobalAveragePooling2D),
})
add("QAdaptiveActivation", {"quantized_bits 8": one(
    V, lambda: Q.QAdaptiveActivation("quantized_bits", 8))})
add("QLSTM", {"default": one(S, lambda: Q.QLSTM(3, kernel_quantizer=bits(6, 1),
                                               recurrent_quantizer=bits(6, 1),
                                               bias_quantizer=bits(6, 1)))})
add("QBidirectional", {"QLSTM": one(S, lambda: Q.QBidirectional(Q.QLSTM(3)))})
add("Activation", {
    **{f'"{f}"': one(V, lambda f=f: L.Activation(f)) for f in (
        "relu", "sigmoid", "tanh", "softmax", "elu", "selu", "softplus", "softsign", "hard_sigmoid",
        "exponential", "swish", "gelu", "mish", "leaky_relu", "relu6")},
    '"linear"': one(V, dense, lambda: L.Activation("linear")),
    "quantized_relu object in a keras Activation": one(
        V, lambda: L.Activation(relu(6, 2)), dense),
    "softmax rank 3": one((3, 4), lambda: L.Activation("softmax"), dense),
})
add("ReLU", {
    "default": one(V, L.ReLU),
    "max_value=6": one(V, lambda: L.ReLU(max_value=6)),
    "negative_slope=0.25": one(V, lambda: L.ReLU(negative_slope=0.25)),
    "threshold=1": one(V, lambda: L.ReLU(threshold=1)),
})
add("LeakyReLU", {"alpha 0.25": one(V, lambda: L.LeakyReLU(0.25)),
                  "alpha 0.3 (default)": one(V, L.LeakyReLU)})
add("PReLU", {"per element": one(V, L.PReLU)})
add("ELU", {"alpha 1": one(V, L.ELU)})
add("ThresholdedReLU", {"theta 1": one(V, L.ThresholdedReLU)})
add("Softmax", {"layer": one(V, dense, L.Softmax, lambda: dense(name="after")),
                "axis=1 on rank 3": one((3, 4), lambda: L.Softmax(axis=1), dense)})
add("BatchNormalization", {
    "rank 2": one(V, L.BatchNormalization),
    "rank 4": one(I, L.BatchNormalization),
    "scale=False": one(V, lambda: L.BatchNormalization(scale=False)),
    "center=False": one(V, lambda: L.BatchNormalization(center=False)),
    "after QDense": one(V, dense, L.BatchNormalization),
    "after QConv2D without bias": one(I, lambda: conv(2, use_bias=False), L.BatchNormalization),
    'layer named "epsilon"': one(V, lambda: L.BatchNormalization(name="epsilon")),
})
add("LayerNormalization", {"rank 3": one(S, L.LayerNormalization),
                           "rank 2": one(V, L.LayerNormalization)})
for _axes, _shape in ((1, (7, 2)), (2, (7, 7, 2))):
    for _kind in ("Max", "Average"):
        _pool = getattr(L, f"{_kind}Pooling{_axes}D")
        _global = getattr(L, f"Global{_kind}Pooling{_axes}D")
        add(_pool.__name__, {
            "2 valid": one(_shape, lambda p=_pool: p(2)),
            "3 valid": one(_shape, lambda p=_pool: p(3)),
            "2 same, odd length, signed": one(_shape, lambda p=_pool: p(2, padding="same")),
            "2 same, odd size, signed": one(_shape, lambda p=_pool: p(2, padding="same")),
            "2 same, odd size": one(_shape, lambda p=_pool: p(2, padding="same")),
            "pool 3 strides 2 valid": one(
                _shape, lambda p=_pool: p(3, strides=2), L.Flatten, dense),
            "3 same": one(_shape, lambda p=_pool: p(3, padding="same"), L.Flatten, dense),
            "strides 3 > pool 2": one(_shape, lambda p=_pool: p(2, strides=3), L.Flatten, dense),
            "2 same, odd size, unsigned input": one(
                _shape, L.BatchNormalization, lambda: Q.QActivation(relu(6, 2)),
                lambda p=_pool: p(2, padding="same"), L.Flatten, dense),
        })
        add(_global.__name__, {
            "default": one(_shape, _global),
            "keepdims=True": one(_shape, lambda g=_global: g(keepdims=True)),
            "then QDense": one(_shape, _global, dense),
        })
add("MaxPooling3D", {"2": one((4, 4, 4, 2), lambda: L.MaxPooling3D(2))})
for _dims in ((2, 1), (3, 1, 2), (2, 3, 1), (1, 3, 2), (2, 1, 3), (3, 2, 1)):
    add("Permute", {f"{_dims} Flatten QDense": one(
        (3, 4) if len(_dims) == 2 else (2, 3, 4), dense, lambda: Q.QActivation(bits(7, 3)),
        lambda d=_dims: L.Permute(d), L.Flatten, lambda: dense(name="after"))})
add("Permute", {
    "(2,1)": one((3, 4), lambda: L.Permute((2, 1))),
    "(2,1) on input quantizer": one((3, 4), lambda: L.Permute((2, 1)), dense),
    "(2,1) after QConv1D+quantizer": one(
        S, lambda: conv(1, activation=bits(7, 3)), lambda: L.Permute((2, 1)), dense),
    **{f"{t} after QConv2D+quantizer": one(
        I, lambda: conv(2, activation=bits(7, 3)), lambda d=d: L.Permute(d), dense)
       for t, d in (("(1,3,2)", (1, 3, 2)), ("(3,1,2)", (3, 1, 2)))},
    "(3,1,2) then Flatten": one(I, lambda: conv(2, activation=bits(7, 3)),
                                lambda: L.Permute((3, 1, 2)), L.Flatten, dense),
    "(3,1,2) then (2,3,1) then Flatten, QDense": one(
        (2, 3, 4), lambda: L.Permute((3, 1, 2)), lambda: L.Permute((2, 3, 1)), L.Flatten, dense),
    'any layer named "perm"': one((3, 4), lambda: L.Permute((2, 1), name="perm")),
})
for _name, _config, _shape, _make in (
    ("RepeatVector", "3", V, lambda: L.RepeatVector(3)),
    ("GaussianNoise", "0.5", V, lambda: L.GaussianNoise(0.5)),
    ("GaussianDropout", "0.5", V, lambda: L.GaussianDropout(0.5)),
    ("AlphaDropout", "0.5", V, lambda: L.AlphaDropout(0.5)),
    ("ActivityRegularization", "l2", V, lambda: L.ActivityRegularization(l2=0.1)),
    ("Masking", "default", S, L.Masking),
    ("Masking", "0", S, L.Masking),
    ("Rescaling", "0.5", V, lambda: L.Rescaling(0.5)),
    ("Identity", "default", V, L.Identity),
    ("Conv2DTranspose", "plain", I, lambda: L.Conv2DTranspose(2, 3)),
    ("Conv3D", "plain", (4, 4, 4, 2), lambda: L.Conv3D(2, 3)),
    ("DepthwiseConv1D", "plain", S, lambda: L.DepthwiseConv1D(3)),
    ("DepthwiseConv2D", "plain", I, lambda: L.DepthwiseConv2D(3)),
    ("DepthwiseConv2D", "depth_multiplier=2", I, lambda: L.DepthwiseConv2D(3, depth_multiplier=2)),
    ("SeparableConv1D", "plain", S, lambda: L.SeparableConv1D(2, 3)),
    ("SeparableConv2D", "plain", I, lambda: L.SeparableConv2D(2, 3)),
    ("EinsumDense", "ab,bc->ac", V, lambda: L.EinsumDense("ab,bc->ac", output_shape=3)),
    ("LocallyConnected1D", "plain", S, lambda: L.LocallyConnected1D(2, 3)),
    ("SimpleRNN", "plain", S, lambda: L.SimpleRNN(3)),
    ("LSTM", "plain", S, lambda: L.LSTM(3)),
    ("GRU", "plain", S, lambda: L.GRU(3)),
    ("Bidirectional", "LSTM", S, lambda: L.Bidirectional(L.LSTM(3))),
    ("TimeDistributed", "Dense", S, lambda: L.TimeDistributed(L.Dense(3))),
    ("TimeDistributed", "QDense", S, lambda: L.TimeDistributed(dense())),
    ("Dropout", "0.5", V, lambda: L.Dropout(0.5)),
    ("SpatialDropout1D", "0.5", S, lambda: L.SpatialDropout1D(0.5)),
):
    ROWS[_name, _config] = one(_shape, _make)
add("DepthwiseConv2D", {"dilation 2": one(
    I, lambda: L.DepthwiseConv2D(3, dilation_rate=2), L.Flatten, dense)})


def _attention() -> tf.keras.Model:
    start = L.Input(S)
    x = Q.QActivation(bits(8, 3))(start)
    return tf.keras.Model(start, Q.QActivation(bits(12, 5))(L.MultiHeadAttention(2, 2)(x, x)))


ROWS["MultiHeadAttention", "self"] = _attention
add("Flatten", {"(2,2), QDense after": one((2, 2), L.Flatten, dense)})
add("Reshape", {
    "(4,)->(2,2), QDense after": one(V, lambda: L.Reshape((2, 2)), dense),
    "(4,)->(-1,2), Conv after": one(
        V, lambda: L.Reshape((-1, 2)), lambda: conv(1, size=1), dense),
})
add("QActivation", {
    "quantized_relu directly on the Input": lambda: chain(
        V, Q.QActivation(relu(6, 2)), dense(), first=None),
    "two QActivations in a row": one(V, dense, lambda: Q.QActivation(bits(8, 1)),
                                     lambda: Q.QActivation(bits(6, 2)),
                                     lambda: dense(name="after")),
    "quantized_relu then quantized_bits": one(V, dense, lambda: Q.QActivation(relu(6, 2)),
                                              lambda: Q.QActivation(bits(4, 2)),
                                              lambda: dense(name="after")),
})
ROWS["(no input quantizer)", "Input -> QDense"] = lambda: chain(
    V, dense(), first=None, last=(6, 2))
ROWS["(no output quantizer)", "QDense last, no activation"] = lambda: chain(V, dense(), last=None)
add("Dense", {
    f"plain Dense, activation=quantized_{k} object": one(
        V, lambda q=q: L.Dense(4, activation=q()), dense)
    for k, q in (("relu", lambda: relu(6, 2)), ("bits", lambda: bits(6, 2)))
})


def _two_branches() -> tf.keras.Model:
    start = L.Input(V)
    x = Q.QActivation(bits(8, 3))(start)
    x = L.Concatenate()([dense(activation=bits(6, 2))(x), dense(activation=bits(7, 4))(x)])
    return tf.keras.Model(start, Q.QActivation(bits(5, 2))(x))


ROWS["Concatenate", "of two QDense, quantizer directly after"] = _two_branches
ROWS["Concatenate", 'layer named "axis" or "op"'] = lambda: merged(
    [V, V], L.Concatenate(name="axis"))
ROWS["Add", 'layer named "op"'] = lambda: merged([V, V], L.Add(name="op"))
ROWS["Add", "broadcast (3,3,2)+(1,1,2)"] = lambda: merged([(3, 3, 2), (1, 1, 2)], L.Add())


def _embedding(behind: bool) -> tf.keras.Model:
    start = x = L.Input(V)
    if behind:
        x = Q.QActivation(bits(4, 3, keep_negative=0))(x)
    return tf.keras.Model(start, Q.QActivation(bits(8, 3))(L.Embedding(16, 2)(x)))


ROWS["Embedding", "first layer"] = lambda: _embedding(False)
ROWS["Embedding", "after an input quantizer"] = lambda: _embedding(True)
ROWS["FixedPointQuantizer",
     "wide quantizer behind a QDense whose neurons have different LSB and range"] = lambda: chain(
    V, dense(2), last=(18, 7))


def _inner(outputs: int) -> tf.keras.Model:
    start = L.Input(V)
    a = dense(activation=relu(6, 2), name="ia")(start)
    b = dense(activation=bits(8, 3), name="ib")(a if outputs == 1 else start)
    return tf.keras.Model(start, b if outputs == 1 else [a, b], name="inner")


def _nested(tail: str) -> tf.keras.Model:
    start = L.Input(V)
    x = Q.QActivation(bits(8, 3))(start)
    inner = _inner(1 if tail == "twice" else 2)
    if tail == "twice":
        return tf.keras.Model(start, inner(inner(x)))
    a, b = inner(x)
    match tail:
        case "add":
            return tf.keras.Model(start, Q.QActivation(bits(12, 5))(L.Add()([a, b])))
        case "quantizers":
            return tf.keras.Model(start, [Q.QActivation(bits(12, 5))(a),
                                          Q.QActivation(bits(11, 5))(b)])
        case _:
            return tf.keras.Model(start, [a, b])


add("Functional (nested)", {
    "one output, called twice": lambda: _nested("twice"),
    "two outputs, consumed by one Add": lambda: _nested("add"),
    "two outputs, each with its own quantizer": lambda: _nested("quantizers"),
    "two outputs that are the model outputs": lambda: _nested("outputs"),
})


def _shared(shapes: list[tuple]) -> tf.keras.Model:
    layer = conv(1, size=1, name="shared")
    starts = [L.Input(s) for s in shapes]
    outs = [layer(Q.QActivation(bits(8, 3))(s)) for s in starts]
    return tf.keras.Model(starts, outs)


ROWS["QConv1D", "shared, called on two different input shapes"] = lambda: _shared([(6, 4), (5, 4)])


def _thrice() -> tf.keras.Model:
    layer = dense(activation=bits(6, 2), name="shared")
    return chain(V, layer, layer, layer, last=None)


ROWS["QDense", "shared, called three times, same shape"] = _thrice


def build(layer: str, config: str) -> tf.keras.Model | None:
    """The model of a row, None where there is none."""
    if (layer, config) in ROWS:
        return ROWS[layer, config]()
    if layer == "QActivation":
        found = re.fullmatch(r"(.*) \((object|string)\)", config)
        if found:
            text = found[1]
            if found[2] == "string":
                return activation(text)
            names = {k: getattr(Q, k) for k in dir(Q)}
            return activation(eval(text, names | {"np": np, "tf": tf}))
    found = re.fullmatch(r"(\d) inputs (\(.*?\))(?: (\{.*\}))?", config)
    if found:
        shape, arguments = eval(found[2]), eval(found[3] or "{}")
        return merged([shape] * int(found[1]), getattr(L, layer)(**arguments))
    found = re.fullmatch(r"axis (-?\d) rank (\d), QDense after", config)
    if found:
        shape = {2: (4,), 3: (3, 4), 4: (3, 3, 2)}[int(found[2])]
        return merged([shape] * 2, L.Concatenate(axis=int(found[1])), dense())
    found = re.fullmatch(r"axis (-?\d) on two (\(.*?\)), (Flatten\+QDense|quantizer) after", config)
    if found:
        shape, axis = eval(found[2]), int(found[1])
        if found[3] == "quantizer":
            return merged([shape] * 2, L.Concatenate(axis=axis), last=(6, 3))
        return merged([shape] * 2, L.Concatenate(axis=axis), L.Flatten(), dense(), last=None)
    simple = {
        "ZeroPadding1D": S, "ZeroPadding2D": I, "Cropping1D": S, "Cropping2D": I,
        "UpSampling1D": S, "UpSampling2D": I,
    }
    if layer in simple:
        number = re.search(r"\d+", config)
        more = {"interpolation": "bilinear"} if "bilinear" in config else {}
        return chain(simple[layer], getattr(L, layer)(int(number[0]) if number else 1, **more))
    return None
