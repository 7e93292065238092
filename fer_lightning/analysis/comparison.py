"""All that the pages of a comparison tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fer_lightning.analysis.differences import Difference
from fer_lightning.analysis.records import Record, Unfinished
from fer_lightning.analysis.tables import Group
from fer_lightning.config.study import ARM, Metric, Stage


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All that the pages tell.

    Attributes:
        title: What is compared.
        question: What it is to answer.
        commands: Commands of the study and of this page, by what they made.
        groups: Configurations.
        keys: Keys in which they differ.
        metrics: Names of the numbers to report here.
        measured: Names of all that belong in ``results.csv``.
        wanted: What the study says about metrics.
        baseline: Key and value of what the others are compared with; empty compares nothing.
        differences: From the baseline.
        unfinished: What is missing.
        notes: What a reader should know.
        tables: The paper's tables, as ``PAPER/TABLE``.
        stages: The study's stages that have arms, by name.
        besides: Trainings that are not compared, by their stage.
        pictures: File names of pictures of the differences.
    """

    title: str
    question: str = ""
    commands: Mapping[str, str] = field(default_factory=dict)
    groups: Sequence[Group]
    keys: Sequence[str]
    metrics: Sequence[str]
    measured: Sequence[str] = ()
    wanted: Mapping[str, Metric] = field(default_factory=dict)
    baseline: Mapping[str, Any] = field(default_factory=dict)
    differences: Sequence[Difference] = ()
    unfinished: Sequence[Unfinished] = ()
    notes: Sequence[str] = ()
    tables: Sequence[str] = ()
    stages: Mapping[str, Stage] = field(default_factory=dict)
    besides: Mapping[str, Sequence[Record]] = field(default_factory=dict)
    pictures: Sequence[str] = ()

    def metric(self, name: str) -> Metric:
        """What the study says about a metric, also under one of its protocols or of one class."""
        plain = name.partition("[")[0]
        names = (name, plain, f"{plain.partition('/')[0]}/*")
        return next((self.wanted[known] for known in names if known in self.wanted), Metric())

    @property
    def arms(self) -> list[str]:
        """Arms of the configurations, in their order."""
        return list(dict.fromkeys(g.values[ARM] for g in self.groups if ARM in g.values))
