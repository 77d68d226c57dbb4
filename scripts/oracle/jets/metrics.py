"""Figures of merit of a classifier, in float64 from its outputs."""

from __future__ import annotations

import numpy as np


def softmax(logits: np.ndarray) -> np.ndarray:
    """Class probabilities [N, classes]."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    weights = np.exp(shifted)
    return weights / weights.sum(axis=1, keepdims=True)


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Fraction of events whose largest logit is the label's; first one on a tie."""
    return float(np.mean(logits.argmax(axis=1) == labels))


def area_under_curve(scores: np.ndarray, is_signal: np.ndarray) -> float:
    """Area under the ROC curve: P(signal scores higher) + P(tie) / 2."""
    background = np.sort(scores[~is_signal])
    signal = scores[is_signal]
    below = np.searchsorted(background, signal, side="left")
    not_above = np.searchsorted(background, signal, side="right")
    return float((below + not_above).mean() / (2 * len(background)))
