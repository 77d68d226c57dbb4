"""The sixteen jet observables, written out from their definitions.

With z_i = pT_i / sum_j pT_j over the constituents, dR_ij their distance in
rapidity and azimuth, dR_i the distance to the jet axis and R0 = 0.8:

====================  =======================================================
multiplicity          number of constituents
charged_multiplicity  number of charged constituents
mass_over_pt          m / pT of the jet
mmdt_mass_over_pt     mass after the modified mass-drop tagger, over the pT of
                      the ungroomed jet
les                   angularity, kappa = 1, beta = 1/2 (Les Houches)
width                 angularity, kappa = 1, beta = 1
thrust                angularity, kappa = 1, beta = 2 (mass-like)
ptd                   sqrt(sum z_i^2)
sum_z_ln_z            sum z_i ln z_i  (never positive)
z_max                 largest z_i
tau1                  1-subjettiness
tau21, tau32          tau2 / tau1, tau3 / tau2
e2                    sum_{i<j} z_i z_j dR_ij
c2                    e3 / e2^2
d2                    e3 / e2^3
====================  =======================================================

angularity:  lambda = sum z_i^kappa (dR_i / R0)^beta     (arXiv:1408.3122)
N-subjettiness: tau_N = sum z_i min_k dR_{i,k} / R0 with k over the N
exclusive-kT axes, beta = 1                              (arXiv:1011.2268)
e3 = sum_{i<j<k} z_i z_j z_k dR_ij dR_ik dR_jk           (arXiv:1305.0007)
C2 (ibid.) and D2 (arXiv:1409.6298) with beta = 1.

A ratio whose denominator is zero is 0; C2 and D2 are 0 below three
constituents, tau_N below N + 1 of them.
"""

from __future__ import annotations

import numpy as np

from clustering import JET_RADIUS, Jet

FEATURES = (
    "multiplicity",
    "charged_multiplicity",
    "mass_over_pt",
    "mmdt_mass_over_pt",
    "les",
    "width",
    "thrust",
    "ptd",
    "sum_z_ln_z",
    "z_max",
    "tau1",
    "tau21",
    "tau32",
    "e2",
    "c2",
    "d2",
)


def observables(jet: Jet) -> np.ndarray:
    """All observables of one jet in the order of `FEATURES`, float64 [16]."""
    fractions = jet.constituent_pt / jet.constituent_pt.sum()
    distance = np.hypot(jet.delta_y, jet.delta_phi) / JET_RADIUS
    tau = {count: _subjettiness(jet, fractions, count) for count in (1, 2, 3)}
    e2, e3 = _correlations(jet, fractions)
    return np.array(
        [
            len(fractions),
            np.count_nonzero(jet.charged),
            jet.mass / jet.pt,
            jet.groomed_mass / jet.pt,
            _angularity(fractions, distance, 0.5),
            _angularity(fractions, distance, 1.0),
            _angularity(fractions, distance, 2.0),
            np.sqrt(np.sum(fractions**2)),
            np.sum(fractions * np.log(fractions)),
            fractions.max(),
            tau[1],
            _ratio(tau[2], tau[1]),
            _ratio(tau[3], tau[2]),
            e2,
            _ratio(e3, e2**2),
            _ratio(e3, e2**3),
        ]
    )


def _angularity(fractions: np.ndarray, distance: np.ndarray, beta: float) -> float:
    return float(np.sum(fractions * distance**beta))


def _subjettiness(jet: Jet, fractions: np.ndarray, count: int) -> float:
    """tau_N of the jet; 0 if every constituent can be an axis of its own."""
    if len(fractions) <= count:
        return 0.0
    axes = jet.axes[count]
    # Both ends are relative to the jet axis and within it, so their azimuth
    # difference needs no wrapping.
    delta_y = jet.delta_y[:, None] - axes[None, :, 0]
    delta_phi = jet.delta_phi[:, None] - axes[None, :, 1]
    nearest = np.hypot(delta_y, delta_phi).min(axis=1)
    return float(np.sum(fractions * nearest) / JET_RADIUS)


def _correlations(jet: Jet, fractions: np.ndarray) -> tuple[float, float]:
    """Energy correlation functions e2 and e3 with beta = 1.

    With A_ij = sqrt(z_i) dR_ij sqrt(z_j), the sum over ordered triples is the
    trace of A^3; dR_ii = 0 removes the triples with equal indices, and every
    unordered triple is counted six times.
    """
    distance = np.hypot(
        jet.delta_y[:, None] - jet.delta_y[None, :],
        jet.delta_phi[:, None] - jet.delta_phi[None, :],
    )
    e2 = 0.5 * float(fractions @ distance @ fractions)
    if len(fractions) < 3:
        return e2, 0.0
    root = np.sqrt(fractions)
    scaled = root[:, None] * distance * root[None, :]
    e3 = float(np.sum((scaled @ scaled) * scaled)) / 6.0
    return e2, e3


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0.0 else 0.0
