"""Hold the proxy files that bittrue writes against those of real HGQ.

    check_proxy_file.py [--verify target/release/verify] [--hls4ml] [--random N --seed S] case...
        [-- argument of `verify proxy`...]

A case is a directory with `model.h5` and `events.h5`, or a model file alone; `--random` adds models
as `fuzz.py` draws them, every second one with convolutions. For both overflow
modes, `verify proxy --out` writes a proxy, and HGQ builds and saves its own. Then

- the files are equal: layers in order, their configurations and calls, names, dtypes and values of
  all weights (golden proxies, where the case has them, are compared as well);
- Keras with HGQ loads the written file, and its `predict` gives the bits of HGQ's own proxy;
- `verify --proxy` takes the file, and the leg `proxy` gives the bits of `proxy:sat` or `proxy:wrap`
  in every layer;
- with `--hls4ml`, hls4ml converts both to the same types, or refuses both with the same words.

Where HGQ refuses a model, `verify proxy` must end with exit code 4 (3 for what bittrue cannot read)
and write nothing.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

import reference
from fuzzing.draw import Drawer, draw
from fuzzing.spatial import SpatialDrawer
from fuzzing.spec import save

MODES = {"sat": False, "wrap": True}
"""Value of `--overflow` and HGQ's `aggressive` argument."""

RANDOM = ("QSeparableConv1D", "QSeparableConv2D")
"""Classes that HGQ takes although it leaves their kernels random; bittrue refuses them."""

OPTIONS = {
    "--unary-lut-max-table-size": "unary_lut_max_table_size",
    "--accum-fp-max-offset": "accum_fp_max_offset",
    "--register-precisions": "skip_precision_reg",
}


def hgq_arguments(options: list[str]) -> dict:
    """The arguments of `to_proxy_model` that flags of `verify proxy` stand for."""
    arguments: dict = {}
    for option in options:
        flag, _, value = option.partition("=")
        name = OPTIONS[flag]
        arguments[name] = False if name == "skip_precision_reg" else int(value)
    return arguments


def texts(value: object) -> list[str]:
    """A list of an attribute, whichever kind of string it holds."""
    return [v.decode() if isinstance(v, bytes) else str(v) for v in np.asarray(value).tolist()]


def contents(path: Path) -> dict:
    """Everything in a model file that Keras or hls4ml could see, by its place."""
    found: dict = {}
    with h5py.File(path) as file:
        config = file.attrs["model_config"]
        config = json.loads(config)
        found["class"] = config["class_name"]
        for key, value in config["config"].items():
            if key != "layers":
                found[f"config/{key}"] = value
        layers = config["config"]["layers"]
        found["order"] = [layer["name"] for layer in layers]
        for layer in layers:
            found[f"layer {layer['name']}"] = layer
        for key in ("keras_version", "backend"):
            found[key] = texts(file.attrs[key])
        weights = file["model_weights"]
        found["layer_names"] = texts(weights.attrs["layer_names"])
        found["groups"] = sorted(weights)
        for name in weights:
            names = texts(weights[name].attrs["weight_names"])
            found[f"weights {name}"] = names
            for weight in names:
                values = weights[name][weight]
                found[f"{name}/{weight}"] = (values.dtype.str, values.shape, values[()].tobytes())
    return found


def differences(ours: Path, theirs: Path) -> list[str]:
    """Places at which two files differ, with what is there."""
    left, right = contents(ours), contents(theirs)
    places = [*left, *(place for place in right if place not in left)]
    return [
        f"{place}: {str(left.get(place))[:300]} instead of {str(right.get(place))[:300]}"
        for place in places
        if left.get(place) != right.get(place)
    ]


def load_proxy(path: Path) -> reference.tf.keras.Model:
    """A proxy file, as a user loads it."""
    reference.tf.keras.backend.clear_session()
    objects: dict = {}
    reference._add_supported_quantized_objects(objects)
    return reference.tf.keras.models.load_model(path, custom_objects=objects, compile=False)


def same_bits(left: np.ndarray, right: np.ndarray) -> bool:
    """Equal values; NaN equals NaN."""
    return left.shape == right.shape and bool(((left == right) | (np.isnan(left) & np.isnan(right))).all())


def hls4ml_types(model: reference.tf.keras.Model, directory: str) -> object:
    """The types of every node of hls4ml's conversion, or its complaint."""
    import hls4ml

    config = {"Model": {"Precision": "fixed<1,0>", "ReuseFactor": 1}}
    try:
        converted = hls4ml.converters.convert_from_keras_model(
            model, hls_config=config, backend="Vitis", output_dir=directory
        )
    except Exception as error:
        # Without the addresses of objects.
        return re.sub(r" at 0x[0-9a-f]+", "", f"{type(error).__name__}: {error}")
    nodes = []
    for node in converted.get_layers():
        types = {
            key: str(value.precision)
            for key, value in node.attributes.items()
            if hasattr(value, "precision") and not hasattr(value, "shape")
        }
        nodes.append((node.name, node.class_name, types))
    return nodes


class Check:
    """One model in one mode."""

    def __init__(self, args: argparse.Namespace, case: Path, mode: str, directory: Path):
        self.verify, self.mode, self.directory = args.verify, mode, directory
        self.model = case if case.is_file() else case / "model.h5"
        self.events = None if case.is_file() else case / "events.h5"
        self.golden = None if case.is_file() else case / f"proxy_{mode}.h5"
        self.hls4ml, self.options = args.hls4ml, args.options
        self.ours, self.theirs = directory / "ours.h5", directory / "theirs.h5"
        self.problems: list[str] = []
        self.facts: list[str] = []

    def run(self, *arguments: object) -> subprocess.CompletedProcess:
        return subprocess.run(
            [self.verify, *map(str, arguments)], capture_output=True, text=True, check=False
        )

    def check(self) -> None:
        written = self.run(
            "proxy", "--model", self.model, "--overflow", self.mode, "--out", self.ours, *self.options
        )
        try:
            source = reference.load_model(self.model)
        except Exception as error:
            self.facts.append(f"not loaded by Keras: {type(error).__name__}")
            return
        random = any(type(layer).__name__ in RANDOM for layer in source.layers)
        try:
            proxy = reference.conversion.to_proxy_model(
                source, aggressive=MODES[self.mode], **hgq_arguments(self.options)
            )
        except Exception as error:
            proxy = None
            self.facts.append(f"HGQ: {type(error).__name__}")
        if proxy is None or random:
            # What bittrue cannot read at all is exit code 3.
            if written.returncode not in (3, 4) or self.ours.exists():
                self.problems.append(f"exit code {written.returncode} where HGQ refuses: {written.stderr}")
            self.facts.append("refused" if not random else "refused: kernels left random")
            return
        if written.returncode != 0:
            self.problems.append(f"exit code {written.returncode}: {written.stderr}")
            return
        proxy.save(self.theirs, save_format="h5")
        self.problems += differences(self.ours, self.theirs)
        if not self.options and self.golden is not None and self.golden.exists():
            self.problems += [f"golden: {d}" for d in differences(self.ours, self.golden)]
            self.facts.append("golden")
        self.facts.append(f"{len(proxy.layers)} layers")
        loaded = load_proxy(self.ours)
        if self.events is not None:
            self.predictions(proxy, loaded)
            self.legs()
        if self.hls4ml:
            self.conversions(loaded, proxy)

    def predictions(self, proxy: object, loaded: object) -> None:
        events = self.load_events(proxy)
        own, ours = reference.predict(proxy, events), reference.predict(loaded, events)
        elements = sum(o.size for o in own)
        if len(own) != len(ours) or not all(map(same_bits, ours, own)):
            self.problems.append("predict of the written file differs from HGQ's own proxy")
        self.facts.append(f"predict {elements} equal")

    def load_events(self, proxy: object) -> list[np.ndarray]:
        """Events in the order of the inputs, whose names are those of the source."""
        with h5py.File(self.model) as file:
            config = json.loads(file.attrs["model_config"])["config"]
        names = [name for name, *_ in config.get("input_layers", [])]
        with h5py.File(self.events) as file:
            names = names if len(names) > 1 else ["events"]
            return [np.asarray(file[name][:], dtype=np.float32) for name in names]

    def legs(self) -> None:
        """The file against our own proxy, layer by layer."""
        files = ["--model", self.model, "--proxy", self.ours, "--events", self.events]
        leg = f"proxy:{self.mode}"
        report = self.directory / "report.json"
        ran = self.run(*files, "--reference", leg, "--target", "proxy", "--strict-layers", "--json", report)
        if self.options:
            self.facts.append(f"--proxy: exit code {ran.returncode}")
            if ran.returncode not in (0, 1):
                self.problems.append(f"verify --proxy: exit code {ran.returncode}: {ran.stderr}")
            return
        if ran.returncode != 0:
            self.problems.append(f"verify --proxy: exit code {ran.returncode}: {ran.stderr}{ran.stdout[-500:]}")
            return
        [comparison] = json.loads(report.read_text())["comparisons"]
        elements = sum(layer["elements"] for layer in comparison["layers"])
        self.facts.append(f"legs {elements} equal")

    def conversions(self, loaded: object, proxy: object) -> None:
        ours = hls4ml_types(loaded, str(self.directory / "hls"))
        theirs = hls4ml_types(proxy, str(self.directory / "hls"))
        if ours != theirs:
            self.problems.append(f"hls4ml: {ours} instead of {theirs}")
        nodes = f"{len(ours)} nodes" if isinstance(ours, list) else str(ours)[:60]
        self.facts.append(f"hls4ml {nodes}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("cases", nargs="*", type=Path)
    parser.add_argument("--random", type=int, default=0, metavar="N", help="random models as well")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verify", type=Path, default=Path("target/release/verify"))
    parser.add_argument("--hls4ml", action="store_true", help="convert both with hls4ml too")
    own = sys.argv[1:]
    at = own.index("--") if "--" in own else len(own)
    args = parser.parse_args(own[:at])
    args.options = own[at + 1 :]
    outcomes = [run(args, case, case.name) for case in args.cases]
    for number in range(args.random):
        with tempfile.TemporaryDirectory() as directory:
            case = random_case(args.seed, number, Path(directory))
            if case is not None:
                outcomes.append(run(args, case, f"random {args.seed}/{number}"))
    failed = sum(outcomes)
    print(f"{2 * len(outcomes)} proxies, {failed} wrong")
    sys.exit(1 if failed else 0)


def run(args: argparse.Namespace, case: Path, name: str) -> int:
    """Checks a case in both modes and says what was found; gives the number of failures."""
    failed = 0
    for mode in MODES:
        with tempfile.TemporaryDirectory() as directory:
            check = Check(args, case, mode, Path(directory))
            check.check()
        failed += bool(check.problems)
        verdict = "FAIL" if check.problems else "ok  "
        print(f"{verdict} {name} {mode}: {', '.join(check.facts)}", flush=True)
        for problem in check.problems:
            print(f"     {problem}", flush=True)
    return failed


def random_case(seed: int, number: int, directory: Path) -> Path | None:
    """A model that `fuzz.py` would draw; none where Keras cannot build what was drawn."""
    drawer = SpatialDrawer if number % 2 else Drawer
    spec = draw(np.random.default_rng([seed, number]), 60, False, drawer)
    try:
        save(spec, directory)
    except Exception as error:
        print(f"     random {seed}/{number}: not built: {type(error).__name__}")
        return None
    return directory


if __name__ == "__main__":
    main()
