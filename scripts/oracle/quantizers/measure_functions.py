"""Measures TensorFlow's float32 functions on this CPU and records check sums of their results.

    python scripts/oracle/quantizers/measure_functions.py

writes testvectors/quantizers/functions.json:

* `crc32`: check sums (one per 65,536 results, little-endian float32, every NaN as 0x7fc00000) over inputs that the
  test generates again, so that millions of results are compared bit for bit without being stored;
* `ulp`: the largest distance from the true value in units in the last place of the float32 result, per distribution;
  results below 2^-125, which are flushed, do not count;
* `rsqrt_steps`: how many of the vector `rsqrt` results lie how many float32 values from f(1/f(sqrt(x))).

With the argument `later` only `log`, `rsqrt` and the functions behind a Dense layer are measured again and the others
kept.
"""
import json
import sys
import zlib

import numpy as np
from oracle import OUT, bits, floats, tf

F = np.float32
COUNT = 1 << 20
# Per row length and scale; 30 of them.
SOFTMAX_COUNT = 1 << 17
BLOCK = 1 << 16


def mixed(start, count):
    """A fixed sequence of 32-bit words without structure (the finalizer of MurmurHash3)."""
    with np.errstate(over="ignore"):
        h = np.arange(start, start + count, dtype=np.uint32)
        h = (h ^ (h >> 16)) * np.uint32(0x85EBCA6B)
        h = (h ^ (h >> 13)) * np.uint32(0xC2B2AE35)
        return h ^ (h >> 16)


def patterns():
    """Every 4,099th bit pattern: all signs and exponents, denormals, infinities and NaN."""
    return floats((np.arange(COUNT, dtype=np.uint64) * 4099).astype(np.uint32))


def grid():
    """Multiples of 2^-14 from -32 to 32."""
    return ((np.arange(COUNT) - COUNT // 2) / 2**14).astype(F)


def rows(columns, scale, count):
    """Rows of values in ±scale/2, on a fine grid; about `count` values."""
    count = count // columns * columns
    words = mixed(columns * 7_919, count)
    return (((words >> 8).astype(np.float64) / 2**24 - 0.5) * scale).astype(F).reshape(-1, columns)


def borderline(operation):
    """Pairs whose result lies around 2^-126, where it is flushed or not, with significands that round up."""
    word = [mixed(start * COUNT, COUNT).astype(np.int64) for start in range(4)]
    significands = np.array([0, 1, 0x7FFFFF, 0x7FFFFE, 0x400000, 0x3FFFFF])

    def assemble(field, choice, sign):
        fraction = np.where(choice % 8 < 6, significands[choice % 6], choice >> 9)
        return floats((((sign & 1) << 31) | (field << 23) | fraction).astype(np.uint32))

    near = word[0] % 5 - 2
    if operation == "add":
        x_field, y_field = 1 + word[1] % 26, 1 + (word[1] >> 8) % 26
    elif operation == "mul":
        x_field = 1 + word[1] % 120
        y_field = 128 + near - x_field
    else:
        y_field = 129 + word[1] % 120
        x_field = y_field - 126 + near
    y_field, x_field = np.clip(y_field, 0, 254), np.clip(x_field, 0, 254)
    return assemble(x_field, word[2], word[0] >> 8), assemble(y_field, word[3], word[0] >> 9)


def check_sums(values):
    words = bits(values).astype("<u4")
    return [zlib.crc32(words[i : i + BLOCK].tobytes()) for i in range(0, len(words), BLOCK)]


def tail(function, x):
    """Each element in a tensor of seven, which TensorFlow's vector loop never enters."""
    padded = np.concatenate([x, np.zeros(-len(x) % 7, F)]).reshape(-1, 7)
    run = tf.function(lambda t: tf.map_fn(function, t))
    return run(tf.constant(padded)).numpy().ravel()[: len(x)]


def largest_ulp(found, true):
    found, true = found.astype(np.float64).ravel(), true.ravel()
    use = np.isfinite(true) & np.isfinite(found) & (np.abs(true) > 2.0**-125)
    unit = 2.0 ** (np.floor(np.log2(np.abs(true[use]))) - 23)
    return round(float(np.max(np.abs(found[use] - true[use]) / unit)), 3)


def logistic(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


FUNCTIONS = {
    "tanh": (tf.tanh, np.tanh),
    "exp": (tf.exp, np.exp),
    "sigmoid": (tf.sigmoid, logistic),
    # These have no error of their own.
    "elu": (tf.nn.elu, None),
    "relu": (tf.nn.relu, None),
    "leaky_relu": (lambda x: tf.nn.leaky_relu(x, 0.3), None),
}


POSITIVE = {
    "log": (tf.math.log, np.log),
    "rsqrt": (tf.math.rsqrt, lambda x: 1 / np.sqrt(x)),
}


def measure_positive(result):
    """The functions of positive numbers; the kernel of `rsqrt` depends on the CPU, so it has no check sum."""
    rng = np.random.default_rng(20240123)
    samples = {
        "2^uniform(-126,128)": 2.0 ** rng.uniform(-126, 128, COUNT),
        "2^uniform(-20,20)": 2.0 ** rng.uniform(-20, 20, COUNT),
        "uniform(0,4)": rng.uniform(0, 4, COUNT) + 2.0**-30,
        "uniform(0.9,1.1)": rng.uniform(0.9, 1.1, COUNT),
    }
    steps = np.zeros(17, np.int64)
    for name, (function, true) in POSITIVE.items():
        result["ulp"][name] = {}
        for kind, x in samples.items():
            x = x.astype(F)
            x = np.where(np.isfinite(x), x, F(1))
            found, expected = function(x).numpy(), true(x.astype(np.float64))
            entry = {"samples": len(x), "body": largest_ulp(found, expected)}
            entry["tail"] = largest_ulp(tail(function, x), expected)
            result["ulp"][name][kind] = entry
            if name == "rsqrt":
                composed = F(1) / np.sqrt(x)
                assert np.array_equal(bits(tail(function, x)), bits(composed))
                away = bits(found).astype(np.int64) - bits(composed).astype(np.int64)
                steps += np.bincount(away + 8, minlength=17)
    result["rsqrt_steps"] = {str(k - 8): int(n) for k, n in enumerate(steps) if n}


def behind_dense(activation, x):
    """The activation in the kernel of a Dense layer with bias, where Grappler puts it if a layer follows."""
    layers = tf.keras.layers
    given = tf.keras.Input((16,))
    dense = layers.Dense(16, kernel_initializer="identity")(given)
    model = tf.keras.Model(given, layers.Reshape((8, 2))(layers.Activation(activation)(dense)))
    return model.predict(x.reshape(-1, 16), batch_size=4096, verbose=0).ravel()


def measure_fused(result):
    rng = np.random.default_rng(20240124)
    for name in ("elu", "sigmoid"):
        result["crc32"][f"{name}/behind dense/grid"] = check_sums(behind_dense(name, grid()))
    samples = {"normal(0,3)": rng.normal(0, 3, COUNT), "normal(0,0.1)": rng.normal(0, 0.1, COUNT), "multiples of 2^-14 in ±32": grid()}
    for kind, x in samples.items():
        x = x.astype(F)
        found = largest_ulp(behind_dense("tanh", x), np.tanh(x.astype(np.float64)))
        result["ulp"].setdefault("tanh behind dense", {})[kind] = {"samples": len(x), "body": found}


def main():
    np.seterr(all="ignore")
    if sys.argv[1:] == ["later"]:
        result = json.loads((OUT / "functions.json").read_text())
        measure_positive(result)
        measure_fused(result)
        (OUT / "functions.json").write_text(json.dumps(result, indent=1) + "\n")
        print(result["rsqrt_steps"], result["ulp"]["tanh behind dense"])
        return
    rng = np.random.default_rng(20240120)
    result = {"tensorflow": tf.__version__, "crc32": {}, "ulp": {}}
    for name, (function, _) in FUNCTIONS.items():
        for inputs in (patterns, grid):
            x = inputs()
            result["crc32"][f"{name}/body/{inputs.__name__}"] = check_sums(function(x).numpy())
            result["crc32"][f"{name}/tail/{inputs.__name__}"] = check_sums(tail(function, x))
    for name, function in [("add", tf.add), ("mul", tf.multiply), ("div", tf.divide)]:
        x, y = borderline(name)
        result["crc32"][name] = check_sums(function(x, y).numpy())
    for columns in (1, 2, 3, 5, 8, 10, 16, 17, 33, 100):
        for scale in (8, 100, 400):
            x = rows(columns, scale, SOFTMAX_COUNT)
            result["crc32"][f"softmax/{columns}/{scale}"] = check_sums(tf.nn.softmax(x).numpy())

    samples = {
        "normal(0,3)": rng.normal(0, 3, COUNT),
        "normal(0,0.1)": rng.normal(0, 0.1, COUNT),
        "uniform(-20,20)": rng.uniform(-20, 20, COUNT),
        "uniform(-88,88)": rng.uniform(-88, 88, COUNT),
        "multiples of 2^-14 in ±32": grid(),
    }
    for name, (function, true) in FUNCTIONS.items():
        if true is None:
            continue
        for kind, x in samples.items():
            x = x.astype(F)
            wide = x.astype(np.float64)
            found, expected = function(x).numpy(), true(wide)
            entry = {"samples": len(found), "body": largest_ulp(found, expected)}
            if name in ("exp", "sigmoid"):
                entry["tail"] = largest_ulp(tail(function, x), expected)
            result["ulp"].setdefault(name, {})[kind] = entry
    for columns in (2, 5, 10, 16, 100):
        for scale in (8, 100):
            x = rows(columns, scale, COUNT)
            found = largest_ulp(tf.nn.softmax(x).numpy(), softmax(x.astype(np.float64)))
            kind = f"{columns} values in ±{scale // 2}"
            result["ulp"].setdefault("softmax", {})[kind] = {"samples": x.size, "body": found}
    measure_positive(result)
    measure_fused(result)
    (OUT / "functions.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result["ulp"], indent=1))


if __name__ == "__main__":
    main()
