"""What the demo's taggers have in common: jets in, training, test vectors out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

# The reference environment lives one folder up and serves all scripts.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import h5py
import numpy as np

import reference
from metrics import accuracy, area_under_curve, softmax
from reference import tf

VALIDATION_FRACTION = 0.1


@dataclass(frozen=True)
class Jets:
    """A file of `generate.py`.

    `splits` holds the dataset asked for and the labels of `train` and `test`,
    `attributes` the file's attributes, `settings` the generator's.
    """

    classes: list[str]
    settings: dict
    attributes: dict
    splits: dict[str, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train."""

    learning_rate: float
    batch_size: int
    max_epochs: int
    patience: int


def read_jets(path: Path, dataset: str) -> Jets:
    """The jets of `path` with their `dataset`, `features` or `images`."""
    with h5py.File(path) as file:
        return Jets(
            classes=list(file.attrs["classes"]),
            settings=json.loads(file.attrs["settings"]),
            attributes=dict(file.attrs),
            splits={
                split: (file[f"{split}/{dataset}"][:], file[f"{split}/labels"][:])
                for split in ("train", "test")
            },
        )


def train(
    build: Callable[[], tf.keras.Model],
    events: np.ndarray,
    labels: np.ndarray,
    schedule: Schedule,
    seed: int,
) -> tuple[tf.keras.Model, int]:
    """The tagger that `build` makes, trained, and the number of epochs it took."""
    tf.keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    model = build()
    model.compile(
        optimizer=tf.keras.optimizers.Adam(schedule.learning_rate),
        # The softmax lives in the loss, so that every layer is fixed-point.
        loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    callbacks = [
        tf.keras.callbacks.ReduceLROnPlateau(factor=0.3, patience=4, min_lr=1e-5),
        tf.keras.callbacks.EarlyStopping(
            patience=schedule.patience, restore_best_weights=True
        ),
    ]
    # The generator shuffled the jets, so the last ones are a fair sample.
    held_out = int(len(events) * VALIDATION_FRACTION)
    history = model.fit(
        events[:-held_out],
        labels[:-held_out],
        validation_data=(events[-held_out:], labels[-held_out:]),
        batch_size=schedule.batch_size,
        epochs=schedule.max_epochs,
        callbacks=callbacks,
        verbose=2,
    )
    return model, len(history.history["loss"])


def write_events(
    path: Path,
    events: np.ndarray,
    labels: np.ndarray,
    classes: list[str],
    attributes: Iterable[tuple[str, object]],
) -> None:
    """The test jets: `events` float32 [N, ...] with `attributes`, `labels` uint8 [N]."""
    with h5py.File(path, "w") as file:
        options = {"compression": "gzip", "compression_opts": 9, "shuffle": True}
        chunk = min(2000, len(events))
        dataset = file.create_dataset(
            "events", data=events, chunks=(chunk, *events.shape[1:]), **options
        )
        for name, value in attributes:
            dataset.attrs[name] = value
        dataset = file.create_dataset("labels", data=labels, chunks=(chunk,), **options)
        dataset.attrs["classes"] = classes


def measure(
    model_path: Path, jets: Jets, events: np.ndarray, labels: np.ndarray, epochs: int, seed: int
) -> dict:
    """What the stored model reaches on the test events, with seed and versions.

    It is the file that predicts, not the model in memory.
    """
    stored = reference.load_model(model_path)
    (logits,) = reference.predict(stored, [events])
    probabilities = softmax(logits)
    return {
        "accuracy": accuracy(logits, labels),
        "auc": {
            name: area_under_curve(probabilities[:, index], labels == index)
            for index, name in enumerate(jets.classes)
        },
        "test_jets": len(labels),
        "train_jets": len(jets.splits["train"][1]),
        "jets_per_class_test": np.bincount(labels, minlength=len(jets.classes)).tolist(),
        "epochs": epochs,
        "seed": seed,
        "generator": jets.settings,
        "versions": reference.versions(),
    }


def write_metrics(path: Path, metrics: dict) -> None:
    """Write the metrics as JSON, and print them."""
    text = json.dumps(metrics, indent=1)
    path.write_text(text + "\n")
    print(text)
