"""Division of an archive's rows into train, val and test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_lightning.data.corpora.base import SplitConfig, SplitScheme
from fer_lightning.errors import UserError
from fer_lightning.labels import SPLITS

Division = dict[str, NDArray[np.int64]]
"""Row numbers of ``train``, ``val`` and ``test``, each sorted, without common elements."""

EVERY = "all"
"""Stands for a part in an evaluation: all rows, also those in no part."""


def divide(
    config: SplitConfig,
    emotions: Sequence[str | None],
    splits: Sequence[str | None],
    subjects: Sequence[str | None],
    training: bool = True,
    sources: Sequence[str | None] | None = None,
) -> Division:
    """Divide rows by the configured scheme.

    Args:
        config: The scheme and its numbers.
        emotions: Label of each row; rows without one count as a class of their own.
        splits: The corpus's official split of each row.
        subjects: Person of each row.
        training: Whether a training part is needed, as it is not for measuring.
        sources: Part of a combined corpus that each row comes from; None: all of one.

    Raises:
        UserError: If the archive lacks what the scheme needs, or is too small for it.
    """
    labels = np.array([emotion or "" for emotion in emotions])
    rows = np.arange(len(labels))
    if config.scheme in (SplitScheme.auto, SplitScheme.official):
        named = np.array([split or "" for split in splits])
        origins = np.array([source or "" for source in sources or [None] * len(labels)])
        return _as_published(config, labels, named, origins, training)
    if config.scheme is SplitScheme.stratified:
        return _holdout(config, rows, labels)
    if config.scheme is SplitScheme.subject:
        return _holdout_subjects(config, _people(subjects, config))
    if config.scheme is SplitScheme.subject_kfold:
        return _folds(config, labels, _people(subjects, config))
    return _folds(config, labels, None)


def _as_published(
    config: SplitConfig,
    labels: NDArray[np.str_],
    splits: NDArray[np.str_],
    origins: NDArray[np.str_],
    training: bool,
) -> Division:
    """Each source by its official split; by ``auto``, sources that have none are stratified."""
    parts = []
    for source in np.unique(origins):
        rows = np.flatnonzero(origins == source)
        if splits[rows].any():
            parts.append(_official(config, labels, splits, rows))
        elif config.scheme is SplitScheme.auto:
            parts.append(_holdout(config, rows, labels))
        elif source:
            raise UserError(
                f"data.split.scheme=official: the part {source} has no official split; try "
                "data.split.scheme=auto"
            )
        else:
            raise UserError(
                "data.split.scheme=official: the archive has no official split; try "
                "data.split.scheme=stratified"
            )
    division = {name: np.sort(np.concatenate([part[name] for part in parts])) for name in SPLITS}
    if training and not len(division["train"]):
        sizes = ", ".join(f"{len(rows):,} {name}" for name, rows in division.items() if len(rows))
        raise UserError(
            f"data.split.scheme={config.scheme.name}: the archive's official split has no train "
            f"images ({sizes}); data.split.scheme=stratified divides all of them anew"
        )
    return division


def _official(
    config: SplitConfig, labels: NDArray[np.str_], splits: NDArray[np.str_], rows: NDArray[np.int64]
) -> Division:
    division = {name: rows[splits[rows] == name] for name in SPLITS}
    if not len(division["val"]) and config.val:
        # The corpus has no validation part, so a stratified piece of train serves as one.
        train = division["train"]
        kept, held = _part(train, labels[train], config.val, config.seed)
        division |= {"train": kept, "val": held}
    return division


def _holdout(config: SplitConfig, rows: NDArray[np.int64], labels: NDArray[np.str_]) -> Division:
    rest, test = _part(rows, labels[rows], config.test, config.seed)
    train, val = _part(rest, labels[rest], config.val / (1 - config.test), config.seed)
    return {"train": train, "val": val, "test": test}


def _part(
    rows: NDArray[np.int64], labels: NDArray[np.str_], fraction: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A seeded share of every class, to the nearest image: (the others, the share)."""
    random = np.random.default_rng(seed)
    share = []
    for label in np.unique(labels):
        members = random.permutation(rows[labels == label])
        share.append(members[: round(len(members) * fraction)])
    held = np.sort(np.concatenate(share)) if share else rows[:0]
    return np.setdiff1d(rows, held), held


def _holdout_subjects(config: SplitConfig, people: NDArray[np.str_]) -> Division:
    """Whole people, in random order, each to the part that is furthest below its share."""
    random = np.random.default_rng(config.seed)
    names, sizes = np.unique(people, return_counts=True)
    shares = {"train": 1 - config.val - config.test, "val": config.val, "test": config.test}
    wanted = {part: share * len(people) for part, share in shares.items() if share}
    if len(names) < len(wanted):
        raise UserError(
            f"data.split.scheme=subject: {len(names)} people are too few for {len(wanted)} parts; "
            "set data.split.val=0 or data.split.test=0"
        )
    members: dict[str, list[str]] = {part: [] for part in wanted}
    have = dict.fromkeys(wanted, 0)
    for person in random.permutation(len(names)):
        empty = [part for part in wanted if not members[part]]
        part = max(empty or wanted, key=lambda p: 1 - have[p] / wanted[p])
        members[part].append(str(names[person]))
        have[part] += int(sizes[person])
    return {part: np.flatnonzero(np.isin(people, members.get(part, []))) for part in SPLITS}


def _folds(
    config: SplitConfig, labels: NDArray[np.str_], people: NDArray[np.str_] | None
) -> Division:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    kind = StratifiedKFold if people is None else StratifiedGroupKFold
    smallest = len(labels) if people is None else len(np.unique(people))
    if smallest < config.folds:
        raise UserError(f"data.split.folds={config.folds}: there are only {smallest} groups")
    if people is None and np.unique(labels, return_counts=True)[1].max() < config.folds:
        raise UserError(
            f"data.split.folds={config.folds}: no class has that many images; give fewer folds"
        )
    splitter = kind(n_splits=config.folds, shuffle=True, random_state=config.seed)
    held = [test for _, test in splitter.split(labels, labels, people)]
    test, val = held[config.fold], held[(config.fold + 1) % config.folds]
    train = np.setdiff1d(np.arange(len(labels)), np.concatenate([test, val]))
    return {"train": train, "val": np.sort(val), "test": np.sort(test)}


def _people(subjects: Sequence[str | None], config: SplitConfig) -> NDArray[np.str_]:
    unknown = sum(subject is None for subject in subjects)
    if unknown:
        raise UserError(
            f"data.split.scheme={config.scheme.name} needs the person of every image, and "
            f"{unknown:,} of {len(subjects):,} are unknown; try data.split.scheme=stratified"
        )
    return np.array(subjects)
