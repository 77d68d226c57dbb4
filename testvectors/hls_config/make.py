"""Proxies converted with configurations: hls4ml's types and the outputs of its C simulation.

    python make.py DIRECTORY [CASE...]

Each case is a proxy of PROXIES and a configuration: `CASE.yml` is what a user would give to
`--hls-config` (`whole` ones are the hls4ml_config.yml that hls4ml wrote, the others a bare HLSConfig),
`CASE.types.json` hls4ml's final types, and `CASE.out.h5` the outputs of the compiled simulation for the
events of the proxy.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "oracle"))
import reference  # noqa: E402, F401  sets the environment of the pinned software

import h5py  # noqa: E402
import hls4ml  # noqa: E402
import numpy as np  # noqa: E402
import yaml  # noqa: E402
from tensorflow import keras  # noqa: E402

keras.layers.Dense
from HGQ.proxy.fixed_point_quantizer import FixedPointQuantizer as Q  # noqa: E402

L = keras.layers
TYPES = ("accum_t", "weight_t", "bias_t", "scale_t", "table_t", "param_t")
TYPES_OF_SOFTMAX = ("exp_table_t", "inv_table_t", "inv_inp_t")


def q(k, b, i, R="RND_CONV", S="SAT"):
    return Q(k, b, i, R, S)


def model(f, *shapes):
    """The model of a function, with weights on a grid."""
    rng = np.random.default_rng(7)
    inputs = [L.Input(s) for s in shapes]
    made = keras.Model(inputs, f(*inputs))
    for layer in made.layers:
        old = layer.get_weights()
        if isinstance(layer, (L.Dense, L.Conv1D, L.Conv2D)):
            layer.set_weights([np.round(rng.normal(size=a.shape) * 8) / 16 for a in old])
        if isinstance(layer, L.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, a.shape) for a in old])
    return made


def relu(x, b, i):
    return q(0, b, i)(L.Activation("relu")(x))


PROXIES = {
    # A softmax of four signed numbers, open and with a quantizer behind it.
    "softmax": lambda: model(
        lambda x: L.Activation("softmax", name="soft")(q(1, 9, 3)(L.Dense(4)(q(1, 8, 3)(x)))), (5,)
    ),
    "softmax_quantized": lambda: model(
        lambda x: L.Dense(2, name="last")(
            q(0, 8, 0)(L.Activation("softmax", name="soft")(q(1, 7, 3)(L.Dense(3)(q(1, 8, 3)(x)))))
        ),
        (5,),
    ),
    "softmax_unsigned": lambda: model(
        lambda x: L.Activation("softmax", name="soft")(relu(L.Dense(5)(q(1, 8, 3)(x)), 8, 3)), (5,)
    ),
    "curves": lambda: model(
        lambda x: [
            q(0, 12, 0)(L.Activation("sigmoid", name="sig")(q(1, 8, 4)(L.Dense(3)(q(1, 8, 3)(x))))),
            q(1, 12, 1)(L.Activation("tanh", name="tan")(q(1, 8, 3)(L.Dense(3)(q(1, 7, 3)(x))))),
            q(1, 14, 4)(L.ELU(0.75, name="el")(q(1, 8, 3)(L.Dense(3)(q(1, 6, 3)(x))))),
        ],
        (5,),
    ),
    "norm": lambda: model(
        lambda x: q(1, 10, 4)(L.BatchNormalization(name="bn")(L.Dense(4, name="d")(q(1, 8, 3)(x)))), (5,)
    ),
}

POISON = "fixed<1,0>"


def soft(**keys):
    """A configuration that names the softmax."""
    return {"Model": {"Precision": "fixed<16,6>", "ReuseFactor": 1}, "LayerName": {"soft": keys}}


def by(granularity, change=None):
    """What config_from_keras_model gives, changed."""

    def make(proxy):
        config = hls4ml.utils.config_from_keras_model(proxy, granularity=granularity, backend="Vitis")
        if change:
            change(config)
        return config

    return make


def with_(name, **keys):
    def change(config):
        config["LayerName"][name].update(keys)

    return change


# Name: proxy, configuration or a function of the proxy, io_type, whether the file is the whole project's.
CASES = {
    "latency": ("softmax", soft(Implementation="latency"), "io_parallel", False),
    "legacy": ("softmax", soft(implementation="legacy", table_size=512), "io_parallel", False),
    "argmax": ("softmax", soft(Implementation="argmax"), "io_parallel", False),
    "stable_tables": (
        "softmax",
        soft(
            exp_table_t="ap_fixed<16,2,AP_RND,AP_SAT>",
            inv_table_t="ufixed<14,2,RND_CONV,SAT>",
            inv_inp_t="ap_ufixed<12,4,AP_RND,AP_SAT>",
            accum_t="ap_ufixed<16,4,AP_RND,AP_SAT>",
            TableSize=256,
        ),
        "io_parallel",
        True,
    ),
    "two_sizes": ("softmax", soft(exp_table_size=128, inv_table_size=256), "io_parallel", False),
    "latency_sizes": (
        "softmax",
        soft(Implementation="latency", exp_table_size=256, inv_table_size=512),
        "io_parallel",
        False,
    ),
    "accum_of_model": (
        "softmax_quantized",
        {"Model": {"Precision": {"default": POISON, "accum": "ap_fixed<20,10,AP_RND,AP_SAT>"}, "ReuseFactor": 1}},
        "io_parallel",
        False,
    ),
    "accum_of_type": (
        "softmax_quantized",
        {
            "Model": {"Precision": POISON, "ReuseFactor": 1},
            "LayerType": {"Softmax": {"Precision": "fixed<14,5>", "ReuseFactor": 4, "Strategy": "Resource"}},
        },
        "io_parallel",
        True,
    ),
    "accum_of_name": (
        "softmax_quantized",
        {
            "Model": {"Precision": POISON, "ReuseFactor": 2, "Strategy": "Resource"},
            "LayerType": {"Softmax": {"Precision": POISON}},
            "LayerName": {"soft": {"Precision": {"accum": "ufixed<17,5,RND,SAT>", "result": "auto"}}},
        },
        "io_parallel",
        False,
    ),
    "poison": ("softmax", {"Model": {"Precision": POISON, "ReuseFactor": 1}}, "io_parallel", False),
    "unsigned": ("softmax_unsigned", soft(table_size=2048), "io_parallel", False),
    "unsigned_sizes": (
        "softmax_unsigned",
        soft(exp_table_size=64, inv_table_size=256),
        "io_parallel",
        False,
    ),
    "unsigned_latency": ("softmax_unsigned", soft(Implementation="latency"), "io_parallel", False),
    "skip": ("softmax", soft(skip=True), "io_parallel", False),
    "skip_quantized": ("softmax_quantized", soft(Skip=True), "io_parallel", False),
    "by_name": ("softmax", by("name"), "io_parallel", True),
    "by_name_latency": (
        "softmax_quantized",
        by("name", with_("soft", implementation="latency")),
        "io_parallel",
        True,
    ),
    "by_type": ("softmax", by("type"), "io_parallel", False),
    "by_model": ("softmax", by("model"), "io_parallel", True),
    "curves_name": ("curves", by("name"), "io_parallel", True),
    "curves_tables": (
        "curves",
        {
            "Model": {"Precision": POISON, "ReuseFactor": 1},
            "LayerType": {"Activation": {"table_t": "ap_fixed<20,4,AP_RND_CONV,AP_SAT>", "TableSize": 77}},
            "LayerName": {
                "tan": {"table_t": "fixed<14,2,RND>"},
                "el": {"table_t": "fixed<16,2,RND_ZERO,SAT>", "TableSize": 512},
            },
        },
        "io_parallel",
        False,
    ),
    "norm_name": ("norm", by("name"), "io_parallel", True),
    "norm_type": ("norm", by("type"), "io_parallel", False),
}


def types(graph) -> dict:
    """Class, inputs and types of every node."""
    found = {}
    for layer in graph.values():
        node = {"class": layer.class_name, "inputs": list(layer.inputs)}
        node["result_t"] = str(layer.get_output_variable().type.precision)
        for key in TYPES:
            value = layer.attributes.get(key)
            if value is not None and hasattr(value, "precision"):
                node[key] = str(value.precision)
        if "table_size" in layer.attributes:
            node["table_size"] = int(layer.attributes["table_size"])
        found[layer.name] = node
    return found


def plain(value):
    """A configuration as plain Python, for YAML."""
    return json.loads(json.dumps(value))


def make(directory: Path, name: str) -> None:
    proxy_name, config, io_type, whole = CASES[name]
    path = directory / f"{proxy_name}.h5"
    if not path.exists():
        keras.backend.clear_session()
        PROXIES[proxy_name]().save(path)
    keras.backend.clear_session()
    proxy = keras.models.load_model(path)
    config = plain(config(proxy) if callable(config) else config)
    events = directory / f"{proxy_name}.events.h5"
    if not events.exists():
        rng = np.random.default_rng(11)
        x = rng.normal(size=(120, *proxy.input_shape[1:])) * 3
        x[:30] = np.round(x[:30] * 16) / 16
        with h5py.File(events, "w") as file:
            file["events"] = x
    with h5py.File(events) as file:
        x = np.ascontiguousarray(file["events"][:])
    with tempfile.TemporaryDirectory() as project:
        converted = hls4ml.converters.convert_from_keras_model(
            proxy,
            hls_config=json.loads(json.dumps(config)),
            output_dir=project,
            backend="Vitis",
            io_type=io_type,
        )
        (directory / f"{name}.types.json").write_text(json.dumps(types(converted.graph), indent=1))
        converted.compile()
        y = converted.predict(x)
        text = (Path(project) / "hls4ml_config.yml").read_text().replace(project, "my-hls-test")
    if not whole:
        if io_type != "io_parallel":
            config["IOType"] = io_type
        text = yaml.dump(config)
    (directory / f"{name}.yml").write_text(re.sub(r"Stamp: .*\n", "Stamp: 0\n", text))
    with h5py.File(directory / f"{name}.out.h5", "w") as file:
        for n, output in enumerate(y if isinstance(y, list) else [y]):
            file[f"out/{n}"] = output


if __name__ == "__main__":
    for case in sys.argv[2:] or CASES:
        try:
            make(Path(sys.argv[1]), case)
            print(case, "done", flush=True)
        except Exception as e:  # noqa: BLE001
            print(case, "FAILED", type(e).__name__, str(e)[:300], flush=True)
