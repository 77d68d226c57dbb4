"""The jet as a picture: its transverse momentum on a grid around its axis."""

from __future__ import annotations

import numpy as np

from clustering import JET_RADIUS, Jet

PIXELS = 16


def jet_image(jet: Jet) -> np.ndarray:
    """Fraction of the constituents' pT per pixel, float32 [16, 16].

    The first index runs along rapidity, the second along azimuth, both from
    -0.8 to 0.8 relative to the jet axis. A constituent that recombination
    pushed outside this square is left out, so the sum can be a little below 1.
    """
    edges = np.linspace(-JET_RADIUS, JET_RADIUS, PIXELS + 1)
    fractions = jet.constituent_pt / jet.constituent_pt.sum()
    pixels, _, _ = np.histogram2d(
        jet.delta_y, jet.delta_phi, bins=(edges, edges), weights=fractions
    )
    return pixels.astype(np.float32)
