"""Runs quantized_tanh and quantized_sigmoid of QKeras 0.9.0 and records inputs and outputs.

    python scripts/oracle/quantizers/make_curve_vectors.py

writes `curves.*` into testvectors/quantizers/: `predict` of a QActivation in batches of 32, `tail` in batches of 7 (all
elements behind the last vector) where that differs, and `eager` (a direct call) where it differs from `predict`.
"""
import itertools

import numpy as np
from oracle import SPECIAL, Store, bits, floats, tf

import qkeras

F = np.float32


def neighbours(values):
    """Values with the float32 numbers before and behind them."""
    values = np.asarray(values, F)
    return np.concatenate([values, np.nextafter(values, F(np.inf)), np.nextafter(values, F(-np.inf))])


def lines(width, rng):
    """Where the straight lines have their codes and ties, and beyond their ends."""
    step = 2.0 ** -max(width, 2)
    grid = np.arange(-1.25, 1.25 + step, step) if width <= 8 else rng.integers(-5, 5, 96) * step + rng.choice([-1, -0.5, 0, 0.5, 1], 96)
    small = rng.uniform(-1, 1, 48) * 2.0 ** rng.integers(-40, 1, 48)
    return np.concatenate([neighbours(grid), small])


def curves(name, width, rng):
    """Where the functions themselves have their ties."""
    ties = (np.arange(2**width if width <= 8 else 200) + 0.5) / 2**min(width, 8)
    ties = ties[ties < 1]
    at = np.arctanh(2 * ties - 1) if name == "tanh" else np.log(ties / (1 - ties))
    ends = np.array([7.9, 8, 9, 10.5, 16, 17, 30, 87, 88.5, 89, 103, 104, 105, 1e4, 1e30])
    return np.concatenate([neighbours(at), np.nextafter(neighbours(at), F(9)), ends, -ends, rng.normal(0, 3, 96)])


def inputs(name, real, width, rng):
    own = curves(name, width, rng) if real else lines(width, rng)
    wild = floats(rng.integers(0, 2**32, 48, dtype=np.uint64).astype(np.uint32))
    with np.errstate(over="ignore"):
        x = np.concatenate([own.astype(F), SPECIAL, wild])
    # 32·n + 13: the last batch has eight elements for vectors and five for scalar code.
    x = np.concatenate([x, rng.normal(0, 1, -(len(x) - 13) % 32).astype(F)])
    rng.shuffle(x)
    return x


def configurations():
    for name, real, symmetric in itertools.product(["tanh", "sigmoid"], [False, True], [False, True]):
        for width in [*range(1, 9), 12, 16]:
            yield name, dict(bits=width, symmetric=symmetric), real
        yield name, dict(bits=5, symmetric=symmetric, use_stochastic_rounding=True), real
        # The ends of float32 and of QKeras' 32-bit integers.
        for width in [20, 24, 25, 26, 30] + [31] * (name == "tanh"):
            yield name, dict(bits=width, symmetric=symmetric), real


def main():
    rng = np.random.default_rng(20240212)
    store, cases, shared = Store(), [], {}
    for name, config, real in configurations():
        config[f"use_real_{name}"] = real
        quantizer = getattr(qkeras, f"quantized_{name}")(**config)
        key = name, real, config["bits"]
        if key not in shared:
            x = inputs(*key, rng)
            shared[key] = x, store.put(x)
        x, place = shared[key]
        shape = tf.keras.Input((1,))
        model = tf.keras.Model(shape, qkeras.QActivation(quantizer)(shape))
        out = model.predict(x[:, None], batch_size=32, verbose=0)[:, 0]
        tail = np.concatenate([model.predict_on_batch(x[i : i + 7, None])[:, 0] for i in range(0, len(x), 7)])
        eager = np.concatenate([quantizer(x[i : i + 32]).numpy() for i in range(0, len(x), 32)])
        case = dict(function=f"quantized_{name}", config=config, input=place, predict=store.put(out))
        for other, values in [("tail", tail), ("eager", eager)]:
            if not np.array_equal(bits(out), bits(values)):
                print(other, "differs", name, config, int((bits(out) != bits(values)).sum()))
                case[other] = store.put(values)
        cases.append(case)
    print(len(cases), "configurations,", sum(case["input"][1] for case in cases), "inputs")
    store.write("curves", dict(cases=cases))


if __name__ == "__main__":
    main()
