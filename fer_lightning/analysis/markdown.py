"""Numbers, tables and lists as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fer_lightning.analysis.statistics import Summary
from fer_lightning.analysis.tables import ABSENT

ROUNDING = 1e-15
"""What is closer to zero is left of numbers that cancel."""


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """A table whose first row is the heading; padded, so that it reads well as text too."""
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    widths = [max(3, *(len(row[i]) for row in cells)) for i in range(len(cells[0]))]
    lines = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def number(value: float | None) -> str:
    """Four significant digits, without an exponent where people write none."""
    if value is None:
        return ABSENT
    if abs(value) < ROUNDING:
        return "0"
    short = f"{value:.4g}"
    return f"{float(short):.0f}" if "e+" in short and abs(value) < 1e9 else short


def spread(summary: Summary) -> str:
    """``mean ± SD [low, high] (n)``, with what was left out."""
    if summary.mean is None and not summary.excluded:
        return ABSENT
    interval = f"[{number(summary.low)}, {number(summary.high)}]" if summary.n > 1 else ABSENT
    left_out = f", {summary.excluded} not finite" if summary.excluded else ""
    return f"{number(summary.mean)} ± {number(summary.sd)} {interval} ({summary.n}{left_out})"


def duration(seconds: float | None) -> str:
    """Seconds as people read them."""
    if seconds is None:
        return ABSENT
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def bullets(title: str, lines: Iterable[str]) -> str:
    """A list under a title, or nothing where there are no lines."""
    items = [f"- {line}" for line in lines]
    return "\n".join([title, *([""] if title.strip() else []), *items]) if items else ""
