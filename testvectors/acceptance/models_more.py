"""The models of the remaining rows: HGQ's own layers, layers that TensorFlow 2.15 calls only when names
that QKeras asks for are put back, operators on tensors, plain layers, tables."""

from __future__ import annotations

import HGQ.layers as H
import numpy as np
from tensorflow.python.ops import array_ops, array_ops_stack
from tensorflow.python.util import nest

from HGQ import trace_minmax
from HGQ.utils import get_default_paq_conf
from HGQ.layers.batchnorm_base import HBatchNormalization
from models import I, L, Q, ROWS, S, V, add, bits, chain, dense, one, relu
from reference import tf

# Removed from TensorFlow's private modules; QKeras 0.9.0 still calls them.
array_ops.stack, array_ops.unstack = array_ops_stack.stack, array_ops_stack.unstack
nest.is_sequence = nest.is_nested

_PATCHED = "default (unusable on TF 2.15 unpatched; measured with TF compatibility aliases restored)"
_WEIGHTS = {"kernel_quantizer": bits(6, 1), "bias_quantizer": bits(6, 1)}
ROWS["QConv2DTranspose", _PATCHED] = one(I, lambda: Q.QConv2DTranspose(2, 3, **_WEIGHTS))
for _name in ("QSimpleRNN", "QGRU"):
    ROWS[_name, _PATCHED] = one(S, lambda n=_name: getattr(Q, n)(
        3, recurrent_quantizer=bits(6, 1), **_WEIGHTS))

add("ActivityRegularization", {"default": one(V, L.ActivityRegularization)})
# From text: the file of a Lambda holds the path of its source.
add("Lambda", {"x*2": one(V, lambda: L.Lambda(eval("lambda x: x * 2")))})
add("TFOpLambda", {
    "x*2 operator": lambda: chain(V, lambda x: x * 2),
    "tf.nn.relu": lambda: chain(V, tf.nn.relu),
})
add("SlicingOpLambda", {"x[:, :2]": lambda: chain(V, lambda x: x[:, :2])})
add("Dense", {
    "plain, linear": one(V, lambda: L.Dense(4)),
    "plain, activation=relu": one(V, lambda: L.Dense(4, activation="relu")),
    "plain, activation=softmax": one(V, lambda: L.Dense(4, activation="softmax")),
})
add("Conv1D", {"plain": one(S, lambda: L.Conv1D(2, 3))})
add("Conv2D", {"plain, relu": one(I, lambda: L.Conv2D(2, 3, activation="relu"))})


def _table(width: int, integer: int, *layers: object) -> tf.keras.Model:
    return chain(V, dense(activation=bits(width, integer)), *layers, last=None)


_BEHIND = "behind an 8-bit (softplus alone: 6-bit) quantizer, unary_lut_max_table_size=1024"
add("UnaryLUT", {
    f"quantized_tanh(6) {_BEHIND}": lambda: _table(8, 3, Q.QActivation(Q.quantized_tanh(6))),
    f"quantized_sigmoid(6) {_BEHIND}": lambda: _table(8, 3, Q.QActivation(Q.quantized_sigmoid(6))),
    **{f"keras {f} + quantized_bits(8,{i}) {_BEHIND}": lambda f=f, i=i: _table(
        8, 3, L.Activation(f), Q.QActivation(bits(8, i)))
       for f, i in (("tanh", 1), ("softplus", 3), ("hard_sigmoid", 1))},
    f"keras softplus, no quantizer behind {_BEHIND}": lambda: _table(6, 3, L.Activation("softplus")),
    "input of 12 bits, unary_lut_max_table_size=4096 or 8192": lambda: _table(
        12, 3, L.Activation("tanh"), Q.QActivation(bits(8, 1))),
    "input of 17 bits, unary_lut_max_table_size=2**20": lambda: _table(
        17, 3, L.Activation("tanh"), Q.QActivation(bits(8, 1))),
})


def hgq(shape: tuple, *makes: object, start: object = H.HQuantize) -> object:
    """A model of HGQ's layers, its ranges traced as its users do before they convert it."""
    def make() -> tf.keras.Model:
        first = x = L.Input(shape)
        for layer in ([start] if start else []) + list(makes):
            x = layer()(x)
        model = tf.keras.Model(first, x)
        if start:
            trace_minmax(model, np.linspace(-4, 4, 64 * int(np.prod(shape)), dtype=np.float32).reshape(
                -1, *shape), verbose=False)
        return model
    return make


def _hdense(**more: object) -> object:
    return lambda: H.HDense(3, **more)


def _twice() -> tf.keras.Model:
    layer, first = H.HDense(4), L.Input(V)
    return tf.keras.Model(first, layer(layer(H.HQuantize()(first))))


def _inside() -> tf.keras.Model:
    first, start = L.Input(V), L.Input(V)
    inner = tf.keras.Model(start, H.HDense(3, name="i1")(start))
    return tf.keras.Model(first, inner(H.HQuantize()(first)))


def _add() -> tf.keras.Model:
    first = L.Input(V)
    a, b = H.HQuantize()(first), H.HQuantize()(first)
    return tf.keras.Model(first, H.HDense(2)(H.PConcatenate()([H.HAdd()([a, b]), a])))


_V1, _WRAP = "[HGQ v1]", "[HGQ v1, aggressive=True]"
for _layer, _config, _make in (
    ("HDense", "rnd_strategy floor, also without bias, relu", hgq(
        V, lambda: H.HDense(3, paq_conf=get_default_paq_conf() | {"rnd_strategy": "floor"}),
        _hdense(use_bias=False, activation="relu"))),
    ("HDense", "skip_dims all (uniform), relu", hgq(V, _hdense(activation="relu"))),
    ("HConv2D", "relu, PMaxPooling2D, PFlatten, HDense", hgq(
        I, lambda: H.HConv2D(2, 3, activation="relu"), H.PMaxPooling2D, H.PFlatten, _hdense())),
    ("HConv2D", "per-pixel activation widths", hgq(I, lambda: H.HConv2D(2, 3))),
    ("HConv1D", "same padding, PAveragePooling1D", hgq(
        S, lambda: H.HConv1D(2, 3, padding="same"), H.PAveragePooling1D, H.PFlatten, _hdense())),
    ("HDenseBatchNorm", "relu", hgq(V, lambda: H.HDenseBatchNorm(3, activation="relu"))),
    ("HConv1DBatchNorm", "default", hgq(S, lambda: H.HConv1DBatchNorm(2, 3))),
    ("HConv2DBatchNorm", "relu", hgq(I, lambda: H.HConv2DBatchNorm(2, 3, activation="relu"))),
    ("HBatchNormalization", "default", hgq(V, HBatchNormalization)),
    ("HDense", "rank-3 input", hgq(S, _hdense())),
    ("HActivation", "relu, sigmoid, linear, softmax in a row", hgq(V, *(
        lambda f=f: H.HActivation(f) for f in ("relu", "sigmoid", "linear", "softmax")))),
    ("HAdd", "with PConcatenate", _add),
    ("Signature", "(1,6,3)", hgq(V, _hdense(), start=lambda: H.Signature(1, 6, 3))),
    ("PReshape", "PPermute, PFlatten, PDropout chain", hgq(
        S, lambda: H.PReshape((4, 6)), lambda: H.PPermute((2, 1)), H.PFlatten,
        lambda: H.PDropout(0.5), _hdense())),
    ("HQuantize", "calibration data all zero", hgq(V, _hdense())),
    ("HDense", "trace_minmax cover_factor 0.5 (overflow)", hgq(V, _hdense())),
    *(("HActivation", f, hgq(V, lambda f=f: H.HActivation(f), _hdense()))
      for f in ("tanh", "sigmoid", "relu")),
    ("PMaxPooling1D", "2", hgq(S, H.PMaxPooling1D, H.PFlatten, _hdense())),
    ("PAveragePooling2D", "2", hgq(I, H.PAveragePooling2D, H.PFlatten, _hdense())),
    ("HDense", "skip_dims all, chain", hgq(V, _hdense(), _hdense())),
):
    ROWS[_layer, f"{_config} {_WRAP}"] = _make
ROWS["HDense", f"first layer, no HQuantize/Signature {_V1}"] = hgq(V, _hdense(), start=None)
ROWS["HDense", f"inside a nested model {_V1}"] = _inside
ROWS["HDense", f"called twice {_V1}"] = _twice
ROWS["HQuantize", "followed by QDense layers (HGQ and QKeras mixed, converted in memory)"] = hgq(
    V, lambda: dense(activation=relu(6, 2)), dense)

EXTRA = {("SpatialDropout2D", "0.5"): one(I, lambda: L.SpatialDropout2D(0.5))} | {
    ("QDense", f"kernel_quantizer={text}"): one(
        V, lambda text=text: dense(kernel_quantizer=eval(f"Q.{text}", {"Q": Q})))
    for text in (
        "quantized_bits(6, 1, alpha=0.5)", "quantized_bits(6, 1, alpha=[0.5, 1.0, 2.0, 1.0])",
        "quantized_relu(6, 1)", "quantized_po2(4, max_value=2)", "quantized_relu_po2(4)",
        "binary()", "binary(alpha='auto')", "binary(alpha='auto_po2')", "binary(use_01=True, alpha=1)",
        "ternary()", "ternary(alpha='auto')", "ternary(alpha='auto_po2')",
        "stochastic_binary()", "stochastic_binary(alpha=1)", "stochastic_ternary()",
        "stochastic_ternary(alpha=1)", "bernoulli()", "quantized_tanh(6)", "quantized_sigmoid(6)",
        "quantized_ulaw(6)",
    )
}
"""What the table does not have: layers and quantizers of weights that bittrue can read, and the others."""
ROWS |= EXTRA
