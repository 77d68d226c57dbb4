"""Records `predict` of Keras' BatchNormalization (TensorFlow 2.15.1, oneDNN on) for every kernel it can run with.

    python scripts/oracle/quantizers/make_norm_vectors.py

writes `norm.*` into testvectors/quantizers/: 60 normalisations of ranks 2 to 5 by themselves, and 16 behind a Conv2D
without bias whose kernel is the unit matrix, so that the input of the normalisation is known.
"""
import numpy as np
import qkeras
from oracle import SPECIAL, Store, tf

F = np.float32
L = tf.keras.layers


def alone(rng):
    """Shapes (with the batch) and axes; 1 to 64 channels."""
    for channels in [1, 2, 3, 4, 5, 7, 8, 12, 15, 16, 24, 31, 32, 48, 64, 64]:
        batch = int(rng.choice([1, 7, 9, 33]))
        height, width = (int(n) for n in rng.integers(1, 4, 2))
        yield (batch, height, width, channels), [3]
        yield (batch + 7, channels), [1]
    for channels in [1, 3, 4, 8, 10, 20, 64]:
        yield (5, channels, 2, 3), [1]
        yield (4, 3, channels), [2]
        yield (4, channels, 3), [1]
    for channels in [3, 8, 19]:
        yield (5, 2, 2, 2, channels), [4]
    yield (3, 10, 2, 2, 2), [1]
    yield (3, 2, 12, 2, 2), [2]
    yield (7, 2, 9, 3), [2]
    yield (7, 3, 9), [1, 2]


def build(rng, shape, axes, number):
    """A layer with random parameters, and their description."""
    scale, center = number % 5 != 1, number % 7 != 2
    epsilon = [1e-3, 1e-5, 0.1][number % 3]
    layer = L.BatchNormalization(axis=axes if len(axes) > 1 else axes[0], scale=scale, center=center, epsilon=epsilon)
    layer.build((None,) + shape[1:])
    count = int(np.prod([shape[a] for a in axes]))
    gamma = (rng.uniform(0.1, 3, count) * rng.choice([1, 1, -1], count)).astype(F) if scale else None
    beta = rng.normal(0, 1, count).astype(F) if center else None
    mean, variance = rng.normal(0, 1, count).astype(F), (10.0 ** rng.uniform(-3, 2, count)).astype(F)
    given = [p for p in (gamma, beta) if p is not None] + [mean, variance]
    layer.set_weights([p.reshape(layer.moving_mean.shape) for p in given])
    return layer, dict(gamma=gamma, beta=beta, mean=mean, variance=variance), epsilon


def inputs(rng, shape, special):
    """Few bits, so that they pack well; a tenth are arbitrary floats."""
    x = (np.round(rng.normal(0, 500, shape)) / 256).astype(F)
    x = np.where(rng.random(shape) < 0.1, rng.normal(0, 3, shape).astype(F), x)
    if special:
        with np.errstate(over="ignore"):
            x = np.where(rng.random(shape) < 0.1, rng.choice(SPECIAL, shape), x)
    return x.astype(F)


def unit(shape, dtype=None):
    return np.eye(shape[-1], dtype=F).reshape(shape)


def main():
    rng = np.random.default_rng(20240121)
    store, cases = Store(), []

    def record(kind, shape, axes, parameters, epsilon, x, out):
        places = {name: None if p is None else store.put(p) for name, p in parameters.items()}
        case = dict(kind=kind, shape=list(shape), axes=axes, epsilon=epsilon, **places)
        cases.append(case | dict(input=store.put(x), predict=store.put(out)))

    for number, (shape, axes) in enumerate(alone(rng)):
        layer, parameters, epsilon = build(rng, shape, axes, number)
        x = inputs(rng, shape, number % 4 == 3)
        given = tf.keras.Input(shape[1:])
        out = tf.keras.Model(given, layer(given)).predict(x, batch_size=32, verbose=0)
        record("alone", shape, axes, parameters, epsilon, x, out)

    readers = {
        "flatten": lambda: L.Flatten(),
        "relu": lambda: L.Activation("relu"),
        "quantized_relu(6,2)": lambda: qkeras.QActivation("quantized_relu(6,2)"),
        "quantized_bits(8,3,alpha=1)": lambda: qkeras.QActivation("quantized_bits(8,3,alpha=1)"),
    }
    for number, channels in enumerate([1, 3, 4, 5, 8, 8, 10, 12, 16, 16, 20, 24, 31, 32, 48, 64]):
        shape = (9, 2, 2, channels)
        layer, parameters, epsilon = build(rng, shape, [3], number)
        # An infinity would spread over the channels.
        x = inputs(rng, shape, False)
        given = tf.keras.Input(shape[1:])
        normal = layer(L.Conv2D(channels, 1, use_bias=False, kernel_initializer=unit)(given))
        name = list(readers)[number % 4]
        out = tf.keras.Model(given, readers[name]()(normal)).predict(x, batch_size=32, verbose=0)
        record(name, shape, [3], parameters, epsilon, x, out)
    store.write("norm", dict(cases=cases))
    print(len(cases), "cases")


if __name__ == "__main__":
    main()
