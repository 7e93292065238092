"""Parts of a comparison as rows of text, the first one the heading, for pages of every form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from fer_lightning import papers
from fer_lightning.analysis.comparison import Comparison
from fer_lightning.analysis.differences import Difference
from fer_lightning.analysis.markdown import duration, number, spread
from fer_lightning.analysis.records import Record
from fer_lightning.analysis.tables import ABSENT, Group, shown
from fer_lightning.config.study import ARM

Rows = list[list[str]]
"""Cells of a table; the first row is its heading."""

PAIRS = (
    "Pairs are runs of one seed. Where the interval holds zero, or there are fewer than two "
    'pairs, the conclusion is "not decided at this size"; a difference that is the same for every '
    "seed is one measurement, of which no interval can be known."
)
"""How differences are judged."""


def baseline_name(comparison: Comparison) -> str:
    """What the others are compared with, as ``key=value``."""
    return ", ".join(f"{key}={shown(value)}" for key, value in comparison.baseline.items())


def arm_rows(comparison: Comparison, mark: Callable[[str], str] = str) -> Rows:
    """What each arm is, stage by stage; no row where there are none.

    Args:
        comparison: What is told.
        mark: Put around every override.
    """
    stages = comparison.stages
    if not comparison.arms or not stages:
        return []

    def joined(overrides: Sequence[str]) -> str:
        return " ".join(map(mark, overrides)) or ABSENT

    rows = [["arm", *(f"overrides of {name}" for name in stages)]]
    rows.append(["every arm", *(joined(stage.overrides) for stage in stages.values())])
    rows += [
        [arm, *(joined(stage.arms.get(arm, [])) for stage in stages.values())]
        for arm in comparison.arms
    ]
    return rows


def difference_rows(comparison: Comparison) -> Rows:
    """Every difference from the baseline with its verdict."""
    heading = ["metric", "configuration", "compared with"]
    rows = [[*heading, "difference ± SD [interval] (pairs)", "verdict"]]
    for one in comparison.differences:
        verdict = judged(one, comparison.metric(one.metric).higher)
        rows.append(
            [one.metric, one.group.name, one.baseline.name, spread(one.result.summary), verdict]
        )
    return rows


def difference_remarks(differences: Sequence[Difference]) -> list[str]:
    """What a reader of the differences has to know, each once."""
    return list(dict.fromkeys(line for one in differences for line in _remarks(one)))


def _remarks(one: Difference) -> Iterator[str]:
    pair = f"{one.group.name} minus {one.baseline.name}"
    for fixed, other in ((one.group, one.baseline), (one.baseline, one.group)):
        if fixed.seedless and not other.seedless:
            yield (
                f"{fixed.name} does not depend on the seed: its one value is paired with that "
                f"of each seed of {other.name}; the interval is over these seeds alone."
            )
    if one.also:
        yield f"{pair}: they also differ in {', '.join(one.also)}."
    if one.unequal:
        seeds = ", ".join(map(str, one.unequal))
        yield f"{pair}: the runs of seeds {seeds} differ in images seen; no verdict."
    if one.unpaired:
        seeds = ", ".join(map(str, one.unpaired))
        yield f"{pair}, {one.metric}: only one has seeds {seeds}; left out."


def judged(one: Difference, higher: bool | None) -> str:
    """The verdict, and whether that is better, where it is known what is."""
    if higher is None or one.verdict not in ("higher", "lower"):
        return one.verdict
    return f"{one.verdict} ({'better' if (one.verdict == 'higher') == higher else 'worse'})"


def paper_rows(comparison: Comparison) -> Rows:
    """The paper's numbers beside ours; the heading alone where none are printed.

    One that something is known to be wrong with has the mark of :func:`paper_errors`.
    """
    rows = [["metric", "configuration", "ours", "paper", "unit", "ours / paper", "printed in"]]
    marks = _marks(comparison)
    for metric, group, reference in _references(comparison):
        printed = papers.lookup(reference)
        summary = group.summary(metric)
        value, unit = _in_our_unit(printed)
        ratio = summary.mean / value if summary.mean and value else None
        mark = f" [{marks[printed.error]}]" if printed.error else ""
        rows.append(
            [metric, group.name, spread(summary), f"{value:.10g}{mark}", unit, number(ratio),
             f"{printed.source} ({reference})"]
        )  # fmt: skip
    return rows


def paper_errors(comparison: Comparison) -> list[str]:
    """What is known to be wrong with the papers' numbers that stand beside ours, by its mark."""
    return [f"[{mark}] {error}" for error, mark in _marks(comparison).items()]


def _marks(comparison: Comparison) -> dict[str, str]:
    """Numbers of the known errors; letters are those of the printed tables."""
    errors = (papers.lookup(reference).error for _, _, reference in _references(comparison))
    known = dict.fromkeys(error for error in errors if error)
    return {error: str(number) for number, error in enumerate(known, 1)}


def paper_tables(comparison: Comparison) -> list[papers.PaperTable]:
    """The papers' tables that the study answers."""
    known = papers.tables()
    return [known[name] for name in comparison.tables if name in known]


def _references(comparison: Comparison) -> Iterator[tuple[str, Group, str]]:
    for metric in comparison.metrics:
        for group in comparison.groups:
            for reference in comparison.metric(metric).references(group.values.get(ARM)):
                yield metric, group, reference


def _in_our_unit(printed: papers.PaperNumber) -> tuple[float, str]:
    """A paper's number and its unit; percents become shares, which is what we measure."""
    if printed.unit == "%":
        return printed.value / 100, f"share (printed: {printed.value:.10g} %)"
    return printed.value, printed.unit


def unfinished_rows(comparison: Comparison) -> Rows:
    """What is missing, and why."""
    return [
        ["what", "status", "reason"],
        *([one.what, one.status, one.reason] for one in comparison.unfinished),
    ]


def provenance_rows(groups: Sequence[Group]) -> Rows:
    """Where the files were made, alike ones together."""
    records: list[Record] = [record for group in groups for record in group.records]
    sources = {source.path: source for r in records for source in r.sources}.values()
    rows = [["job", "files", "device", "threads", "commit", "time in all"]]
    kinds = dict.fromkeys((s.job, s.device, s.threads, s.commit) for s in sources)
    for job, device, threads, commit in kinds:
        alike = [
            s
            for s in sources
            if (s.job, s.device, s.threads, s.commit) == (job, device, threads, commit)
        ]
        texts = [ABSENT if part is None else str(part) for part in (device, threads, commit)]
        total = duration(sum(source.seconds for source in alike))
        rows.append([job, str(len(alike)), *texts, total])
    return rows


def besides_lines(besides: Mapping[str, Sequence[Record]]) -> list[str]:
    """What else the study trained, which its numbers stand on."""
    lines = []
    for stage, records in besides.items():
        trainings = "1 training" if len(records) == 1 else f"{len(records)} trainings"
        seen = span([record.images_seen for record in records])
        total = duration(sum(record.seconds for record in records))
        lines.append(f"besides: {trainings} of stage {stage}, {seen} images seen, {total} in all")
    return lines


def span(values: Sequence[int]) -> str:
    """Least and greatest, or the one number that all are."""
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
