"""Random models on real QKeras and HGQ and on bittrue, compared element by element.

    fuzz.py --models 100 --seed 1 [--events 200] [--dense | --spatial] [--special] [--wiring]
        [--verify PATH] [--processes N] [--keep DIR] [--only I] [--separately K]
        [--stop-at-first] [--avoid TEXT]...

Six of ten models are drawn from the layers of dense networks, the others also from
those of images and time series; `--dense` and `--spatial` draw one kind alone, and
`--wiring` more of what decides what TensorFlow fuses (layers that do nothing, second
readers, outputs in the middle) and of models inside. Every
element that bittrue gives without a band has to be the real software's value; every
element with a band has to lie in it; and where the real software refuses a model
bittrue has to refuse it too. Model I of a seed is always the same for one version of
these scripts, so `--only I` repeats it. A failing model is made smaller and written
to a directory of `--keep`, as a case for `testvectors/cases`. Exits with 1 if
anything failed.

Layers are first compared with one `predict` of all layers together, which is
fast; a difference is then decided by the sub-model that ends in that layer, and
every K-th model is compared in that way from the beginning.
"""

from __future__ import annotations

import argparse
import gc
import logging
import multiprocessing
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterable
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np

import make_case
from fuzzing.check import Problem, Tally, check
from fuzzing.draw import Drawer, draw
from fuzzing.reduce import reduce
from fuzzing.spatial import SpatialDrawer
from fuzzing.spec import Spec, save
from fuzzing.values import LEGS

REPOSITORY = Path(__file__).resolve().parents[2]


def main() -> int:
    arguments = parse_arguments()
    if arguments.only is not None:
        campaign = run_share(arguments, [arguments.only])
    elif arguments.processes > 1:
        # Fresh processes: TensorFlow cannot be forked.
        context = multiprocessing.get_context("spawn")
        stop = context.Manager().Event()
        count = arguments.processes
        shares = [
            (arguments, range(k, arguments.models, count), stop) for k in range(count)
        ]
        with context.Pool(count) as pool:
            campaign, *others = pool.starmap(run_share, shares, chunksize=1)
        for other in others:
            campaign.add(other)
    else:
        campaign = run_share(arguments, range(arguments.models))
    campaign.report()
    return 1 if campaign.failures else 0


def run_share(
    arguments: argparse.Namespace, numbers: Iterable[int], stop: Event | None = None
) -> Campaign:
    """Runs some of the models."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    campaign = Campaign(arguments)
    started = time.monotonic()
    for done, number in enumerate(numbers, 1):
        if stop is not None and stop.is_set():
            break
        campaign.run(number)
        if done % 20 == 0:
            print(f"{done} models, {time.monotonic() - started:.0f} s", flush=True)
            gc.collect()
        if arguments.stop_at_first and campaign.failures:
            if stop is not None:
                stop.set()
            break
    return campaign


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=100, help="number of models")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=200, help="most events of a model")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--dense", action="store_true", help="only models without windows")
    kind.add_argument("--spatial", action="store_true", help="only images and time series")
    parser.add_argument("--wiring", action="store_true", help="more readers and models inside")
    parser.add_argument("--special", action="store_true", help="also NaN, infinities, denormals")
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="run N at a time")
    parser.add_argument("--stop-at-first", action="store_true", help="end with the first failure")
    parser.add_argument("--only", type=int, metavar="I", help="run model I alone, and show it")
    parser.add_argument(
        "--separately", type=int, default=10, metavar="K",
        help="from the beginning one predict per layer in every K-th model (0: never)",
    )
    parser.add_argument(
        "--verify", type=Path, default=REPOSITORY / "target/release/verify", help="the program"
    )
    parser.add_argument(
        "--avoid", action="append", default=[], metavar="TEXT",
        help="skip models whose description has this text: a cause already known",
    )
    parser.add_argument("--keep", type=Path, help="directory for failing cases")
    parser.add_argument(
        "--reduce-seconds", type=float, default=90, help="time to make one failure smaller"
    )
    parser.add_argument(
        "--per-cause", type=int, default=2, help="failures kept of the same leg, kind and layer"
    )
    return parser.parse_args()


class Campaign:
    """A run over many models."""

    def __init__(self, arguments: argparse.Namespace):
        self.arguments = arguments
        self.tally = Tally()
        self.models = Counter()
        self.failures: list[tuple[int, Problem]] = []
        self.kept: Counter = Counter()

    def run(self, number: int) -> None:
        """Draws, compares and, on failure, reduces model `number`."""
        rng = np.random.default_rng([self.arguments.seed, number])
        spatial = self.arguments.spatial
        if not spatial and not self.arguments.dense:
            spatial = rng.random() < 0.4
        drawer = SpatialDrawer if spatial else Drawer
        spec = draw(
            rng, self.arguments.events, self.arguments.special, drawer, self.arguments.wiring
        )
        if self.arguments.only is not None:
            print("\n".join(spec.summary()))
        description = "\n".join(spec.summary())
        if any(text in description for text in self.arguments.avoid):
            self.models["avoided"] += 1
            return
        every = self.arguments.separately
        separately = bool(every) and number % every == 0
        self.models["spatial" if spatial else "dense"] += 1
        self.models[spec.style] += 1
        self.models[f"stored {spec.form}"] += 1
        inside = [layer.inner for layer in spec.layers.values() if layer.inner]
        self.models["with a model inside"] += bool(inside)
        self.models["with one of several outputs"] += any(len(x.outputs) > 1 for x in inside)
        with tempfile.TemporaryDirectory() as scratch:
            try:
                paths = save(spec, Path(scratch))
            except Exception as error:  # What Keras cannot build cannot be compared.
                text = (str(error).strip().splitlines() or [""])[0]
                self.tally.notes[f"not built: {type(error).__name__} {text[:60]}"] += 1
                if self.arguments.only is not None:
                    traceback.print_exc()
                return
            problems = check(self.arguments.verify, *paths, self.tally, separately)
        for problem in problems:
            self.failures.append((number, problem))
            show(number, problem)
        # Legs mostly fail together; one of them is enough to find the cause.
        causes = {signature(spec, p)[1:]: p for p in reversed(problems)}
        for problem in causes.values():
            self.keep(number, spec, problem)

    def keep(self, number: int, spec: Spec, problem: Problem) -> None:
        """Reduces and stores a failure, unless enough of its kind are there."""
        cause = signature(spec, problem)
        if self.arguments.keep is None or self.kept[cause[1:]] >= self.arguments.per_cause:
            return
        self.kept[cause[1:]] += 1
        small = self.smaller(spec, problem, cause)
        leg = problem.leg.replace(":", "-")
        directory = self.arguments.keep / f"seed{self.arguments.seed}-{number}-{leg}"
        directory.mkdir(parents=True, exist_ok=True)
        model, events = save(small, directory)
        found = check(self.arguments.verify, model, events, Tally(), True, [problem.leg])
        for left in ("trace.h5", "proxy.h5"):
            (directory / left).unlink(missing_ok=True)
        same = [p for p in found if signature(small, p) == cause] or [problem]
        make_case.write_case(
            model,
            events,
            directory,
            f"{problem.leg}: {same[0].kind} at {same[0].layer}: {same[0].text}",
            origin=f"fuzz.py --seed {self.arguments.seed} --only {number}",
            proxy_file=problem.leg == "proxy",
            summary=small.summary(),
        )
        print(f"  kept in {directory}:")
        print("".join(f"    {line}\n" for line in small.summary()), end="")
        print(f"    {same[0].layer} {same[0].text}", flush=True)

    def smaller(self, spec: Spec, problem: Problem, cause: tuple) -> Spec:
        """The smallest model found with the same failure."""

        def fails(variant: Spec) -> bool:
            with tempfile.TemporaryDirectory() as scratch:
                try:
                    paths = save(variant, Path(scratch))
                except Exception:  # Not every variant is a model.
                    return False
                found = check(self.arguments.verify, *paths, Tally(), False, [problem.leg])
            return any(signature(variant, p) == cause for p in found)

        return reduce(spec, fails, problem.layer, self.arguments.reduce_seconds)

    def add(self, other: Campaign) -> None:
        """Counts what another process found."""
        for name in vars(self.tally):
            getattr(self.tally, name).update(getattr(other.tally, name))
        self.models.update(other.models)
        self.failures += other.failures

    def report(self) -> None:
        """The table."""
        tally = self.tally
        print(f"\nmodels: {dict(self.models)}")
        print(f"{'leg':<12}{'elements':>12}{'banded':>10}{'share':>8}{'mismatches':>12}")
        for leg in LEGS:
            elements = tally.elements[leg]
            share = 100 * tally.banded[leg] / max(elements, 1)
            print(
                f"{leg:<12}{elements:>12}{tally.banded[leg]:>10}{share:>7.2f}%"
                f"{tally.mismatches[leg]:>12}"
            )
        for title, counts in (
            ("flagged elements", tally.flags),
            ("refused by both", tally.refused),
            ("no claim", tally.no_claim),
            ("notes", tally.notes),
        ):
            shown = {k: v for k, v in counts.items() if v}
            print(f"{title}:{'' if shown else ' none'}")
            for key, value in sorted(shown.items(), key=lambda kv: str(kv[0])):
                key = " ".join(key) if isinstance(key, tuple) else key
                print(f"  {value:>8}  {key}")
        print(f"failures: {len(self.failures)}")
        for cause, count in Counter((p.leg, p.kind) for _, p in self.failures).items():
            print(f"  {count:>8}  {' '.join(cause)}")


def signature(spec: Spec, problem: Problem) -> tuple:
    """What makes two failures the same: leg, kind, and the class of the layer."""
    layer = spec.find(problem.layer)
    activation = layer.arguments.get("activation") if layer else None
    if isinstance(activation, dict):
        activation = activation["class"]
    words = ""
    if problem.kind == "exit":
        words = " ".join(word for word in problem.text.split() if word.isalpha())
    return problem.leg, problem.kind, layer.cls if layer else "", activation, words


def show(number: int, problem: Problem) -> None:
    where = f" layer {problem.layer}" if problem.layer else ""
    count = f" {problem.elements} elements:" if problem.elements else ""
    print(f"model {number} {problem.leg} {problem.kind}{where}:{count} {problem.text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
