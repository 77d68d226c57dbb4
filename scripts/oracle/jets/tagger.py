"""The network of the demo: a fixed-point jet tagger in QKeras."""

from __future__ import annotations

from reference import qkeras, tf

INPUT = "quantized_bits(8,3,alpha=1)"
"""ap_fixed<8,4>: from -8 to 8 standard deviations in steps of 1/16."""

PARAMETER = "quantized_bits(6,0,alpha=1)"
"""ap_fixed<6,1> for kernels and biases: from -1 to 1 in steps of 1/32."""

ACTIVATION = "quantized_relu(6)"
"""ap_ufixed<6,0>: from 0 to 1 in steps of 1/64."""

HIDDEN = (64, 32, 32)


def build(features: int, classes: int) -> tf.keras.Model:
    """An untrained tagger; its outputs are logits without a quantizer."""
    inputs = tf.keras.layers.Input((features,), name="input")
    x = qkeras.QActivation(INPUT, name="q_in")(inputs)
    for number, units in enumerate(HIDDEN, start=1):
        x = _dense(units, f"fc{number}")(x)
        x = qkeras.QActivation(ACTIVATION, name=f"relu{number}")(x)
    return tf.keras.Model(inputs, _dense(classes, "out")(x), name="jet_tagger")


def _dense(units: int, name: str) -> qkeras.QDense:
    return qkeras.QDense(
        units, kernel_quantizer=PARAMETER, bias_quantizer=PARAMETER, name=name
    )
