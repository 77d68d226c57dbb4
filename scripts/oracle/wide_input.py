"""Writes a model with its first input read as another quantized_bits, and all else as it is.

    python scripts/oracle/wide_input.py MODEL OUT [--quantizer 'quantized_bits(16,6,alpha=1)']
"""

import argparse
import json
import shutil

import h5py


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("--quantizer", default="quantized_bits(16,6,alpha=1)")
    args = parser.parse_args()
    shutil.copyfile(args.model, args.out)
    with h5py.File(args.out, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        layers = config["config"]["layers"]
        activations = [
            layer["config"]
            for layer in layers
            if layer["class_name"] == "QActivation"
            and str(layer["config"]["activation"]).startswith("quantized_bits")
        ]
        if not activations:
            raise SystemExit(f"{args.model} has no QActivation with quantized_bits")
        activations[0]["activation"] = args.quantizer
        file.attrs["model_config"] = json.dumps(config)


if __name__ == "__main__":
    main()
