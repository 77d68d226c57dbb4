"""Proxies as hls4ml streams them (io_stream): types of all nodes and outputs of the compiled C simulation.

    python make.py [CASE...]        # writes the files of ORIGIN.md beside this one

Run it in the environment of scripts/oracle.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "hls4ml"))
import make as base  # noqa: E402  the functions that make small proxies
import h5py  # noqa: E402
import hls4ml  # noqa: E402
import numpy as np  # noqa: E402
from tensorflow import keras  # noqa: E402

L, q, mk = base.L, base.q, base.mk

NEW = {
    'repack_fan': lambda: mk(lambda x: (lambda r: [q(1,8,4)(L.Conv1D(2,2)(r)), q(1,9,4)(L.Conv1D(2,1)(r))])(L.Reshape((4,3))(q(1,8,3)(L.Dense(12)(q(1,8,3)(x))))) ,(5,)),
    'flat_fan': lambda: mk(lambda x: (lambda f: [q(1,9,5)(L.Dense(2)(f)), q(1,9,5)(L.Dense(3)(f))])(L.Flatten()(q(1,8,3)(L.Conv1D(3,2)(q(1,8,3)(x))))) ,(4,2)),
    'cat_spatial': lambda: mk(lambda x: (lambda a,b: L.Dense(2)(L.Flatten()(L.Concatenate()([a,b]))))(q(1,8,3)(L.Conv2D(2,2)(q(1,8,3)(x))), q(0,6,3)(L.Activation('relu')(L.Conv2D(3,2)(q(1,7,2)(x))))) ,(4,3,2)),
    'cat_same_in': lambda: mk(lambda x: (lambda h: (lambda a,b: q(1,9,5)(L.Dense(2)(L.Concatenate()([L.Flatten()(a),b]))))(q(1,8,3)(L.Conv1D(2,2)(h)), q(1,8,4)(L.GlobalAveragePooling1D()(h))))(q(1,8,3)(L.Conv1D(3,1)(q(1,8,3)(x)))) ,(5,2)),
    'softmax_rank2': lambda: mk(lambda x: L.Activation('softmax')(q(1,5,3)(L.Conv1D(3,2)(q(1,8,3)(x)))) ,(4,2)),
    'pool1d_step': lambda: mk(lambda x: (lambda c: [q(1,9,4)(L.MaxPooling1D(3,2)(c)), q(1,9,4)(L.AveragePooling1D(3,2)(c)), q(1,8,4)(L.AveragePooling1D(4)(c))])(q(1,8,3)(L.Conv1D(2,2)(q(1,8,3)(x)))) ,(9,2)),
    'pool2d_step': lambda: mk(lambda x: q(1,9,4)(L.MaxPooling2D(3,2)(q(1,8,3)(L.Conv2D(2,2)(q(1,8,3)(x))))) ,(8,8,2)),
    'pool2d_plain': lambda: mk(lambda x: (lambda c: [q(1,9,4)(L.MaxPooling2D(2)(c)), q(1,9,4)(L.AveragePooling2D((2,4))(c)), q(1,9,4)(L.AveragePooling2D(3)(c))])(q(1,8,3)(L.Conv2D(2,2)(q(1,8,3)(x)))) ,(8,8,2)),
    'strided': lambda: mk(lambda x: q(1,8,4)(L.Conv1D(2,2,strides=3,padding='same')(q(1,8,3)(L.Reshape((8,2))(q(1,8,4)(L.Conv2D(2,(3,2),strides=(2,2),padding='same')(q(1,8,3)(x))))))) ,(7,3,2)),
    'norm_spatial': lambda: mk(lambda x: q(1,9,4)(L.BatchNormalization()(q(1,8,3)(L.Conv2D(3,2)(q(1,8,3)(x))))) ,(4,3,2)),
    'merge_spatial': lambda: mk(lambda x: (lambda a,b: [q(1,9,4)(L.Add()([a,b])), q(1,9,4)(L.Average()([a,b])), q(1,9,4)(L.Maximum()([a,b])), q(1,9,4)(L.Multiply()([a,b]))])(q(1,8,3)(L.Conv1D(3,2)(q(1,8,3)(x))), q(0,6,2)(L.Activation('relu')(L.Conv1D(3,2)(q(1,7,2)(x))))) ,(5,2)),
    'output_read': lambda: mk(lambda x: (lambda a: [a, q(1,9,4)(L.Dense(2)(a))])(q(1,8,3)(L.Dense(3)(q(1,8,3)(x)))) ,(5,)),
    'flat_of_one': lambda: mk(lambda x: q(1,9,4)(L.LeakyReLU(0.5)(L.Flatten()(q(1,8,3)(L.Conv1D(3,4)(q(1,8,3)(x)))))) ,(4,2)),
    'curves_spatial': lambda: mk(lambda x: (lambda c: [q(1,9,1)(L.Activation('tanh')(c)), q(0,9,0)(L.Activation('sigmoid')(c)), q(1,9,4)(L.ELU(0.5)(c))])(q(1,8,3)(L.Conv1D(3,2)(q(1,8,3)(x)))) ,(4,2)),
    'wide_reshape': lambda: mk(lambda x: q(1,8,4)(L.Conv1D(2,2)(L.Reshape((2,3))(L.Dense(6)(q(1,8,3)(x))))) ,(5,)),
}
# Proxies of `../hls4ml` that have events.
OLD = (
    "softmax_small avg_same elu_thr leaky_reshape2 consecutive permute3 wrapsm_each rnd_raw tiny_weights "
    "relu_args leaky two_roundings"
).split()


def files(name: str) -> tuple[Path, Path]:
    directory = HERE if name in NEW else HERE.parent / "hls4ml"
    return directory / f"{name}.h5", directory / f"{name}.events.h5"


def make(name: str) -> None:
    """One case, in a process of its own: a failing assertion of the C++ ends it."""
    path, events = files(name)
    if name in NEW:
        rng = np.random.default_rng(sum(name.encode()))
        base.rng = rng
        model = NEW[name]()
        model.save(path)
        x = rng.normal(size=(100, *model.input_shape[1:])) * 3
        x[:20] = np.round(x[:20] * 16) / 16
        with h5py.File(events, "w") as file:
            file["events"] = x
    model = keras.models.load_model(path)
    config = {"Model": {"Precision": "ap_fixed<16,6>", "ReuseFactor": 1}}
    with tempfile.TemporaryDirectory() as project:
        converted = hls4ml.converters.convert_from_keras_model(
            model, hls_config=config, output_dir=project, backend="Vitis", io_type="io_stream"
        )
        text = json.dumps(base.types(converted.graph), indent=1)
        converted.compile()
        with h5py.File(events) as file:
            x = np.ascontiguousarray(file["events"][()], dtype="f8")
        y = converted.predict(x)
    (HERE / f"{name}.types.json").write_text(text)
    with h5py.File(HERE / f"{name}.out.h5", "w") as file:
        for n, output in enumerate(y if isinstance(y, list) else [y]):
            file[f"out/{n}"] = output


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        make(sys.argv[2])
        return
    for name in sys.argv[1:] or [*NEW, *OLD]:
        command = [sys.executable, __file__, "--one", name]
        result = subprocess.run(command, capture_output=True, text=True)
        lines = [l for l in result.stderr.splitlines() if "Error: " in l or "Assertion" in l]
        leftover = "leftover data" in result.stdout + result.stderr
        said = lines[-1] if result.returncode else ("leftover data" if leftover else "")
        print(name, said and f"REFUSED {said}", flush=True)
        if said:
            (HERE / f"{name}.refused.txt").write_text(said.split("nnet_utils/")[-1] + "\n")
            for ending in ("types.json", "out.h5"):
                (HERE / f"{name}.{ending}").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
