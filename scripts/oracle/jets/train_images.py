"""Train the convolutional jet tagger of the demo and write its test vectors.

Reads the images of `generate.py --images`, rounds every pixel to the declared
grid, trains a small QConv2D network with pooling, and writes to `--output`:

    model.h5      the tagger, Keras-2 HDF5, logits as outputs
    events.h5     the rounded test images and their labels
    metrics.json  what the tagger reaches on them, with seed and versions
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import training
from image_tagger import build

SCHEDULE = training.Schedule(learning_rate=2e-3, batch_size=128, max_epochs=60, patience=10)

GRID = 2.0**-12
"""Step of the pixels in the event file, a quarter of that of the input quantizer.

The last digits of a simulated pixel are noise; on a grid they compress well.
"""


def to_events(images: np.ndarray) -> np.ndarray:
    """Pixels rounded to `GRID`, ties to even, as float32 [N, 16, 16, 1]."""
    return (np.rint(images.astype(np.float64) / GRID) * GRID).astype(np.float32)[..., None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images", type=Path, help="HDF5 file of generate.py --images")
    parser.add_argument("--output", type=Path, required=True, help="folder of the test vectors")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    jets = training.read_jets(arguments.images, "images")
    events = {split: to_events(images) for split, (images, _) in jets.splits.items()}
    pixels = events["train"].shape[1]

    model, epochs = training.train(
        lambda: build(pixels, len(jets.classes)),
        events["train"],
        jets.splits["train"][1],
        SCHEDULE,
        arguments.seed,
    )
    arguments.output.mkdir(parents=True, exist_ok=True)
    model_path = arguments.output / "model.h5"
    # Without the optimizer: the file is for inference, and loads without a loss.
    model.save(model_path, include_optimizer=False)
    labels = jets.splits["test"][1]
    attributes = [
        ("axes", ["rapidity", "azimuth", "channel"]),
        ("content", "fraction of the jet's transverse momentum"),
        ("half_width", jets.settings["jet_radius"]),
        ("grid", GRID),
    ]
    training.write_events(
        arguments.output / "events.h5", events["test"], labels, jets.classes, attributes
    )
    metrics = training.measure(model_path, jets, events["test"], labels, epochs, arguments.seed)
    training.write_metrics(arguments.output / "metrics.json", metrics)


if __name__ == "__main__":
    main()
