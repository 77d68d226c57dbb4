"""Models inside each other: writes model.h5 and events.h5 beside this file.

    python make.py && python ../../../scripts/oracle/make_case.py model.h5 events.h5 .
"""

from __future__ import annotations

import sys
from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "scripts" / "oracle"))

from reference import qkeras, tf  # noqa: E402

L = tf.keras.layers


def bits(width: int, integer: int) -> qkeras.quantized_bits:
    return qkeras.quantized_bits(width, integer, alpha=1)


def dense(units: int, name: str, activation: object) -> qkeras.QDense:
    return qkeras.QDense(units, kernel_quantizer=bits(6, 1), bias_quantizer=bits(6, 1),
                         activation=activation, name=name)


def model() -> tf.keras.Model:
    """The innermost model is called twice by the middle one, which the outer one calls twice."""
    start = L.Input((6,), name="core_in")
    core = tf.keras.Model(start, dense(6, "core_fc", bits(8, 3))(start), name="core")

    start, side = L.Input((6,), name="mid_in"), L.Input((6,), name="mid_side")
    x = core(start)
    x = core(dense(6, "mid_fc", qkeras.quantized_relu(7, 3))(x))
    x = qkeras.QActivation(bits(9, 4), name="mid_q")(L.Add(name="mid_add")([x, side]))
    mid = tf.keras.Model([start, side], x, name="mid")

    start = L.Input((6,), name="out_in")
    x = L.Dropout(0.2, name="out_drop")(mid([start, start]))
    outer = tf.keras.Model(start, mid([x, start]), name="outer")

    chain = tf.keras.Sequential(
        [L.Input((6,)), dense(5, "s1", bits(8, 3)),
         qkeras.QActivation(qkeras.quantized_relu(6, 2), name="s2")], name="seq",
    )
    start = L.Input((6,), name="in")
    x = qkeras.QActivation(bits(8, 3), name="q_in")(start)
    x = dense(3, "last", bits(10, 4))(chain(outer(x)))
    return tf.keras.Model(start, x, name="three_levels")


def main() -> None:
    built = model()
    rng = np.random.default_rng(7)
    for layer in built.layers:
        weights = layer.get_weights()
        if weights:
            layer.set_weights([rng.normal(0, 0.8, a.shape).astype("f4") for a in weights])
    built.save(HERE / "model.h5", save_format="h5", include_optimizer=False)
    events = rng.normal(0, 6, (120, 6)).astype("f4")
    events[:40] = np.round(events[:40] * 32) / 32
    with h5py.File(HERE / "events.h5", "w") as file:
        file.create_dataset("events", data=events, compression="gzip")


if __name__ == "__main__":
    main()
