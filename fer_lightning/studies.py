"""The cells of a study: what they are, what they wait for, and the record of them on disk."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fer_lightning.config.plain import to_plain
from fer_lightning.config.quoting import quote
from fer_lightning.config.study import Study
from fer_lightning.data.fingerprint import digest
from fer_lightning.errors import UserError
from fer_lightning.runs import SCHEMA, command_line, write_json

STUDIES = Path("multirun") / "study"
"""Where ``fer study`` writes."""
EARLIER = "cell:"
"""Before the name of a stage: the folder that its cell made."""
SEEDED = ("train", "generate")
"""Jobs with a ``seed=``; the others draw nothing that a study would vary."""
RESULTS = "results.json"
"""What tells a finished training from its folder."""

_EARLIER_CELL = re.compile(
    rf"""(?<=[=\[,'"\s])(?P<quote>['"]?){EARLIER}(?P<stage>[^\s,\[\]'"]+)(?P=quote)"""
)
_PLAIN_TEXT = re.compile(
    r"(?!(?:null|true|false|inf|nan)$|[-+.\d][\d_.]*(?:e[-+]?\d+)?$)[\w:%@?|./+*-]+", re.IGNORECASE
)


@dataclass
class Cell:
    """One job of a study.

    Attributes:
        stage: Name of its stage.
        job: The job.
        seed: Its seed; None for a job that is the same for all of them.
        axes: Values of the study's axes, and of the stage's own.
        overrides: As they were given; earlier cells by their stage.
        status: ``missing``, ``done`` or ``failed``.
        path: What it made.
        error: Why it failed.
        shared: Values of the study's axes alone.
    """

    stage: str
    job: str
    seed: int | None
    axes: dict[str, Any]
    overrides: list[str]
    status: str = "missing"
    path: str | None = None
    error: str | None = None
    shared: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Equal for the same cell of another start of the study."""
        return digest([self.stage, self.job, self.seed, self.axes, self.overrides])

    @property
    def label(self) -> str:
        """What tells it from the others."""
        values = [f"{key}={_text(value)}" for key, value in self.axes.items()]
        seed = [] if self.seed is None else [f"seed={self.seed}"]
        return " ".join([f"{self.stage}:", *values, *seed])

    @property
    def finished(self) -> bool:
        """Whether it is done and what it made is still there."""
        if self.status != "done" or self.path is None:
            return False
        made = Path(self.path)
        return (made / RESULTS if self.job == "train" else made).exists()

    def needs(self, other: Cell) -> bool:
        """Whether ``other`` is an earlier cell that this one names."""
        return (
            any(other.stage in _names(override) for override in self.overrides)
            and other.shared == self.shared
            and other.seed in (None, self.seed)
        )


def cells_of(study: Study, train: Sequence[str]) -> list[Cell]:
    """All cells of a study, stage by stage.

    The study's axes are overrides of the stages that name no earlier cell; a stage that does
    takes their values over from there. A stage without a seed that names no seeded cell has one
    cell for all seeds.

    Args:
        study: The study.
        train: Overrides added to every training stage.

    Raises:
        UserError: If a stage names one that does not come before it, or one with several cells
            for the same shared axes and seed.
    """
    cells: list[Cell] = []
    seeded: dict[str, bool] = {}
    for name, stage in study.stages.items():
        given = [*stage.overrides, *(train if stage.job == "train" else ())]
        named = {wanted for override in given for wanted in _names(override)}
        own = _values(stage.axes)
        varied = {w for values in own for o in _overrides(values) for w in _names(o)}
        _check_earlier(name, sorted(named | varied), study, list(seeded))
        seeded[name] = stage.job in SEEDED or any(seeded[wanted] for wanted in named | varied)
        seeds: Sequence[int | None] = study.seeds if seeded[name] else [None]
        for shared, values, seed in itertools.product(_values(study.axes), own, seeds):
            overrides = [
                *given,
                *_overrides(values if named else shared | values),
                *([f"seed={seed}"] if stage.job in SEEDED else []),
                *([f"logger.group={study.name}"] if stage.job == "train" else []),
            ]
            cells.append(Cell(name, stage.job, seed, shared | values, overrides, shared=shared))
    return cells


def _values(axes: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """One mapping for every combination of the axes' values."""
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def _overrides(values: Mapping[str, Any]) -> list[str]:
    return [f"{key}={_text(value)}" for key, value in values.items()]


def _text(value: Any) -> str:
    """A value as Hydra's grammar writes it."""
    if value is None:
        return "null"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_text, value))}]"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_text(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, str) and not _PLAIN_TEXT.fullmatch(value):
        return quote(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _names(override: str) -> list[str]:
    """Stages that an override names."""
    return [match["stage"] for match in _EARLIER_CELL.finditer(override)]


def _check_earlier(stage: str, named: Sequence[str], study: Study, earlier: Sequence[str]) -> None:
    for wanted in named:
        if wanted not in earlier:
            raise UserError(
                f"study.stages.{stage}: {EARLIER}{wanted} names no stage before it; "
                f"there are {', '.join(earlier) or 'none'}"
            )
        if study.stages[wanted].axes:
            raise UserError(
                f"study.stages.{stage}: {EARLIER}{wanted} could be any of several cells, since "
                f"{wanted} has axes of its own; move them to study.axes"
            )


def resolve(cell: Cell, cells: Iterable[Cell]) -> list[str] | None:
    """The cell's overrides with what earlier cells made, or None if one is not there yet."""
    needed = {earlier.stage: earlier for earlier in cells if cell.needs(earlier)}
    if not all(earlier.finished for earlier in needed.values()):
        return None
    return [
        _EARLIER_CELL.sub(lambda match: quote(str(needed[match["stage"]].path)), override)
        for override in cell.overrides
    ]


@dataclass(frozen=True)
class StudyRecord:
    """``study.json``: the cells of a study and what became of them.

    Attributes:
        path: The study's folder.
        study: The study.
        train: Overrides added to every training stage.
        cells: Its cells.
    """

    path: Path
    study: Study
    train: list[str]
    cells: list[Cell]

    @classmethod
    def open(cls, study: Study, train: Sequence[str]) -> StudyRecord:
        """The record of this study, with what earlier starts of it have done.

        The folder is named by the stages and ``train`` alone, so that a study may gain seeds and
        values.

        Raises:
            UserError: If the file is damaged.
        """
        plain = to_plain(study)
        key = digest([plain["name"], plain["stages"], list(train)])
        path = STUDIES / f"{study.name}-{key[:8]}"
        cells = cells_of(study, train)
        known = _known(path / "study.json")
        for cell in cells:
            if cell.key in known:
                cell.status, cell.path, cell.error = known[cell.key]
        return cls(path, study, list(train), cells)

    def outdate(self, cell: Cell) -> None:
        """Count what was made from an earlier result of ``cell`` as missing."""
        for later in self.cells:
            if later.needs(cell):
                later.status, later.path, later.error = "missing", None, None

    def save(self) -> None:
        """Write ``study.json``, whole or not at all."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(
            self.path / "study.json",
            {
                "schema": SCHEMA,
                "study": to_plain(self.study),
                "train": self.train,
                "command": command_line(),
                "cells": [{"key": cell.key, **asdict(cell)} for cell in self.cells],
            },
        )


def _known(file: Path) -> dict[str, tuple[str, str | None, str | None]]:
    """Status, path and error of the cells in an earlier ``study.json``."""
    if not file.is_file():
        return {}
    try:
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        return {cell["key"]: (cell["status"], cell["path"], cell["error"]) for cell in cells}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{file} is damaged ({error!r}): delete it; finished runs are found again"
        ) from error
