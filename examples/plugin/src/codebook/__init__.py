"""A vector quantizer: every sample is told by the code of the nearest of a few vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass
class Settings:
    """How a codebook is learned.

    Attributes
    ----------
    size : int
        How many vectors it has at most.
    rounds : int
        How often they are moved to the middle of their samples.
    """

    size: int = 8
    rounds: int = 5


class Codebook:
    """Learns a few vectors, each with a label, and tells samples by the nearest.

    Its vectors lie in one buffer behind a table of offsets, as compiled libraries like to have it: what it
    reads there it does not check.
    """

    __slots__ = ("_buffer", "_labels", "_offsets", "settings")

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()

    def fit(self, X: NDArray[np.float64], y: NDArray[np.int64]) -> Codebook:
        """Learn from samples of shape (n_samples, n_features) and their labels."""
        chosen = np.linspace(0, len(X) - 1, self.settings.size).astype(int)
        vectors = X[chosen].astype(np.float64)
        for _ in range(self.settings.rounds):
            nearest = _nearest(X, vectors)
            for code in range(len(vectors)):
                if (nearest == code).any():
                    vectors[code] = X[nearest == code].mean(axis=0)
        nearest = _nearest(X, vectors)
        self._labels = np.array(
            [np.bincount(y[nearest == code], minlength=1).argmax() for code in range(len(vectors))]
        )
        self._buffer = vectors.ravel()
        self._offsets = np.arange(0, vectors.size + 1, vectors.shape[1])
        return self

    def encode(self, X: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the code of each sample."""
        width = int(self._offsets[1])
        # A view over memory: offsets from a stranger would read what lies behind the buffer.
        shape, strides = (len(self._offsets) - 1, width), (8 * width, 8)
        return _nearest(X, np.lib.stride_tricks.as_strided(self._buffer, shape, strides))

    def predict(self, X: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the label of the nearest vector of each sample."""
        return self._labels[self.encode(X)]


def _nearest(X: NDArray[np.float64], vectors: NDArray[np.float64]) -> NDArray[np.intp]:
    return ((X[:, None, :] - vectors[None, :, :]) ** 2).sum(axis=2).argmin(axis=1)
