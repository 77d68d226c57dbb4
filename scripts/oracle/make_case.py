"""Make a test case directory: real QKeras and both HGQ proxies on a model and events.

    make_case.py model.h5 events.h5 DIRECTORY [--proxy-file] [--name NAME] [--exercises TEXT]

Writes `model.h5`, `events.h5`, `expected.h5` (groups qkeras, proxy_sat and
proxy_wrap with one dataset per layer call, and <group>_output/<index> with the
model's outputs) and `case.json` (counts of differing events, which proxy layer
stands for which call, what was refused and why). A `model.h5` or `events.h5` that is
the very file given, for instance a symbolic link to it, is left alone. With
`--proxy-file` also `proxy.h5`, HGQ's wrapping proxy as it goes to the firmware, and its
values in group proxy; where HGQ leaves kernels random that is the only proxy that a test
can know. A directory below `testvectors/cases` is a test.

A layer's value is that of `predict` of the sub-model that ends in it; the outputs are
those of the whole model.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

import numpy as np

import compare_case
import reference
from fuzzing.values import LEGS, Refused, load

GROUPS = {"qkeras": "qkeras", "proxy:sat": "proxy_sat", "proxy:wrap": "proxy_wrap"}


def write_case(
    model: Path,
    events: Path,
    directory: Path,
    exercises: str,
    proxy_file: bool = False,
    **more: object,
) -> dict:
    """Write the case and give its `case.json`; `more` is added to it."""
    directory.mkdir(parents=True, exist_ok=True)
    for source, name in ((model, "model.h5"), (events, "events.h5")):
        if source.resolve() != (directory / name).resolve():
            shutil.copyfile(source, directory / name)
    sides: dict = {}
    alignment: dict = {}
    errors: dict = {}
    document = {
        "name": directory.name,
        "exercises": exercises,
        "versions": reference.versions(),
        "environment": {
            "execution": f"CPU, model.predict, batch_size={reference.BATCH_SIZE}",
            "values": "one predict per layer, of the sub-model that ends in it",
            "threads": 1,
        },
    }
    for leg, group in GROUPS.items():
        try:
            side = load(model, events, leg)
            outputs = side.outputs()
            if not all(isinstance(output, np.ndarray) for output in outputs):
                # HGQ writes such proxies of nested models with several outputs.
                raise Refused("HGQ", "a model whose output is a list of tensors")
            sides[group] = (side.each_alone(), outputs)
        except Refused as error:
            errors[group] = f"{error.software}: {error}"
            continue
        except Exception as error:  # What QKeras reads and cannot run has no error type either.
            sides.pop(group, None)
            errors[group] = f"{'QKeras' if leg == 'qkeras' else 'HGQ'}: " + str(
                Refused("QKeras", error)
            )
            continue
        if LEGS[leg] is None:
            document |= {
                "events": len(side.events[0]),
                "output_layers": side.output_calls,
                "layers": list(side.tensors),
            }
        else:
            mode = group.removeprefix("proxy_")
            alignment[mode] = {n: [t._keras_history.layer.name] for n, t in side.tensors.items()}
            if proxy_file and leg == "proxy:wrap":
                side.save(directory / "proxy.h5")
                sides["proxy"] = sides[group]
    pairs = {
        f"qkeras_vs_{group}": compare_case.compare(sides["qkeras"], values)
        for group, values in sides.items()
        if group not in ("qkeras", "proxy") and "qkeras" in sides
    }
    document |= {
        "accepted_by_hgq": not any(group in errors for group in ("proxy_sat", "proxy_wrap")),
        "errors": errors,
        "alignment": alignment,
        "differing_events": {pair: c["differing_events"] for pair, c in pairs.items()},
        "first_differing_layer": {pair: c["first_differing_layer"] for pair, c in pairs.items()},
        "differing_events_per_layer": {
            pair: {n: count for n, count in c["differing_events_per_layer"].items() if count}
            for pair, c in pairs.items()
        },
        **more,
    }
    compare_case.store(directory / "expected.h5", sides)
    (directory / "case.json").write_text(json.dumps(document, indent=1) + "\n")
    return document


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="Keras-2 HDF5 model")
    parser.add_argument("events", type=Path, help="HDF5 events")
    parser.add_argument("directory", type=Path, help="directory of the case")
    parser.add_argument("--proxy-file", action="store_true", help="keep the wrapping proxy too")
    parser.add_argument("--name", help="name of the case, else that of its directory")
    parser.add_argument("--exercises", default="", help="what the case is for")
    arguments = parser.parse_args()
    named = {} if arguments.name is None else {"name": arguments.name}
    document = write_case(
        arguments.model, arguments.events, arguments.directory, arguments.exercises,
        arguments.proxy_file, **named
    )
    print(json.dumps({k: document[k] for k in ("events", "differing_events", "errors")
                      if k in document}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
