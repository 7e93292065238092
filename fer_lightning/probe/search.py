"""The Bayesian search for a classifier's setting, by cross-validation on shared pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_lightning.config.probe import Method, ProbeSettings
from fer_lightning.probe.distances import Pairs, kind_of, prepared
from fer_lightning.probe.estimators import Point, Scored, fit_and_score, usual
from fer_lightning.probe.folds import stratified_draw
from fer_lightning.probe.memory import Load, keeps_every_fold

RANGE = (1e-3, 1e3)
"""Of C and of the kernel scale, as MATLAB searches them (D.6)."""
NEIGHBOURS = 30
"""The most that are tried."""


@dataclass(frozen=True)
class Part:
    """One fold.

    Attributes:
        fit: Row numbers, sorted.
        test: Row numbers, sorted; none of them in ``fit``.
    """

    fit: NDArray[np.int64]
    test: NDArray[np.int64]


def parts_of(
    rows: NDArray[np.int64],
    folds: NDArray[np.int64],
    labels: NDArray[np.int64],
    settings: ProbeSettings,
) -> list[Part]:
    """The folds of cross-validation, those to fit drawn down to ``probe.max_rows``.

    Args:
        rows: Row numbers that take part, (n,).
        folds: Fold in which each of them is tested, (n,).
        labels: Class, or stratum, of each of them, (n,).
        settings: The most rows to fit, and the seed of the draw.
    """
    parts = []
    for number in np.unique(folds):
        own = folds == number
        parts.append(Part(drawn(rows[~own], labels[~own], settings), rows[own]))
    return parts


def drawn(
    rows: NDArray[np.int64], labels: NDArray[np.int64], settings: ProbeSettings
) -> NDArray[np.int64]:
    """At most ``probe.max_rows`` of the rows, (n,), by a stratified draw."""
    if settings.max_rows is None:
        return rows
    return rows[stratified_draw(labels, settings.max_rows, settings.seed)]


@dataclass
class Source:
    """Pairs of each fold, kept where all of them fit into ``probe.memory``.

    Where they do not, a fold's are made anew each time that they are asked for: slower, but never
    more than one fold's at once.

    Attributes:
        vectors: float32 (N, d).
        parts: The folds.
        method: The classifier.
        settings: Of the probe.
    """

    vectors: NDArray[np.float32]
    parts: list[Part]
    method: Method
    settings: ProbeSettings
    _kept: dict[int, Pairs] = field(default_factory=dict, init=False)

    @cached_property
    def keeps(self) -> bool:
        """Whether pairs are kept."""
        load = load_of(self.vectors, self.parts)
        return keeps_every_fold(load, self.method, self.settings)

    def pairs(self, number: int) -> Pairs:
        """Those of a fold."""
        if number in self._kept:
            return self._kept[number]
        part = self.parts[number]
        kind = kind_of(self.method, self.settings)
        # Indexing by an array copies, which is what prepared() overwrites.
        pairs = prepared(self.vectors[part.fit], self.vectors[part.test], kind, self.settings)
        if self.keeps:
            self._kept[number] = pairs
        return pairs


def load_of(vectors: NDArray[np.float32], parts: list[Part]) -> Load:
    """Sizes of the largest fold."""
    return Load(
        rows=len(vectors),
        fit=max(len(part.fit) for part in parts),
        test=max(len(part.test) for part in parts),
        width=vectors.shape[1],
        folds=len(parts),
    )


@dataclass(frozen=True)
class Found:
    """The best setting of a search.

    Attributes:
        point: The setting; the first of equals.
        accuracy: Share of the tested rows that it gets right, out of fold.
        scored: Scores and predictions of all N rows at that setting, in the order of the vectors;
            nan and -1 for rows in no fold.
        tried: All settings, in order.
    """

    point: Point
    accuracy: float
    scored: Scored
    tried: list[Point]


def search(
    vectors: NDArray[np.float32],
    labels: NDArray[np.int64],
    parts: list[Part],
    classes: int,
    method: Method,
    settings: ProbeSettings,
    tick: Callable[[int], object],
) -> Found:
    """Try ``probe.evaluations`` settings by Optuna's tree-structured Parzen estimator.

    The first is :func:`~fer_lightning.probe.estimators.usual`; the others come from C and kernel
    scale in [1e-3, 1e3], or from 1 to 30 neighbours, all log-uniform. The objective is the
    accuracy of all out-of-fold predictions together.

    Args:
        vectors: float32 (N, d).
        labels: Class of each row, (N,), in [0, classes).
        parts: The folds.
        classes: K.
        method: The classifier.
        settings: Of the probe.
        tick: Called with 1 after every evaluation.
    """
    source = Source(vectors, parts, method, settings)
    tested = np.concatenate([part.test for part in parts])
    most = min(NEIGHBOURS, *(len(part.fit) for part in parts))
    tried: dict[tuple[float, ...], float] = {}
    points: list[Point] = []
    best: Found | None = None
    with _quiet_optuna() as optuna:
        sampler = optuna.samplers.TPESampler(seed=settings.seed)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.enqueue_trial(_within_space(usual(method, vectors.shape[1]), most))
        for _ in range(settings.evaluations):
            trial = study.ask()
            point = _suggested(trial, method, most)
            points.append(point)
            key = tuple(point.values())
            if key not in tried:
                scored = cross_validated(source, labels, classes, point)
                tried[key] = float((scored.predicted == labels)[tested].mean())
                if best is None or tried[key] > best.accuracy:
                    best = Found(point, tried[key], scored, points)
            study.tell(trial, tried[key])
            tick(1)
    assert best is not None  # there is at least one evaluation
    return best


def cross_validated(
    source: Source, labels: NDArray[np.int64], classes: int, point: Point
) -> Scored:
    """Scores and predictions of all rows at one setting, each by the fold that tests it."""
    scores = np.full((len(labels), classes), np.nan)
    predicted = np.full(len(labels), -1, np.int64)
    for number, part in enumerate(source.parts):
        found = fit_and_score(
            source.method, point, source.pairs(number), labels[part.fit], classes, source.settings
        )
        scores[part.test], predicted[part.test] = found.scores, found.predicted
    return Scored(scores, predicted)


def _suggested(trial: Any, method: Method, most: int) -> Point:
    if method is Method.knn:
        return {"neighbours": trial.suggest_int("neighbours", 1, most, log=True)}
    point = {"C": trial.suggest_float("C", *RANGE, log=True)}
    if method is Method.svm_rbf:
        point["kernel_scale"] = trial.suggest_float("kernel_scale", *RANGE, log=True)
    return point


def _within_space(point: Point, most: int) -> Point:
    if "neighbours" in point:
        return {"neighbours": min(point["neighbours"], most)}
    return {key: min(max(value, RANGE[0]), RANGE[1]) for key, value in point.items()}


@contextmanager
def _quiet_optuna() -> Iterator[Any]:
    """Optuna without its messages, which would stand between ours; as before afterwards."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield optuna
    finally:
        optuna.logging.set_verbosity(before)
