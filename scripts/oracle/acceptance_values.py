"""Holds the classes of docs/support.md against the real software, on the same models.

    acceptance_values.py [--every N] [--first I] [--verify PATH]

docs/support.md says in how many elements each leg claims equal bits, on the models of
`testvectors/acceptance`. Here real QKeras and HGQ `predict` run on every N-th of these
models, with weights and events of full float32 precision, and every element that bittrue gives without a
band has to be theirs, every other one has to lie in its band; refusals have to agree too. Each row is
printed with what was compared. Exits with 1 if anything differs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

import h5py
import numpy as np

from fuzzing.check import Tally, check
from reference import tf

REPOSITORY = Path(__file__).resolve().parents[2]
ACCEPTANCE = REPOSITORY / "testvectors/acceptance"
sys.path.insert(0, str(ACCEPTANCE))

from models import SKIPPED, build  # noqa: E402
from models_more import EXTRA  # noqa: E402

EVENTS = 72
"""As in docs/support.md: more than one batch, so that the last one is not full."""


def randomise(model: tf.keras.Model, rng: np.random.Generator) -> None:
    """Weights as training leaves them: no multiples of anything."""
    for layer in model._flatten_layers(include_self=False, recursive=True):
        if isinstance(layer, tf.keras.Model) or not layer.weights:
            continue
        values = [
            rng.uniform(0.25, 1.25, w.shape) if "variance" in w.name else rng.uniform(-1, 1, w.shape)
            for w in layer.weights
        ]
        layer.set_weights([v.astype(np.float32) for v in values])


def store(model: tf.keras.Model, rng: np.random.Generator, directory: Path) -> tuple[Path, Path]:
    """Model and events as files. The first event is zero; others leave the types of the inputs."""
    model_path, events_path = directory / "model.h5", directory / "events.h5"
    model.save(model_path, save_format="h5", include_optimizer=False)
    names = model.input_names
    with h5py.File(events_path, "w") as file:
        for name, tensor in zip(names, model.inputs, strict=True):
            values = rng.uniform(-12, 12, (EVENTS, *tensor.shape[1:])).astype(np.float32)
            values[0] = 0
            file[name if len(names) > 1 else "events"] = values
    return model_path, events_path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=1, help="every N-th row only")
    parser.add_argument("--first", type=int, default=0, help="the first row")
    parser.add_argument("--verify", type=Path, default=REPOSITORY / "target/release/verify")
    arguments = parser.parse_args()
    rows = json.loads((ACCEPTANCE / "table.json").read_text())
    rows += [{"layer": layer, "config": config} for layer, config in EXTRA]
    total, wrong, seen = Tally(), 0, Counter()
    for number in range(arguments.first, len(rows), arguments.every):
        row = rows[number]
        title = f"{number} {row['layer']} ({row['config']})"
        rng = np.random.default_rng(number)
        tally = Tally()
        with tempfile.TemporaryDirectory() as scratch:
            try:
                tf.keras.backend.clear_session()
                model = None if row["layer"] in SKIPPED else build(row["layer"], row["config"])
                if model is None:
                    seen["no model"] += 1
                    continue
                randomise(model, rng)
                paths = store(model, rng, Path(scratch))
            except Exception as error:  # What Keras cannot build cannot be compared.
                seen["not built"] += 1
                print(f"{title}: not built: {type(error).__name__}", flush=True)
                continue
            problems = check(arguments.verify, *paths, tally, separately=True)
        legs = {leg: (n, tally.banded[leg]) for leg, n in tally.elements.items()}
        seen["compared" if legs else "no leg runs"] += 1
        print(f"{title}: elements and banded {legs}", flush=True)
        for problem in problems:
            wrong += 1
            print(f"    {problem.leg} {problem.kind} {problem.layer}: {problem.text}", flush=True)
        for name in vars(total):
            getattr(total, name).update(getattr(tally, name))
    print(f"rows: {dict(seen)}")
    print(f"elements {dict(total.elements)}, banded {dict(total.banded)}")
    print(f"mismatches {dict(total.mismatches)}, no claim {len(total.no_claim)} reasons")
    print(f"problems: {wrong}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
