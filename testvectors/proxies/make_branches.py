"""A model with two equal quantizers of one input, and the proxy of a later conversion of it.

    python make_branches.py DIRECTORY

Names of quantizers are counters of the process: in the second conversion no name tells which of the
two is which.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "oracle"))
import reference  # noqa: E402

import numpy as np  # noqa: E402
from qkeras import QActivation, QDense  # noqa: E402

directory = Path(sys.argv[1])
layers = reference.tf.keras.layers
rng = np.random.default_rng(7)


def dense(name: str, **more: str) -> QDense:
    weights = "quantized_bits(8,3,alpha=1)"
    return QDense(5, name=name, kernel_quantizer=weights, bias_quantizer=weights, **more)


x = layers.Input((6,), name="x")
short = dense("short")(QActivation("quantized_bits(8,3,alpha=1)", name="q_short")(x))
y = QActivation("quantized_bits(8,3,alpha=1)", name="q_long")(x)
y = dense("l1", activation="quantized_relu(8,3)")(y)
y = dense("l2", activation="quantized_relu(8,3)")(y)
y = dense("l3")(y)
model = reference.tf.keras.Model(x, layers.Add(name="sum")([short, y]))
model.set_weights([rng.normal(0, 0.6, w.shape) for w in model.get_weights()])
model.save(directory / "branches.h5", save_format="h5", include_optimizer=False)
source = reference.load_model(directory / "branches.h5")
reference.to_proxy(source, False)
proxy = reference.to_proxy(source, False)
proxy.save(directory / "branches_second_sat.h5", save_format="h5", include_optimizer=False)
