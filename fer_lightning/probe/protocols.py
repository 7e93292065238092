"""How features are probed: within a set or across two, for emotions or for action units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_lightning.config.probe import Method, ProbeSettings, Task
from fer_lightning.errors import UserError
from fer_lightning.probe.distances import Pairs, kind_of, prepared
from fer_lightning.probe.estimators import Point, Scored, fit_and_score, gamma_of, usual
from fer_lightning.probe.folds import grouped_folds, random_folds, strata
from fer_lightning.probe.memory import Load, check_memory
from fer_lightning.probe.search import Found, Part, drawn, load_of, parts_of, search

Tick = Callable[[int], object]


@dataclass(frozen=True)
class Outcome:
    """What a probe says of the rows that it tested.

    Attributes:
        scores: float64 (N, K), larger is more of that class against the rest: one column an
            emotion or an action unit. nan where nothing was measured: for a class or unit that
            the rows to fit had not both with and without, and for a unit that is unknown in the
            row. A column of nan alone is an unmeasured class or unit.
        predicted: Class numbers, (N,); of units 0 or 1, (N, U), whatever the row's own is.
        tested: Fold in which the row was tested, (N,); 0 where another set was.
        settings: Plain data: the chosen setting, the accuracy that the search found for it, the
            same of each fold when nested, and the rows fitted.
    """

    scores: NDArray[np.float64]
    predicted: NDArray[np.int64]
    tested: NDArray[np.int64]
    settings: dict[str, Any]


def emotions_within(
    vectors: NDArray[np.float32],
    labels: NDArray[np.int64],
    folds: NDArray[np.int64],
    classes: int,
    method: Method,
    settings: ProbeSettings,
    tick: Tick,
) -> Outcome:
    """Out-of-fold scores at the best setting of a search over the same folds (D.6).

    The paper's protocol. Its score is optimistic, for the search has seen every label.

    Args:
        vectors: float32 (N, d), finite.
        labels: Class of each row, (N,), in [0, classes).
        folds: Fold in which each row is tested, (N,).
        classes: K.
        method: The classifier.
        settings: Of the probe.
        tick: Called with 1 after every evaluation; :func:`steps_of` tells how often.

    Raises:
        UserError: If the vectors are not finite, of one class, or take too much memory.
    """
    _check(vectors, labels)
    parts = parts_of(np.arange(len(labels)), folds, labels, settings)
    check_memory(load_of(vectors, parts), method, settings)
    found = search(vectors, labels, parts, classes, method, settings, tick)
    scored = found.scored
    return Outcome(
        scored.scores, scored.predicted, folds, _searched(found) | _rows(parts, method, settings)
    )


def emotions_nested(
    vectors: NDArray[np.float32],
    labels: NDArray[np.int64],
    folds: NDArray[np.int64],
    classes: int,
    method: Method,
    settings: ProbeSettings,
    tick: Tick,
    groups: NDArray[np.str_] | None = None,
) -> Outcome:
    """Out-of-fold scores where every fold searches anew among the rows that it fits.

    Inner folds have scalers of their own, and no label of a row that is tested takes part in the
    choice of its setting, so the score is not optimistic.

    Args:
        vectors: float32 (N, d), finite.
        labels: Class of each row, (N,), in [0, classes).
        folds: Outer fold in which each row is tested, (N,).
        classes: K.
        method: The classifier.
        settings: Of the probe.
        tick: Called with 1 after every evaluation; :func:`steps_of` tells how often.
        groups: Person of each row, (N,), for inner folds of whole people; None for inner folds of
            single images.

    Raises:
        UserError: If the vectors are not finite, of one class, take too much memory, or a fold
            has too few rows or people for the inner ones.
    """
    _check(vectors, labels)
    parts = parts_of(np.arange(len(labels)), folds, labels, settings)
    check_memory(load_of(vectors, parts), method, settings)
    inner = [_inner_parts(part.fit, labels, settings, groups) for part in parts]
    scores = np.full((len(labels), classes), np.nan)
    predicted = np.zeros(len(labels), np.int64)
    chosen = []
    for part, pieces in zip(parts, inner, strict=True):
        found = search(vectors, labels, pieces, classes, method, settings, tick)
        chosen.append(_searched(found))
        pairs = _pairs(vectors[part.fit], vectors[part.test], method, settings)
        scored = fit_and_score(method, found.point, pairs, labels[part.fit], classes, settings)
        scores[part.test], predicted[part.test] = scored.scores, scored.predicted
    return Outcome(scores, predicted, folds, {"folds": chosen} | _rows(parts, method, settings))


def emotions_across(
    fit_vectors: NDArray[np.float32],
    fit_labels: NDArray[np.int64],
    fit_folds: NDArray[np.int64],
    test_vectors: NDArray[np.float32],
    classes: int,
    method: Method,
    settings: ProbeSettings,
    tick: Tick,
) -> Outcome:
    """Search by cross-validation on one set, fit to all of it, score the other.

    Args:
        fit_vectors: float32 (n, d), finite.
        fit_labels: Class of each row to fit, (n,), in [0, classes).
        fit_folds: Fold of each row to fit, (n,), for the search.
        test_vectors: float32 (N, d), finite.
        classes: K.
        method: The classifier.
        settings: Of the probe.
        tick: Called with 1 after every evaluation; :func:`steps_of` tells how often.

    Raises:
        UserError: If vectors are not finite, of one class, or take too much memory.
    """
    _check(fit_vectors, fit_labels)
    _check(test_vectors)
    parts = parts_of(np.arange(len(fit_labels)), fit_folds, fit_labels, settings)
    rows = drawn(np.arange(len(fit_labels)), fit_labels, settings)
    check_memory(_across(fit_vectors, rows, test_vectors), method, settings)
    found = search(fit_vectors, fit_labels, parts, classes, method, settings, tick)
    pairs = _pairs(fit_vectors[rows], test_vectors.copy(), method, settings)
    scored = fit_and_score(method, found.point, pairs, fit_labels[rows], classes, settings)
    whole = [Part(rows, np.arange(len(test_vectors)))]
    return Outcome(
        scored.scores,
        scored.predicted,
        np.zeros(len(test_vectors), np.int64),
        _searched(found) | _rows(whole, method, settings),
    )


def units_within(
    vectors: NDArray[np.float32],
    present: NDArray[np.int64],
    folds: NDArray[np.int64],
    method: Method,
    settings: ProbeSettings,
    tick: Tick,
) -> Outcome:
    """Out-of-fold scores of one binary classifier a unit, without a search (D.6).

    All units share a fold's distances or products. A row in which a unit is unknown is not fitted
    for it and has no score of it, though it takes part in the scaling.

    Args:
        vectors: float32 (N, d), finite.
        present: 1, 0 or -1 (unknown) of each row and unit, (N, U).
        folds: Fold in which each row is tested, (N,).
        method: The classifier.
        settings: Of the probe.
        tick: Called with 1 after every fold.

    Raises:
        UserError: If the vectors are not finite, or take too much memory.
    """
    _check(vectors)
    parts = parts_of(np.arange(len(present)), folds, strata(present, 1), settings)
    gaps = bool((present < 0).any())
    check_memory(replace(load_of(vectors, parts), gaps=gaps), method, settings)
    scores = np.full(present.shape, np.nan)
    predicted = np.zeros(present.shape, np.int64)
    point = usual(method, vectors.shape[1])
    for part in parts:
        pairs = _pairs(vectors[part.fit], vectors[part.test], method, settings)
        scored = _units(pairs, present[part.fit], point, method, settings)
        scores[part.test], predicted[part.test] = scored.scores, scored.predicted
        tick(1)
    scores[present < 0] = np.nan
    return Outcome(scores, predicted, folds, _plain(point) | _rows(parts, method, settings))


def units_across(
    fit_vectors: NDArray[np.float32],
    fit_present: NDArray[np.int64],
    test_vectors: NDArray[np.float32],
    method: Method,
    settings: ProbeSettings,
    tick: Tick,
) -> Outcome:
    """Fit one binary classifier a unit to all of one set and score all of the other.

    Args:
        fit_vectors: float32 (n, d), finite.
        fit_present: 1, 0 or -1 (unknown) of each row to fit and unit, (n, U).
        test_vectors: float32 (N, d), finite.
        method: The classifier.
        settings: Of the probe.
        tick: Called with 1 at the end.

    Raises:
        UserError: If vectors are not finite, or take too much memory.
    """
    _check(fit_vectors)
    _check(test_vectors)
    rows = drawn(np.arange(len(fit_present)), strata(fit_present, 1), settings)
    load = replace(_across(fit_vectors, rows, test_vectors), gaps=bool((fit_present < 0).any()))
    check_memory(load, method, settings)
    pairs = _pairs(fit_vectors[rows], test_vectors.copy(), method, settings)
    point = usual(method, fit_vectors.shape[1])
    scored = _units(pairs, fit_present[rows], point, method, settings)
    tick(1)
    whole = [Part(rows, np.arange(len(test_vectors)))]
    return Outcome(
        scored.scores,
        scored.predicted,
        np.zeros(len(test_vectors), np.int64),
        _plain(point) | _rows(whole, method, settings),
    )


def steps_of(
    task: Task, settings: ProbeSettings, *, nested: bool = False, across: bool = False
) -> int:
    """How often a protocol calls ``tick``.

    Args:
        task: What it is for.
        settings: Of the probe; all its folds are taken to have rows.
        nested: Whether it is :func:`emotions_nested`.
        across: Whether it scores another set.
    """
    if task is Task.au:
        return 1 if across else settings.folds
    return settings.evaluations * (settings.folds if nested else 1)


def _units(
    pairs: Pairs,
    present: NDArray[np.int64],
    point: Point,
    method: Method,
    settings: ProbeSettings,
) -> Scored:
    """One classifier a unit; nan and the only answer where the rows to fit have but one."""
    scores = np.full((len(pairs.test), present.shape[1]), np.nan)
    predicted = np.zeros(scores.shape, np.int64)
    for unit, answers in enumerate(present.T):
        known = answers >= 0
        if known.any():
            own = answers[known]
            scored = fit_and_score(method, point, pairs.of(known), own, 2, settings)
            scores[:, unit], predicted[:, unit] = scored.scores[:, 1], scored.predicted
    return Scored(scores, predicted)


def _inner_parts(
    rows: NDArray[np.int64],
    labels: NDArray[np.int64],
    settings: ProbeSettings,
    groups: NDArray[np.str_] | None,
) -> list[Part]:
    """Inner folds of the rows that an outer one fits, as row numbers of all vectors."""
    count, seed, key = settings.inner_folds, settings.seed, "probe.inner_folds"
    own = labels[rows]
    if groups is None:
        folds = random_folds(own, count, seed, key)
    else:
        folds = grouped_folds(own, groups[rows], count, seed, key)
    return parts_of(rows, folds, own, settings)


def _pairs(
    fit: NDArray[np.float32], test: NDArray[np.float32], method: Method, settings: ProbeSettings
) -> Pairs:
    return prepared(fit, test, kind_of(method, settings), settings)


def _across(fit: NDArray[np.float32], rows: NDArray[np.int64], test: NDArray[np.float32]) -> Load:
    return Load(rows=len(fit) + len(test), fit=len(rows), test=len(test), width=fit.shape[1])


def _searched(found: Found) -> dict[str, Any]:
    return _plain(found.point) | {"search_accuracy": found.accuracy}


def _plain(point: Point) -> dict[str, Any]:
    """A setting as it is written down, with the kernel scale as scikit-learn's gamma, too."""
    gamma = {"gamma": gamma_of(point)} if "kernel_scale" in point else {}
    return dict(point) | gamma


def _rows(parts: list[Part], method: Method, settings: ProbeSettings) -> dict[str, Any]:
    """What was fitted, by which method; whatever a reader needs to repeat it."""
    keys = ("evaluations", "inner_folds", "components", "balanced", "max_rows", "nystroem", "seed")
    given = {key: value for key, value in asdict(settings).items() if key in keys}
    return given | {
        "classifier": method.name,
        "rows_fitted": max(len(part.fit) for part in parts),
    }


def _check(vectors: NDArray[np.float32], labels: NDArray[np.int64] | None = None) -> None:
    if not len(vectors):
        raise UserError("there are no images to probe; look at the filters of the data")
    # The least and the greatest value show nan and infinity without a copy of all.
    if not (np.isfinite(vectors.min()) and np.isfinite(vectors.max())):
        broken = int((~np.isfinite(vectors).all(axis=1)).sum())
        raise UserError(
            f"the features of {broken:,} of {len(vectors):,} images are not finite: the network's "
            "training diverged; give another run, layer or feature"
        )
    if labels is not None and len(np.unique(labels)) < 2:
        raise UserError("all images show one emotion, and a classifier needs two; look at fit.only")
