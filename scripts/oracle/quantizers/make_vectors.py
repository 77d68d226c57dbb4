"""Runs QKeras 0.9.0 and HGQ 0.2.6 on many configurations and records inputs and outputs.

    python scripts/oracle/quantizers/make_vectors.py

writes `activations.*` (quantized_bits and quantized_relu, `predict` of a QActivation and a direct call) and
`hgq.*` (HGQ's FixedPointQuantizer, `predict`) into testvectors/quantizers/.
"""
import itertools

import numpy as np
from oracle import SPECIAL, Store, bits, floats, predict, tf

import qkeras
from HGQ.proxy.fixed_point_quantizer import FixedPointQuantizer

F = np.float32


def values(rng, lsb, top, many):
    """Inputs that tie, saturate, vanish, overflow and lose bits in the straight-through sum of a grid."""
    codes = rng.integers(-4, 5, many) + rng.choice([0, top / lsb / 2, top / lsb, -top / lsb], many)
    ties = (np.round(codes) + 0.5) * lsb
    grid = np.round(codes) * lsb
    bounds = np.outer([top, -top], [1, 1 - 2**-24, 1 + 2**-23]).ravel()
    scales = 2.0 ** rng.integers(-30, 128, many) * rng.uniform(1, 2, many) * rng.choice([-1, 1], many)
    around = top * 2.0 ** rng.integers(14, 28, many) * rng.uniform(1, 2, many) * rng.choice([-1, 1], many)
    with np.errstate(over="ignore", invalid="ignore"):
        exact = np.concatenate([ties, grid, bounds]).astype(F)
        parts = [exact, np.nextafter(exact, F(np.inf)), np.nextafter(exact, F(-np.inf)), SPECIAL]
        parts += [part.astype(F) for part in (rng.normal(0, top, 3 * many), scales, around)]
        parts += [floats(rng.integers(0, 2**32, many, dtype=np.uint64).astype(np.uint32))]
    x = np.concatenate(parts)
    rng.shuffle(x)
    # 32·n + 13: the last batch has eight elements for vectors and five for scalar code.
    return x[: (len(x) - 13) // 32 * 32 + 13]


def bits_configurations():
    for width, integer, symmetric, keep in itertools.product([1, 2, 3, 4, 6, 8, 12, 16], [0, 1, 3], [0, 1], [1, 0]):
        yield dict(bits=width, integer=integer, symmetric=symmetric, keep_negative=bool(keep))
    for width, integer in [(4, 6), (8, 15), (8, 30), (20, 0), (24, 0), (25, 2), (32, 8), (32, 30), (64, 20)]:
        yield dict(bits=width, integer=integer)
    for alpha, width in itertools.product([1.0, 0.3, 0.5, 2.0, -0.7, 1.0e-30], [1, 4, 8]):
        yield dict(bits=width, integer=1, symmetric=1, alpha=alpha)
    for noise, width in itertools.product([0.0, 0.3, 0.9], [1, 4, 8]):
        yield dict(bits=width, integer=1, qnoise_factor=noise)
    yield dict(bits=6, integer=2, alpha=0.3, qnoise_factor=0.5)


def relu_configurations():
    for width, integer, slope in itertools.product([1, 2, 4, 6, 8, 16], [0, 1, 3], [0.0, 0.25]):
        yield dict(bits=width, integer=integer, negative_slope=slope)
    for width, integer, slope in [(4, 6, 0.0), (8, 30, 0.0), (30, 0, 0.0), (31, 4, 0.5), (24, 1, 0.125), (8, 2, 1.0), (8, 2, 4.0)]:
        yield dict(bits=width, integer=integer, negative_slope=slope)
    for sigmoid, slope in itertools.product([0, 1], [0.0, 0.5, 2.0]):
        yield dict(bits=6, integer=2, use_sigmoid=sigmoid, negative_slope=slope)
        yield dict(bits=4, integer=0, use_sigmoid=sigmoid, negative_slope=slope, qnoise_factor=0.3)
    for clip, bound, slope in itertools.product([True, False], [None, 1.7, 0.0, 100.0], [0.0, 0.25]):
        yield dict(bits=5, integer=2, is_quantized_clip=clip, relu_upper_bound=bound, negative_slope=slope)
    yield dict(bits=5, integer=2, is_quantized_clip=False, relu_upper_bound=1.7, use_sigmoid=1)
    yield dict(bits=5, integer=2, is_quantized_clip=False, relu_upper_bound=1.7, qnoise_factor=0.5)


def activations():
    rng = np.random.default_rng(20240117)
    store, cases = Store(), []
    for function, configurations in [("quantized_bits", bits_configurations()), ("quantized_relu", relu_configurations())]:
        for config in configurations:
            sign = int(config.get("keep_negative", function == "quantized_bits") or config.get("negative_slope", 0) != 0)
            lsb = 2.0 ** (config["integer"] - config["bits"] + sign)
            x = values(rng, lsb, 2.0 ** config["integer"], 16)
            quantizer = getattr(qkeras, function)(**config)
            out = predict(qkeras.QActivation(quantizer), x[:, None])[:, 0]
            eager = np.concatenate([quantizer(x[i : i + 32]).numpy() for i in range(0, len(x), 32)])
            case = dict(function=function, config=config, input=store.put(x), predict=store.put(out))
            if not np.array_equal(bits(out), bits(eager)):
                print("eager differs", function, config, [(float(a), float(b), float(c)) for a, b, c in zip(x, out, eager) if bits(b) != bits(c)][:4])
                case["eager"] = store.put(eager)
            cases.append(case)
    store.write("activations", dict(cases=cases))


def hgq():
    rng = np.random.default_rng(20240118)
    store, cases = Store(), []
    modes = list(itertools.product(
        ["TRN", "TRN_ZERO", "RND", "RND_ZERO", "RND_INF", "RND_MIN_INF", "RND_CONV"],
        ["WRAP", "SAT", "SAT_ZERO", "SAT_SYM", "WRAP_SM"],
    ))
    types = [(1, 8, 4), (0, 8, 4), (1, 1, 1), (0, 1, 0), (1, 5, -2), (0, 6, 9), (1, 16, 6), (1, 24, 3), (0, 24, 2), (1, 30, 8), (0, 26, 2), (1, 48, 16), (0, 0, 0)]
    for number, (rounding, overflow) in enumerate(modes):
        for keep, width, integers in types[number % 2 :: 2] + [(1, 8, 4), (0, 24, 2)]:
            lsb = 2.0 ** (integers - width)
            x = values(rng, lsb, 2.0 ** (integers - keep), 5)
            layer = FixedPointQuantizer(keep, width, integers, rounding, overflow)
            out = predict(layer, x[:, None])[:, 0]
            cases.append(dict(keep_negative=keep, bits=width, integers=integers, rounding=rounding, overflow=overflow, input=store.put(x), predict=store.put(out)))
    store.write("hgq", dict(cases=cases))


if __name__ == "__main__":
    activations()
    hgq()
