"""Records `predict` of Keras' pooling layers (TensorFlow 2.15.1, oneDNN on).

    python scripts/oracle/quantizers/make_pool_vectors.py

writes `pool.*` into testvectors/quantizers/. Inputs are [batch, height, width, channels]; for the 1-D layers the height
is one. Sums are inexact in two cases of three; every third case has NaN, infinities, zeros of both signs and denormals.
"""
import numpy as np
from oracle import SPECIAL, Store, predict, tf

F = np.float32
L = tf.keras.layers


def inputs(rng, shape, kind):
    if kind == 0:
        return (np.round(rng.normal(0, 100, shape)) / 16).astype(F)
    x = (np.round(rng.normal(0, 1, shape) * 2.0**10) * 2.0 ** rng.integers(-14, 2, shape)).astype(F)
    if kind == 2:
        x = np.where(rng.random(shape) < 0.4, rng.choice(SPECIAL, shape), x).astype(F)
    return x


def windows():
    for number, channels in enumerate([1, 3, 8, 9, 16, 17]):
        for pool, strides, padding in [((2, 2), (2, 2), "valid"), ((3, 3), (2, 1), "same"), ((1, 5), (1, 2), "same"), ((4, 3), (3, 3), "valid"), ((2, 1), (3, 2), "same")]:
            yield number, channels, pool, strides, padding


def main():
    rng = np.random.default_rng(20240122)
    store, cases = Store(), []
    number = 0
    for _, channels, pool, strides, padding in windows():
        for name in ("MaxPooling", "AveragePooling"):
            one = pool[0] == 1
            shape = (3 if one else 1, 1 if one else 5, 7, channels)
            x = inputs(rng, shape, number % 3)
            if one:
                layer = getattr(L, name + "1D")(pool[1], strides[1], padding)
                out = predict(layer, x[:, 0])[:, None]
            else:
                layer = getattr(L, name + "2D")(pool, strides, padding)
                out = predict(layer, x)
            case = dict(layer=name, shape=list(shape), pool=pool, strides=strides, padding=padding)
            cases.append(case | dict(input=store.put(x), output=list(out.shape), predict=store.put(out)))
            number += 1
    number = 0
    for channels in (1, 7, 8, 9, 20):
        for height, width in [(1, 5), (3, 5), (4, 4), (1, 19), (5, 7), (1, 70), (9, 9)]:
            for name in ("GlobalMaxPooling", "GlobalAveragePooling"):
                shape = (5 if height * width < 30 else 2, height, width, channels)
                x = inputs(rng, shape, number % 3)
                if height == 1:
                    out = predict(getattr(L, name + "1D")(), x[:, 0])
                else:
                    out = predict(getattr(L, name + "2D")(), x)
                case = dict(layer=name, shape=list(shape))
                cases.append(case | dict(input=store.put(x), output=list(out.shape), predict=store.put(out)))
                number += 1
    store.write("pool", dict(cases=cases))
    print(len(cases), "cases")


if __name__ == "__main__":
    main()
