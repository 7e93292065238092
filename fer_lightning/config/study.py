"""What a study is, and what ``fer study`` and ``fer compare`` take."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import MISSING

from fer_lightning.config.plain import LATER, OVERRIDES
from fer_lightning.errors import UserError

STAGE_JOBS = ("prepare", "train", "evaluate", "generate", "probe")
"""Jobs that a stage may run."""
SEEDED = ("train", "generate")
"""Jobs with a ``seed=``; the others draw nothing that a study would vary."""
COMPARED = ("train", "probe")
"""Jobs whose cells can be the rows of a comparison."""
ARM = "arm"
"""The axis whose values are the names of a stage's arms."""


@dataclass(kw_only=True)
class Stage:
    """One job in every cell of a study, once the stages before it are done.

    Attributes:
        job: ``prepare``, ``train``, ``evaluate``, ``generate`` or ``probe``.
        axes: Further keys and their values, crossed with the study's axes and seeds.
        arms: Overrides by the name of an arm; each arm is compared as one value of the axis
            ``arm``. Where the stage names one that has arms, it has the same arms, and these
            overrides are added to its cells of the arms listed here.
        overrides: Overrides of every cell. ``cell:<stage>`` stands for what an earlier stage made
            with the same axes and seed, ``cell:<stage>/NAME`` for what lies in it; the stage has
            a cell for each of the arms and axes of the stages that are named here. An arm may
            name stages without arms and axes of their own. ``cells:<stage>`` stands for the list
            of all that the stage made with the same seed, over the axes that only it has.
        seed: Run it with this seed alone, once for all of the study's: a classifier that judges
            the models of every seed. For ``train`` and ``generate``.
    """

    job: str = MISSING
    axes: dict[str, list[Any]] = field(default_factory=dict)
    arms: dict[str, list[str]] = field(default_factory=dict, metadata=LATER)
    overrides: list[str] = field(default_factory=list)
    seed: int | None = field(default=None, metadata=LATER)

    def __post_init__(self) -> None:
        if self.job not in STAGE_JOBS:
            raise UserError(f"study.stages: job {self.job!r}; choose from {', '.join(STAGE_JOBS)}")
        if self.seed is not None and self.job not in SEEDED:
            raise UserError(
                f"study.stages: seed={self.seed} is for {' and '.join(SEEDED)}; {self.job} has none"
            )
        _check_axes("study.stages: axes", self.axes)


@dataclass(kw_only=True)
class Metric:
    """A number that a study reports.

    Attributes:
        higher: Whether more is better; None where neither is.
        paper: The paper's number beside it, as ``PAPER/TABLE/ROW/COLUMN``, or a list of them; in
            a study with arms also a mapping from arms to these.
    """

    higher: bool | None = None
    paper: Any = None

    def __post_init__(self) -> None:
        by_arm = isinstance(self.paper, Mapping)
        for given in self.paper.values() if by_arm else [self.paper]:
            references = given if isinstance(given, list) else [given]
            if not all(isinstance(one, str) or one is None for one in references):
                raise UserError(
                    f"study.metrics: paper={self.paper} names no paper's number: write "
                    "PAPER/TABLE/ROW/COLUMN, a list of these, or {ARM: PAPER/TABLE/ROW/COLUMN}"
                )

    def references(self, arm: str | None = None) -> list[str]:
        """The paper's numbers that stand beside the runs of an arm."""
        wanted = self.paper.get(arm) if isinstance(self.paper, Mapping) else self.paper
        return [wanted] if isinstance(wanted, str) else list(wanted or [])


@dataclass(kw_only=True)
class Study:
    """Cells to run and numbers to report.

    Attributes:
        name: Names its folder.
        question: What it is to answer, in a sentence.
        seeds: Every cell is run with each, but for stages that draw nothing and name no cell that
            do, and arms of such stages that name none.
        axes: Keys shared by all stages, with the values to compare.
        baseline: The arm or axis values that the others are compared with, such as
            ``{arm: real}``; empty compares nothing.
        stages: By name, in the order in which they run.
        compare: The training or probe stage whose cells are compared; None compares the runs of
            all training stages. A cell of a probe is joined with those of the other stages that
            measure the same arm and seed.
        metrics: Numbers to report by name, in order; ``column@50`` is a column of
            ``metrics.csv`` at epoch 50, ``recall/*`` the number of every class. Empty reports all
            that the cells measured.
        table: The paper's table that it answers, as ``PAPER/TABLE``, or a list of them.
    """

    name: str = MISSING
    question: str = ""
    seeds: list[int] = field(default_factory=lambda: [0, 1, 2])
    axes: dict[str, list[Any]] = field(default_factory=dict)
    baseline: dict[str, Any] = field(default_factory=dict)
    stages: dict[str, Stage] = field(default_factory=dict)
    compare: str | None = None
    metrics: dict[str, Metric] = field(default_factory=dict)
    table: Any = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9._-]+", self.name):
            raise UserError(f"study.name={self.name}: use letters, digits, dot, - and _ alone")
        if not self.seeds:
            raise UserError("study.seeds is empty: give at least one seed")
        if not self.stages:
            raise UserError("study.stages is empty: give at least one stage")
        if not all(isinstance(name, str) for name in self.tables):
            raise UserError(
                f"study.table={self.table} names no paper's table: write PAPER/TABLE, or a list"
            )
        _refuse_twice("study.seeds", self.seeds)
        _check_axes("study.axes", self.axes)
        self._check_compared()

    @property
    def tables(self) -> list[Any]:
        """The paper's tables that it answers."""
        return self.table if isinstance(self.table, list) else [self.table] if self.table else []

    @property
    def arms(self) -> list[str]:
        """Names of the arms of all stages, in order."""
        return list(dict.fromkeys(arm for stage in self.stages.values() for arm in stage.arms))

    def _check_compared(self) -> None:
        """Baseline, compared stage and papers' numbers name what is there."""
        axes = [self.axes, *(stage.axes for stage in self.stages.values())]
        for key, value in self.baseline.items():
            if key == ARM:
                _check_arms("study.baseline.arm", [value], self.arms)
            elif not any(value in values.get(key, []) for values in axes):
                raise UserError(f"study.baseline.{key}={value} is no value of study.axes.{key}")
        comparable = [name for name, stage in self.stages.items() if stage.job in COMPARED]
        if self.compare is not None and self.compare not in comparable:
            raise UserError(
                f"study.compare={self.compare} is no stage of {' or '.join(COMPARED)}; there are "
                f"{', '.join(comparable) or 'none'}"
            )
        for name, metric in self.metrics.items():
            if isinstance(metric.paper, Mapping):
                _check_arms(f"study.metrics.{name}.paper", list(metric.paper), self.arms)


def _check_arms(key: str, given: Sequence[Any], arms: Sequence[str]) -> None:
    for arm in given:
        if arm not in arms:
            raise UserError(f"{key}: {arm} is no arm; there are {', '.join(arms) or 'none'}")


def _check_axes(name: str, axes: Mapping[str, Sequence[Any]]) -> None:
    for key, values in axes.items():
        if key == ARM:
            raise UserError(f"{name}.{ARM} is no key of a job; name the arms in a stage's arms")
        if not values:
            raise UserError(f"{name}.{key} is empty: give at least one value")
        _refuse_twice(f"{name}.{key}", values)


def _refuse_twice(key: str, values: Sequence[Any]) -> None:
    """A value given twice is one run that would be counted twice."""
    written = [str(value) for value in values]
    for value in written:
        if written.count(value) > 1:
            raise UserError(f"{key}: {value} is there twice; give every value once")


@dataclass(kw_only=True)
class StudyConfig:
    """``fer study``: run every cell of a study that is not finished.

    Attributes:
        study: The study.
        train: Overrides added to every training stage, such as ``[trainer.max_images=100000]``.
        dry_run: Print the cells and their commands, run none.
    """

    study: Study = MISSING
    train: list[str] = field(default_factory=list, metadata=OVERRIDES)
    dry_run: bool = False


@dataclass(kw_only=True)
class CompareConfig:
    """``fer compare``: tables of a study, of runs or of archives.

    Attributes:
        study_run: Name or folder of a study that was run, ``study=`` on the command line; None
            compares ``runs`` or ``archives``.
        runs: Run folders.
        archives: Folders of archives: what their detectors found and lost, by class.
        baseline: ``key=value`` that the others are compared with; None takes the study's. Not
            for archives.
        metrics: Numbers to report; empty takes the study's, or all. Not for archives.
        pictures: Put what models have made into the page: sample grids, and near-duplicates of
            archives; without them it can be published where faces of real people must not be.
        out: Folder to write tables, plot and page to.
    """

    study_run: str | None = None
    runs: list[Path] = field(default_factory=list)
    archives: list[Path] = field(default_factory=list)
    baseline: str | None = None
    metrics: list[str] = field(default_factory=list)
    pictures: bool = True
    out: Path = MISSING

    def __post_init__(self) -> None:
        if [self.study_run is not None, bool(self.runs), bool(self.archives)].count(True) != 1:
            raise UserError("give either study=NAME or runs=[RUN,…] or archives=[ARCHIVE,…]")
        if self.archives and (self.baseline is not None or self.metrics):
            raise UserError("baseline= and metrics= are for runs and studies, not for archives=")
