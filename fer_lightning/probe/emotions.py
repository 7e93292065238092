"""How emotions are told from features: within a set of faces, nested, and across two sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_lightning.errors import UserError
from fer_lightning.probe.estimators import Scored, fit_and_score
from fer_lightning.probe.folds import grouped_folds, random_folds
from fer_lightning.probe.memory import check_memory
from fer_lightning.probe.protocols import (
    Outcome,
    Probe,
    check_vectors,
    load_across,
    plain_point,
)
from fer_lightning.probe.search import Found, Part, drawn, load_of, parts_of, search


@dataclass(frozen=True)
class EmotionProbe(Probe):
    """One classifier of all emotions, whose setting a search chooses (D.6).

    Vectors are float32 (N, d), labels class numbers (N,) in [0, ``classes``), folds (N,) say in
    which fold a row is tested. Every method raises UserError if vectors are not finite, of one
    class, or take too much memory.

    Attributes:
        classes: K.
    """

    classes: int

    def within(
        self, vectors: NDArray[np.float32], labels: NDArray[np.int64], folds: NDArray[np.int64]
    ) -> Outcome:
        """Out-of-fold scores at the best setting of a search over the same folds.

        The paper's protocol. Its score is optimistic, for the search has seen every label.
        Ticks ``evaluations`` times.
        """
        _check(vectors, labels)
        parts = parts_of(np.arange(len(labels)), folds, labels, self.settings)
        check_memory(load_of(vectors, parts), self.method, self.settings)
        found = self._search(vectors, labels, parts)
        settings = _searched(found) | self.record(parts)
        return Outcome(found.scored.scores, found.scored.predicted, folds, settings)

    def nested(
        self,
        vectors: NDArray[np.float32],
        labels: NDArray[np.int64],
        folds: NDArray[np.int64],
        groups: NDArray[np.str_] | None = None,
    ) -> Outcome:
        """Out-of-fold scores where every fold searches anew among the rows that it fits.

        Inner folds have scalers of their own, and no label of a row that is tested takes part in
        the choice of its setting, so the score is not optimistic. Ticks ``evaluations`` times a
        fold.

        Args:
            vectors: As above.
            labels: As above.
            folds: The outer ones.
            groups: Person of each row, (N,), for inner folds of whole people; None for inner folds
                of single images.

        Raises:
            UserError: Also if a fold has too few rows or people for the inner ones.
        """
        _check(vectors, labels)
        parts = parts_of(np.arange(len(labels)), folds, labels, self.settings)
        check_memory(load_of(vectors, parts), self.method, self.settings)
        inner = [self._inner_parts(part.fit, labels, groups) for part in parts]
        scores = np.full((len(labels), self.classes), np.nan)
        predicted = np.zeros(len(labels), np.int64)
        chosen = []
        for part, pieces in zip(parts, inner, strict=True):
            found = self._search(vectors, labels, pieces)
            chosen.append(_searched(found))
            scored = self._score(
                found, vectors[part.fit], labels[part.fit], tested=vectors[part.test]
            )
            scores[part.test], predicted[part.test] = scored.scores, scored.predicted
        return Outcome(scores, predicted, folds, {"folds": chosen} | self.record(parts))

    def across(
        self,
        vectors: NDArray[np.float32],
        labels: NDArray[np.int64],
        folds: NDArray[np.int64],
        tested: NDArray[np.float32],
    ) -> Outcome:
        """Search by cross-validation on one set, fit to all of it, score the other.

        Ticks ``evaluations`` times.

        Args:
            vectors: Of the set to fit.
            labels: Its.
            folds: Its, for the search.
            tested: The other set's vectors, float32 (M, d).
        """
        _check(vectors, labels)
        check_vectors(tested)
        everything = np.arange(len(labels))
        parts = parts_of(everything, folds, labels, self.settings)
        rows = drawn(everything, labels, self.settings)
        check_memory(load_across(vectors, rows, tested), self.method, self.settings)
        found = self._search(vectors, labels, parts)
        scored = self._score(found, vectors[rows], labels[rows], tested=tested.copy())
        whole = [Part(rows, np.arange(len(tested)))]
        settings = _searched(found) | self.record(whole)
        nowhere = np.zeros(len(tested), np.int64)
        return Outcome(scored.scores, scored.predicted, nowhere, settings)

    def _search(
        self, vectors: NDArray[np.float32], labels: NDArray[np.int64], parts: list[Part]
    ) -> Found:
        rest = (self.classes, self.method, self.settings, self.tick)
        return search(vectors, labels, parts, *rest)

    def _score(
        self,
        found: Found,
        fit: NDArray[np.float32],
        labels: NDArray[np.int64],
        *,
        tested: NDArray[np.float32],
    ) -> Scored:
        pairs = self.pairs(fit, tested)
        return fit_and_score(self.method, found.point, pairs, labels, self.classes, self.settings)

    def _inner_parts(
        self,
        rows: NDArray[np.int64],
        labels: NDArray[np.int64],
        groups: NDArray[np.str_] | None,
    ) -> list[Part]:
        """Inner folds of the rows that an outer one fits, as row numbers of all vectors."""
        settings, key = self.settings, "probe.inner_folds"
        count, seed, own = settings.inner_folds, settings.seed, labels[rows]
        if groups is None:
            folds = random_folds(own, count, seed, key)
        else:
            folds = grouped_folds(own, groups[rows], count, seed, key)
        return parts_of(rows, folds, own, settings)


def _searched(found: Found) -> dict[str, Any]:
    return plain_point(found.point) | {"search_accuracy": found.accuracy}


def _check(vectors: NDArray[np.float32], labels: NDArray[np.int64]) -> None:
    check_vectors(vectors)
    if len(np.unique(labels)) < 2:
        raise UserError("all images show one emotion, and a classifier needs two; look at fit.only")
