"""Proton-proton collisions with Pythia 8: one hard process per jet class.

The classes, their processes and the phase space are the only physics settings
of the demo; everything else is Pythia's default tune.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pythia8mc

CLASSES = ("q", "g", "W", "Z", "t")
"""Class names, in label order: light quark, gluon, W boson, Z boson, top."""

CM_ENERGY_GEV = 13600.0
PTHAT_MIN_GEV = 500.0

PARTICLE_ETA_MAX = 4.0
"""Particles beyond this cannot reach a jet of radius 0.8 with |eta| < 2.5."""

_QUARKS = "1 2 3 4 5"

_PROCESSES = {
    "q": ("HardQCD:qq2qq = on", "HardQCD:qqbar2qqbarNew = on"),
    "g": ("HardQCD:gg2gg = on", "HardQCD:qqbar2gg = on"),
    "W": (
        "WeakDoubleBoson:ffbar2WW = on",
        "24:onMode = off",
        f"24:onIfAny = {_QUARKS}",
    ),
    "Z": (
        "WeakDoubleBoson:ffbar2gmZgmZ = on",
        "WeakZ0:gmZmode = 2",
        "23:onMode = off",
        f"23:onIfAny = {_QUARKS}",
    ),
    "t": (
        "Top:gg2ttbar = on",
        "Top:qqbar2ttbar = on",
        "24:onMode = off",
        f"24:onIfAny = {_QUARKS}",
    ),
}

_RESONANCE_ID = {"W": 24, "Z": 23, "t": 6}


@dataclass
class Collision:
    """What the jet finder needs of one event.

    `momenta` has one row (px, py, pz, E) in GeV per visible final particle,
    `charged` one flag per row. `resonances` lists, for every boson or top
    quark of the process, the directions (rapidity, phi) of the quarks it
    decays to; it is empty for the QCD classes.
    """

    momenta: np.ndarray
    charged: np.ndarray
    resonances: list[list[tuple[float, float]]]


def settings(name: str) -> tuple[str, ...]:
    """Every Pythia setting that is not a default, for the class `name`."""
    return (
        f"Beams:eCM = {CM_ENERGY_GEV}",
        f"PhaseSpace:pTHatMin = {PTHAT_MIN_GEV}",
        *_PROCESSES[name],
    )


def collisions(name: str, seed: int) -> Iterator[Collision]:
    """Endless, reproducible sequence of events of the class `name`."""
    pythia = pythia8mc.Pythia("", False)
    for line in (
        "Print:quiet = on",
        "Random:setSeed = on",
        f"Random:seed = {seed}",
        *settings(name),
    ):
        if not pythia.readString(line):
            raise RuntimeError(f"Pythia does not know the setting {line!r}")
    if not pythia.init():
        raise RuntimeError(f"Pythia cannot start the process of class {name!r}")
    resonance = _RESONANCE_ID.get(name)
    while True:
        if not pythia.next():
            continue  # Pythia gave the event up; the next one is independent.
        yield _read(pythia.event, resonance)


def _read(event, resonance: int | None) -> Collision:
    momenta, charged = [], []
    resonances = []
    for index, particle in enumerate(event):
        if particle.isFinal():
            if particle.isVisible() and abs(particle.eta()) < PARTICLE_ETA_MAX:
                momenta.append(
                    (particle.px(), particle.py(), particle.pz(), particle.e())
                )
                charged.append(particle.isCharged())
        elif resonance is not None and particle.idAbs() == resonance:
            # A resonance is listed once per recoil; only its last copy decays.
            if particle.iBotCopyId() == index:
                resonances.append(_decay_quarks(event, index))
    return Collision(np.array(momenta), np.array(charged), resonances)


def _decay_quarks(event, index: int) -> list[tuple[float, float]]:
    """Directions (rapidity, phi) of the quarks at the end of a decay chain."""
    quarks = []
    for daughter in event[index].daughterList():
        particle = event[daughter]
        if particle.idAbs() <= 5:
            quarks.append((particle.y(), particle.phi()))
        elif particle.idAbs() == 24:
            quarks.extend(_decay_quarks(event, particle.iBotCopyId()))
    return quarks
