"""The network of the image demo: a small fixed-point convolutional tagger in QKeras."""

from __future__ import annotations

from reference import qkeras, tf
from tagger import PARAMETER

INPUT = "quantized_bits(10,0,keep_negative=0,alpha=1)"
"""ap_ufixed<10,0>: a pixel's share of the transverse momentum in steps of 1/1024."""

FIRST_ACTIVATION = "quantized_relu(8)"
"""ap_ufixed<8,0>: steps of 1/256, because most pixels hold a few per cent or less."""

ACTIVATION = "quantized_relu(6)"
"""ap_ufixed<6,0>: from 0 to 1 in steps of 1/64."""

FILTERS = (8, 12, 16)
UNITS = 32


def build(pixels: int, classes: int) -> tf.keras.Model:
    """An untrained tagger of [pixels, pixels, 1]; its outputs are logits.

    Pooling windows are 2 x 2, so that an average is a shift and the mean of
    four fixed-point numbers is exact.
    """
    inputs = tf.keras.layers.Input((pixels, pixels, 1), name="input")
    x = qkeras.QActivation(INPUT, name="q_in")(inputs)
    x = _conv(FILTERS[0], "same", "conv1")(x)
    x = qkeras.QActivation(FIRST_ACTIVATION, name="relu1")(x)
    x = tf.keras.layers.MaxPooling2D(2, name="max_pool")(x)
    x = _conv(FILTERS[1], "same", "conv2")(x)
    x = qkeras.QActivation(ACTIVATION, name="relu2")(x)
    x = tf.keras.layers.AveragePooling2D(2, name="mean_pool")(x)
    x = _conv(FILTERS[2], "valid", "conv3")(x)
    x = qkeras.QActivation(ACTIVATION, name="relu3")(x)
    x = tf.keras.layers.Flatten(name="flatten")(x)
    x = _dense(UNITS, "fc")(x)
    x = qkeras.QActivation(ACTIVATION, name="relu4")(x)
    return tf.keras.Model(inputs, _dense(classes, "out")(x), name="jet_image_tagger")


def _conv(filters: int, padding: str, name: str) -> qkeras.QConv2D:
    return qkeras.QConv2D(
        filters,
        3,
        padding=padding,
        kernel_quantizer=PARAMETER,
        bias_quantizer=PARAMETER,
        name=name,
    )


def _dense(units: int, name: str) -> qkeras.QDense:
    return qkeras.QDense(
        units, kernel_quantizer=PARAMETER, bias_quantizer=PARAMETER, name=name
    )
