"""Holds bittrue's fixed-point arithmetic against the C++ ap_types headers that hls4ml ships.

Usage: check.sh [--operations N] [--seed N] [--exhaustive N] [--jobs N]

Casts between types of up to 64 bits, from doubles, sums, differences, products, averages and extremes of two
values, sums of products in an accumulator, and averages of a pooling, on random and extreme arguments; then
every raw of types of up to 8 bits cast to types of up to 8 bits in every mode. Both sides draw the arguments
from the same generator and print one hash for each case. Where hashes differ, the operations of the case are
printed by both sides and the first that differs is shown.
"""

import argparse
import collections
import concurrent.futures
import importlib.metadata
import pathlib
import random
import subprocess
import tempfile
import time

from make_vectors import HLS4ML, OVERFLOW, ROUNDING, Type

HERE = pathlib.Path(__file__).resolve().parent
KINDS = ["cast", "double", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "dot", "pool"]
MERGES = KINDS[2:8]
CASES_PER_FILE = 120


class Case:
    """One pair of hashes: an operation on `types`, the result's first."""

    def __init__(self, kind, types, count, parameter, seed):
        self.kind, self.types, self.count, self.parameter, self.seed = kind, types, count, parameter, seed

    def line(self, number):
        """What the Rust side reads."""
        types = " ".join(t.text() for t in self.types)
        return f"{number} {self.kind} {self.seed} {self.count} {self.parameter} {types}\n"

    def call(self, number):
        types = ", ".join(t.cpp() for t in self.types)
        if self.kind == "every":
            return f"every<{types}>({number});"
        name = f"merge<{self.kind}, {types}>" if self.kind in MERGES else None
        name = name or {"double": "from_double"}.get(self.kind, self.kind) + f"<{types}>"
        last = f"{self.parameter}, 140" if self.kind == "double" else self.parameter
        return f"{name}({number}, {self.seed}ULL, {self.count}, {last});"


def a_type(rng, widest, modes=True, fractional=None, least=1):
    """A type of any width; its integer bits are drawn near the width, or follow from `fractional`."""
    width = rng.choice([rng.randint(least, widest), rng.randint(least, max(least, widest // 3))])
    signed = rng.random() < 0.75
    integer = rng.randint(-4, width + 4) if fractional is None else width - fractional
    if not modes:
        return Type(signed, width, integer)
    overflow = rng.choice([o for o in OVERFLOW if signed or o != "WRAP_SM"])
    bits = rng.choice([0, 0, 1, 2, 3]) if overflow.startswith("WRAP") else 0
    return Type(signed, width, integer, rng.choice(ROUNDING), overflow, min(bits, width))


def source(rng, target, widest):
    """A type that can be cast to the target: the headers abort on one whose highest bit lies below the
    target's LSB by more than one bit, unless they truncate."""
    while True:
        shift = rng.choice([-9, -2, -1, 0, 1, 1, 2, 3, 5, 8, 13, 30])
        t = a_type(rng, widest, modes=False, fractional=target.fractional + shift)
        if t.width >= shift:
            return t, shift


def draw(rng, kind, count):
    seed = rng.getrandbits(63)
    target = a_type(rng, 64)
    if kind == "cast":
        t, shift = source(rng, target, 64)
        return Case(kind, [target, t], count, max(shift, 0), seed)
    if kind == "double":
        return Case(kind, [target], count, -target.fractional - 20, seed)
    if kind == "dot":
        # hls4ml's accumulators truncate and wrap.
        accum = Type(True, rng.randint(4, 64), 0)
        accum.integer = rng.randint(2, accum.width)
        accum.fractional = accum.width - accum.integer
        data, weight = (a_type(rng, 16, modes=False) for _ in range(2))
        bias = a_type(rng, 16, modes=False)
        return Case(kind, [accum, data, weight, bias], count, 0, seed)
    if kind == "pool":
        data = a_type(rng, 16, modes=False)
        accum = Type(data.signed, data.width + 5, data.integer + 5)
        return Case(kind, [accum, data], count, rng.randint(1, 9), seed)
    # The result of two values whose grids lie near each other, brought to the target's.
    a = a_type(rng, 56 if kind != "Multiply" else 60, modes=False)
    b = a_type(rng, 56 if kind != "Multiply" else 60, modes=False, fractional=a.fractional + rng.randint(-6, 6))
    finest = a.fractional + b.fractional if kind == "Multiply" else max(a.fractional, b.fractional)
    least = min(a.width, b.width)
    shift = rng.randint(-3, least)
    target = a_type(rng, 64, fractional=finest - shift)
    return Case(kind, [target, a, b], count, rng.randint(0, 3), seed)


def exhaustive(rng, per_width):
    """Every raw of types of up to 8 bits, cast to each width, sign, rounding and overflow of up to 8 bits."""
    for width in range(1, 9):
        for signed in (True, False):
            for rounding in ROUNDING:
                for overflow in OVERFLOW:
                    if overflow == "WRAP_SM" and not signed:
                        continue  # The constructor exits the process.
                    target = Type(signed, width, rng.randint(-3, width + 3), rounding, overflow)
                    for source_width in range(1, 9):
                        for _ in range(per_width):
                            shift = rng.randint(-3, source_width)
                            t = Type(rng.random() < 0.6, source_width, source_width - target.fractional - shift)
                            yield Case("every", [target, t], 1 << source_width, 0, 0)


def compiled(headers, directory, index, numbered):
    program = directory / f"part{index}"
    calls = "\n".join(f"    if (wanted({n})) {c.call(n)}" for n, c in numbered)
    text = (
        '#include "stream.h"\nint main(int count, char **arguments) {\n'
        f"    if (count > 1) shown = atol(arguments[1]);\n{calls}\n}}\n"
    )
    program.with_suffix(".cpp").write_text(text)
    # What runs few operations is compiled faster than it runs slower.
    level = "-O0" if numbered[0][1].kind == "every" else "-O1"
    command = ["g++", "-std=c++14", level, "-w", f"-I{headers}", f"-I{HERE}"]
    subprocess.run([*command, str(program.with_suffix(".cpp")), "-o", str(program)], check=True)
    return program


def output(command, text=None):
    return subprocess.run(command, check=True, capture_output=True, text=True, input=text).stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rust", help="the example ap_fixed_stream, built")
    parser.add_argument("--operations", type=int, default=110_000_000, help="random operations (default 1.1e8)")
    parser.add_argument("--cases", type=int, default=400, help="types or combinations of types (default 400)")
    parser.add_argument("--exhaustive", type=int, default=1, help="sources per pair of widths of up to 8 bits (default 1)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="compilers at a time (default 1)")
    args = parser.parse_args()

    distribution = importlib.metadata.distribution("hls4ml")
    if distribution.version != HLS4ML:
        raise SystemExit(f"hls4ml {HLS4ML} is needed, {distribution.version} is installed")
    headers = distribution.locate_file("hls4ml/templates/vivado/ap_types")

    rng = random.Random(args.seed)
    count = -(-args.operations // args.cases)
    cases = [draw(rng, KINDS[n % len(KINDS)], count) for n in range(args.cases)]
    cases += exhaustive(rng, args.exhaustive)
    numbered = list(enumerate(cases))
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        random_ones, every = numbered[: args.cases], numbered[args.cases :]
        chunks = [c[at : at + CASES_PER_FILE] for c in (random_ones, every) for at in range(0, len(c), CASES_PER_FILE)]
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            def cpp(part):
                program = compiled(headers, directory, *part)
                print(f"part {part[0] + 1} of {len(chunks)}, {time.monotonic() - start:.0f} s", flush=True)
                return program, output([program])

            parts = list(pool.map(cpp, enumerate(chunks)))
        theirs = "".join(text for _, text in parts).splitlines()
        ours = output([args.rust], "".join(c.line(n) for n, c in numbered)).splitlines()
        if not len(theirs) == len(ours) == len(cases):
            raise SystemExit(f"{len(cases)} cases, {len(theirs)} results of the headers, {len(ours)} of ours")
        differing = [n for n, (a, b) in enumerate(zip(theirs, ours)) if a != b]
        for n in differing[:10]:
            program = next(p for (p, _), chunk in zip(parts, chunks) if chunk[0][0] <= n <= chunk[-1][0])
            a = output([program, str(n)]).splitlines()
            b = output([args.rust, str(n)], cases[n].line(n)).splitlines()
            pairs = [pair for pair in zip(a, b) if pair[0] != pair[1]]
            print(f"DIFFERS {cases[n].line(n).strip()}: {len(pairs)} of {len(a)} operations, first")
            print(f"  headers {pairs[0][0]}\n  bittrue {pairs[0][1]}" if pairs else "  nowhere when shown")
        operations = collections.Counter()
        for case in cases:
            operations[case.kind] += case.count
    total = sum(operations.values())
    print(", ".join(f"{kind} {n:,}" for kind, n in operations.items()))
    print(f"{len(cases)} cases, {total:,} operations, {len(differing)} cases differ ({time.monotonic() - start:.0f} s)")
    raise SystemExit(1 if differing else 0)


if __name__ == "__main__":
    main()
