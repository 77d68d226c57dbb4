"""What users of hls4ml have in their hands after a simulation: `trace()` in an .npz file, and the log of the testbench.

    python make.py        # writes the files of ORIGIN.md beside this one

Run it in the environment of scripts/oracle; g++ compiles the testbench.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "scripts" / "oracle"))
import reference  # noqa: E402  before TensorFlow

import h5py  # noqa: E402
import hls4ml  # noqa: E402
import numpy as np  # noqa: E402

CASE = HERE.parent / "golden" / "jet_mlp"
EVENTS = 40


def main() -> None:
    model = reference.load_model(CASE / "proxy_wrap.h5")
    with h5py.File(CASE / "events.h5") as file:
        (name,) = [n for n in file if len(file[n]) >= EVENTS]
        x = np.ascontiguousarray(file[name][:EVENTS], dtype="f4")
    config = {"Model": {"Precision": "ap_fixed<16,6>", "ReuseFactor": 1}}
    with tempfile.TemporaryDirectory() as project:
        inputs, features, labels = (Path(project) / n for n in ("proj", "in.npy", "out.npy"))
        np.save(features, x)
        np.save(labels, np.zeros((EVENTS, 1), "f4"))
        graph = hls4ml.converters.convert_from_keras_model(
            model, hls_config=config, output_dir=project, backend="Vitis"
        )
        config["LayerName"] = {n.name: {"Trace": True} for n in graph.get_layers()}
        converted = hls4ml.converters.convert_from_keras_model(
            model, hls_config=config, output_dir=str(inputs), backend="Vitis", io_type="io_parallel",
            input_data_tb=str(features), output_data_tb=str(labels),
        )
        converted.compile()
        _, trace = converted.trace(x)
        np.savez_compressed(HERE / "trace.npz", **{n: v.astype("f4") for n, v in trace.items()})
        sources = ["myproject_test.cpp", "firmware/myproject.cpp"]
        # Weights are looked for beside the sources, events beside the project.
        flags = ["-std=c++14", "-O1", "-w", "-Ifirmware/ap_types", '-DWEIGHTS_DIR="firmware/weights"']
        subprocess.run(["g++", *flags, *sources, "-o", "testbench"], cwd=inputs, check=True)
        subprocess.run(["./testbench"], cwd=inputs, check=True, stdout=subprocess.DEVNULL)
        log = (inputs / "tb_data" / "csim_results.log").read_text()
    (HERE / "csim_results.log").write_text(log)
    print(sorted(trace), len(log.splitlines()))


if __name__ == "__main__":
    main()
