"""Small model files in the forms that Keras 2 writes, for the tests of the readers.

    python make.py            # writes *.h5 and weights.json beside this file

Needs tensorflow-cpu 2.15.1, QKeras 0.9.0, tensorflow-model-optimization 0.8.1, h5py.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import h5py
import numpy as np
import tensorflow as tf

tf.keras.layers  # Before QKeras: its import would pull in another Keras.
import qkeras
from qkeras import QActivation, QDense, quantized_bits, quantized_relu

HERE = Path(__file__).resolve().parent
LAYERS = tf.keras.layers


def q(bits: int, integer: int = 0) -> quantized_bits:
    return quantized_bits(bits, integer, alpha=1)


def dense(units: int, name: str, **kwargs) -> QDense:
    return QDense(units, kernel_quantizer=q(6), bias_quantizer=q(6), name=name, **kwargs)


def randomise(model, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.dtype == tf.float32:
            weight.assign(rng.uniform(-1, 1, weight.shape).astype(np.float32))


def strings() -> tf.keras.Model:
    """QActivations given as text, which the file keeps as text."""
    x = inp = LAYERS.Input((4,), name="in")
    for index, text in enumerate(
        [
            "quantized_bits(8, 3, alpha=1)",
            "quantized_bits(bits=6,integer=1,symmetric=1,keep_negative=False,alpha=1.0)",
            "quantized_relu(6, 2)",
            "quantized_relu",
            "quantized_relu(5,1,0,0.25)",
            "relu",
            "tanh",
        ]
    ):
        x = QActivation(text, name=f"a{index}")(x)
    return tf.keras.Model(inp, dense(3, "out", activation="quantized_bits(10,4,alpha=1)")(x))


def sequential_without_input() -> tf.keras.Model:
    """A chain whose first layer has the shape; Keras makes the InputLayer."""
    return tf.keras.Sequential(
        [dense(3, "first", input_shape=(2, 4)), LAYERS.Flatten(name="flat"), dense(2, "last")],
        name="chain",
    )


def sequential_built_late() -> tf.keras.Model:
    """A chain that learns its shape from the first call."""
    model = tf.keras.Sequential([dense(3, "first"), LAYERS.ReLU(6.0, name="cut")], name="late")
    model.build((None, 5))
    return model


def shapes() -> tf.keras.Model:
    """Reshape, Flatten, Concatenate on several axes, Softmax, LeakyReLU, a Dense of rank 3."""
    a = LAYERS.Input((6, 4), name="a")
    b = LAYERS.Input((6, 4), name="b")
    front = LAYERS.Concatenate(axis=1, name="front")([a, b])
    back = LAYERS.Concatenate(name="back")([a, b])
    rank3 = LAYERS.Dense(3, activation="relu", name="rank3")(front)
    folded = LAYERS.Reshape((-1, 2, 4), name="folded")(back)
    leaky = LAYERS.LeakyReLU(0.3, name="leaky")(LAYERS.Flatten(name="flat")(folded))
    mean = LAYERS.Average(name="mean")([a, b, a])
    soft = LAYERS.Softmax(name="soft")(rank3)
    drop = LAYERS.Dropout(0.5, name="drop")(leaky)
    return tf.keras.Model([b, a], [soft, drop, mean], name="shapes")


def alphas() -> tf.keras.Model:
    """The scales that a quantizer may have."""
    inp = LAYERS.Input((4,), name="in")
    x = inp
    for index, alpha in enumerate([None, 1, 0.5, "auto", "auto_po2", [0.5, 1.0, 2.0]]):
        x = QDense(
            3,
            kernel_quantizer=quantized_bits(6, 0, alpha=alpha),
            bias_quantizer=None,
            use_bias=index % 2 == 0,
            name=f"d{index}",
        )(x)
    x = QActivation(quantized_bits(8, 2, alpha=[0.5, 1.0, 2.0]), name="q_list")(x)
    return tf.keras.Model(inp, QActivation(quantized_relu(6, 1), name="q_relu")(x))


def shared() -> tf.keras.Model:
    """A layer called three times, once behind its own result."""
    inp = LAYERS.Input((4,), name="in")
    layer = dense(4, "twin")
    one = layer(inp)
    two = layer(LAYERS.ReLU(name="between")(one))
    three = layer(inp)
    return tf.keras.Model(inp, LAYERS.Add(name="sum")([one, two, three]))


def pruned() -> tf.keras.Model:
    """Layers in the pruning wrapper, with the masks that a training leaves behind."""
    import tensorflow_model_optimization as tfmot
    from tensorflow_model_optimization.python.core.keras.compat import keras

    wrap = tfmot.sparsity.keras.prune_low_magnitude
    model = keras.Sequential(
        [
            keras.layers.InputLayer((4,), name="in"),
            wrap(keras.layers.Dense(3, name="fc1")),
            keras.layers.ReLU(name="relu"),
            wrap(keras.layers.Dense(2, use_bias=False, name="fc2")),
        ],
        name="pruned",
    )
    rng = np.random.default_rng(8)
    for layer in model.layers:
        if not hasattr(layer, "pruning_vars"):
            continue
        for kernel, mask, threshold in layer.pruning_vars:
            keep = rng.uniform(size=kernel.shape) < 0.5
            mask.assign(keep.astype(np.float32))
            kernel.assign(rng.uniform(-1, 1, kernel.shape).astype(np.float32) * keep)
            threshold.assign(0.25)
    return model


def split_lists() -> tf.keras.Model:
    """Lists of names in several attributes, as Keras splits them beyond 64 kB."""
    from keras.src.saving.legacy import hdf5_format

    hdf5_format.HDF5_OBJECT_HEADER_LIMIT = 40
    x = inp = LAYERS.Input((2,), name="in")
    for index in range(24):
        x = LAYERS.ReLU(name=f"r{index}")(x)
    return tf.keras.Model(inp, dense(2, "a_longer_name")(x))


def main() -> None:
    weights = {}
    shapes().save_weights(HERE / "weights_only.h5")
    for seed, build in enumerate(
        [strings, sequential_without_input, sequential_built_late, shapes, alphas, shared,
         pruned, split_lists]
    ):
        model = build()
        if build is not pruned:
            randomise(model, seed)
        name = build.__name__
        model.save(HERE / f"{name}.h5", include_optimizer=False)
        # Keras' own account of the file: shapes per call, and one sum per weight.
        weights[name] = {
            "layers": [layer.name for layer in model.layers],
            "outputs": [list(t.shape[1:]) for t in model.outputs],
            "inputs": [list(t.shape[1:]) for t in model.inputs],
            "calls": {
                layer.name: [
                    list(node.output_shapes[1:])
                    if isinstance(node.output_shapes, tuple)
                    else list(node.output_shapes[0][1:])
                    for node in layer._inbound_nodes
                ]
                for layer in model.layers
            },
            "weights": {
                w.name: {"shape": list(w.shape), "first": float(np.ravel(w.numpy())[0])}
                for w in model.weights
            },
        }
    (HERE / "keras.json").write_text(json.dumps(weights, indent=1) + "\n")


if __name__ == "__main__":
    main()
