"""Multiply the events of an HDF5 file by a factor: inputs that overflow on purpose.

    scale_events.py events.h5 out.h5 --factor 16 [--dataset events]

Values stay float32, so a power of two is exact. Other datasets and all
attributes are copied; the factor is stored as attribute `scaled_by`.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import h5py
import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("events", type=Path, help="HDF5 file to read")
    parser.add_argument("output", type=Path, help="HDF5 file to write")
    parser.add_argument("--factor", type=float, required=True)
    parser.add_argument("--dataset", default="events", help="dataset to scale")
    arguments = parser.parse_args()
    if arguments.output.exists() and arguments.output.samefile(arguments.events):
        parser.error("the output would overwrite the input")
    with h5py.File(arguments.events) as file:
        if arguments.dataset not in file:
            parser.error(f"{arguments.events} holds {sorted(file)}, not {arguments.dataset!r}")
        if file[arguments.dataset].dtype != np.float32:
            parser.error(f"{arguments.dataset} is {file[arguments.dataset].dtype}, not float32")
    shutil.copyfile(arguments.events, arguments.output)
    with h5py.File(arguments.output, "r+") as file:
        dataset = file[arguments.dataset]
        dataset[...] = dataset[...] * np.float32(arguments.factor)
        dataset.attrs["scaled_by"] = arguments.factor


if __name__ == "__main__":
    main()
