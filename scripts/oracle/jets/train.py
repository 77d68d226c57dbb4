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
import json
import sys
from pathlib import Path

# The reference environment lives one folder up and serves all scripts.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import h5py
import numpy as np

import reference
from metrics import accuracy, area_under_curve, softmax
from reference import tf
from tagger import build

VALIDATION_FRACTION = 0.1
LEARNING_RATE = 2e-3
BATCH_SIZE = 256
MAX_EPOCHS = 80
PATIENCE = 10


def standardise(features: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """(x - mean) / std per feature in float64, then rounded to float32."""
    return ((features - mean) / std).astype(np.float32)


def train(events: np.ndarray, labels: np.ndarray, classes: int, seed: int):
    """A trained tagger and the number of epochs it took."""
    tf.keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    model = build(events.shape[1], classes)
    model.compile(
        optimizer=tf.keras.optimizers.Adam(LEARNING_RATE),
        # The softmax lives in the loss, so that every layer is fixed-point.
        loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    callbacks = [
        tf.keras.callbacks.ReduceLROnPlateau(factor=0.3, patience=4, min_lr=1e-5),
        tf.keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True),
    ]
    # The generator shuffled the jets, so the last ones are a fair sample.
    held_out = int(len(events) * VALIDATION_FRACTION)
    history = model.fit(
        events[:-held_out],
        labels[:-held_out],
        validation_data=(events[-held_out:], labels[-held_out:]),
        batch_size=BATCH_SIZE,
        epochs=MAX_EPOCHS,
        callbacks=callbacks,
        verbose=2,
    )
    return model, len(history.history["loss"])


def write_events(path: Path, events: np.ndarray, labels: np.ndarray, attributes: dict) -> None:
    """The test jets: `events` float32 [N, 16] and `labels` uint8 [N]."""
    with h5py.File(path, "w") as file:
        options = {"compression": "gzip", "compression_opts": 9, "shuffle": True}
        chunk = min(2000, len(events))
        dataset = file.create_dataset(
            "events", data=events, chunks=(chunk, events.shape[1]), **options
        )
        for name in ("feature_names", "mean", "std"):
            dataset.attrs[name] = attributes[name]
        dataset = file.create_dataset("labels", data=labels, chunks=(chunk,), **options)
        dataset.attrs["classes"] = attributes["classes"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("features", type=Path, help="HDF5 file of generate.py")
    parser.add_argument("--output", type=Path, required=True, help="folder of the test vectors")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    with h5py.File(arguments.features) as file:
        classes = list(file.attrs["classes"])
        feature_names = list(file.attrs["feature_names"])
        settings = json.loads(file.attrs["settings"])
        splits = {
            split: (file[f"{split}/features"][:], file[f"{split}/labels"][:])
            for split in ("train", "test")
        }
    mean = splits["train"][0].mean(axis=0)
    std = splits["train"][0].std(axis=0)
    events = {s: standardise(f, mean, std) for s, (f, _) in splits.items()}

    model, epochs = train(events["train"], splits["train"][1], len(classes), arguments.seed)
    arguments.output.mkdir(parents=True, exist_ok=True)
    model_path = arguments.output / "model.h5"
    # Without the optimizer: the file is for inference, and loads without a loss.
    model.save(model_path, include_optimizer=False)
    write_events(
        arguments.output / "events.h5",
        events["test"],
        splits["test"][1],
        {"feature_names": feature_names, "classes": classes, "mean": mean, "std": std},
    )

    # Quote what the file predicts, not what the model in memory does.
    stored = reference.load_model(model_path)
    (logits,) = reference.predict(stored, [events["test"]])
    labels = splits["test"][1]
    probabilities = softmax(logits)
    metrics = {
        "accuracy": accuracy(logits, labels),
        "auc": {
            name: area_under_curve(probabilities[:, index], labels == index)
            for index, name in enumerate(classes)
        },
        "test_jets": len(labels),
        "train_jets": len(splits["train"][1]),
        "jets_per_class_test": np.bincount(labels, minlength=len(classes)).tolist(),
        "epochs": epochs,
        "seed": arguments.seed,
        "generator": settings,
        "versions": reference.versions(),
    }
    text = json.dumps(metrics, indent=1)
    (arguments.output / "metrics.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
