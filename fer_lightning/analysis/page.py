"""The comparison as a Markdown page."""

from __future__ import annotations

from collections.abc import Sequence

from fer_lightning.analysis.comparison import Comparison
from fer_lightning.analysis.markdown import bullets, duration, markdown_table, spread
from fer_lightning.analysis.sections import (
    PAIRS,
    arm_rows,
    baseline_name,
    besides_lines,
    difference_remarks,
    difference_rows,
    paper_errors,
    paper_rows,
    paper_tables,
    provenance_rows,
    span,
    unfinished_rows,
)
from fer_lightning.analysis.statistics import CONFIDENCE
from fer_lightning.analysis.tables import ABSENT, Group, shown
from fer_lightning.config.study import ARM


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
        _unfinished(comparison),
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
    rows = arm_rows(comparison, "`{}`".format)
    return "## Arms\n\n" + markdown_table(rows) if rows else ""


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
    rows.append([seen, *(span([r.images_seen for r in g.records]) for g in groups)])
    what = "probe" if probes else "training"
    rows.append([f"time of a {what}", *(_time(group) for group in groups)])
    return (
        markdown_table(rows)
        + f"\n\nResults are mean ± SD over seeds [{CONFIDENCE:.0%} t interval of the mean] (number "
        "of seeds). Intervals are not corrected for the number of comparisons."
        + bullets("\n", besides_lines(comparison.besides))
    )


def _time(group: Group) -> str:
    seconds = group.seconds()
    spread_out = "" if seconds.sd is None else f" ± {duration(seconds.sd)}"
    return duration(seconds.mean) + spread_out


def _differences(comparison: Comparison) -> str:
    if not comparison.baseline:
        return ""
    title = f"## Differences from {baseline_name(comparison)}\n\n"
    if not comparison.differences:
        return title + "No configuration has a baseline to be compared with."
    pictures = "".join(f"![differences]({name})\n\n" for name in comparison.pictures)
    remarks = bullets("\n", difference_remarks(comparison.differences))
    table = markdown_table(difference_rows(comparison))
    return f"{title}{PAIRS}\n\n{pictures}{table}{remarks}"


def _paper(comparison: Comparison) -> str:
    """The paper's numbers beside ours, where they are printed, and what is wrong with them."""
    rows, errors = paper_rows(comparison), paper_errors(comparison)
    tables = paper_tables(comparison)
    if len(rows) == 1 and not tables:
        return ""
    parts = ["## Beside the paper"]
    parts += [markdown_table(rows)] if len(rows) > 1 else []
    parts += [bullets("Known errors of these numbers:", errors)] if errors else []
    parts += [table.to_markdown().rstrip() for table in tables]
    return "\n\n".join(parts)


def _unfinished(comparison: Comparison) -> str:
    if not comparison.unfinished:
        return ""
    return "## Unfinished or failed\n\n" + markdown_table(unfinished_rows(comparison))


def _provenance(groups: Sequence[Group]) -> str:
    folders = [
        f"- {g.name}, {'all seeds' if r.seed is None else f'seed {r.seed}'}: `{r.sources[0].path}`"
        + (f", {'measured' if r.probe else 'trained'} by `{r.command}`" if r.command else "")
        for g in groups
        for r in g.records
    ]
    return markdown_table(provenance_rows(groups)) + "\n\n" + "\n".join(folders)
