"""Makes testvectors/ap_fixed/cpp.txt.gz with the C++ ap_types headers that hls4ml ships.

Usage: python make_vectors.py [--jobs N] [--out DIR]

Needs hls4ml (the pinned version is checked) and g++. The file is the same for the same seed, versions and
script. The format is described in testvectors/ap_fixed/ORIGIN.md.
"""

import argparse
import concurrent.futures
import gzip
import importlib.metadata
import os
import pathlib
import random
import struct
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
HLS4ML = "1.3.0"
SEED = 20261123
ROUNDING = ["TRN", "TRN_ZERO", "RND", "RND_ZERO", "RND_INF", "RND_MIN_INF", "RND_CONV"]
OVERFLOW = ["WRAP", "SAT", "SAT_ZERO", "SAT_SYM", "WRAP_SM"]
MAX_WIDTH = 20
DENSE_WIDTH = 6
CASES_PER_FILE = 200


class Type:
    """An ap_fixed type; `integer` counts the sign bit."""

    def __init__(self, signed, width, integer, rounding="TRN", overflow="WRAP", bits=0):
        self.signed, self.width, self.integer = signed, width, integer
        self.rounding, self.overflow, self.bits = rounding, overflow, bits
        self.fractional = width - integer
        self.lo = -(1 << (width - 1)) if signed else 0
        self.hi = (1 << (width - signed)) - 1

    def name(self):
        return "ap_fixed" if self.signed else "ap_ufixed"

    def cpp(self):
        return f"{self.name()}<{self.width},{self.integer},AP_{self.rounding},AP_{self.overflow},{self.bits}>"

    def text(self):
        bits = f",{self.bits}" if self.bits else ""
        return f"{self.name()}<{self.width},{self.integer},{self.rounding},{self.overflow}{bits}>"

    def plain(self):
        return f"{self.name()}<{self.width},{self.integer}>"


def targets(rng):
    """Every mode and width with N = 0 to 3; the integer bits are drawn, also outside 0 to W."""
    for width in range(1, MAX_WIDTH + 1):
        for rounding in ROUNDING:
            for overflow in OVERFLOW:
                for signed in (True, False):
                    if overflow == "WRAP_SM" and not signed:
                        continue  # The constructor exits the process.
                    for bits in range(0, min(3, width) + 1):
                        # The other modes ignore N; two values show it.
                        if overflow in ("WRAP", "WRAP_SM") or bits in (0, 2):
                            yield Type(signed, width, rng.randint(-4, width + 4), rounding, overflow, bits)


def legal_source(target, signed, width, shift):
    """A source whose LSB is 2^-shift target LSBs, wide enough for the headers.

    For rounding modes other than TRN the headers read the bit below the target's LSB, and abort when the
    source does not have it.
    """
    width = max(width, shift)
    return Type(signed, width, width - (target.fractional + shift))


def near(rng, target, shift):
    """A value in LSB·2^-shift of the target where something happens: an end of the range, a tie, a whole turn."""
    span = 1 << target.width
    code = rng.choice([target.lo, target.hi + 1, 0, rng.randrange(-3 * span, 3 * span), span, -span])
    code += rng.randint(-1, 1)
    if shift <= 0:
        return code >> -shift
    part = rng.choice([0, 1 << (shift - 1), rng.randrange(1 << shift)])
    return (code << shift) + part + rng.choice([0, 0, -1, 1])


def codes(rng, target, source, shift, count):
    raws = []
    while len(raws) < count:
        raw = near(rng, target, shift) if rng.random() < 0.75 else rng.randint(source.lo, source.hi)
        raws.append(raw if source.lo <= raw <= source.hi else rng.randint(source.lo, source.hi))
    return raws


def doubles(rng, target, count):
    values = []
    for _ in range(count):
        kind = rng.random()
        if kind < 0.6:
            shift = rng.randint(1, 6)
            x = near(rng, target, shift) * 2.0 ** -(shift + target.fractional)
        elif kind < 0.85:
            x = rng.uniform(-3, 3) * 2.0**target.integer
        else:
            x = rng.choice([-1, 1]) * rng.choice([0.0, 2.0**-70, 5e-324, 1.5 * 2.0**60, 2.0**200, 1.7e308])
        values.append(x)
    return values


def bits_of(x):
    return struct.unpack(">Q", struct.pack(">d", x))[0]


def calls(rng):
    """The C++ statements, one per line of the result."""
    result = []
    for target in targets(rng):
        flags = f"{target.width},{str(target.signed).lower()}"

        shift = rng.choice([-5, -2, -1, 0, 1, 1, 2, 3, 5, 8, 13])
        source = legal_source(target, rng.random() < 0.75, max(1, target.width + shift) + rng.randint(0, 3), shift)
        raws = ",".join(f"{raw}LL" for raw in codes(rng, target, source, shift, 10))
        result.append(
            f'from_codes<{target.cpp()},{source.plain()}>("{target.text()} {source.plain()}",'
            f"{source.width},{flags},{{{raws}}});"
        )

        xs = [bits_of(x) for x in doubles(rng, target, 5)]
        printed = " ".join(f"{x:016x}".rstrip("0") or "0" for x in xs)
        result.append(
            f'from_doubles<{target.cpp()}>("{target.text()}","{printed}",{flags},'
            f"{{{','.join(f'{x:#x}ULL' for x in xs)}}});"
        )

        if target.width <= DENSE_WIDTH:
            shift = rng.choice([-1, 1, 2, 3])
            source = legal_source(target, rng.random() < 0.75, rng.randint(6, 8), shift)
            result.append(
                f'from_all<{target.cpp()},{source.plain()}>("{target.text()} {source.plain()}",'
                f"{source.width},{flags},{source.lo}LL,{source.hi}LL);"
            )
    return result


def run_chunk(headers, directory, index, statements):
    """Compiles and runs one program; returns its output."""
    source = directory / f"part{index}.cpp"
    program = directory / f"part{index}"
    lines = "\n".join("    " + statement for statement in statements)
    source.write_text(f'#include "convert.h"\nint main() {{\n{lines}\n}}\n')
    command = ["g++", "-std=c++14", "-O0", "-w", f"-I{headers}", f"-I{HERE}", str(source), "-o", str(program)]
    subprocess.run(command, check=True)
    output = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
    program.unlink()
    assert output.count("\n") == len(statements), f"part {index} printed too few lines"
    return output


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=1, help="compilers at a time (default 1)")
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parents[2] / "testvectors" / "ap_fixed")
    args = parser.parse_args()

    distribution = importlib.metadata.distribution("hls4ml")
    if distribution.version != HLS4ML:
        raise SystemExit(f"hls4ml {HLS4ML} is needed, {distribution.version} is installed")
    headers = distribution.locate_file("hls4ml/templates/vivado/ap_types")

    statements = calls(random.Random(SEED))
    chunks = [statements[at : at + CASES_PER_FILE] for at in range(0, len(statements), CASES_PER_FILE)]
    with tempfile.TemporaryDirectory() as directory:
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            parts = pool.map(
                lambda numbered: run_chunk(headers, pathlib.Path(directory), *numbered), enumerate(chunks)
            )
            text = "".join(parts)
    path = args.out / "cpp.txt.gz"
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{path.name}: {len(statements)} lines, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
