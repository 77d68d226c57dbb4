"""Small proxies, hls4ml's types for them, and for some the outputs of the compiled C simulation.

    python make.py DIRECTORY [CASE...]

With CSIM=1 in the environment the cases of CSIM_CASES are compiled and run.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "oracle"))
import reference  # noqa: E402, F401  sets the environment of the pinned software

import h5py  # noqa: E402
import hls4ml  # noqa: E402
import numpy as np  # noqa: E402
from tensorflow import keras  # noqa: E402

keras.layers.Dense
from HGQ.proxy.fixed_point_quantizer import FixedPointQuantizer as Q  # noqa: E402

L = keras.layers
rng = np.random.default_rng(3)
TYPES = ("accum_t", "weight_t", "bias_t", "scale_t", "table_t", "param_t")
CSIM_CASES = (
    "softmax_small tanh_cat avg_same elu_thr mul_avg leaky_reshape2 het_input input_fan_wrap "
    "wrap_fan consecutive permute3 wide24 wrapsm_each rnd_raw tiny_weights het_ties relu_args leaky two_roundings unsigned_max"
).split()


def q(k, b, i, R="RND_CONV", S="SAT"):
    return Q(k, b, i, R, S)


def mk(f, *shapes):
    """The model of a function, with weights on a grid."""
    inputs = [L.Input(s) for s in shapes]
    model = keras.Model(inputs, f(*inputs))
    for layer in model.layers:
        old = layer.get_weights()
        if isinstance(layer, (L.Dense, L.Conv1D, L.Conv2D)):
            layer.set_weights([np.round(rng.normal(size=a.shape) * 8) / 16 for a in old])
        if isinstance(layer, L.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, a.shape) for a in old])
    return model


def tiny(model):
    """Weights on no grid, of which some are below all bits that hls4ml keeps."""
    kernel, bias = model.layers[-1].get_weights()
    kernel[:] = rng.normal(size=kernel.shape)
    kernel[0] = 3e-10
    kernel[1] *= 1e-6
    model.layers[-1].set_weights([kernel, bias])
    return model


def plant(name, x):
    """Values at which two roundings part."""
    if name == "rnd_raw":
        # Float32 makes 1 of 0.49999997 + 0.5.
        x[100:150] = np.float32(0.49999997) / 32
        x[150:] = (rng.integers(-40, 40, x[150:].shape) + 0.5) / 32
    if name == "het_ties":
        # Just above a tie of the coarsest element, and below 24 fractional bits.
        x[100:] = (rng.integers(-8, 8, x[100:].shape) + 0.5) / 8 + 2.0**-26
    return x


models={
 'leaky_reshape': lambda: mk(lambda x: q(1,9,4)(L.Dense(2)(q(1,8,4)(L.LeakyReLU(0.3)(L.Flatten()(L.Conv1D(3,2)(q(1,8,3)(x))))))) ,(4,2)),
 'leaky_reshape2': lambda: mk(lambda x: L.Dense(2)(L.Dense(3)(L.LeakyReLU(0.375)(L.Reshape((6,))(L.Reshape((2,3))(q(1,8,3)(x)))))) ,(6,)),
 'relu_layer': lambda: mk(lambda x: q(0,5,2,'TRN','WRAP')(L.ReLU()(L.Dense(3)(q(1,8,3)(x)))) ,(5,)),
 'relu_act': lambda: mk(lambda x: q(0,5,2,'TRN','WRAP')(L.Activation('relu')(L.Dense(3)(q(1,8,3)(x)))) ,(5,)),
 'consecutive': lambda: mk(lambda x: q(1,5,3,'RND','SAT')(q(1,8,5,'TRN','WRAP')(L.Dense(3)(q(1,8,3)(x)))) ,(5,)),
 'wrap_fan': lambda: mk(lambda x: (lambda d: L.Concatenate()([q(1,6,2,'TRN','WRAP')(d), q(0,9,5,'RND','SAT_ZERO')(d)]))(L.Dense(3)(q(1,8,3,'TRN','WRAP')(x))) ,(5,)),
 'input_fan_wrap': lambda: mk(lambda x: L.Concatenate()([L.Dense(2)(q(1,6,2,'RND','WRAP')(x)), q(0,9,5,'TRN','SAT')(L.Dense(2)(q(1,9,5,'TRN','SAT')(x)))]) ,(5,)),
 'input_reshape_fan': lambda: mk(lambda x: (lambda r: L.Concatenate()([L.Flatten()(q(1,6,2,'RND_CONV','SAT')(r)), q(1,9,5,'TRN','SAT')(L.Dense(2)(L.Flatten()(q(1,9,5,'RND','SAT')(r))))]))(L.Reshape((2,3))(x)) ,(6,)),
 'permute1ch': lambda: mk(lambda x: q(1,8,4)(L.Conv1D(2,2)(L.Permute((2,1))(q(1,8,3)(x)))) ,(1,5)),
 'permute3': lambda: mk(lambda x: q(1,8,4)(L.Conv2D(2,2)(L.Permute((3,1,2))(q(1,8,3)(x)))) ,(4,3,2)),
 'avg_same': lambda: mk(lambda x: q(1,8,4)(L.AveragePooling2D(3,2,padding='same')(L.Conv2D(2,3,padding='same',strides=2)(q(1,8,3)(x)))) ,(7,6,2)),
 'mul_avg': lambda: mk(lambda x: (lambda a,b: L.Multiply()([L.Average()([a,b]),b]))(q(1,7,3)(L.Dense(3)(q(1,8,3)(x))),q(0,6,2)(L.Activation('relu')(L.Dense(3)(q(1,7,3)(x))))) ,(5,)),
 'sig_open': lambda: mk(lambda x: L.Activation('sigmoid')(q(1,8,3)(L.Dense(3)(q(1,8,3)(x)))) ,(5,)),
 'tanh_cat': lambda: mk(lambda x: (lambda d: L.Dense(2)(L.Concatenate()([q(1,9,1)(L.Activation('tanh')(d)), q(0,7,3,'RND','SAT')(L.Activation('relu')(d))])))(q(1,8,3)(L.Dense(3)(q(1,8,3)(x)))) ,(5,)),
 'elu_thr': lambda: mk(lambda x: q(1,8,3,'RND','SAT')(L.ThresholdedReLU(0.5)(q(1,9,3,'TRN','WRAP')(L.ELU(0.75)(q(1,7,3)(L.Dense(3)(q(1,8,3)(x))))))) ,(5,)),
 'softmax_small': lambda: mk(lambda x: L.Activation('softmax')(q(1,5,3)(L.Dense(3)(q(1,8,3)(x)))) ,(5,)),
 'dense_rank2': lambda: mk(lambda x: q(1,8,4)(L.Dense(3)(q(1,8,3)(x))) ,(4,2)),
 'gap_keep': lambda: mk(lambda x: q(1,8,4)(L.GlobalAveragePooling1D(keepdims=True)(q(1,8,3)(x))) ,(5,2)),
 'gmp': lambda: mk(lambda x: L.Dense(2)(q(1,8,4)(L.GlobalMaxPooling1D()(q(1,8,3)(x)))) ,(5,2)),
 'wide24': lambda: mk(lambda x: q(1,30,10)(L.Dense(3)(q(1,30,8)(x))) ,(9,)),
 'deep_nq': lambda: mk(lambda x: q(1,8,4)(L.Dense(2)(L.Dense(3)(L.Dense(4)(q(1,8,3)(x))))) ,(5,)),
 'bn_first': lambda: mk(lambda x: q(1,8,4)(L.Dense(2)(L.BatchNormalization()(L.Flatten()(q(1,8,3)(x))))) ,(3,2)),
 'same_twice': lambda: mk(lambda x: (lambda a: q(1,8,5)(L.Add()([a,a])))(q(1,8,3)(L.Dense(3)(q(1,8,3)(x)))) ,(5,)),
 'het_wrapsm': lambda: mk(lambda x: Q(np.array([[1,1,0]],'int8'),np.array([[5,6,4]],'int8'),np.array([[2,2,2]],'int8'),'RND','SAT')(L.Dense(3)(q(1,8,3)(x))) ,(5,)),
 'het_input': lambda: mk(lambda x: L.Dense(2)(Q(np.array([[1,1,0,1,1]],'int8'),np.array([[5,6,4,7,0]],'int8'),np.array([[2,2,2,3,0]],'int8'),'RND_CONV','SAT')(x)) ,(5,)),
 'out_flatten': lambda: mk(lambda x: L.Flatten()(q(1,8,4)(L.Conv1D(3,2)(q(1,8,3)(x)))) ,(4,2)),
 'two_roundings': lambda: mk(lambda x: q(1,9,4,'RND','SAT')(q(1,6,5,'TRN','WRAP')(L.Dense(3)(q(1,8,3)(x)))) ,(5,)),
 'wrapsm_each': lambda: mk(lambda x: L.Dense(2)(Q(np.array([[1,1,1]],'int8'),np.array([[5,6,4]],'int8'),np.array([[2,3,2]],'int8'),'RND','WRAP_SM')(L.Dense(3)(q(1,8,3)(x)))) ,(5,)),
 'rnd_raw': lambda: mk(lambda x: L.Dense(3)(q(1,8,3,'RND','SAT')(x)) ,(5,)),
 'tiny_weights': lambda: tiny(mk(lambda x: L.Dense(3)(q(1,8,3)(x)) ,(5,))),
 'het_ties': lambda: mk(lambda x: L.Dense(3)(Q(np.array([[1,1,1,1,1]],'int8'),np.array([[5,6,4,7,8]],'int8'),np.array([[2,3,2,3,3]],'int8'),'RND_CONV','SAT')(x)) ,(5,)),
 'relu_args': lambda: mk(lambda x: (lambda d: [q(1,10,4)(L.ReLU(negative_slope=0.25)(d)), q(1,10,4)(L.ReLU(threshold=1.0)(d)), q(1,10,4)(L.ReLU(max_value=1.5)(d))])(q(1,9,3)(L.Dense(3)(q(1,8,3)(x)))) ,(5,)),
 'leaky': lambda: mk(lambda x: L.Dense(2)(q(1,8,3)(L.LeakyReLU(0.3)(q(1,9,4)(L.Dense(6)(q(1,8,3)(x)))))) ,(5,)),
 'unsigned_max': lambda: mk(lambda x: q(1,24,8)(L.Maximum()([q(1,20,3,'TRN','SAT')(x), q(0,20,18,'TRN','SAT')(x)])) ,(5,)),
 'satsym_flat': lambda: mk(lambda x: L.Dense(2)(q(1,12,8,'RND_CONV','SAT_SYM')(L.Flatten()(L.Conv1D(3,2)(q(1,8,3)(x))))) ,(4,2)),
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


def make(directory: Path, name: str) -> None:
    keras.backend.clear_session()
    path = directory / f"{name}.h5"
    models[name]().save(path)
    model = keras.models.load_model(path)
    config = {"Model": {"Precision": "ap_fixed<16,6>", "ReuseFactor": 1}}
    with tempfile.TemporaryDirectory() as project:
        converted = hls4ml.converters.convert_from_keras_model(
            model, hls_config=config, output_dir=project, backend="Vitis", io_type="io_parallel"
        )
        text = json.dumps(types(converted.graph), indent=1)
        (directory / f"{name}.types.json").write_text(text)
        if not os.environ.get("CSIM") or name not in CSIM_CASES:
            return
        converted.compile()
        x = rng.normal(size=(200, *model.input_shape[1:])) * 3
        x[:40] = np.round(x[:40] * 16) / 16
        x = plant(name, x)
        y = converted.predict(np.ascontiguousarray(x))
    with h5py.File(directory / f"{name}.events.h5", "w") as file:
        file["events"] = x
    with h5py.File(directory / f"{name}.out.h5", "w") as file:
        for n, output in enumerate(y if isinstance(y, list) else [y]):
            file[f"out/{n}"] = output


if __name__ == "__main__":
    for case in sys.argv[2:] or models:
        make(Path(sys.argv[1]), case)
