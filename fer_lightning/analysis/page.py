"""The comparison as a Markdown page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fer_lightning import papers
from fer_lightning.analysis.differences import Difference
from fer_lightning.analysis.markdown import bullets, duration, markdown_table, number, spread
from fer_lightning.analysis.records import Record, Unfinished
from fer_lightning.analysis.statistics import CONFIDENCE
from fer_lightning.analysis.tables import ABSENT, Group, shown
from fer_lightning.config.study import ARM, Metric, Stage


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All that the page tells.

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


def to_markdown(comparison: Comparison) -> str:
    """The whole page."""
    sections = [
        f"# {comparison.title}\n\n{comparison.question}".rstrip(),
        "\n".join(f"- {what}: `{command}`" for what, command in comparison.commands.items()),
        _arms(comparison),
        "## Configurations\n\n" + _configurations(comparison),
        "## Results\n\n" + means_table(comparison),
        _differences(comparison),
        _paper(comparison),
        _unfinished(comparison.unfinished),
        bullets("## Notes", comparison.notes),
        "## Where it ran\n\n" + _provenance(comparison.groups),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def means_table(comparison: Comparison) -> str:
    """Metrics by configurations; the longer of the two runs downwards."""
    groups, metrics = comparison.groups, comparison.metrics
    cells = [[spread(group.summary(metric)) for group in groups] for metric in metrics]
    if len(metrics) > len(groups):
        rows = [["", *(g.name for g in groups)]]
        rows += [[m, *row] for m, row in zip(metrics, cells, strict=True)]
    else:
        rows = [["", *metrics]]
        rows += [[g.name, *(row[i] for row in cells)] for i, g in enumerate(groups)]
    return markdown_table(rows)


def _arms(comparison: Comparison) -> str:
    """What each arm is, stage by stage."""
    stages = comparison.stages
    if not comparison.arms or not stages:
        return ""
    rows = [["arm", *(f"overrides of {name}" for name in stages)]]
    rows.append(["every arm", *(_overrides(stage.overrides) for stage in stages.values())])
    rows += [
        [arm, *(_overrides(stage.arms.get(arm, [])) for stage in stages.values())]
        for arm in comparison.arms
    ]
    return "## Arms\n\n" + markdown_table(rows)


def _overrides(overrides: Sequence[str]) -> str:
    return " ".join(f"`{override}`" for override in overrides) or ABSENT


def _besides(besides: Mapping[str, Sequence[Record]]) -> str:
    """What else the study trained, which its numbers stand on."""
    lines = []
    for stage, records in besides.items():
        trainings = "1 training" if len(records) == 1 else f"{len(records)} trainings"
        seen = _range(record.images_seen for record in records)
        total = duration(sum(record.seconds for record in records))
        lines.append(f"besides: {trainings} of stage {stage}, {seen} images seen, {total} in all")
    return bullets("\n", lines)


def _configurations(comparison: Comparison) -> str:
    """What differs, and how much work is behind each."""
    groups = comparison.groups
    rows = [["", *(group.name for group in groups)]]
    rows += [
        [key, *(shown(g.values[key]) if key in g.values else ABSENT for g in groups)]
        for key in comparison.keys
        if key != ARM  # it is their name
    ]
    rows.append(["seeds", *(group.seeds_shown for group in groups)])
    probes = any(record.probe for group in groups for record in group.records)
    seen = "images seen" + " by the network" * probes
    rows.append([seen, *(_range(r.images_seen for r in g.records) for g in groups)])
    what = "probe" if probes else "training"
    rows.append([f"time of a {what}", *(_time(group) for group in groups)])
    return (
        markdown_table(rows)
        + f"\n\nResults are mean ± SD over seeds [{CONFIDENCE:.0%} t interval of the mean] (number "
        "of seeds). Intervals are not corrected for the number of comparisons."
        + _besides(comparison.besides)
    )


def _range(values: Iterable[int]) -> str:
    low, *_, high = sorted([*values] * 2)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _time(group: Group) -> str:
    seconds = group.seconds()
    spread_out = "" if seconds.sd is None else f" ± {duration(seconds.sd)}"
    return duration(seconds.mean) + spread_out


def _differences(comparison: Comparison) -> str:
    if not comparison.baseline:
        return ""
    names = ", ".join(f"{key}={shown(value)}" for key, value in comparison.baseline.items())
    title = f"## Differences from {names}\n\n"
    if not comparison.differences:
        return title + "No configuration has a baseline to be compared with."
    rows = [
        [
            "metric",
            "configuration",
            "compared with",
            "difference ± SD [interval] (pairs)",
            "verdict",
        ]
    ]
    remarks: list[str] = []
    for one in comparison.differences:
        verdict = _verdict(one.verdict, comparison.metric(one.metric).higher)
        rows.append(
            [one.metric, one.group.name, one.baseline.name, spread(one.result.summary), verdict]
        )
        pair = f"{one.group.name} minus {one.baseline.name}"
        for fixed, other in ((one.group, one.baseline), (one.baseline, one.group)):
            if fixed.seedless and not other.seedless:
                remarks.append(
                    f"{fixed.name} does not depend on the seed: its one value is paired with that "
                    f"of each seed of {other.name}; the interval is over these seeds alone."
                )
        if one.also:
            remarks.append(f"{pair}: they also differ in {', '.join(one.also)}.")
        if one.unequal:
            seeds = ", ".join(map(str, one.unequal))
            remarks.append(f"{pair}: the runs of seeds {seeds} differ in images seen; no verdict.")
        if one.unpaired:
            seeds = ", ".join(map(str, one.unpaired))
            remarks.append(f"{pair}, {one.metric}: only one has seeds {seeds}; left out.")
    text = (
        "Pairs are runs of one seed. Where the interval holds zero, or there are fewer than two "
        'pairs, the conclusion is "not decided at this size".\n\n'
    )
    pictures = "".join(f"![differences]({name})\n\n" for name in comparison.pictures)
    return title + text + pictures + markdown_table(rows) + bullets("\n", dict.fromkeys(remarks))


def _verdict(verdict: str, higher: bool | None) -> str:
    if higher is None or verdict not in ("higher", "lower"):
        return verdict
    return f"{verdict} ({'better' if (verdict == 'higher') == higher else 'worse'})"


def _paper(comparison: Comparison) -> str:
    """The paper's numbers beside ours, where they are printed, and what is wrong with them."""
    rows = [["metric", "configuration", "ours", "paper", "unit", "ours / paper", "printed in"]]
    errors: list[str] = []
    named = [
        (metric, group, reference)
        for metric in comparison.metrics
        for group in comparison.groups
        for reference in comparison.metric(metric).references(group.values.get(ARM))
    ]
    for metric, group, reference in named:
        printed = papers.lookup(reference)
        summary = group.summary(metric)
        value, unit = _in_our_unit(printed)
        ratio = summary.mean / value if summary.mean and value else None
        rows.append(
            [metric, group.name, spread(summary), f"{value:.10g}", unit, number(ratio),
             f"{printed.source} ({reference})"]
        )  # fmt: skip
        if printed.error:
            errors.append(f"{reference}: {printed.error}")
    known = papers.tables()
    tables = [known[name] for name in comparison.tables if name in known]
    if len(rows) == 1 and not tables:
        return ""
    parts = ["## Beside the paper"]
    parts += [markdown_table(rows)] if len(rows) > 1 else []
    parts += [bullets("Known errors of these numbers:", dict.fromkeys(errors))] if errors else []
    parts += [table.to_markdown().rstrip() for table in tables]
    return "\n\n".join(parts)


def _in_our_unit(printed: papers.PaperNumber) -> tuple[float, str]:
    """A paper's number and its unit; percents become shares, which is what we measure."""
    if printed.unit == "%":
        return printed.value / 100, f"share (printed: {printed.value:.10g} %)"
    return printed.value, printed.unit


def _unfinished(unfinished: Sequence[Unfinished]) -> str:
    if not unfinished:
        return ""
    rows = [["what", "status", "reason"], *([u.what, u.status, u.reason] for u in unfinished)]
    return "## Unfinished or failed\n\n" + markdown_table(rows)


def _provenance(groups: Sequence[Group]) -> str:
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
    folders = [
        f"- {g.name}, {'all seeds' if r.seed is None else f'seed {r.seed}'}: `{r.sources[0].path}`"
        + (f", {'measured' if r.probe else 'trained'} by `{r.command}`" if r.command else "")
        for g in groups
        for r in g.records
    ]
    return markdown_table(rows) + "\n\n" + "\n".join(folders)
