"""Runs `verify trace` and holds it against the real software."""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

from fuzzing.values import LEGS, Refused, Side, load

MODEL_REFUSED, CONVERSION_REFUSED = 3, 4

NOT_YET = ("not supported", "cannot run", "no leg can", "cannot be known from the model file",
           "is no function of the model as written",
           "it reads a nested model with several outputs",
           # Quantized weights of a scale of zero.
           "hold NaN at index", "hold inf at index", "hold -inf at index")
"""What bittrue says where it makes no claim."""


@dataclass
class Trace:
    """What `verify trace` wrote, or its exit code and message."""

    code: int
    message: str
    layers: dict[str, np.ndarray] = field(default_factory=dict)
    bands: dict[str, np.ndarray] = field(default_factory=dict)
    flags: dict[str, np.ndarray] = field(default_factory=dict)
    flag_names: list[str] = field(default_factory=list)

    def makes_no_claim(self) -> bool:
        refused = self.code in (MODEL_REFUSED, CONVERSION_REFUSED)
        return refused and any(words in self.message for words in NOT_YET)


@dataclass
class Problem:
    """A disagreement of one leg."""

    leg: str
    kind: str
    """`value`, `output`, `layers`, `shape`, `exit` or `crash`."""
    layer: str
    text: str
    elements: int = 0
    events: list[int] = field(default_factory=list)


@dataclass
class Tally:
    """What was compared."""

    elements: Counter = field(default_factory=Counter)
    banded: Counter = field(default_factory=Counter)
    flags: Counter = field(default_factory=Counter)
    mismatches: Counter = field(default_factory=Counter)
    refused: Counter = field(default_factory=Counter)
    no_claim: Counter = field(default_factory=Counter)
    notes: Counter = field(default_factory=Counter)


def run_verify(
    verify: Path, model: Path, events: Path, leg: str, proxy: Path | None = None
) -> Trace:
    """One leg as bittrue computes it."""
    out = model.parent / "trace.h5"
    out.unlink(missing_ok=True)
    command = [verify, "trace", "--model", model, "--events", events, "--semantics", leg]
    if proxy is not None:
        command += ["--proxy", proxy]
    done = subprocess.run([*command, "--out", out], capture_output=True, text=True, check=False)
    trace = Trace(done.returncode, done.stderr.strip())
    if done.returncode == 0:
        with h5py.File(out) as file:
            trace.layers = datasets(file, "layers")
            trace.bands = datasets(file, "bands")
            trace.flags = datasets(file, "flags")
            trace.flag_names = flag_names(file)
    return trace


def datasets(file: h5py.File, group: str) -> dict[str, np.ndarray]:
    """Every dataset below a group, by its path in it: names of layers may hold slashes."""
    found: dict[str, np.ndarray] = {}

    def visit(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    if group in file:
        file[group].visititems(visit)
    return found


def flag_names(file: h5py.File) -> list[str]:
    for dataset in file.get("flags", {}).values():
        names = dataset.attrs["names"]
        return [n.decode() if isinstance(n, bytes) else str(n) for n in np.atleast_1d(names)]
    return []


def differing(trace: Trace, name: str, expected: np.ndarray) -> np.ndarray:
    """Where a layer breaks its claim: equal without a band, inside the band with one."""
    value = trace.layers[name]
    with np.errstate(invalid="ignore"):
        wrong = (value != expected) & ~(np.isnan(value) & np.isnan(expected))
        if name in trace.bands:
            low, high = trace.bands[name][..., 0], trace.bands[name][..., 1]
            inside = (low < high) & (low <= expected) & (expected <= high)
            wrong &= ~inside
    return wrong


def compare_leg(
    leg: str,
    trace: Trace,
    side: Side,
    outputs: list[np.ndarray],
    separately: bool,
    tally: Tally,
) -> list[Problem]:
    """The first problem of each kind, in topological order."""
    expected = side.each_alone() if separately else side.jointly()
    if separately:
        joint = side.jointly()
        for name, array in expected.items():
            if not np.array_equal(array, joint[name], equal_nan=True):
                tally.notes[f"{leg}: a layer's value differs when fetched with all others"] += 1
    missing = sorted(set(expected) - set(trace.layers))
    if missing:
        return [Problem(leg, "layers", missing[0], f"absent from the trace: {missing}")]
    for name in expected:
        if trace.layers[name].shape != expected[name].shape:
            text = f"shape {trace.layers[name].shape}, expected {expected[name].shape}"
            return [Problem(leg, "shape", name, text)]
    problems = []
    for name, array in expected.items():
        wrong = differing(trace, name, array)
        if wrong.any() and not separately:
            # TensorFlow fuses a layer with others where no other value of them is fetched.
            array = side.alone(name)
            wrong = differing(trace, name, array)
            if not wrong.any():
                tally.notes[f"{leg}: agrees although it differs when fetched with all others"] += 1
        count(leg, trace, name, wrong, tally)
        if wrong.any() and not problems:
            problems.append(value_problem(leg, "value", name, trace, array, wrong))
    for index, (name, array) in enumerate(zip(side.output_calls, outputs, strict=True)):
        if name is None:
            continue
        wrong = differing(trace, name, array)
        if wrong.any() and not problems:
            problem = value_problem(leg, "output", name, trace, array, wrong)
            problem.text = f"output {index} of the whole model: {problem.text}"
            problems.append(problem)
    return problems


def count(leg: str, trace: Trace, name: str, wrong: np.ndarray, tally: Tally) -> None:
    tally.elements[leg] += wrong.size
    tally.mismatches[leg] += int(wrong.sum())
    if name in trace.bands:
        band = trace.bands[name]
        tally.banded[leg] += int((band[..., 0] < band[..., 1]).sum())
        for bit, flag in enumerate(trace.flag_names):
            tally.flags[leg, flag] += int((trace.flags[name] >> bit & 1).sum())


def value_problem(
    leg: str, kind: str, name: str, trace: Trace, expected: np.ndarray, wrong: np.ndarray
) -> Problem:
    where = np.argwhere(wrong)
    lines = []
    for index in map(tuple, where[:3]):
        band = f" band {trace.bands[name][index].tolist()}" if name in trace.bands else ""
        value, real = float(trace.layers[name][index]), float(expected[index])
        lines.append(f"{[int(i) for i in index]}: {value!r}{band}, real {real!r}")
    events = sorted({int(i[0]) for i in where})
    return Problem(leg, kind, name, "; ".join(lines), len(where), events)


def check(
    verify: Path,
    model: Path,
    events: Path,
    tally: Tally,
    separately: bool,
    legs: list[str] | None = None,
) -> list[Problem]:
    """All problems of one model, at most one per leg and kind."""
    problems: list[Problem] = []
    sides: dict[bool | None, Side | Refused] = {}
    for leg in legs or LEGS:
        if LEGS[leg] not in sides:
            sides[LEGS[leg]] = evaluated(model, events, leg)
        side = sides[LEGS[leg]]
        proxy = None
        if leg == "proxy":
            if isinstance(side, Refused):
                continue
            proxy = side.save(model.parent / "proxy.h5")
        trace = run_verify(verify, model, events, leg, proxy)
        if isinstance(side, Refused) or trace.code != 0:
            problems += exits(leg, trace, side if isinstance(side, Refused) else None, tally)
        else:
            problems += compare_leg(leg, trace, side, side.outputs(), separately, tally)
    return problems


def evaluated(model: Path, events: Path, leg: str) -> Side | Refused:
    """The real software's leg, once its outputs are known to exist, or why there is none."""
    try:
        side = load(model, events, leg)
        try:
            side.outputs()
        except Exception as error:  # Keras has no error type of its own.
            raise Refused("QKeras" if leg == "qkeras" else "HGQ", error) from error
    except Refused as error:
        return error
    return side


# Keras cannot load a quantizer that is an object inside a model inside a Sequential.
UNLOADABLE = "could not be deserialized properly"


def exits(leg: str, trace: Trace, refusal: Refused | None, tally: Tally) -> list[Problem]:
    """Refusals have to agree, unless bittrue says that it makes no claim."""
    first = trace.message.splitlines()[0] if trace.message else ""
    if trace.makes_no_claim():
        tally.no_claim[leg, reason(first)] += 1
        return []
    if refusal is None:
        return [Problem(leg, "exit", "", f"exit {trace.code}, real software runs: {first}")]
    allowed = {MODEL_REFUSED} if refusal.software == "QKeras" else {CONVERSION_REFUSED}
    if leg != "qkeras":
        # The reference may refuse first.
        allowed.add(MODEL_REFUSED if refusal.software == "HGQ" else CONVERSION_REFUSED)
    if trace.code in allowed:
        tally.refused[leg, str(refusal)[:70]] += 1
        return []
    if trace.code == 0 and UNLOADABLE in str(refusal):
        # The file says what the layer is; Keras' loader of models inside models does not build it.
        # There is nothing to compare with.
        tally.notes[f"{leg}: read by bittrue, not by Keras: {UNLOADABLE}"] += 1
        return []
    text = f"exit {trace.code} ({first}), but {refusal.software} raises {refusal}"
    return [Problem(leg, "exit", "", text)]


def reason(message: str) -> str:
    """A message without the name of its layer, to count it."""
    return message.split("`, ", 1)[-1].split("`: ", 1)[-1][:90]
