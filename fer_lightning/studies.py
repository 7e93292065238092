"""The cells of a study: what they are, what they wait for, and the record of them on disk."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fer_lightning.config.plain import to_plain
from fer_lightning.config.quoting import quote
from fer_lightning.config.study import Stage, Study
from fer_lightning.data.fingerprint import digest
from fer_lightning.errors import UserError
from fer_lightning.runs import SCHEMA, command_line, write_json

STUDIES = Path("multirun") / "study"
"""Where ``fer study`` writes."""
EARLIER = "cell:"
"""Before the name of a stage: the folder that its cell made."""
SEEDED = ("train", "generate")
"""Jobs with a ``seed=``; the others draw nothing that a study would vary."""


@dataclass
class Cell:
    """One job of a study.

    Attributes:
        stage: Name of its stage.
        job: The job.
        seed: Its seed.
        axes: Values of the study's axes, and of the stage's own.
        overrides: As they were given; earlier cells by their stage.
        status: ``missing``, ``done`` or ``failed``.
        path: What it made.
        error: Why it failed.
    """

    stage: str
    job: str
    seed: int
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
        return " ".join([f"{self.stage}:", *values, f"seed={self.seed}"])

    @property
    def finished(self) -> bool:
        """Whether it is done and what it made is still there."""
        return self.status == "done" and self.path is not None and Path(self.path).exists()


def cells_of(study: Study, train: Sequence[str]) -> list[Cell]:
    """All cells of a study, stage by stage.

    The study's axes are overrides of the stages that name no earlier cell; a stage that does
    takes their values over from there.

    Args:
        study: The study.
        train: Overrides added to every training stage.

    Raises:
        UserError: If a stage names one that does not come before it.
    """
    cells: list[Cell] = []
    earlier: list[str] = []
    for name, stage in study.stages.items():
        _check_earlier(name, stage, earlier)
        waits = any(_names(override) for override in stage.overrides)
        for shared, own, seed in itertools.product(
            _values(study.axes), _values(stage.axes), study.seeds
        ):
            chosen = own if waits else shared | own
            overrides = [
                *stage.overrides,
                *(train if stage.job == "train" else ()),
                *(f"{key}={_text(value)}" for key, value in chosen.items()),
                *([f"seed={seed}"] if stage.job in SEEDED else []),
                *([f"logger.group={study.name}"] if stage.job == "train" else []),
            ]
            cells.append(Cell(name, stage.job, seed, shared | own, overrides, shared=shared))
        earlier.append(name)
    return cells


def _values(axes: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """One mapping for every combination of the axes' values."""
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def _text(value: Any) -> str:
    """A value as Hydra's grammar writes it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _names(override: str) -> list[str]:
    """Stages that an override names."""
    _, *names = override.split(EARLIER)
    return [name.split(",")[0].strip("[]'\" ") for name in names]


def _check_earlier(name: str, stage: Stage, earlier: Sequence[str]) -> None:
    for wanted in (wanted for override in stage.overrides for wanted in _names(override)):
        if wanted not in earlier:
            raise UserError(
                f"study.stages.{name}: {EARLIER}{wanted} names no stage before it; "
                f"there are {', '.join(earlier) or 'none'}"
            )


def resolve(cell: Cell, cells: Iterable[Cell]) -> list[str] | None:
    """The cell's overrides with the folders of earlier cells, or None if one is not there yet."""
    overrides = []
    for override in cell.overrides:
        for stage in _names(override):
            made = next(c for c in cells if _is_before(c, cell, stage))
            if not made.finished or made.path is None:
                return None
            override = override.replace(EARLIER + stage, quote(made.path))
        overrides.append(override)
    return overrides


def _is_before(earlier: Cell, cell: Cell, stage: str) -> bool:
    """Whether ``earlier`` is the cell of ``stage`` that ``cell`` means."""
    return earlier.stage == stage and earlier.shared == cell.shared and earlier.seed == cell.seed


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
            before = known.get(cell.key)
            if before is not None:
                cell.status, cell.path, cell.error = (
                    before[name] for name in ("status", "path", "error")
                )
        return cls(path, study, list(train), cells)

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


def _known(file: Path) -> dict[str, dict[str, Any]]:
    if not file.is_file():
        return {}
    try:
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        return {cell["key"]: cell for cell in cells}
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise UserError(
            f"{file} is damaged ({error!r}): delete it; finished runs are found again"
        ) from error
