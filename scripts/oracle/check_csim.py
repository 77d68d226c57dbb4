"""Hold the legs `hls4ml:*` against real hls4ml's compiled C simulation on random models.

    check_csim.py [--parallel 30] [--stream 10] [--seed S] [--events 200] [--verify target/release/verify]

Models are drawn as `fuzz.py` draws them, every second one with convolutions. Real HGQ makes the proxy (sat
and wrap in turn), real hls4ml converts it and g++ compiles its C simulation, which runs on events that
overflow, tie and vanish with every node traced. Then `verify --reference hls4ml:MODE --target trace:FILE
--strict-layers` compares the outputs and every node that stands for a layer, bit for bit.

Each model has a process of its own, since an assertion of the C++ ends it. A model that HGQ or hls4ml
refuses, or whose simulation aborts, is counted with the reason, and so is one that bittrue refuses while the
simulation runs. Models are drawn until the wanted number was compared.
"""

from __future__ import annotations

import argparse
import collections
import json
import subprocess
import sys
import tempfile
from pathlib import Path

MODES = {"sat": False, "wrap": True}

CONFIG = """IOType: {io}
Backend: Vitis
HLSConfig:
  Model:
    Precision: ap_fixed<16,6>
    ReuseFactor: 1
"""


def simulate(args: argparse.Namespace, directory: Path) -> str:
    """Draws a model, simulates it and writes `model.h5`, `events.h5` and `trace.npz`; or says who refuses."""
    import hls4ml
    import numpy as np

    import reference
    from fuzzing.draw import Drawer, draw
    from fuzzing.spatial import SpatialDrawer
    from fuzzing.spec import save

    seed, number = args.one
    drawer = SpatialDrawer if number % 2 else Drawer
    spec = draw(np.random.default_rng([seed, number]), args.events, False, drawer)
    try:
        save(spec, directory)
    except Exception as error:
        return f"not built by Keras: {type(error).__name__}"
    model = reference.load_model(directory / "model.h5")
    events = reference.load_events(directory / "events.h5", model)
    try:
        proxy = reference.to_proxy(model, MODES[args.mode])
    except Exception as error:
        return f"refused by HGQ: {type(error).__name__}: {error}"
    config = {"Model": {"Precision": "ap_fixed<16,6>", "ReuseFactor": 1}}

    def convert(name: str) -> hls4ml.model.ModelGraph:
        return hls4ml.converters.convert_from_keras_model(
            proxy, hls_config=config, output_dir=str(directory / name), backend="Vitis", io_type=args.io
        )

    try:
        config["LayerName"] = {n.name: {"Trace": True} for n in convert("plain").get_layers()}
        converted = convert("traced")
    except Exception as error:
        return f"refused by hls4ml: {type(error).__name__}: {error}"
    converted.compile()
    x = [np.ascontiguousarray(e, dtype="f8") for e in events]
    _, trace = converted.trace(x if len(x) > 1 else x[0])
    np.savez(directory / "trace.npz", **trace)
    return ""


def reason(text: str) -> str:
    """The first line of a refusal, short."""
    return " ".join(text.split())[:110]


def check(args: argparse.Namespace, number: int, io: str, directory: Path) -> tuple[str, int]:
    """One model: what happened, and the elements that were compared."""
    mode = list(MODES)[number // 2 % 2]
    own = [sys.executable, __file__, "--one", str(args.seed), str(number), "--mode", mode, "--io", io]
    own += ["--events", str(args.events), "--directory", str(directory)]
    try:
        ran = subprocess.run(own, capture_output=True, text=True, timeout=900, check=False)
    except subprocess.TimeoutExpired:
        return "simulation: more than 15 minutes", 0
    said = (directory / "refused.txt").read_text() if (directory / "refused.txt").exists() else ""
    if said:
        return reason(said), 0
    lines = [line for line in ran.stderr.splitlines() if line.strip()]
    lines = [line for line in lines if "rror" in line or "Assertion" in line] or lines
    trace, config, report = (directory / n for n in ("trace.npz", "hls4ml_config.yml", "report.json"))
    if ran.returncode or not trace.exists():
        return reason(f"simulation ended: {lines[-1] if lines else ran.returncode}"), 0
    if "leftover data" in ran.stdout + ran.stderr:
        return "simulation left data in its streams", 0
    config.write_text(CONFIG.format(io=io))
    leg = ["--reference", f"hls4ml:{mode}", "--target", f"trace:{trace}", "--hls-config", config]
    files = ["--model", directory / "model.h5", "--events", directory / "events.h5", "--json", report]
    command = [args.verify, *files, *leg, "--strict-layers", "--quiet"]
    verified = subprocess.run(command, capture_output=True, text=True, check=False)
    if verified.returncode in (3, 4):
        return reason(f"refused by bittrue: {verified.stderr}"), 0
    if verified.returncode not in (0, 1):
        return f"WRONG: exit code {verified.returncode}: {reason(verified.stderr)}", 0
    [comparison] = json.loads(report.read_text())["comparisons"]
    layers = comparison["layers"]
    elements = sum(layer["elements"] for layer in layers)
    wrong = {layer["name"]: layer["mismatches"] for layer in layers if layer["mismatches"]}
    ambiguous = sum(layer["ambiguous"] for layer in layers)
    if wrong or ambiguous:
        return f"WRONG: {wrong} differ, {ambiguous} ambiguous", elements
    return "equal", elements


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--parallel", type=int, default=30, help="models to compare in io_parallel (default 30)")
    parser.add_argument("--stream", type=int, default=10, help="models to compare in io_stream (default 10)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first model (default 0)")
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--verify", type=Path, default=Path("target/release/verify"))
    parser.add_argument("--one", type=int, nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--mode", help=argparse.SUPPRESS)
    parser.add_argument("--io", help=argparse.SUPPRESS)
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        said = simulate(args, args.directory)
        if said:
            (args.directory / "refused.txt").write_text(said)
        return
    wrong = 0
    for io, wanted in (("io_parallel", args.parallel), ("io_stream", args.stream)):
        outcomes: collections.Counter = collections.Counter()
        compared = total = number = 0
        while compared < wanted:
            with tempfile.TemporaryDirectory() as directory:
                outcome, elements = check(args, args.first + number, io, Path(directory))
            print(f"{io} {args.seed}/{args.first + number}: {outcome}, {elements} elements", flush=True)
            number += 1
            compared += outcome == "equal" or outcome.startswith("WRONG")
            wrong += outcome.startswith("WRONG")
            total += elements
            outcomes[outcome.split(":")[0]] += 1
        said = ", ".join(f"{n} {outcome}" for outcome, n in outcomes.most_common())
        print(f"{io}: {number} models: {said}; {total:,} elements compared", flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
