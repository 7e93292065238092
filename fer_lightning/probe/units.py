"""How action units are told from features: within a set of faces and across two."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fer_lightning.probe.distances import Pairs
from fer_lightning.probe.estimators import Scored, fit_and_score, usual
from fer_lightning.probe.folds import strata
from fer_lightning.probe.memory import check_memory
from fer_lightning.probe.protocols import (
    Outcome,
    Probe,
    check_vectors,
    load_across,
    plain_point,
)
from fer_lightning.probe.search import Part, drawn, load_of, parts_of


@dataclass(frozen=True)
class UnitProbe(Probe):
    """One binary classifier a unit, without a search (D.6).

    Vectors are float32 (N, d); of each row and unit, ``present`` (N, U) is 1, 0 or -1 (unknown).
    All units share a fold's distances or products. A row in which a unit is unknown is not fitted
    for it, though it takes part in the scaling. Every method raises UserError if vectors are not
    finite, or take too much memory.
    """

    def within(
        self, vectors: NDArray[np.float32], present: NDArray[np.int64], folds: NDArray[np.int64]
    ) -> Outcome:
        """Out-of-fold scores; a row in which a unit is unknown has none of it.

        Ticks once a fold.

        Args:
            vectors: As above.
            present: As above.
            folds: Fold in which each row is tested, (N,).
        """
        check_vectors(vectors)
        parts = parts_of(np.arange(len(present)), folds, strata(present, 1), self.settings)
        load = replace(load_of(vectors, parts), gaps=bool((present < 0).any()))
        check_memory(load, self.method, self.settings)
        scores = np.full(present.shape, np.nan)
        predicted = np.zeros(present.shape, np.int64)
        for part in parts:
            pairs = self.pairs(vectors[part.fit], vectors[part.test])
            scored = self._score(pairs, present[part.fit])
            scores[part.test], predicted[part.test] = scored.scores, scored.predicted
            self.tick(1)
        scores[present < 0] = np.nan
        settings = plain_point(usual(self.method, vectors.shape[1])) | self.record(parts)
        return Outcome(scores, predicted, folds, settings)

    def across(
        self,
        vectors: NDArray[np.float32],
        present: NDArray[np.int64],
        tested: NDArray[np.float32],
    ) -> Outcome:
        """Fit to all of one set and score all of the other.

        Ticks once.

        Args:
            vectors: Of the set to fit.
            present: Its.
            tested: The other set's vectors, float32 (M, d).
        """
        check_vectors(vectors)
        check_vectors(tested)
        rows = drawn(np.arange(len(present)), strata(present, 1), self.settings)
        load = replace(load_across(vectors, rows, tested), gaps=bool((present < 0).any()))
        check_memory(load, self.method, self.settings)
        pairs = self.pairs(vectors[rows], tested.copy())
        scored = self._score(pairs, present[rows])
        self.tick(1)
        whole = [Part(rows, np.arange(len(tested)))]
        settings = plain_point(usual(self.method, vectors.shape[1])) | self.record(whole)
        nowhere = np.zeros(len(tested), np.int64)
        return Outcome(scored.scores, scored.predicted, nowhere, settings)

    def _score(self, pairs: Pairs, present: NDArray[np.int64]) -> Scored:
        """Rows to fit with but one answer give scores of nan, and predict that one."""
        point = usual(self.method, pairs.width)
        scores = np.full((len(pairs.test), present.shape[1]), np.nan)
        predicted = np.zeros(scores.shape, np.int64)
        for unit, answers in enumerate(present.T):
            known = answers >= 0
            if known.any():
                own = answers[known]
                fitted = pairs.of(known)
                scored = fit_and_score(self.method, point, fitted, own, 2, self.settings)
                scores[:, unit], predicted[:, unit] = scored.scores[:, 1], scored.predicted
        return Scored(scores, predicted)
