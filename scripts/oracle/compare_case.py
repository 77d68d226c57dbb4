"""Run real QKeras and both HGQ proxies on events and compare them layer by layer.

    compare_case.py model.h5 events.h5 [--out expected.h5]
        [--counts counts.json [--origin SENTENCE]]

`--out` stores every value: groups /qkeras, /proxy_sat and /proxy_wrap with one
dataset per layer call, and /<group>_output/<index> with the model outputs.
`--counts` stores the numbers of differing events, with SHA-256 sums of the model
file and of the events' float32 bytes. If HGQ refuses the model, its groups are
missing and the error is printed and stored.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

import h5py
import numpy as np

import layer_values
import reference

PROXIES = {"proxy_sat": False, "proxy_wrap": True}
"""Group name and HGQ's `aggressive` argument."""

CHUNK_BYTES = 1 << 24
"""Up to this size a dataset of `--out` is one chunk."""


def differing_events(left: np.ndarray, right: np.ndarray) -> int:
    """Events with at least one different value; NaN equals NaN, -0 equals 0.

    Where HGQ's proxy gives another shape every event differs.
    """
    if left.shape != right.shape:
        return len(left)
    different = (left != right) & ~(np.isnan(left) & np.isnan(right))
    return int(different.reshape(len(different), -1).any(axis=1).sum())


def compare(qkeras: tuple, proxy: tuple) -> dict:
    """Counts of one proxy against QKeras, of the layers that the proxy has; in topological order."""
    values, outputs = qkeras
    proxy_values, proxy_outputs = proxy
    per_layer = {
        name: differing_events(value, proxy_values[name])
        for name, value in values.items()
        if name in proxy_values
    }
    events = len(outputs[0])
    # An event differs if any of the outputs does, so join them before counting.
    joined = [
        np.concatenate([np.reshape(o, (events, -1)) for o in side], axis=1)
        for side in (outputs, proxy_outputs)
    ]
    return {
        "differing_events": differing_events(*joined),
        "first_differing_layer": next((n for n, c in per_layer.items() if c), None),
        "differing_events_per_layer": per_layer,
    }


def events_digest(events: list[np.ndarray]) -> str:
    """SHA-256 of the float32 values themselves, little-endian, input by input.

    The HDF5 file's own sum would change with its compression.
    """
    digest = hashlib.sha256()
    for array in events:
        digest.update(np.ascontiguousarray(array, dtype="<f4").tobytes())
    return digest.hexdigest()


def evaluate(model_path: Path, events_path: Path) -> tuple[dict, dict]:
    """Values of all three sides and the counts document."""
    model = reference.load_model(model_path)
    events = reference.load_events(events_path, model)
    sides = {"qkeras": layer_values.source_values(model, events)}
    document = {
        "model": model_path.name,
        "model_sha256": hashlib.sha256(model_path.read_bytes()).hexdigest(),
        "events": len(events[0]),
        "events_sha256": events_digest(events),
        "execution": f"CPU, model.predict, batch_size={reference.BATCH_SIZE}, one thread",
        "versions": reference.versions(),
    }
    for group, aggressive in PROXIES.items():
        fresh = reference.load_model(model_path)
        try:
            values, outputs, alignment = layer_values.proxy_values(fresh, events, aggressive)
        except layer_values.ProxyRefused as error:
            document[f"qkeras_vs_{group}"] = {"error": str(error)}
            continue
        sides[group] = (values, outputs)
        document[f"qkeras_vs_{group}"] = {
            **compare(sides["qkeras"], sides[group]),
            "alignment": alignment,
        }
    return sides, document


def store(path: Path, sides: dict) -> None:
    """Write every value of every side to `path`; equal bytes under several names once."""
    stored: dict[tuple, h5py.Dataset] = {}
    with h5py.File(path, "w") as file:

        def put(name: str, value: np.ndarray) -> None:
            value = np.ascontiguousarray(value)
            key = (value.dtype.str, value.shape, hashlib.sha256(value.tobytes()).digest())
            if key in stored:
                file[name] = stored[key]
                return
            # Short chunks compress badly, and these files are read as a whole.
            chunks = value.shape if 0 < value.nbytes <= CHUNK_BYTES else True
            stored[key] = file.create_dataset(
                name,
                data=value,
                chunks=chunks,
                compression="gzip",
                compression_opts=9,
                shuffle=True,
            )

        for group, (values, outputs) in sides.items():
            target = file.create_group(group)
            target.attrs["layer_order"] = json.dumps(list(values))
            for name, value in values.items():
                put(f"{group}/{name}", value)
            for index, output in enumerate(outputs):
                put(f"{group}_output/{index}", output)


def report(document: dict) -> None:
    """Print the counts as a table, one row per layer call."""
    sides = {group: document[f"qkeras_vs_{group}"] for group in PROXIES}
    print(f"{document['model']}: {document['events']} events, differing from QKeras")
    tables = {g: s["differing_events_per_layer"] for g, s in sides.items() if "error" not in s}
    layers = next(iter(tables.values()), {})
    width = max([len(name) for name in layers] + [len("(output)")])
    if tables:
        print(f"{'layer':<{width}}", *(f"{group:>10}" for group in tables))
    for name in layers:
        print(f"{name:<{width}}", *(f"{table[name]:>10}" for table in tables.values()))
    for group, side in sides.items():
        if "error" in side:
            print(f"{group}: refused by HGQ: {side['error']}")
        else:
            print(
                f"{group}: {side['differing_events']} events with different outputs,",
                f"first differing layer: {side['first_differing_layer'] or 'none'}",
            )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="Keras-2 HDF5 model")
    parser.add_argument("events", type=Path, help="HDF5 events")
    parser.add_argument("--out", type=Path, help="HDF5 file for the values of every layer")
    parser.add_argument("--counts", type=Path, help="JSON file for the counts")
    parser.add_argument("--origin", help="sentence for --counts: where the events come from")
    arguments = parser.parse_args()
    if arguments.origin is not None and arguments.counts is None:
        parser.error("--origin needs --counts")
    sides, document = evaluate(arguments.model, arguments.events)
    report(document)
    if arguments.out is not None:
        store(arguments.out, sides)
    if arguments.counts is not None:
        if arguments.origin is not None:
            document = {"origin": arguments.origin, **document}
        arguments.counts.write_text(json.dumps(document, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
