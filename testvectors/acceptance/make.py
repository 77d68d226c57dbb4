"""What HGQ does with the layers of `table.json`: builds a model for each row, converts it with real
HGQ, and writes `rows.json`.

    python make.py

Each row holds the model as Keras stores it (configuration; shapes of weights, whose values follow from
their places, see `value`), and what HGQ made of it: the proxy's layers, or its error. Models come from
their file and are converted with HGQ's default options but `aggressive=False`.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts" / "oracle"))

import h5py  # noqa: E402
import numpy as np  # noqa: E402
import reference  # noqa: E402
from models import SKIPPED, build  # noqa: E402
from models_more import EXTRA  # noqa: E402
from reference import tf  # noqa: E402


def value(index: np.ndarray) -> np.ndarray:
    """The weight at a place in C order: all positive, as a variance has to be."""
    return ((index * 7 % 13 + 1) / 8).astype(np.float32)


def fill(model: tf.keras.Model) -> None:
    for weight in model.weights:
        if weight.dtype == tf.float32:
            weight.assign(value(np.arange(weight.shape.num_elements())).reshape(weight.shape))


def text(item: object) -> str:
    return item.decode() if isinstance(item, bytes) else str(item)


def stored(path: Path) -> dict:
    """The model as the file has it, without the values of its weights."""
    with h5py.File(path) as file:
        group = file["model_weights"]
        names = [text(n) for n in group.attrs["layer_names"]]
        weights = {
            name: {text(w): list(group[name][w].shape) for w in group[name].attrs["weight_names"]}
            for name in names
        }
        return {"model": json.loads(file.attrs["model_config"]), "weights": weights}


def nodes(proxy: tf.keras.Model) -> list[list]:
    """Name, description and arguments of every layer of a proxy, sorted by name, without inputs: for
    each call of the layer the names of the layers whose results it takes."""
    found = []
    for layer in proxy.layers:
        cls = type(layer).__name__
        if cls == "InputLayer":
            continue
        if cls == "FixedPointQuantizer":
            k, b, i = (int(np.ravel(w)[0]) for w in layer.get_weights())
            cls = f"FPQ({k},{b},{i},{layer.RND},{layer.SAT})"
        elif cls == "Activation":
            cls = f"Activation({getattr(layer.activation, '__name__', layer.activation)})"
        used = [n for nodes in proxy._nodes_by_depth.values() for n in nodes]
        calls = [
            [t.node.layer.name for t in node.keras_inputs]
            for node in layer.inbound_nodes
            if node in used
        ]
        found.append([layer.name, cls, calls])
    return sorted(found)


def converted(path: Path) -> dict:
    """What HGQ makes of a model file."""
    try:
        model = reference.load_model(path)
    except Exception as error:  # Keras has no error type of its own.
        return {"unreadable": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
    try:
        proxy = reference.to_proxy(model, aggressive=False)
        return {"nodes": nodes(proxy), "outputs": list(proxy.output_names)}
    except Exception as error:  # Nor has HGQ.
        return {"refused": f"{type(error).__name__}: {error}".strip().splitlines()[0][:200]}


def main() -> None:
    warnings.simplefilter("ignore")
    table = json.loads((HERE / "table.json").read_text())
    rows = []
    extra = [
        {"layer": layer, "config": config, "hgq": None, "hgq_detail": ""} for layer, config in EXTRA
    ]
    for row in table + extra:
        out = {key: row[key] for key in ("layer", "config", "hgq")}
        rows.append(out)
        tf.keras.backend.clear_session()
        try:
            model = None if row["layer"] in SKIPPED else build(row["layer"], row["config"])
        except Exception as error:  # What Keras cannot build has no model file.
            out["skipped"] = f"cannot be built: {type(error).__name__}: {error}".splitlines()[0][:200]
            continue
        if model is None:
            out["skipped"] = SKIPPED.get(row["layer"], "no model was written for it")
            continue
        fill(model)
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "model.h5"
            try:
                model.save(path, save_format="h5", include_optimizer=False)
            except Exception as error:  # Nor what it cannot save.
                out["skipped"] = f"cannot be saved: {type(error).__name__}: {error}"[:200]
                continue
            out |= stored(path) | converted(path)
        accepted = "nodes" in out
        if row["hgq"] is not None and accepted != (row["hgq"] != "refused"):
            print("differs from the table:", row["layer"], "|", row["config"], "|", row["hgq"],
                  row["hgq_detail"][:80], "| here", out.get("refused") or out.get("unreadable") or "ok")
    skipped = [r for r in rows if "skipped" in r]
    for row in skipped:
        print("skipped:", row["layer"], "|", row["config"], "|", row["skipped"])
    print(len(rows), "rows,", len(skipped), "skipped")
    text_ = "[\n" + ",\n".join(json.dumps(r) for r in rows) + "\n]\n"
    with open(HERE / "rows.json.gz", "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
        file.write(text_.encode())


if __name__ == "__main__":
    main()
