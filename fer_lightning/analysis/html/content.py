"""What the page tells, as plain data that its script draws."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fer_lightning.analysis.comparison import Comparison
from fer_lightning.analysis.html.answers import answered, confusions_of, rocs_of
from fer_lightning.analysis.html.curves import curves_of
from fer_lightning.analysis.html.lines import lines_of, member_of
from fer_lightning.analysis.html.pictures import pictures_of
from fer_lightning.analysis.html.settings import settings_of
from fer_lightning.analysis.records import Record, Unfinished
from fer_lightning.analysis.sections import (
    PAIRS,
    Rows,
    arm_rows,
    baseline_name,
    besides_lines,
    difference_remarks,
    difference_rows,
    paper_errors,
    paper_rows,
    paper_tables,
    provenance_rows,
    unfinished_rows,
)
from fer_lightning.analysis.statistics import CONFIDENCE, Summary
from fer_lightning.analysis.tables import ABSENT, shown
from fer_lightning.papers import PaperTable

NOT_FINITE = "nan"
"""Stands for what was measured and is no number, which JSON cannot hold."""


def content(comparison: Comparison, pictures: bool) -> dict[str, Any]:
    """All that the page draws.

    Args:
        comparison: What is compared.
        pictures: Whether to hold sample grids.

    Raises:
        UserError: If a file of a run is damaged.
    """
    lines = lines_of(comparison)
    answers = answered(lines)
    records = [(number, r) for number, g in enumerate(comparison.groups) for r in g.records]
    unfinished = comparison.unfinished
    folders = [(member_of(record).folder, record.config) for _, record in records]
    return {
        "title": comparison.title,
        "question": comparison.question,
        "commands": list(comparison.commands.items()),
        "confidence": f"{CONFIDENCE:.0%}",
        "absent": ABSENT,
        "keys": list(comparison.keys),
        "metrics": _metrics(comparison),
        "groups": [_group(comparison, number) for number in range(len(comparison.groups))],
        "runs": [
            *(_run(comparison, number, record) for number, record in records),
            *(_unfinished(comparison, one) for one in unfinished),
        ],
        "tables": _tables(comparison),
        "notes": [*comparison.notes, *besides_lines(comparison.besides)],
        "lines": [{"name": line.name, "status": line.status} for line in lines],
        "curves": curves_of(lines),
        "samples": pictures_of(lines) if pictures else None,
        "confusions": confusions_of(answers),
        "rocs": rocs_of(answers),
        "settings": settings_of([*folders, *((one.path, one.config) for one in unfinished)]),
    }


def _metrics(comparison: Comparison) -> list[dict[str, Any]]:
    """Every number by name: whether it is reported, and which way is better."""
    reported = set(comparison.metrics)
    return [
        {"name": name, "reported": name in reported, "higher": comparison.metric(name).higher}
        for name in _names(comparison)
    ]


def _names(comparison: Comparison) -> list[str]:
    return list(dict.fromkeys((*comparison.metrics, *comparison.measured)))


def _group(comparison: Comparison, number: int) -> dict[str, Any]:
    one = comparison.groups[number]
    seen = [record.images_seen for record in one.records]
    return {
        "name": one.name,
        "values": {key: shown(value) for key, value in one.values.items()},
        "seeds": one.seeds_shown,
        "count": len(one.records),
        "images": [min(seen), max(seen)],
        "seconds": one.seconds().mean,
        "metrics": [_summary(one.summary(name)) for name in _names(comparison)],
    }


def _summary(summary: Summary) -> list[Any] | None:
    """Mean, number, SD, ends of the interval, number left out; None where nothing was measured.

    What stands at the end and is None or zero is left off, for there are many.
    """
    if summary.mean is None and not summary.excluded:
        return None
    parts = [summary.mean, summary.n, summary.sd, summary.low, summary.high, summary.excluded]
    short = [_short(part) for part in parts]
    while len(short) > 2 and not short[-1]:
        short.pop()
    return short


def _short(value: float | None) -> float | None:
    """Six significant digits; ``results.csv`` has them all."""
    return value if value is None or isinstance(value, int) else float(f"{value:.6g}")


def _run(comparison: Comparison, group: int, record: Record) -> dict[str, Any]:
    own = [record.metrics.get(name) for name in _names(comparison)]
    return {
        "name": str(record.sources[0].path),
        "group": group,
        "seed": record.seed,
        "status": "finished",
        "values": _values(comparison, record.config, record.images_seen),
        "images": record.images_seen,
        "seconds": record.seconds,
        "command": record.command,
        "metrics": [
            NOT_FINITE if value is not None and not math.isfinite(value) else _short(value)
            for value in own
        ],
    }


def _unfinished(comparison: Comparison, one: Unfinished) -> dict[str, Any]:
    return {
        "name": one.what,
        "group": None,
        "seed": one.seed,
        "status": one.status,
        "reason": one.reason,
        "values": _values(comparison, one.config, None),
        "metrics": [],
    }


def _values(
    comparison: Comparison, config: Mapping[str, Any], images: int | None
) -> dict[str, str]:
    found = {key: shown(config[key]) for key in comparison.keys if key in config}
    return found | ({"images_seen": str(images)} if "images_seen" in comparison.keys else {})


def _tables(comparison: Comparison) -> dict[str, Any]:
    """Tables of text, with what is said about them."""
    baseline = baseline_name(comparison)
    remarks = difference_remarks(comparison.differences)
    tables: Sequence[tuple[str, str, Rows, Sequence[str]]] = (
        ("arms", "What each arm is, stage by stage", arm_rows(comparison), ()),
        (
            "differences",
            f"Differences from {baseline}",
            difference_rows(comparison) if comparison.baseline else [],
            [PAIRS, *remarks],
        ),
        (
            "paper",
            "Our numbers beside the paper's",
            paper_rows(comparison),
            paper_errors(comparison),
        ),
        ("unfinished", "Unfinished or failed", unfinished_rows(comparison), ()),
        ("provenance", "Where it ran", provenance_rows(comparison.groups), ()),
    )
    found: dict[str, Any] = {
        name: {"caption": caption, "columns": rows[0], "rows": rows[1:], "remarks": list(said)}
        for name, caption, rows, said in tables
        if len(rows) > 1
    }
    return {**found, "printed": [_printed(table) for table in paper_tables(comparison)]}


def _printed(table: PaperTable) -> dict[str, Any]:
    """A paper's table as it is printed, and what is known of it."""
    return {
        "caption": f"Paper {table.paper}, {table.source}. {table.title}",
        "columns": ["", *(_with_unit(table, column) for column in table.columns)],
        "rows": [[row, *(_cell(table, row, column) for column in table.columns)]
                 for row in table.rows],
        "remarks": [
            *(f"{name}: {meaning}" for name, meaning in table.legend.items()),
            *(f"Note: {note}" for note in table.notes),
            *(f"Error: {error}" for error in table.errors),
            *(
                f"{row}, {column}: {error}" for (row, column), error in table.cell_errors.items()
            ),
        ],
    }  # fmt: skip


def _with_unit(table: PaperTable, column: str) -> str:
    unit = table.unit_of(column)
    return column if unit in ("1", column) else f"{column} ({unit})"


def _cell(table: PaperTable, row: str, column: str) -> str:
    value = table.values.get((row, column))
    return "" if value is None else f"{value:.10g}"
