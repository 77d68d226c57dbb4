"""Records float32 matrix products of TensorFlow (oneDNN on): `predict` of a Dense layer without bias.

    python scripts/oracle/quantizers/make_dot_vectors.py

writes `dot.*` into testvectors/quantizers/. The rows of each case are of four kinds: on a grid (exact), with at
most one value, arbitrary floats (the order of the sum matters), and with NaN, infinities and denormals.
"""
import numpy as np
from oracle import SPECIAL, Store, predict, tf

F = np.float32


def rows(rng, terms):
    grid = np.round(rng.normal(0, 40, (12, terms))) / 64
    grid[3:6] *= rng.random((3, terms)) < 0.3
    single = np.zeros((5, terms))
    single[np.arange(5), rng.integers(0, terms, 5)] = rng.normal(0, 3, 5)
    floats = rng.normal(0, 1, (11, terms)) * np.array([1, 1, 1, 1, 1, 1e-3, 1e3, 1e15, 1e30, 1e-30, 1e-36])[:, None]
    floats[5] *= 10.0 ** rng.integers(-6, 6, terms)
    special = np.round(rng.normal(0, 40, (10, terms))) / 64
    for row in special:
        row[rng.integers(0, terms)] = rng.choice(SPECIAL)
    with np.errstate(over="ignore"):
        x = np.concatenate([grid, single, floats, special]).astype(F)
    # Two batches of 32, so that a row does not always stand at the same place.
    return np.concatenate([x, rng.permutation(x)])[:64]


def kernels(rng, terms, columns):
    yield "grid", np.clip(np.round(rng.normal(0, 8, (terms, columns))), -31, 31) / 32
    yield "wide", np.round(rng.normal(0, 2**13, (terms, columns))) / 2**14
    yield "floats", rng.normal(0, 0.5, (terms, columns))
    ternary = rng.choice([-1.0, 0.0, 0.0, 1.0], (terms, columns)) * 0.3
    yield "scaled", ternary


def main():
    rng = np.random.default_rng(20240119)
    store, cases = Store(), []
    for terms, columns in [(1, 3), (2, 2), (3, 8), (5, 5), (16, 8), (16, 1), (32, 5), (64, 6)]:
        x = rows(rng, terms)
        place = store.put(x)
        for name, kernel in kernels(rng, terms, columns):
            kernel = kernel.astype(F)
            layer = tf.keras.layers.Dense(columns, use_bias=False)
            layer.build((None, terms))
            layer.set_weights([kernel])
            out = predict(layer, x)
            case = dict(kernel_kind=name, terms=terms, columns=columns, rows=len(x), input=place)
            cases.append(case | dict(kernel=store.put(kernel), predict=store.put(out)))
    store.write("dot", dict(cases=cases))


if __name__ == "__main__":
    main()
