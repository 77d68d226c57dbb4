"""Train the QKeras jet tagger of the demo and write its test vectors.

Reads the file of `generate.py`, standardises the features with mean and
standard deviation of the training jets, trains 16-64-32-32-5 with fixed-point
kernels and activations, and writes to `--output`:

    model.h5      the tagger, Keras-2 HDF5, logits as outputs
    events.h5     the standardised test jets and their labels
    metrics.json  what the tagger reaches on them, with seed and versions
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import training
from tagger import build

SCHEDULE = training.Schedule(learning_rate=2e-3, batch_size=256, max_epochs=80, patience=10)


def standardise(features: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """(x - mean) / std per feature in float64, then rounded to float32."""
    return ((features - mean) / std).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("features", type=Path, help="HDF5 file of generate.py")
    parser.add_argument("--output", type=Path, required=True, help="folder of the test vectors")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    jets = training.read_jets(arguments.features, "features")
    feature_names = list(jets.attributes["feature_names"])
    mean = jets.splits["train"][0].mean(axis=0)
    std = jets.splits["train"][0].std(axis=0)
    events = {s: standardise(f, mean, std) for s, (f, _) in jets.splits.items()}

    model, epochs = training.train(
        lambda: build(len(feature_names), len(jets.classes)),
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
    attributes = [("feature_names", feature_names), ("mean", mean), ("std", std)]
    training.write_events(
        arguments.output / "events.h5", events["test"], labels, jets.classes, attributes
    )
    metrics = training.measure(model_path, jets, events["test"], labels, epochs, arguments.seed)
    training.write_metrics(arguments.output / "metrics.json", metrics)


if __name__ == "__main__":
    main()
