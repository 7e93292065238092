"""The cells of a study: what they are, what they wait for, and the record of them on disk."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from filelock import FileLock, Timeout

from fer_lightning.config.plain import to_plain
from fer_lightning.config.quoting import quote
from fer_lightning.config.study import Study
from fer_lightning.data.fingerprint import digest
from fer_lightning.errors import UserError, naming
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
_LENGTH = re.compile(r"\+{0,2}trainer\.max_images=(\d+)")
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
        """Whether it is done, and what it made is still there and of its run's length."""
        if self.status != "done" or self.path is None:
            return False
        made = Path(self.path)
        there = (made / RESULTS if self.job == "train" else made).exists()
        return there and self.outdated is None

    @property
    def outdated(self) -> str | None:
        """Why an evaluation is not of its run as that is now; None if it is.

        Its run is the folder that holds ``evaluations/FILE``, if that is a run at all.
        """
        if self.job != "evaluate" or self.path is None:
            return None
        file = Path(self.path)
        seen = images_seen(file.parent.parent / RESULTS)
        measured = images_seen(file)
        if seen is None or measured == seen:
            return None
        when = "at an unknown length" if measured is None else f"after {measured:,} images"
        on = "; go on with its training" if measured is not None and measured > seen else ""
        return f"measured {when}, while the finished run has seen {seen:,}{on}"

    @property
    def images_seen(self) -> int | None:
        """Length of a finished training; None for all else."""
        if self.job != "train" or self.path is None or not self.finished:
            return None
        return images_seen(Path(self.path) / RESULTS)

    def needs(self, other: Cell) -> bool:
        """Whether ``other`` is an earlier cell that this one names."""
        return (
            any(other.stage in _names(override) for override in self.overrides)
            and other.shared == self.shared
            and other.seed in (None, self.seed)
        )


def images_seen(file: Path) -> int | None:
    """The length that a results file states; None where it states none."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))["images_seen"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, int) else None


def lengths_to_mind(cells: Iterable[Cell]) -> list[str]:
    """Finished trainings that are longer than their cell asks for, or unlike their stage's others.

    A run knows its settings by its hash, in which its length is not, so an earlier and longer run
    is taken for the cell.
    """
    stages: dict[str, list[tuple[Cell, int]]] = {}
    for cell in cells:
        if (seen := cell.images_seen) is not None:
            stages.setdefault(cell.stage, []).append((cell, seen))
    lines: list[str] = []
    for stage, trained in stages.items():
        counts = Counter(seen for _, seen in trained)
        usual = [seen for seen, count in counts.items() if count == max(counts.values())]
        for cell, seen in trained:
            asked, had = _asked(cell), _had(cell)
            if asked is not None and had is not None and asked != had:
                lines.append(
                    f"{cell.label} was trained before with trainer.max_images={had}, and has seen "
                    f"{seen:,} images; this study asks for {asked}"
                )
            elif len(counts) > 1 and usual != [seen]:
                others = ", ".join(f"{other:,}" for other in sorted(counts) if other != seen)
                lines.append(f"{cell.label} has seen {seen:,} images; others of {stage} {others}")
    return lines


def _asked(cell: Cell) -> int | None:
    """The length that a cell's overrides state, if they do."""
    found = [match for override in cell.overrides if (match := _LENGTH.fullmatch(override))]
    return int(found[-1][1]) if found else None


def _had(cell: Cell) -> int | None:
    """The length that a run's last training was asked for."""
    try:
        text = (Path(str(cell.path)) / "config.yaml").read_text(encoding="utf-8")
        return int(yaml.safe_load(text)["trainer"]["max_images"])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return None


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
        kept: Cells of earlier starts with other seeds or values, which this one does not run.
    """

    path: Path
    study: Study
    train: list[str]
    cells: list[Cell]
    kept: list[Cell] = field(default_factory=list)

    @staticmethod
    def place(study: Study, train: Sequence[str]) -> Path:
        """The study's folder.

        It is named by the stages and ``train`` alone, so that a study may gain seeds and values.
        """
        plain = to_plain(study)
        key = digest([plain["name"], plain["stages"], list(train)])
        return STUDIES / f"{study.name}-{key[:8]}"

    @classmethod
    @contextmanager
    def held(cls, study: Study, train: Sequence[str]) -> Iterator[StudyRecord]:
        """The record, held against other starts of the same study.

        Raises:
            UserError: If another process runs this study, or the file is damaged.
        """
        path = cls.place(study, train)
        with naming(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0)
            try:
                lock.acquire()
            except Timeout:
                raise UserError(
                    f"{path}: another process runs this study; wait for it, or stop it"
                ) from None
        try:
            yield cls.open(study, train)
        finally:
            lock.release()

    @classmethod
    def open(cls, study: Study, train: Sequence[str]) -> StudyRecord:
        """The record of this study, with what earlier starts of it have done.

        Cells that they had and this start has not are kept.

        Raises:
            UserError: If the file is damaged.
        """
        path = cls.place(study, train)
        cells = cells_of(study, train)
        known = _known(path / "study.json")
        for cell in cells:
            if (earlier := known.pop(cell.key, None)) is not None:
                cell.status, cell.path, cell.error = earlier.status, earlier.path, earlier.error
        return cls(path, study, list(train), cells, list(known.values()))

    def outdate(self, cell: Cell) -> None:
        """Count what was made from an earlier result of ``cell`` as missing."""
        for later in (*self.cells, *self.kept):
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
                "cells": [{"key": cell.key, **asdict(cell)} for cell in (*self.cells, *self.kept)],
            },
        )


def _known(file: Path) -> dict[str, Cell]:
    """The cells of an earlier ``study.json``, by key."""
    if not file.is_file():
        return {}
    names = [one.name for one in fields(Cell)]
    try:
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        return {cell["key"]: Cell(**{name: cell[name] for name in names}) for cell in cells}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{file} is damaged ({error!r}): delete it; finished runs are found again"
        ) from error
