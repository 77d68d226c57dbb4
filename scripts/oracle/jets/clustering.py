"""Jet finding and re-clustering with FastJet: everything that needs a jet algorithm."""

from __future__ import annotations

from dataclasses import dataclass

import fastjet
import numpy as np

from simulate import Collision

JET_RADIUS = 0.8
JET_PT_MIN_GEV = 450.0
JET_ETA_MAX = 2.5
MMDT_ZCUT = 0.1

_ANTI_KT = fastjet.JetDefinition(fastjet.antikt_algorithm, JET_RADIUS)
_KT = fastjet.JetDefinition(fastjet.kt_algorithm, JET_RADIUS)
# A radius larger than any distance inside a jet: everything ends in one tree.
_CAMBRIDGE = fastjet.JetDefinition(fastjet.cambridge_algorithm, 1000.0)


@dataclass
class Jet:
    """A jet and its constituents.

    `pt`, `mass`, `groomed_mass` in GeV; constituents as arrays of transverse
    momentum (GeV), rapidity and azimuth *relative to the jet axis*, and charge
    flag. `axes[n]` holds the n directions (relative rapidity, azimuth) of the
    exclusive-kT subjets, or is missing if there are fewer than n constituents.
    """

    pt: float
    mass: float
    groomed_mass: float
    constituent_pt: np.ndarray
    delta_y: np.ndarray
    delta_phi: np.ndarray
    charged: np.ndarray
    axes: dict[int, np.ndarray]


def wrap_phi(phi: np.ndarray | float) -> np.ndarray | float:
    """Azimuth difference brought into [-pi, pi)."""
    return (phi + np.pi) % (2 * np.pi) - np.pi


def find_jets(collision: Collision, need_match: bool) -> list[Jet]:
    """Anti-kT jets of one event that pass the selection, hardest first.

    With `need_match` a jet counts only if all quarks of one resonance lie
    within the jet radius of its axis.
    """
    particles = []
    for index, row in enumerate(collision.momenta):
        particle = fastjet.PseudoJet(*row)
        particle.set_user_index(index)
        particles.append(particle)
    # The sequence owns the jets' history and has to outlive them.
    sequence = fastjet.ClusterSequence(particles, _ANTI_KT)
    jets = []
    for candidate in fastjet.sorted_by_pt(sequence.inclusive_jets(JET_PT_MIN_GEV)):
        if abs(candidate.eta()) >= JET_ETA_MAX:
            continue
        if need_match and not _contains_resonance(candidate, collision.resonances):
            continue
        jets.append(_describe(candidate, collision.charged))
    return jets


def _contains_resonance(jet, resonances) -> bool:
    return any(
        quarks
        and all(
            np.hypot(y - jet.rap(), wrap_phi(phi - jet.phi())) < JET_RADIUS
            for y, phi in quarks
        )
        for quarks in resonances
    )


def _describe(jet, charged: np.ndarray) -> Jet:
    constituents = list(jet.constituents())
    origin_y, origin_phi = jet.rap(), jet.phi()
    rapidity = np.array([c.rap() for c in constituents])
    phi = np.array([c.phi() for c in constituents])
    indices = np.array([c.user_index() for c in constituents])
    return Jet(
        pt=jet.pt(),
        mass=max(jet.m(), 0.0),
        groomed_mass=_mmdt_mass(constituents),
        constituent_pt=np.array([c.pt() for c in constituents]),
        delta_y=rapidity - origin_y,
        delta_phi=wrap_phi(phi - origin_phi),
        charged=charged[indices],
        axes=_kt_axes(constituents, origin_y, origin_phi),
    )


def _mmdt_mass(constituents) -> float:
    """Mass (GeV) left by the modified mass-drop tagger (arXiv:1307.0007).

    The Cambridge/Aachen tree is followed along the harder branch until the
    softer branch holds more than `MMDT_ZCUT` of the two transverse momenta.
    """
    sequence = fastjet.ClusterSequence(constituents, _CAMBRIDGE)
    (current,) = sequence.inclusive_jets()
    first, second = fastjet.PseudoJet(), fastjet.PseudoJet()
    while current.has_parents(first, second):
        if min(first.pt(), second.pt()) > MMDT_ZCUT * (first.pt() + second.pt()):
            break
        harder = first if first.pt() >= second.pt() else second
        current = fastjet.PseudoJet(harder)
    return max(current.m(), 0.0)


def _kt_axes(constituents, origin_y: float, origin_phi: float) -> dict[int, np.ndarray]:
    sequence = fastjet.ClusterSequence(constituents, _KT)
    axes = {}
    for count in (1, 2, 3):
        if len(constituents) >= count:
            subjets = sequence.exclusive_jets(count)
            axes[count] = np.array(
                [(s.rap() - origin_y, wrap_phi(s.phi() - origin_phi)) for s in subjets]
            )
    return axes
