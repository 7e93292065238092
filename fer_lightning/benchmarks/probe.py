"""The search for an SVM's setting beside fitting ``SVC(kernel="rbf")`` anew each time."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fer_lightning.benchmarks.comparison import Goal, SideBySide
from fer_lightning.config.benchmark import BenchmarkConfig
from fer_lightning.config.probe import Method, ProbeSettings
from fer_lightning.probe.estimators import Point, Scored, fit_and_score, gamma_of
from fer_lightning.probe.folds import random_folds
from fer_lightning.probe.search import Part, Source, parts_of, search
from fer_lightning.progress import progress_bar

CLASSES, WIDTH = 8, 8_192
"""Emotions, and values of a vector: those of paper D (D.7)."""
FITS = 4
"""Of the plain fits so many are timed, spread over the search, and the time is scaled."""
TOLERANCE = 1e-3
"""Largest difference of decision scores."""
OURS, PLAIN = "fer probe", 'SVC(kernel="rbf"), scaled'


def measure(config: BenchmarkConfig) -> Iterator[SideBySide]:
    """Seconds of the whole search, and of as many plain fits at settings that it tried.

    Each is run once: a search takes a minute, and so do some plain fits.
    """
    settings = ProbeSettings()
    vectors, labels = _vectors(config.vectors)
    folds = random_folds(labels, settings.folds, settings.seed)
    parts = parts_of(np.arange(len(labels)), folds, labels, settings)
    with progress_bar(
        total=settings.evaluations, desc="search", unit="setting", leave=False
    ) as bar:
        start = time.perf_counter()
        found = search(vectors, labels, parts, CLASSES, Method.svm_rbf, settings, bar.update)
        ours = time.perf_counter() - start
    source = Source(vectors, parts, Method.svm_rbf, settings)
    seconds, otherwise, furthest = 0.0, 0, 0.0
    spread = np.linspace(0, settings.evaluations - 1, FITS).round().astype(int)
    for number, trial in enumerate(progress_bar(spread, desc="SVC", unit="fit", leave=False)):
        point, part = found.tried[trial], parts[number]
        spent, plain = _plainly(vectors, labels, part, point)
        shared = fit_and_score(
            Method.svm_rbf, point, source.pairs(number), labels[part.fit], CLASSES, settings
        )
        seconds += spent
        otherwise += int((plain.predicted != shared.predicted).sum())
        furthest = max(furthest, float(np.abs(plain.scores - shared.scores).max()))
    fits = settings.evaluations * settings.folds
    result = SideBySide(
        "searching for an SVM's setting", "s", {OURS: [ours], PLAIN: [seconds / FITS * fits]}
    )
    result.goals = [
        Goal(f"times as fast as {fits} plain fits", result.ratio(PLAIN, OURS), 10),
        Goal("rows predicted otherwise at equal C and gamma", otherwise, 0, at_least=False),
        Goal("largest difference of decision scores", furthest, TOLERANCE, at_least=False),
    ]
    result.notes = [
        f"{len(labels):,} vectors of {WIDTH:,} values, {CLASSES} classes, {settings.folds} folds, "
        f"{settings.evaluations} settings: {fits} fits, of which {FITS} plain ones were timed "
        f"({seconds:.3g} s). The search's accuracy is {found.accuracy:.3f}."
    ]
    yield result


def _vectors(count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Some directions that many values share, a class shift in them, and noise."""
    random = np.random.default_rng(0)
    labels = np.arange(count) % CLASSES
    shared = random.standard_normal((count, 64))
    shared += 0.3 * random.standard_normal((CLASSES, 64))[labels]
    vectors = shared @ random.standard_normal((64, WIDTH)) / 8
    vectors += random.standard_normal(vectors.shape)
    return vectors.astype(np.float32), labels


def _plainly(
    vectors: NDArray[np.float32], labels: NDArray[np.int64], part: Part, point: Point
) -> tuple[float, Scored]:
    """Seconds to fit and predict one fold the usual way, and what it says of it."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    start = time.perf_counter()
    plain = make_pipeline(StandardScaler(), SVC(C=point["C"], gamma=gamma_of(point)))
    plain.fit(vectors[part.fit], labels[part.fit])
    predicted = plain.predict(vectors[part.test])
    seconds = time.perf_counter() - start
    return seconds, Scored(plain.decision_function(vectors[part.test]), predicted)
