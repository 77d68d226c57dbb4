"""Measure how many events per second other software runs on a model.

    peers.py model.h5 events.h5 [--batches 512,2048,8192,32768] [--seconds 1] [--csim 2000]

Prints, for each way and batch size, the rate of the best pass over all events, in memory:

* `keras`: TensorFlow's graph of the QKeras model, as `predict` runs it
* `proxy`: TensorFlow's graph of HGQ's proxy (aggressive=True)
* `xla`:   the same compiled by XLA
* `csim`:  hls4ml's C simulation of that proxy (Vitis, io_parallel), on the first `--csim` events; its
           compile time is printed too. 0 leaves it out.

TensorFlow takes all cores. Whole batches only: what is left over is not run, so that XLA compiles one
shape; events are repeated until there are two batches.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["BITTRUE_ORACLE_THREADS"] = "0"
sys.path.insert(0, str(Path(__file__).resolve().parent))
import numpy as np  # noqa: E402

import reference  # noqa: E402
import tensorflow as tf  # noqa: E402


def rate(run, batches: list, seconds: float) -> float:
    """Events per second of the best pass over `batches`."""
    count = sum(len(batch[0]) for batch in batches)
    run(batches[0])
    best = 0.0
    end = time.perf_counter() + seconds
    while best == 0.0 or time.perf_counter() < end:
        begin = time.perf_counter()
        for batch in batches:
            run(batch)
        best = max(best, count / (time.perf_counter() - begin))
    return best


def in_batches(events: list[np.ndarray], size: int) -> list:
    """Whole batches as tensors; events are repeated until there are two."""
    times = -(-2 * size // len(events[0]))
    repeated = [np.concatenate([e] * times) if times > 1 else e for e in events]
    starts = range(0, len(repeated[0]) - size + 1, size)
    return [[tf.constant(e[s : s + size]) for e in repeated] for s in starts]


def graph(model: tf.keras.Model, xla: bool):
    """The model as one function of a batch that ends when its results are there."""
    compiled = tf.function(
        lambda inputs: model(inputs if len(inputs) > 1 else inputs[0], training=False),
        jit_compile=xla,
    )

    def run(batch):
        result = compiled(batch)
        for output in result if isinstance(result, (list, tuple)) else [result]:
            output.numpy()

    return run


def csim(proxy: tf.keras.Model, events: list[np.ndarray], seconds: float) -> None:
    import hls4ml

    with tempfile.TemporaryDirectory() as directory:
        begin = time.perf_counter()
        project = hls4ml.converters.convert_from_keras_model(
            proxy, backend="Vitis", io_type="io_parallel", output_dir=directory
        )
        project.compile()
        print(f"csim   compiled in {time.perf_counter() - begin:.1f} s", flush=True)
        inputs = [np.ascontiguousarray(e, dtype=np.float32) for e in events]
        measured = rate(
            lambda batch: project.predict(batch if len(batch) > 1 else batch[0]), [inputs], seconds
        )
        print(f"csim   {len(inputs[0]):>6} {measured:>12.0f} events/s", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("events", type=Path)
    parser.add_argument("--batches", default="512,2048,8192,32768")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--csim", type=int, default=2000)
    arguments = parser.parse_args()
    model = reference.load_model(arguments.model)
    events = [e.astype(np.float32) for e in reference.load_events(arguments.events, model)]
    proxy = reference.to_proxy(model, aggressive=True)
    print(", ".join(f"{name} {version}" for name, version in reference.versions().items()))
    for name, run in [
        ("keras", graph(model, False)),
        ("proxy", graph(proxy, False)),
        ("xla", graph(proxy, True)),
    ]:
        rates = {}
        for size in map(int, arguments.batches.split(",")):
            try:
                rates[size] = rate(run, in_batches(events, size), arguments.seconds)
            except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError, ValueError) as e:
                print(f"{name:<6} {size:>6} cannot be run: {str(e).splitlines()[0]}", flush=True)
                continue
            print(f"{name:<6} {size:>6} {rates[size]:>12.0f} events/s", flush=True)
        if rates:
            best = max(rates, key=rates.get)
            print(f"{name:<6} best batch {best}: {rates[best]:.0f} events/s", flush=True)
    if arguments.csim > 0:
        csim(proxy, [e[: arguments.csim] for e in events], arguments.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
