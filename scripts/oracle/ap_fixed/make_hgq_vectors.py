"""Makes testvectors/ap_fixed/hgq.txt.gz with the quantizer of HGQ (`gfixed_quantizer`).

Usage: python make_hgq_vectors.py [--out DIR]

Needs HGQ and its TensorFlow (the pinned version is checked). The formats and inputs are so small that every
float32 intermediate is exact. The format is described in testvectors/ap_fixed/ORIGIN.md.
"""

import argparse
import gzip
import importlib.metadata
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

tf.keras.layers  # Resolves tf.keras before HGQ's imports can put tf_keras in its place.

from HGQ.proxy.fixed_point_quantizer import RND_MAP, SAT_MAP, gfixed_quantizer

HERE = pathlib.Path(__file__).resolve().parent
HGQ = "0.2.6"
MAX_BITS = 7
# Two bits below the LSB hold the ties and both of their neighbours.
SHIFT = 2


def line(k, bits, integers, rounding, overflow):
    """All inputs within three ranges of zero through one format."""
    fractional = bits - integers
    reach = 3 << (bits + SHIFT)
    raws = np.arange(-reach, reach + 1)
    x = np.ldexp(raws.astype(np.float32), -(fractional + SHIFT)).astype(np.float32)
    assert np.array_equal(np.ldexp(x.astype(np.float64), fractional + SHIFT), raws)
    # The layer FixedPointQuantizer holds its format in int8 tensors.
    kbi = [tf.constant([part], dtype="int8") for part in (k, bits, integers)]
    y = gfixed_quantizer(tf.constant(x), *kbi, rounding, overflow).numpy()
    scaled = np.ldexp(y.astype(np.float64), fractional)
    codes = scaled.astype(np.int64)
    assert np.array_equal(codes, scaled), f"not on the grid: {k} {bits} {integers} {rounding} {overflow}"
    name = "ap_fixed" if k else "ap_ufixed"
    head = f"{name}<{bits},{integers},{rounding},{overflow}> {fractional + SHIFT} {-reach}"
    return head + " = " + " ".join(map(str, codes))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parents[2] / "testvectors" / "ap_fixed")
    args = parser.parse_args()

    version = importlib.metadata.version("HGQ")
    if version != HGQ:
        raise SystemExit(f"HGQ {HGQ} is needed, {version} is installed")

    lines = []
    for rounding in RND_MAP:
        for overflow in SAT_MAP:
            for bits in range(MAX_BITS + 1):
                for k in (0, 1):
                    # The integer bits only scale the result; they take turns, also outside 0 to W.
                    integers = (len(lines) * 5) % (bits + 6) - 3
                    lines.append(line(k, bits, integers, rounding, overflow))
    path = args.out / "hgq.txt.gz"
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), 9, mtime=0))
    print(f"{path.name}: {len(lines)} lines, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
