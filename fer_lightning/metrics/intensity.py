"""Reads the intensity of an expression from faces, as faces of known intensity have taught it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.fingerprint import digest
from fer_lightning.features.network import FeatureNetwork
from fer_lightning.labels import NEUTRAL
from fer_lightning.metrics.distribution import Comparison
from fer_lightning.metrics.exposure import exposure
from fer_lightning.metrics.extraction import real_vectors
from fer_lightning.metrics.functional.editing import rank_correlation

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

PENALTIES = tuple(10.0**power for power in range(-2, 7))
"""Of ridge regression, from which each reader takes the best by leaving one face out."""

LEAST = 10
"""Training faces of an emotion, and neutral ones, that a reader needs."""


@dataclass(frozen=True)
class KnownIntensities:
    """Real faces whose intensity is known: those that readers learn from, and measured ones.

    Attributes:
        faces: Where they are.
        values: Intensity of every row of all archives, nan where unknown.
        train: Rows of the training part.
        held: Rows among those that are measured.
    """

    faces: FaceDataModule
    values: NDArray[np.float64]
    train: NDArray[np.int64]
    held: NDArray[np.int64]

    @classmethod
    def of(cls, faces: FaceDataModule, measured: NDArray[np.int64]) -> KnownIntensities | str:
        """Look for them, or say why there are none.

        Args:
            faces: The data, set up.
            measured: Rows that a model is measured on.
        """
        columns = [archive.column("intensity") for archive in faces.archives]
        values = np.array([value for column in columns for value in column], np.float64)
        known = np.isfinite(values)
        if not known.any():
            return "the archive knows no intensities, as drawn faces do (data=drawn)"
        train, held = (rows[known[rows]] for rows in (faces.division["train"], measured))
        if not len(train) or not len(held):
            return "no training face, or no measured one, has a known intensity"
        return cls(faces, values, train, held)

    def protocol(self) -> dict[str, Any]:
        """Which faces, and how many people are in both parts (None: unknown); plain data."""
        found = exposure(self.faces, self.held, self.faces, self.train)
        return {
            "train": len(self.train),
            "rows": digest(self.train.tolist()),
            "held": len(self.held),
            "people_in_both": found["people_seen"],
        }

    def beside_neutral(self, rows: NDArray[np.int64], emotion: str) -> NDArray[np.int64]:
        """Positions of those of ``rows`` that show the emotion or none."""
        shown = [self.faces.emotions[row] for row in rows]
        return np.flatnonzero([name in (NEUTRAL, emotion) for name in shown])


class IntensityReaders:
    """A ridge regression for each emotion, from a classifier's vectors to the intensity.

    Each is fitted on faces of its emotion and neutral ones of the training part, by vectors of
    mean 0 and deviation 1. What it is worth shows on the measured faces as they are:
    ``intensity_reader/<emotion>`` is Spearman's rank correlation of what it reads and what is true,
    ``intensity_reader_mae/<emotion>`` the mean absolute error. Both are also given as means over
    the emotions.

    Args:
        known: Faces of known intensity.
        network: Whose vectors are read.
        emotions: Those to read, without neutral.
        device: Where vectors are computed.

    Attributes:
        quality: What the readers are worth.
    """

    def __init__(
        self,
        known: KnownIntensities,
        network: FeatureNetwork,
        emotions: Sequence[str],
        device: torch.device,
    ) -> None:
        self._readers: dict[str, Pipeline] = {}
        self.quality = Comparison()
        trained, held = (
            real_vectors(network, known.faces, rows, what, device).cpu().double().numpy()
            for rows, what in ((known.train, "training faces"), (known.held, "measured faces"))
        )
        for emotion in emotions:
            own = known.beside_neutral(known.train, emotion)
            expressive = sum(known.faces.emotions[row] == emotion for row in known.train[own])
            if min(expressive, len(own) - expressive) < LEAST:
                why = f"needs {LEAST} training faces of it and {LEAST} neutral ones"
                for name in ("intensity_reader", "intensity_rank"):
                    self.quality.left_out[f"{name}/{emotion}"] = why
                continue
            self._readers[emotion] = _fitted(trained[own], known.values[known.train[own]])
            others = known.beside_neutral(known.held, emotion)
            self._rate(emotion, held[others], known.values[known.held[others]])
        for name in ("intensity_reader", "intensity_reader_mae"):
            values = [v for n, v in self.quality.metrics.items() if n.startswith(f"{name}/")]
            if values:
                self.quality.metrics[name] = float(np.mean(values))

    @property
    def emotions(self) -> list[str]:
        """Those that can be read."""
        return list(self._readers)

    def read(self, vectors: Tensor, emotion: str) -> NDArray[np.float64]:
        """Intensities of an emotion, (N,), of vectors (N, d); about 0 to 1, but not bounded."""
        found: NDArray[np.float64] = self._readers[emotion].predict(vectors.cpu().double().numpy())
        return found

    def _rate(self, emotion: str, vectors: NDArray[np.float64], true: NDArray[np.float64]) -> None:
        if len(true) < 2 or np.ptp(true) == 0:
            why = "needs measured faces of two known intensities"
            self.quality.left_out[f"intensity_reader/{emotion}"] = why
            return
        read = self._readers[emotion].predict(vectors)
        self.quality.metrics |= {
            f"intensity_reader/{emotion}": rank_correlation(true, read),
            f"intensity_reader_mae/{emotion}": float(np.abs(read - true).mean()),
        }


def _fitted(vectors: NDArray[np.float64], intensities: NDArray[np.float64]) -> Pipeline:
    from sklearn.linear_model import RidgeCV  # takes a second, which no training has to wait for
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), RidgeCV(PENALTIES)).fit(vectors, intensities)
