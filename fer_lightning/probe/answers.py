"""Asks what a probe is for under every protocol that the faces allow, and scores the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_lightning.config.probe import Method, ProbeSettings, Task
from fer_lightning.errors import UserError
from fer_lightning.labels import PAPER_D_ACTION_UNITS
from fer_lightning.metrics.distribution import Comparison
from fer_lightning.metrics.functional.recognition import area, class_areas, confusion_matrix
from fer_lightning.probe.emotions import EmotionProbe
from fer_lightning.probe.folds import grouped_folds, random_folds, strata
from fer_lightning.probe.protocols import Outcome, Tick
from fer_lightning.probe.reading import ProbeSet
from fer_lightning.probe.units import UnitProbe
from fer_lightning.progress import progress_bar

ACROSS = "across"
"""The protocol that tests on other faces; its numbers have no suffix."""
HONEST = (ACROSS, "grouped_nested", "grouped", "random_nested", "random")
"""Protocols, those first whose score says most about new people; pictures show the first."""
USUAL: Mapping[Task, Method] = MappingProxyType(
    {Task.emotion: Method.svm_rbf, Task.au: Method.svm_linear}
)
"""Paper D's classifiers (D.6)."""
UNITS = tuple(f"AU{unit}" for unit in PAPER_D_ACTION_UNITS)

Vectors = Sequence[NDArray[np.float32]]
"""Features of the faces to fit to and, where there are others, of those to test on."""


@dataclass(frozen=True)
class Answers:
    """What was asked and what came out.

    Attributes:
        task: What was asked.
        names: Of the K classes or units.
        truth: Of the tested rows: class numbers, (N,); for units 1, 0 or -1 (unknown), (N, K).
        outcomes: By protocol.
        reasons: Why other protocols were not followed.
    """

    task: Task
    names: Sequence[str]
    truth: NDArray[np.int64]
    outcomes: Mapping[str, Outcome]
    reasons: Mapping[str, str]

    @property
    def honest(self) -> str:
        """The protocol whose score says most about new people."""
        return next(name for name in HONEST if name in self.outcomes)


def suffix_of(protocol: str) -> str:
    """What stands behind the names of a protocol's numbers."""
    return "" if protocol == ACROSS else f"_{protocol}"


def method_of(task: Task, settings: ProbeSettings) -> Method:
    """The classifier: the user's, or paper D's."""
    return settings.classifier or USUAL[task]


def ask(
    task: Task,
    sets: Sequence[ProbeSet],
    vectors: Vectors,
    names: Sequence[str],
    settings: ProbeSettings,
) -> Answers:
    """Follow every protocol that the faces allow.

    Args:
        task: The question.
        sets: Faces to fit to and, where there are others, to test on; rows as the task needs them.
        vectors: Their features.
        names: Of the classes or units.
        settings: Of the probe.

    Raises:
        UserError: If there are too few faces for the folds, or it takes too much memory.
    """
    follow = _follow_units if task is Task.au else _follow_emotions
    tested = sets[-1]
    reasons: dict[str, str] = {}
    outcomes = dict(follow(sets, vectors, len(names), settings, reasons))
    truth = tested.present if task is Task.au else tested.labels
    return Answers(task, names, truth, outcomes, reasons)


def score(answers: Answers) -> Comparison:
    """All numbers, and why others are not among them.

    ``probe_accuracy`` is the share of right answers; ``probe_recall/<class>`` that of one class;
    ``probe_auc/<class>`` the area under the curve of a class against the rest, on the pooled
    scores of all tested images, and ``probe_auc`` the unweighted mean over the classes.
    ``probe_au_auc`` is the like of action units, each over the images in which
    it is known. The protocol stands behind the name, but for faces of another set.
    """
    found = Comparison()
    for protocol, outcome in answers.outcomes.items():
        suffix = suffix_of(protocol)
        if answers.task is Task.au:
            areas = _areas_of_units(answers.truth, outcome.scores)
            _add_areas(found, f"probe_au_auc{suffix}", answers, areas)
            continue
        accuracy = float((outcome.predicted == answers.truth).mean())
        found.metrics[f"probe_accuracy{suffix}"] = accuracy
        areas = class_areas(outcome.scores, answers.truth)
        in_full = not protocol.endswith("_nested")
        _add_areas(found, f"probe_auc{suffix}", answers, areas, in_full)
        if in_full:
            matrix = confusion_matrix(outcome.predicted, answers.truth, len(answers.names))
            recall = matrix.diagonal() / matrix.sum(axis=1)
            found.metrics |= {
                f"probe_recall{suffix}/{name}": float(value)
                for name, value in zip(answers.names, recall, strict=True)
            }
        if protocol == ACROSS:
            found.metrics["probe_accuracy_search"] = outcome.settings["search_accuracy"]
    return found


def _follow_emotions(
    sets: Sequence[ProbeSet],
    vectors: Vectors,
    classes: int,
    settings: ProbeSettings,
    reasons: dict[str, str],
) -> Iterator[tuple[str, Outcome]]:
    fit, steps = sets[0], settings.evaluations
    method = method_of(Task.emotion, settings)
    folds = random_folds(fit.labels, settings.folds, settings.seed)
    if len(sets) > 1:
        with _ticking(ACROSS, steps) as tick:
            probe = EmotionProbe(method, settings, tick, classes)
            yield ACROSS, probe.across(vectors[0], fit.labels, folds, vectors[1])
        return
    for kind, own, groups in _foldings(fit, folds, fit.labels, settings, reasons):
        with _ticking(kind, steps) as tick:
            probe = EmotionProbe(method, settings, tick, classes)
            yield kind, probe.within(vectors[0], fit.labels, own)
        name = f"{kind}_nested"
        if not settings.nested:
            reasons[name] = "probe.nested=false"
            continue
        with _ticking(name, steps * settings.folds) as tick:
            probe = EmotionProbe(method, settings, tick, classes)
            try:
                nested = probe.nested(vectors[0], fit.labels, own, groups)
            except UserError as error:
                if not str(error).startswith("probe.inner_folds"):
                    raise
                reasons[name] = str(error)
                continue
        yield name, nested


def _follow_units(
    sets: Sequence[ProbeSet],
    vectors: Vectors,
    _: int,
    settings: ProbeSettings,
    reasons: dict[str, str],
) -> Iterator[tuple[str, Outcome]]:
    fit = sets[0]
    method = method_of(Task.au, settings)
    if len(sets) > 1:
        with _ticking(ACROSS, 1) as tick:
            probe = UnitProbe(method, settings, tick)
            yield ACROSS, probe.across(vectors[0], fit.present, vectors[1])
        return
    alike = strata(fit.present, settings.folds)
    folds = random_folds(alike, settings.folds, settings.seed)
    for kind, own, _groups in _foldings(fit, folds, alike, settings, reasons):
        with _ticking(kind, settings.folds) as tick:
            probe = UnitProbe(method, settings, tick)
            yield kind, probe.within(vectors[0], fit.present, own)


def _foldings(
    fit: ProbeSet,
    folds: NDArray[np.int64],
    alike: NDArray[np.int64],
    settings: ProbeSettings,
    reasons: dict[str, str],
) -> Iterator[tuple[str, NDArray[np.int64], NDArray[np.str_] | None]]:
    """Folds of single images and, where everybody is known, of people."""
    yield "random", folds, None
    if unknown := fit.subjects_unknown:
        reasons["grouped"] = f"{unknown:,} of {len(fit):,} images do not say who is on them"
        return
    try:
        own = grouped_folds(alike, fit.subjects, settings.folds, settings.seed)
    except UserError as error:  # random folds can do with fewer people
        reasons["grouped"] = str(error)
        return
    yield "grouped", own, fit.subjects


@contextmanager
def _ticking(protocol: str, steps: int) -> Iterator[Tick]:
    """A progress bar for one protocol."""
    title = f"Probing ({protocol.replace('_', ', ')})"
    with progress_bar(total=steps, desc=title, unit="step", leave=False, delay=1) as bar:
        move: Callable[[int], Any] = bar.update
        yield move


def _areas_of_units(present: NDArray[np.int64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Area under the curve of each unit over the rows in which it is known, (K,)."""
    known = np.where(present < 0, np.nan, scores)
    return np.array(
        [area(own == 1, column) for own, column in zip(present.T, known.T, strict=True)]
    )


def _add_areas(
    found: Comparison,
    name: str,
    answers: Answers,
    areas: NDArray[np.float64],
    in_full: bool = True,
) -> None:
    """The mean and, in full, each class's or unit's, or why it has none."""
    measured = np.isfinite(areas)
    if measured.any():
        found.metrics[name] = float(areas[measured].mean())
    else:
        found.left_out[name] = "none of them has a curve"
    for number, own in enumerate(answers.names) if in_full else ():
        if measured[number]:
            found.metrics[f"{name}/{own}"] = float(areas[number])
        else:
            found.left_out[f"{name}/{own}"] = _why(answers, number)


def _why(answers: Answers, number: int) -> str:
    """Why a class or unit has no area under the curve."""
    if answers.task is Task.emotion:
        return "too few images of it in the folds that are fitted"
    own = answers.truth[:, number]
    if not (own >= 0).any():
        return "nobody has coded it"
    if not (own == 1).any():
        return "no tested image shows it"
    if not (own == 0).any():
        return "every tested image shows it"
    return "the images that are fitted do not have it both with and without"
