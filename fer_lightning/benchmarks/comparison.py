"""Ways to do one piece of work, timed in turn, and the goals that their ratios are to reach."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median

import torch

from fer_lightning.progress import progress_bar

Way = Callable[[], float]
"""Does the work once and returns its rate or its seconds."""


@dataclass(frozen=True)
class Goal:
    """A number and the bound that it is to keep.

    Attributes:
        what: The number in words.
        value: What was measured.
        bound: Its bound.
        at_least: Whether the bound is the least or the greatest value.
    """

    what: str
    value: float
    bound: float
    at_least: bool = True

    @property
    def met(self) -> bool:
        """Whether the bound is kept."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound


@dataclass
class SideBySide:
    """One piece of work, and how fast each way of doing it was.

    Attributes:
        title: The piece of work.
        unit: Of the values, such as ``images/s`` or ``s``.
        values: For each way its value in every round.
        goals: What was to be reached.
        notes: Sentences that belong to the numbers.
    """

    title: str
    unit: str
    values: dict[str, list[float]]
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def median(self, way: str) -> float:
        """The middle of a way's values."""
        return median(self.values[way])

    def ratio(self, way: str, other: str) -> float:
        """Median over the rounds of a way's value by another's in the same round."""
        pairs = zip(self.values[way], self.values[other], strict=True)
        return median(mine / theirs for mine, theirs in pairs)


def in_turn(title: str, unit: str, ways: Mapping[str, Way], rounds: int) -> SideBySide:
    """Run every way once to warm up, then once a round, another one first in each.

    A machine that grows slower or busier in between does so for all of them.

    Args:
        title: The piece of work.
        unit: Of what the ways return.
        ways: By name; the first is ours.
        rounds: At least 1.
    """
    values: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    total = len(names) * (rounds + 1)
    with progress_bar(total=total, desc=title, unit="run", leave=False) as bar:
        for name in names:
            ways[name]()
            bar.update()
        for number in range(rounds):
            first = number % len(names)
            for name in names[first:] + names[:first]:
                values[name].append(ways[name]())
                bar.update()
    return SideBySide(title, unit, values)


def rate(amount: float, work: Callable[[], object]) -> float:
    """``amount`` by the seconds that ``work`` takes, on the GPU, too."""
    start = time.perf_counter()
    work()
    synchronise()
    return amount / (time.perf_counter() - start)


def synchronise() -> None:
    """Wait until the GPU, where there is one, has done what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
