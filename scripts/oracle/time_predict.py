"""Measure how many events per second Keras `predict` runs on a model.

    time_predict.py model.h5 events.h5 [--batches 32,128,512,2048] [--repeats 5] [--threads 0]

Prints the rate at each batch size and the best of them. A rate is that of the
fastest of `--repeats` runs over all events, already in memory, after one run
that is not counted because it builds the graph; the median run is printed
beside it. Batch 32 is Keras' default and always measured.

`--threads 0`, the default, lets TensorFlow take all cores, as it does for users;
`--threads 1` is how the reference values of this project were made.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

DEFAULT_BATCH = 32


def sizes(text: str) -> list[int]:
    """The batch sizes of a list like `32,256`, `DEFAULT_BATCH` among them."""
    found = {int(part) for part in text.split(",")}
    if min(found) < 1:
        raise ValueError(text)
    return sorted(found | {DEFAULT_BATCH})


def seconds(model, inputs, batch: int, repeats: int) -> list[float]:
    """Duration of each counted run, in seconds."""
    model.predict(inputs, batch_size=batch, verbose=0)
    durations = []
    for _ in range(repeats):
        begin = time.perf_counter()
        model.predict(inputs, batch_size=batch, verbose=0)
        durations.append(time.perf_counter() - begin)
    return durations


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="Keras-2 HDF5 model")
    parser.add_argument("events", type=Path, help="HDF5 events")
    parser.add_argument(
        "--batches", type=sizes, default="32,128,512,2048", help="batch sizes, with commas"
    )
    parser.add_argument("--repeats", type=int, default=5, help="runs per batch size")
    parser.add_argument("--threads", type=int, default=0, help="0: TensorFlow's own choice")
    arguments = parser.parse_args()
    if arguments.repeats < 1 or arguments.threads < 0:
        parser.error("--repeats must be at least 1 and --threads not negative")

    # Read when `reference` starts the runtime, which is why it is imported here.
    os.environ["BITTRUE_ORACLE_THREADS"] = str(arguments.threads)
    import reference

    model = reference.load_model(arguments.model)
    events = reference.load_events(arguments.events, model)
    inputs = events if len(events) > 1 else events[0]
    count = len(events[0])
    threads = arguments.threads or f"TensorFlow's choice on {os.cpu_count()} cores"
    print(f"{arguments.model}: {count} events, threads: {threads}")
    rates = {}
    print(f"{'batch':>6} {'events/s':>10} {'median':>10}")
    for batch in arguments.batches:
        durations = seconds(model, inputs, batch, arguments.repeats)
        rates[batch] = count / min(durations)
        print(f"{batch:>6} {rates[batch]:>10.0f} {count / statistics.median(durations):>10.0f}")
    best = max(rates, key=rates.get)
    print(f"batch {DEFAULT_BATCH}: {rates[DEFAULT_BATCH]:.0f} events/s")
    print(f"best batch {best}: {rates[best]:.0f} events/s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
