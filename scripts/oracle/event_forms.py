"""Writes the events of a file, repeated in random order, in the forms that reading is measured with.

    python scripts/oracle/event_forms.py EVENTS DATASET DIRECTORY [--events 4000000] [--seed 1]

npy and contiguous HDF5, chunks without a filter, with gzip, with gzip behind shuffle, with lzf behind
shuffle.
"""

import argparse
from pathlib import Path

import h5py
import numpy as np

FORMS = {
    "contiguous": {},
    "chunked": {"chunks": True},
    "gzip": {"chunks": True, "compression": "gzip", "compression_opts": 4},
    "gzip_shuffle": {"chunks": True, "compression": "gzip", "compression_opts": 4, "shuffle": True},
    "lzf_shuffle": {"chunks": True, "compression": "lzf", "shuffle": True},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("events")
    parser.add_argument("dataset")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--events", dest="count", type=int, default=4_000_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with h5py.File(args.events) as file:
        values = file[args.dataset][:].astype("<f4")
    rows = np.random.default_rng(args.seed).integers(0, len(values), args.count)
    values = values[rows]
    args.directory.mkdir(parents=True, exist_ok=True)
    np.save(args.directory / "events.npy", values)
    for name, options in FORMS.items():
        if options.get("chunks"):
            options = {**options, "chunks": (4096, *values.shape[1:])}
        with h5py.File(args.directory / f"{name}.h5", "w") as file:
            file.create_dataset(args.dataset, data=values, **options)


if __name__ == "__main__":
    main()
