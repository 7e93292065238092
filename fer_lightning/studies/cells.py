"""A cell of a study: what it is and what it waits for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_lightning.config.quoting import quote
from fer_lightning.data.fingerprint import digest

EARLIER = "cell:"
"""Before the name of a stage: the folder that its cell made, or with ``/NAME`` one inside it."""
ALL_EARLIER = "cells:"
"""Before the name of a stage: the list of the folders of all its cells of the same seed."""
RESULTS = "results.json"
"""What tells a finished training from its folder."""

MEASURING = ("evaluate", "probe")
"""Jobs that measure a run as long as it is."""

_EARLIER_CELL = re.compile(
    rf"""(?<=[=\[,'"\s])(?P<quote>['"]?)(?P<prefix>{EARLIER}|{ALL_EARLIER})"""
    r"""(?P<stage>[^\s,\[\]'"/]+)(?P<inside>(?:/[^\s,\[\]'"]*)?)(?P=quote)"""
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
        axes: Its arm, and the values of the study's axes, of those of the stages that it names,
            and of its own.
        overrides: As they were given; earlier cells by their stage.
        status: ``missing``, ``done`` or ``failed``.
        path: What it made; of a training that failed its run folder.
        error: Why it failed.
    """

    stage: str
    job: str
    seed: int | None
    axes: dict[str, Any]
    overrides: list[str]
    status: str = "missing"
    path: str | None = None
    error: str | None = None

    @property
    def key(self) -> str:
        """Equal for the same cell of another start of the study."""
        return digest([self.stage, self.job, self.seed, self.axes, self.overrides])

    @property
    def label(self) -> str:
        """What tells it from the others."""
        values = [f"{key}={_text(value)}" for key, value in self.axes.items()]
        seed = [] if self.seed is None else [f"seed={self.seed}"]
        return ": ".join(filter(None, [self.stage, " ".join([*values, *seed])]))

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
        """Why an evaluation or probe is not of its run as that is now; None if it is."""
        if self.job not in MEASURING or self.path is None:
            return None
        return outdated(Path(self.path))

    @property
    def images_seen(self) -> int | None:
        """Length of a finished training; None for all else."""
        if self.job != "train" or self.path is None or not self.finished:
            return None
        return images_seen(Path(self.path) / RESULTS)

    def needs(self, other: Cell) -> bool:
        """Whether ``other`` is an earlier cell that this one names, alone or among all."""
        return self.names(other) or self.lists(other)

    def names(self, other: Cell) -> bool:
        """Whether ``other`` is the cell of ``cell:<stage>``."""
        return (
            other.stage in named_in(self.overrides, EARLIER)
            and set(as_overrides(other.axes)) <= set(as_overrides(self.axes))
            and other.seed in (None, self.seed)
        )

    def lists(self, other: Cell) -> bool:
        """Whether ``other`` is one of ``cells:<stage>``: the axes that both have are the same."""
        return (
            other.stage in named_in(self.overrides, ALL_EARLIER)
            and all(other.axes[key] == self.axes[key] for key in other.axes.keys() & self.axes)
            and other.seed in (None, self.seed)
        )


def outdated(file: Path) -> str | None:
    """Why a measurement is not of its run as that is now; None if it is.

    Its run is the folder that holds ``evaluations/FILE``, if that is a run at all: features that
    need no run, such as pixels, are never outdated.
    """
    seen = images_seen(file.parent.parent / RESULTS)
    measured = images_seen(file)
    if seen is None or measured == seen:
        return None
    when = "at an unknown length" if measured is None else f"after {measured:,} images"
    on = "; go on with its training" if measured is not None and measured > seen else ""
    return f"measured {when}, while the finished run has seen {seen:,}{on}"


def images_seen(file: Path) -> int | None:
    """The length that a results file states; None where it states none."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))["images_seen"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, int) else None


def as_overrides(values: Mapping[str, Any]) -> list[str]:
    """Axis values as Hydra's grammar writes them."""
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


def named_in(overrides: Iterable[str], *prefixes: str) -> list[str]:
    """Stages that overrides name, with one of ``prefixes`` if some are given."""
    found = (match for one in overrides for match in _EARLIER_CELL.finditer(one))
    wanted = prefixes or (EARLIER, ALL_EARLIER)
    return list(dict.fromkeys(m["stage"] for m in found if m["prefix"] in wanted))


def resolve(cell: Cell, cells: Iterable[Cell]) -> list[str] | None:
    """The cell's overrides with what earlier cells made, or None if one is not there yet.

    ``cells:<stage>`` becomes a list after ``=``, and the list's entries within another.
    """
    cells = list(cells)
    alone = {earlier.stage: earlier for earlier in cells if cell.names(earlier)}
    listed: dict[str, list[Cell]] = {}
    for earlier in filter(cell.lists, cells):
        listed.setdefault(earlier.stage, []).append(earlier)
    if not all(earlier.finished for earlier in cells if cell.needs(earlier)):
        return None

    def made(match: re.Match[str]) -> str:
        every = match["prefix"] == ALL_EARLIER
        found = listed[match["stage"]] if every else [alone[match["stage"]]]
        paths = ",".join(quote(f"{one.path}{match['inside']}") for one in found)
        return f"[{paths}]" if every and match.string[match.start() - 1] == "=" else paths

    return [_EARLIER_CELL.sub(made, override) for override in cell.overrides]
