"""Copy the first events of an HDF5 file: a small file for a case with every value stored.

    excerpt_events.py events.h5 out.h5 --count 200

Every dataset is cut along its first axis, labels included; attributes are kept.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import h5py


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("events", type=Path, help="HDF5 file to read")
    parser.add_argument("output", type=Path, help="HDF5 file to write")
    parser.add_argument("--count", type=int, required=True, help="events to keep")
    arguments = parser.parse_args()
    if arguments.output.exists() and arguments.output.samefile(arguments.events):
        parser.error("the output would overwrite the input")
    with h5py.File(arguments.events) as source:
        lengths = {name: len(dataset) for name, dataset in source.items()}
        if not 1 <= arguments.count <= min(lengths.values()):
            parser.error(f"--count {arguments.count}, but {arguments.events} holds {lengths}")
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(arguments.output, "w") as target:
            target.attrs.update(source.attrs)
            for name, dataset in source.items():
                kept = dataset[: arguments.count]
                copy = target.create_dataset(
                    name,
                    data=kept,
                    chunks=kept.shape,
                    compression="gzip",
                    compression_opts=9,
                    shuffle=True,
                )
                copy.attrs.update(dataset.attrs)


if __name__ == "__main__":
    main()
