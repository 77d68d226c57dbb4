"""Hand-made models for what TensorFlow's graph optimiser does across layers, as test cases.

    graph_cases.py DIRECTORY [NAME]...

Writes one case (see `make_case.py`) for each function below, or for those named. Each is a small graph in which
a layer between two others, a second reader, an output in the middle or groups decide what is fused.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

import make_case
from reference import qkeras, tf

layers = tf.keras.layers
Tensor = tf.Tensor
CASES: dict[str, Callable] = {}

EVENTS = 20


def case(function: Callable) -> Callable:
    CASES[function.__name__] = function
    return function


def bits(bits: int = 8, integer: int = 3) -> object:
    return qkeras.quantized_bits(bits, integer, alpha=1)


def quantize(x: Tensor, quantizer: object = None) -> Tensor:
    return qkeras.QActivation(quantizer or bits())(x)


def image(channels: int = 2) -> Tensor:
    return tf.keras.Input((4, 4, channels))


def conv(x: Tensor, filters: int = 3, bias: bool = False, **more: object) -> Tensor:
    if bias:
        more["bias_quantizer"] = bits(6, 1)
    return qkeras.QConv2D(filters, 2, use_bias=bias, kernel_quantizer=bits(6, 1), **more)(x)


def dense(x: Tensor, units: int = 4, **more: object) -> Tensor:
    return qkeras.QDense(
        units, kernel_quantizer=bits(6, 1), bias_quantizer=bits(6, 1), **more
    )(x)


def norm(x: Tensor) -> Tensor:
    return layers.BatchNormalization()(x)


def relu(x: Tensor) -> Tensor:
    return layers.Activation("relu")(x)


def drop(x: Tensor) -> Tensor:
    return layers.Dropout(0.1)(x)


@case
def norm_behind_read_dropout() -> tuple:
    """A Dropout between convolution and normalisation that something else reads too."""
    x = image()
    d = drop(conv(quantize(x)))
    return x, layers.Add()([relu(norm(d)), d])


@case
def norm_behind_output_dropout() -> tuple:
    """A Dropout between convolution and normalisation that is an output of the model."""
    x = image()
    d = drop(conv(quantize(x)))
    return x, [relu(norm(d)), d]


@case
def norm_behind_dropouts() -> tuple:
    """Two Dropouts between convolution and normalisation, the first read by something else."""
    x = image()
    d = drop(conv(quantize(x)))
    return x, layers.Concatenate()([relu(norm(drop(d))), d])


@case
def norm_behind_reshape() -> tuple:
    """A Reshape to the same shape between convolution and normalisation."""
    x = image()
    return x, relu(norm(layers.Reshape((3, 3, 3))(conv(quantize(x)))))


@case
def norm_behind_read_reshape() -> tuple:
    """The same, with a second reader."""
    x = image()
    r = layers.Reshape((3, 3, 3))(conv(quantize(x)))
    return x, layers.Concatenate()([relu(norm(r)), r])


@case
def norm_behind_groups() -> tuple:
    """A normalisation behind a QConv2D with groups, and behind one of Keras."""
    x = image(4)
    q = quantize(x)
    own = layers.Conv2D(4, 2, groups=2, use_bias=False)(q)
    return x, [relu(norm(conv(q, 4, groups=2))), relu(norm(own))]


@case
def norm_is_output_and_read() -> tuple:
    """A normalisation that is an output and is read as well, also through a Dropout."""
    x = image()
    n = norm(conv(quantize(x)))
    return x, [n, layers.MaxPooling2D(2)(n), relu(drop(n))]


@case
def norm_in_nested_output() -> tuple:
    """The same as the output of a model inside."""
    x, inner = image(), image()
    block = tf.keras.Model(inner, norm(conv(inner)), name="block")
    n = block(quantize(x))
    return x, [n, relu(n)]


@case
def nested_second_result() -> tuple:
    """Results of a model inside, of which HGQ hands on the first, whichever is meant."""
    x, inner = tf.keras.Input((6,)), tf.keras.Input((6,))
    block = tf.keras.Model(inner, [dense(inner), quantize(dense(inner)), dense(inner)], name="block")
    first, second, third = block(quantize(x))
    again = block(dense(drop(second), 6))
    return x, [dense(third), quantize(second), dense(again[1])]


@case
def scalar_input() -> tuple:
    """A QKeras layer of one number without an axis, from which HGQ builds no proxy."""
    x = tf.keras.Input(())
    return x, dense(layers.Reshape((1,))(quantize(x)))


@case
def alpha_is_an_array() -> tuple:
    """A NumPy array as alpha, which Keras saves as a dictionary and QKeras cannot calculate with."""
    x = tf.keras.Input((6,))
    kernel = qkeras.quantized_bits(6, 1, alpha=np.array([1.0, 0.5, 2.0]))
    y = qkeras.QDense(3, kernel_quantizer=kernel, bias_quantizer=bits(6, 1))(quantize(x))
    return x, quantize(y)


@case
def functions_behind_dropout() -> tuple:
    """tanh, sigmoid and ELU behind a dense layer, with a Dropout or a Flatten between."""
    x = tf.keras.Input((6,))
    y = dense(quantize(x), 8)
    ways = [drop(y), layers.Flatten()(y), layers.Reshape((8,))(y)]
    functions = [
        layers.Activation(function)(way) for way in ways for function in ("tanh", "sigmoid", "elu")
    ]
    return x, [quantize(f, bits(20, 0)) for f in functions]


@case
def swish_through_dropout() -> tuple:
    """The product of a tensor and its sigmoid, with operations that do nothing on either way."""
    x = tf.keras.Input((6,))
    sigmoid = layers.Activation("sigmoid")
    ways = [
        sigmoid(drop(x)),
        drop(layers.Activation("sigmoid")(x)),
        layers.Activation("sigmoid")(layers.Flatten()(x)),
        layers.Reshape((6,))(layers.Activation("sigmoid")(x)),
    ]
    return x, [quantize(layers.Multiply()([x, s]), bits(26, 3)) for s in ways]


@case
def equal_layers_are_one() -> tuple:
    """The average of three layers that do the same to one tensor."""
    x = tf.keras.Input((6,))
    return x, quantize(layers.Average()([relu(x), relu(x), relu(x)]), bits(26, 3))


def randomise(model: tf.keras.Model, rng: np.random.Generator) -> None:
    """Weights that use the range of their quantizers."""
    for layer in model._flatten_layers(include_self=False, recursive=True):
        if isinstance(layer, tf.keras.Model) or not layer.weights:
            continue
        new = []
        for variable in layer.weights:
            shape = variable.shape
            if "variance" in variable.name:
                values = rng.uniform(0.05, 3, shape)
            elif "gamma" in variable.name:
                values = rng.normal(1, 0.3, shape)
            else:
                values = rng.normal(0, 0.6, shape)
            new.append(values.astype(np.float32))
        layer.set_weights(new)


def write(name: str, directory: Path) -> None:
    """Builds one model, draws events and writes the case."""
    function = CASES[name]
    tf.keras.backend.clear_session()
    rng = np.random.default_rng(sum(name.encode()))
    model = tf.keras.Model(*function())
    randomise(model, rng)
    events = rng.normal(0, 2, (EVENTS, *model.input_shape[1:])).astype(np.float32)
    with tempfile.TemporaryDirectory() as scratch:
        model_path, events_path = Path(scratch) / "model.h5", Path(scratch) / "events.h5"
        model.save(model_path, save_format="h5", include_optimizer=False)
        with h5py.File(events_path, "w") as file:
            file["events"] = events
        text = function.__doc__.strip().splitlines()[0]
        origin = f"graph_cases.py {directory} {name}"
        make_case.write_case(model_path, events_path, directory / name, text, origin=origin)


def main() -> int:
    directory, *names = sys.argv[1:]
    for name in names or CASES:
        write(name, Path(directory))
        print(name, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
