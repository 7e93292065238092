"""Whose curves, pictures and answers the page can show: configurations, and what is besides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fer_lightning.analysis.comparison import Comparison
from fer_lightning.analysis.records import Record
from fer_lightning.analysis.tables import differing_keys, group


@dataclass(frozen=True, kw_only=True)
class Member:
    """One run or probe.

    Attributes:
        seed: Its seed; None where it is the same for all.
        images_seen: Length of the training; None while it is unfinished.
        folder: Run folder; None for features that no run of ours has learnt.
        evaluations: Files that measured it as it is now.
    """

    seed: int | None
    images_seen: int | None
    folder: Path | None
    evaluations: tuple[Path, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Line:
    """What has one colour on the page.

    Attributes:
        name: For legends.
        status: ``finished``, or why its curve may end early.
        members: By seed.
    """

    name: str
    status: str = "finished"
    members: tuple[Member, ...]


def lines_of(comparison: Comparison) -> list[Line]:
    """Configurations in their order, trainings that are not compared, unfinished runs."""
    found = [
        Line(name=one.name, members=tuple(map(member_of, one.records))) for one in comparison.groups
    ]
    known = {member.folder for line in found for member in line.members}
    found += _besides(comparison, known)
    found += [
        Line(
            name=one.what,
            status=one.status,
            members=(Member(seed=one.seed, images_seen=None, folder=one.path),),
        )
        for one in comparison.unfinished
        if one.path is not None
    ]
    return found


def member_of(record: Record) -> Member:
    """A record's run folder and the evaluations that are of the run as it is now."""
    first = record.sources[0].path
    if record.probe:
        above = first.parent.parent
        folder = above if (above / "manifest.json").is_file() else None
    else:
        folder = first
    files = record.sources if record.probe else record.sources[1:]
    return Member(
        seed=record.seed,
        images_seen=record.images_seen,
        folder=folder,
        evaluations=tuple(source.path for source in files),
    )


def _besides(comparison: Comparison, known: set[Path | None]) -> Iterator[Line]:
    """Trainings of stages that are not compared, without those that a configuration shows."""
    for stage, records in comparison.besides.items():
        distinct = {record.sources[0].path: record for record in records}
        further = [record for path, record in distinct.items() if path not in known]
        for one in group(further, differing_keys(further)) if further else []:
            several = "" if len(further) == len(one.records) else f": {one.name}"
            members: Sequence[Member] = [member_of(record) for record in one.records]
            yield Line(name=f"stage {stage}{several}", members=tuple(members))
