"""Joins evaluations to runs, and keeps apart numbers of one name that were measured differently."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_lightning.analysis.files import (
    Source,
    metrics_of,
    read_json,
    remarks_of,
    required,
    source_of,
)
from fer_lightning.config.plain import flatten
from fer_lightning.data.fingerprint import digest
from fer_lightning.errors import UserError

ALWAYS_APART = "split"
"""A protocol's key whose values are never averaged: numbers on val are not numbers on test."""

CLEARER = "corpus"
"""The key that stands in its place where each corpus is measured on one split alone."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One file of ``evaluations/``, by ``fer evaluate`` or ``fer probe``.

    Attributes:
        metrics: Value by name.
        protocol: How they were measured, by dotted keys.
        images_seen: Length of the training when the model was measured.
        source: Where they come from.
        command: The command that measured last; empty where nobody wrote it down.
        remarks: What has to be said of the faces that it was measured on.
        notes: What the job had to say of its numbers.
    """

    metrics: Mapping[str, float]
    protocol: Mapping[str, Any]
    images_seen: int
    source: Source
    command: str = ""
    remarks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


READABLE = ("corpus", "count", "seed", "neighbours", "batch_size", "archives")
"""Keys that tell two protocols apart in the clearest way, best first; others follow."""

PER_RUN = ("checkpoint", "trained_on", "left_out", "skipped", "ema", "told_label")
"""What differs between runs by nature, and so is no difference of their protocols."""

IN_TRAINING = "in training"
"""Stands behind a metric that a run logged itself, where evaluations have measured it too."""

Joined = tuple[Mapping[str, float], int, Sequence[Evaluation]]
"""A run's own metrics, its length, and its evaluations."""


def read_evaluation(path: Path) -> Evaluation:
    """Read one file.

    Raises:
        UserError: If it is damaged.
    """
    loaded = read_json(path)
    protocol = required(loaded, "protocol", path)
    return Evaluation(
        metrics=metrics_of(loaded, path),
        protocol={key: json.dumps(value) for key, value in flatten(protocol)},
        images_seen=int(required(loaded, "images_seen", path)),
        source=source_of(loaded, path),
        command=str(loaded.get("command") or ""),
        remarks=remarks_of(loaded),
        notes=tuple(map(str, loaded.get("notes", []))),
    )


def join_metrics(runs: Sequence[Joined]) -> tuple[list[dict[str, float]], list[str]]:
    """All metrics of each run under names that mean the same in all runs.

    A metric that one run has with two values gets the part of the protocol that tells them apart
    behind its name, as in ``fid[val]``; in all runs, so that means are over equals. What runs
    logged while they trained is kept apart alike. Evaluations of a model that was trained further
    since are left out.

    Returns:
        Metrics of each run, and notes on what was left out or may not be comparable.

    Raises:
        UserError: If one run has two values under one protocol.
    """
    notes: list[str] = []
    fresh: list[list[Evaluation]] = []
    for _, images_seen, evaluations in runs:
        fresh.append([e for e in evaluations if e.images_seen == images_seen])
        notes += [
            f"{e.source.path} was measured after {e.images_seen:,} images and is left out: the "
            f"run has seen {images_seen:,}. Evaluate it again."
            for e in evaluations
            if e.images_seen != images_seen
        ]
    evaluated = {name for files in fresh for e in files for name in e.metrics}
    joined = [
        {f"{n}[{IN_TRAINING}]" if n in evaluated else n: v for n, v in metrics.items()}
        for metrics, _, _ in runs
    ]
    differing: dict[tuple[str, ...], list[str]] = {}
    for name in dict.fromkeys(n for files in fresh for e in files for n in e.metrics):
        having = [[e for e in files if name in e.metrics] for files in fresh]
        keys = _telling_apart(name, having)
        differing.setdefault(_left_differing(having, keys), []).append(name)
        for metrics, files in zip(joined, having, strict=True):
            for evaluation in files:
                suffix = ",".join(_plain(evaluation.protocol.get(key)) for key in keys)
                metrics[f"{name}[{suffix}]" if keys else name] = evaluation.metrics[name]
    notes += [
        f"Evaluations of {_overall(names)} differ in their protocol ({', '.join(left)})."
        for left, names in differing.items()
        if left
    ]
    return joined, list(dict.fromkeys(notes))


def _overall(names: Sequence[str]) -> str:
    """Metrics without their classes, each once."""
    return ", ".join(dict.fromkeys(name.partition("/")[0] for name in names))


def _telling_apart(name: str, having: Sequence[Sequence[Evaluation]]) -> list[str]:
    """Keys of the protocol that must stand behind a metric's name; few, as short ones go first."""
    everything = [e for files in having for e in files]
    split = [
        key
        for key in _differing(everything)
        if key.rpartition(".")[2] == ALWAYS_APART and _differ(name, everything)
    ]
    corpora = {(e.protocol.get(CLEARER), e.protocol.get(split[0])) for e in everything if split}
    clearer = len(corpora) == len({corpus for corpus, _ in corpora}) > 1
    keys = [CLEARER] if clearer else split[:1]
    for files in having:
        while len(rest := _clash(name, files, keys)) > 1:
            candidates = [key for key in _differing(rest) if key not in keys]
            if not candidates:
                places = " and ".join(str(e.source.path) for e in rest)
                raise UserError(
                    f"{name} has several values under one protocol in {places}: delete all but one"
                )
            keys.append(min(candidates, key=_unreadable))
    return keys


def _clash(name: str, files: Sequence[Evaluation], keys: Sequence[str]) -> list[Evaluation]:
    """Files of one run with different values that ``keys`` do not tell apart."""
    by_key: dict[tuple[Any, ...], list[Evaluation]] = {}
    for evaluation in files:
        by_key.setdefault(tuple(evaluation.protocol.get(k) for k in keys), []).append(evaluation)
    return next((same for same in by_key.values() if _differ(name, same)), [])


def _differ(name: str, files: Sequence[Evaluation]) -> bool:
    """Whether values differ; pixels, say, are measured beside every feature network alike."""
    values = [e.metrics[name] for e in files]
    return any(not math.isclose(values[0], v, rel_tol=1e-6) for v in values[1:])


def _differing(files: Sequence[Evaluation]) -> list[str]:
    keys = dict.fromkeys(key for e in files for key in e.protocol)
    return [
        key
        for key in keys
        if key.partition(".")[0] not in PER_RUN and len({e.protocol.get(key) for e in files}) > 1
    ]


def _plain(value: str | None) -> str:
    """Short enough for a name: what is long is told apart by its hash."""
    plain = "none" if value is None else value.strip('"')
    return plain if len(plain) <= 24 else digest(plain)[:8]


def _unreadable(key: str) -> tuple[bool, int]:
    """Sorts the clearest keys first, then the shortest."""
    listed = key in READABLE
    return not listed, READABLE.index(key) if listed else len(key)


def _left_differing(having: Sequence[Sequence[Evaluation]], keys: Sequence[str]) -> tuple[str, ...]:
    """Parts of the protocol in which numbers of one name still differ."""
    by_name: dict[tuple[Any, ...], list[Evaluation]] = {}
    for evaluation in (e for files in having for e in files):
        by_name.setdefault(tuple(evaluation.protocol.get(k) for k in keys), []).append(evaluation)
    keys_left = (key for files in by_name.values() for key in _differing(files))
    return tuple(dict.fromkeys(key.partition(".")[0] for key in keys_left))
