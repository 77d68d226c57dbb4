"""Simulate the demo jets: Pythia 8 events, FastJet jets, sixteen observables.

Writes an HDF5 file with the groups `train` and `test`, each holding `features`
(float64 [N, 16], not standardised) and `labels` (uint8 [N]); with `--images`
a second file with the jets' images in the same order.

The result depends on `--seed` and the counts only, not on `--jobs`: the jets
are made in blocks, each with a generator and a seed of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import Pool
from pathlib import Path

# The matrices are tiny; a threaded BLAS would only add noise to the timing.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import h5py
import numpy as np

import clustering
import simulate
from image import jet_image
from observables import FEATURES, observables

BLOCK_JETS = 600
"""Jets per block: small enough to share the work evenly between processes."""

SEED_STRIDE = 10_000
"""Room for block numbers between two values of `--seed`."""


@dataclass(frozen=True)
class Block:
    """One unit of work: `jets` jets of the class `label`."""

    split: str
    label: int
    jets: int
    seed: int


def plan(train: int, test: int, seed: int) -> list[Block]:
    """Cut the requested jets per class into blocks with distinct seeds."""
    blocks = []
    for split, total in (("train", train), ("test", test)):
        for label in range(len(simulate.CLASSES)):
            for start in range(0, total, BLOCK_JETS):
                jets = min(BLOCK_JETS, total - start)
                # Pythia takes seed 0 for "use the clock", so count from 1.
                number = len(blocks) + 1
                blocks.append(Block(split, label, jets, seed * SEED_STRIDE + number))
    if len(blocks) >= SEED_STRIDE:
        raise SystemExit(f"{len(blocks)} blocks would share seeds with the next --seed")
    return blocks


def run(block: Block) -> tuple[np.ndarray, np.ndarray]:
    """Features [jets, 16] and images [jets, 16, 16] of one block."""
    name = simulate.CLASSES[block.label]
    need_match = name not in ("q", "g")
    features, images = [], []
    for collision in simulate.collisions(name, block.seed):
        for jet in clustering.find_jets(collision, need_match):
            features.append(observables(jet))
            images.append(jet_image(jet))
        if len(features) >= block.jets:
            break
    features = np.array(features[: block.jets])
    if not np.isfinite(features).all():
        raise RuntimeError(f"block {block} holds a value that is not finite")
    return features, np.array(images[: block.jets])


def description(arguments: argparse.Namespace) -> str:
    """Everything that decides the physics, as JSON for the output file."""
    return json.dumps(
        {
            "seed": arguments.seed,
            "block_jets": BLOCK_JETS,
            "pythia_settings": {c: simulate.settings(c) for c in simulate.CLASSES},
            "jet_radius": clustering.JET_RADIUS,
            "jet_pt_min_gev": clustering.JET_PT_MIN_GEV,
            "jet_eta_max": clustering.JET_ETA_MAX,
            "mmdt_zcut": clustering.MMDT_ZCUT,
            "versions": {p: version(p) for p in ("pythia8mc", "fastjet", "numpy")},
        }
    )


def write(path: Path, name: str, splits: dict, settings: str) -> None:
    """Write dataset `name` and the labels of every split, shuffled."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.attrs["settings"] = settings
        file.attrs["classes"] = list(simulate.CLASSES)
        if name == "features":
            file.attrs["feature_names"] = list(FEATURES)
        for split, arrays in splits.items():
            options = {"compression": "gzip", "shuffle": True}
            file.create_dataset(f"{split}/{name}", data=arrays[name], **options)
            file.create_dataset(f"{split}/labels", data=arrays["labels"], **options)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path, help="HDF5 file for the features")
    parser.add_argument("--images", type=Path, help="HDF5 file for the jet images")
    parser.add_argument("--train", type=int, default=12_000, help="training jets per class")
    parser.add_argument("--test", type=int, default=2_400, help="test jets per class")
    parser.add_argument("--seed", type=int, default=1, help="from 0 to 89999")
    parser.add_argument("--jobs", type=int, choices=(1, 2), default=2, help="processes")
    arguments = parser.parse_args()
    if arguments.train < 1 or arguments.test < 1:
        parser.error("--train and --test must be at least 1")
    if not 0 <= arguments.seed < 90_000:
        parser.error("--seed must be between 0 and 89999, Pythia takes no larger one")

    blocks = plan(arguments.train, arguments.test, arguments.seed)
    begin = time.monotonic()
    results = []
    with Pool(arguments.jobs) as pool:
        for number, result in enumerate(pool.imap(run, blocks), start=1):
            results.append(result)
            jets = sum(block.jets for block in blocks[:number])
            rate = jets / (time.monotonic() - begin)
            print(f"{jets} jets, {rate:.0f} jets/s", file=sys.stderr, flush=True)

    splits = {}
    for index, split in enumerate(("train", "test")):
        mine = [(b, r) for b, r in zip(blocks, results) if b.split == split]
        features = np.concatenate([r[0] for _, r in mine])
        images = np.concatenate([r[1] for _, r in mine])
        labels = np.concatenate([np.full(b.jets, b.label, np.uint8) for b, _ in mine])
        order = np.random.default_rng([arguments.seed, index]).permutation(len(labels))
        splits[split] = {
            "features": features[order],
            "images": images[order],
            "labels": labels[order],
        }
    write(arguments.output, "features", splits, description(arguments))
    if arguments.images is not None:
        write(arguments.images, "images", splits, description(arguments))


if __name__ == "__main__":
    main()
