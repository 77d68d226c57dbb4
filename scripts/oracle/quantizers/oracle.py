"""What the scripts of this directory share: the real software, and the file format of the vectors.

A set of vectors is `<name>.json` (what was run) and `<name>.bin.gz` (32-bit words, little-endian). Every array in
the JSON file is given as [offset, count] in words.
"""
import gzip
import json
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

tf.keras.layers  # resolves tf.keras before qkeras is imported, so that both mean the same Keras.

NAN = np.uint32(0x7FC00000)
OUT = pathlib.Path(__file__).resolve().parents[3] / "testvectors" / "quantizers"


def bits(values):
    """Bit patterns of float32 values, every NaN as one pattern."""
    values = np.ascontiguousarray(values, np.float32)
    return np.where(np.isnan(values), NAN, values.view(np.uint32)).astype(np.uint32).ravel()


def floats(words):
    return np.ascontiguousarray(words, np.uint32).view(np.float32)


# Zeros, denormals, the ends of the range, infinities, NaN and values around a half.
SPECIAL = floats(
    [0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007FFFFF, 0x807FFFFF, 0x00800000, 0x80800000]
    + [0x7F7FFFFF, 0xFF7FFFFF, 0x7F800000, 0xFF800000, 0x7FC00000, 0x3EFFFFFF, 0xBEFFFFFF, 0x3F000001]
)


class Store:
    """Collects arrays and writes a set of vectors."""

    def __init__(self):
        self.words = []
        self.size = 0

    def put(self, values):
        words = bits(values)
        self.words.append(words)
        self.size += len(words)
        return [self.size - len(words), len(words)]

    def write(self, name, content):
        OUT.mkdir(parents=True, exist_ok=True)
        data = np.concatenate(self.words).astype("<u4").tobytes()
        with open(OUT / f"{name}.bin.gz", "wb") as file:
            with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=9, mtime=0, filename="") as packed:
                packed.write(data)
        text = json.dumps(content, indent=None, separators=(",", ":"))
        (OUT / f"{name}.json").write_text(text.replace('},{"', '},\n{"') + "\n")
        print(name, len(data), "bytes,", (OUT / f"{name}.bin.gz").stat().st_size, "packed")


def predict(layer, x):
    """`predict` of a model with this one layer, batch size 32."""
    inputs = tf.keras.Input(x.shape[1:])
    model = tf.keras.Model(inputs, layer(inputs))
    return model.predict(x, batch_size=32, verbose=0)
