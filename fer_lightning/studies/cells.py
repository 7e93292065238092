"""The cells of a study: what they are and what they wait for."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fer_lightning.config.quoting import quote
from fer_lightning.config.study import Study
from fer_lightning.data.fingerprint import digest
from fer_lightning.errors import UserError

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
