"""Runs QKeras 0.9.0 weight quantizers on weights that the test generates again, and records check sums.

    python scripts/oracle/quantizers/make_kernel_vectors.py

writes testvectors/quantizers/kernels.json. `predict` is taken from real layers (QDense with unit vectors as inputs,
QConv2D with unit images, the bias of a QDense at input zero), `eager` from a direct call of the quantizer.
"""
import json
import zlib

import numpy as np
from oracle import OUT, bits, floats, tf
from measure_functions import mixed

import qkeras

F = np.float32


def weights(kind, seed, shape):
    """Weights of one kind; every step is exact or rounded once, so that the test gets the same bits."""
    size = int(np.prod(shape))
    channels = shape[-1]
    index = np.arange(size)
    words = mixed(seed * 1_000_003, 4 * size).reshape(size, 4)
    # The sum of four uniform numbers: bell-shaped, in ±2.
    bell = ((words >> 8).astype(np.float64) / 2**24 - 0.5).sum(1)
    if kind == "bell":
        x = bell
    elif kind == "small":
        x = bell * 2.0**-7
    elif kind == "heavy":
        x = bell * bell * bell * 8
    elif kind == "grid":
        x = np.floor(bell * 16) / 16
    elif kind == "zeros":
        x = np.where(index % channels % 3 == 0, 0.0, bell)
    elif kind == "ties":
        # Every channel holds one magnitude, up to 40 units in the last place from sqrt(2)·2^k.
        column = index % channels
        k = (column % 27 - 13).astype(np.int64)
        magnitude = floats((0x3FB504F3 + (k << 23) + column * 7 % 81 - 40).astype(np.uint32))
        x = np.where(index // channels % 2 == 0, 1, -1) * magnitude.astype(np.float64)
    return x.astype(F).reshape(shape)


def cases():
    shapes = [(16, 5), (64, 32), (13, 8), (7, 21), (40, 1), (300, 1), (1, 6), (21, 83), (3, 3, 4, 9), (2, 2, 3, 16), (3, 3, 1, 1), (9,), (24,)]
    names = [
        ("quantized_bits", dict(bits=b, integer=i, alpha=a, symmetric=1, keep_negative=k))
        for b, i, k in [(2, 0, True), (4, 0, True), (4, 2, True), (8, 0, True), (8, 1, False), (1, 0, True), (16, 0, True)]
        for a in ("auto", "auto_po2")
    ]
    names += [("quantized_bits", dict(bits=6, integer=1, alpha=0.7))]
    names += [("binary", dict(use_01=z, alpha=a)) for z in (False, True) for a in (None, 0.3, "auto", "auto_po2")]
    names += [("ternary", dict(alpha=a)) for a in (None, 0.3, "auto", "auto_po2")]
    names += [("ternary", dict(alpha="auto", number_of_unrolls=2)), ("ternary", dict(alpha=1.5, threshold=0.6))]
    names += [("stochastic_binary", dict(alpha=a)) for a in (0.3, "auto")]
    names += [("stochastic_ternary", dict(alpha=a)) for a in (0.3, "auto_po2")]
    names += [("quantized_po2", dict(bits=b, max_value=m, quadratic_approximation=q, log2_rounding=r))
              for b, m, q, r in [(4, None, False, "rnd"), (8, None, False, "rnd"), (4, 0.8, False, "rnd"), (5, 2, True, "rnd"), (6, None, False, "floor"), (5, None, True, "floor"), (9, None, False, "rnd")]]
    names += [("quantized_relu_po2", dict(bits=b, max_value=m, negative_slope=s, quadratic_approximation=q, log2_rounding=r))
              for b, m, s, q, r in [(4, None, 0.0, False, "rnd"), (6, 2, 0.25, False, "rnd"), (6, None, 0.5, True, "floor"), (3, 0.8, 0.0, False, "rnd")]]
    seed = 0
    for number, shape in enumerate(shapes):
        for kind_number, kind in enumerate(["bell", "small", "heavy", "grid", "zeros", "ties"]):
            for name_number, (name, config) in enumerate(names):
                # A third of all combinations.
                if (number + kind_number + name_number) % 3 == 0:
                    seed += 1
                    yield name, config, kind, seed, shape


def predicted(quantizer, w):
    if w.ndim == 1:
        layer = qkeras.QDense(len(w), kernel_quantizer=None, bias_quantizer=quantizer)
        layer.build((None, 1))
        layer.set_weights([np.zeros((1, len(w)), F), w])
        model = tf.keras.Sequential([tf.keras.Input((1,)), layer])
        return model.predict(np.zeros((1, 1), F), verbose=0)[0]
    inputs = np.eye(int(np.prod(w.shape[:-1])), dtype=F)
    if w.ndim == 2:
        layer = qkeras.QDense(w.shape[-1], use_bias=False, kernel_quantizer=quantizer)
    else:
        inputs = inputs.reshape((-1,) + w.shape[:-1])
        layer = qkeras.QConv2D(w.shape[-1], w.shape[:2], use_bias=False, kernel_quantizer=quantizer)
    layer.build((None,) + inputs.shape[1:])
    layer.set_weights([w])
    model = tf.keras.Sequential([tf.keras.Input(inputs.shape[1:]), layer])
    return model.predict(inputs, batch_size=32, verbose=0).reshape(w.shape)


def main():
    quantizers, shapes, recorded = [], [], []
    differing = 0
    for name, config, kind, seed, shape in cases():
        w = weights(kind, seed, shape)
        quantizer = getattr(qkeras, name)(**config)
        if len(shape) > 1 and config.get("alpha", 1) is None:
            # The layer applies the kernel rule to the object.
            quantizer._set_trainable_parameter()
        described = dict(function=name, **config)
        for table, entry in [(quantizers, described), (shapes, list(shape))]:
            if entry not in table:
                table.append(entry)
        # Matrix products with unit vectors turn -0 into +0, so zeros are compared without sign.
        sums = [
            zlib.crc32(bits(values + F(0)).astype("<u4").tobytes())
            for values in (quantizer(tf.constant(w)).numpy(), predicted(quantizer, w))
        ]
        differing += sums[0] != sums[1]
        recorded.append([quantizers.index(described), shapes.index(list(shape)), kind, seed, *sums])
    columns = ["quantizer", "shape", "kind", "seed", "eager", "predict"]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in recorded)
    head = json.dumps(dict(quantizers=quantizers, shapes=shapes, columns=columns))[:-1]
    (OUT / "kernels.json").write_text(f'{head}, "cases": [\n{lines}\n]}}\n')
    print(len(recorded), "cases,", differing, "in which predict and eager differ")


if __name__ == "__main__":
    main()
