"""Copy golden cases into this directory, with their layer values stored smaller.

    python repack.py DIRECTORY_OF_CASES CASE...

Models, proxies, events, types and facts are copied as they are. In `expected.h5` equal
datasets are stored once under several names, float64 becomes float32 where every
value survives that, and everything is compressed; every value, NaN included, is
read back and compared before the file is kept.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).resolve().parent
AS_THEY_ARE = (
    "case.json", "events.h5", "model.h5", "proxy.h5", "proxy_sat.h5", "proxy_wrap.h5", "types.json", "types_sat.json",
    "types_wrap.json",
)
"""Copied where they exist."""


def narrow(values: np.ndarray) -> np.ndarray:
    """The values as float32, if they are the same."""
    if values.dtype != np.float64:
        return values
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    same = np.array_equal(single.astype(np.float64), values, equal_nan=True)
    return single if same else values


def repack(source: h5py.File, target: h5py.File) -> None:
    """Copy every group and dataset."""
    stored: dict[tuple, str] = {}

    def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Group):
            target.create_group(name).attrs.update(item.attrs)
            return
        values = narrow(item[()])
        key = (values.dtype.str, values.shape, values.tobytes())
        if key in stored:
            target[name] = target[stored[key]]
            return
        stored[key] = name
        target.create_dataset(
            name, data=values, chunks=values.shape, compression="gzip",
            compression_opts=9, shuffle=True, track_times=False,
        )

    source.visititems(copy)


def compare(source: h5py.File, target: h5py.File) -> None:
    """Fails unless both files hold the same values under the same names."""

    def check(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            assert np.array_equal(target[name][()], item[()], equal_nan=True), name
        else:
            assert dict(target[name].attrs) == dict(item.attrs), name

    source.visititems(check)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path, help="holds one directory per case")
    parser.add_argument("cases", nargs="+", metavar="CASE")
    arguments = parser.parse_args()
    for case in arguments.cases:
        source, target = arguments.directory / case, HERE / case
        target.mkdir(parents=True, exist_ok=True)
        for file in AS_THEY_ARE:
            if (source / file).exists():
                shutil.copyfile(source / file, target / file)
        with h5py.File(source / "expected.h5") as old, h5py.File(
            target / "expected.h5", "w", libver=("v110", "v110")
        ) as new:
            repack(old, new)
            compare(old, new)


if __name__ == "__main__":
    main()
