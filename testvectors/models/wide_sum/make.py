"""A model whose sum needs more than 24 bits, and events for it.

    python make.py            # writes model.h5 and events.h5 beside this file

Needs tensorflow-cpu 2.15.1, QKeras 0.9.0, h5py. See ORIGIN.md for expected.h5.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import h5py
import numpy as np
import tensorflow as tf

tf.keras.layers  # Before QKeras: its import would pull in another Keras.
from qkeras import QActivation, QDense, quantized_bits, quantized_relu

HERE = Path(__file__).resolve().parent
EVENTS, FEATURES = 128, 24
WHOLE = 32
SEED = 20240229


def wide(units: int, name: str, **more: object) -> QDense:
    """Products on a grid of 2^-27 and sums of up to 2^7: 35 bits where float32 has 24."""
    quantizers = {
        key: quantized_bits(16, 0, alpha=1) for key in ("kernel_quantizer", "bias_quantizer")
    }
    return QDense(units, name=name, **quantizers, **more)


def model() -> tf.keras.Model:
    """The sum seen as a layer of its own, and hidden before an activation."""
    inp = tf.keras.layers.Input((FEATURES,), name="in")
    x = QActivation(quantized_bits(16, 3, alpha=1), name="q_in")(inp)
    relu = QActivation(quantized_relu(8, 3), name="relu")(wide(8, "wide")(x))
    inside = wide(4, "inside", activation=quantized_relu(8, 3))(x)
    return tf.keras.Model(inp, [relu, inside])


def main() -> None:
    rng = np.random.default_rng(SEED)
    net = model()
    for weight in net.weights:
        weight.assign(rng.uniform(-1, 1, weight.shape).astype(np.float32))
    net.save(HERE / "model.h5", save_format="h5", include_optimizer=False)
    # Some features saturate the input quantizer; the rest spread over its range.
    events = rng.normal(0, 3, (EVENTS, FEATURES)).astype(np.float32)
    # Whole numbers leave sums of at most 23 bits.
    events[:WHOLE] = np.round(events[:WHOLE])
    with h5py.File(HERE / "events.h5", "w") as file:
        file.create_dataset("events", data=events, compression="gzip")


if __name__ == "__main__":
    main()
