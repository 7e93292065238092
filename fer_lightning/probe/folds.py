"""Folds of cross-validation, by images or by people, and draws that keep the classes' shares."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_lightning.errors import UserError


def random_folds(
    labels: NDArray[np.int64], folds: int, seed: int, key: str = "probe.folds"
) -> NDArray[np.int64]:
    """Stratified folds of single images, as paper D has them (D.6).

    Images of one person fall into several folds, so near duplicates are both fitted and tested. A
    class with fewer images than folds is spread over as many folds as it has images; a class
    with a single image is tested by a classifier that never saw it.

    Args:
        labels: Class, or stratum, of each row, (N,).
        folds: At least 2.
        seed: Shuffles the rows.
        key: The key that a user gave ``folds`` by.

    Returns:
        The fold in which each row is tested, (N,), from 0 on.

    Raises:
        UserError: If there are fewer rows than folds, or every class has fewer.
    """
    from sklearn.model_selection import StratifiedKFold

    if len(labels) < folds:
        raise UserError(f"{key}={folds}: there are only {len(labels)} images; give fewer folds")
    _check_classes(labels, folds, key)
    return _numbered(StratifiedKFold(folds, shuffle=True, random_state=seed), labels, None)


def grouped_folds(
    labels: NDArray[np.int64],
    subjects: NDArray[np.str_],
    folds: int,
    seed: int,
    key: str = "probe.folds",
) -> NDArray[np.int64]:
    """Stratified folds of whole people: nobody is both fitted and tested.

    Where stratifying would leave a fold empty, as it may with few people of unequal numbers of
    images, they are spread by those numbers alone.

    Args:
        labels: Class, or stratum, of each row, (N,).
        subjects: Person of each row, (N,).
        folds: At least 2.
        seed: Shuffles the people.
        key: The key that a user gave ``folds`` by.

    Returns:
        The fold in which each row is tested, (N,), from 0 on.

    Raises:
        UserError: If a person is unknown, or there are too few people or images for the folds.
    """
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    unknown = int((subjects == "").sum())
    if unknown:
        raise UserError(
            f"folds of people need the person of every image, and {unknown:,} of "
            f"{len(subjects):,} are unknown"
        )
    people = len(np.unique(subjects))
    if people < folds:
        raise UserError(f"{key}={folds}: there are only {people} people; give fewer folds")
    _check_classes(labels, folds, key)
    numbers = _numbered(
        StratifiedGroupKFold(folds, shuffle=True, random_state=seed), labels, subjects
    )
    if len(np.unique(numbers)) < folds:
        return _numbered(GroupKFold(folds), labels, subjects)
    return numbers


def strata(present: NDArray[np.int64], least: int) -> NDArray[np.int64]:
    """Rows with the same action units as one class each, so that folds may be stratified.

    Args:
        present: 0, 1 or -1 (unknown), (N, U).
        least: Combinations in fewer rows than this make up one class together.

    Returns:
        A class of each row, (N,).
    """
    _, classes, counts = np.unique(present, axis=0, return_inverse=True, return_counts=True)
    classes = classes.reshape(len(present))  # numpy 2.0 alone returns (N, 1)
    return np.where(counts[classes] < least, len(counts), classes).astype(np.int64)


def stratified_draw(labels: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """Positions of ``count`` rows, sorted, drawn so that every class keeps its share.

    Args:
        labels: Class of each row, (N,).
        count: Rows to draw; all, where there are no more.
        seed: Of the draw.
    """
    random = np.random.default_rng(seed)
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        # Spread evenly over [0, 1), so that any first part of all rows has the same shares.
        place[members] = (np.arange(len(members)) + random.random(len(members))) / len(members)
    return np.sort(np.argsort(place, kind="stable")[:count])


def _check_classes(labels: NDArray[np.int64], folds: int, key: str) -> None:
    most = int(np.unique(labels, return_counts=True)[1].max())
    if most < folds:
        raise UserError(
            f"{key}={folds}: no class has more than {most} images; give at most {most} folds"
        )


def _numbered(
    splitter: Any, labels: NDArray[np.int64], groups: NDArray[np.str_] | None
) -> NDArray[np.int64]:
    numbers = np.zeros(len(labels), np.int64)
    with warnings.catch_warnings():
        # A class with fewer images than folds is what the docstrings above speak of.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        for number, (_, test) in enumerate(splitter.split(labels, labels, groups)):
            numbers[test] = number
    return numbers
