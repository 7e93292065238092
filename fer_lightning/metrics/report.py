"""Measured numbers as a table for people."""

from __future__ import annotations

from collections.abc import Mapping


def table(metrics: Mapping[str, float]) -> str:
    """All images first, one metric a line; then one line a class, one metric a column.

    Args:
        metrics: Name to value; ``name/class`` is of one class.
    """
    overall = {name: value for name, value in metrics.items() if "/" not in name}
    width = max((len(name) for name in overall), default=0)
    lines = [f"{name:<{width}}  {value:>11.5g}" for name, value in overall.items()]
    cells = {tuple(name.split("/", 1)): value for name, value in metrics.items() if "/" in name}
    columns = [name for name in dict.fromkeys(key[0] for key in cells) if not _is_spread(name)]
    classes = list(dict.fromkeys(key[1] for key in cells))
    if cells:
        first = max(len(name) for name in classes)
        lines += ["", " " * first + "".join(f"  {name:>11}" for name in columns)]
        for emotion in classes:
            row = ""
            for name in columns:
                value = cells.get((name, emotion))
                row += f"  {'-' if value is None else format(value, '.5g'):>{max(11, len(name))}}"
            lines.append(f"{emotion:<{first}}{row}")
    return "\n".join(lines)


def _is_spread(name: str) -> bool:
    """Deviations would double the columns; the file has them."""
    return name.endswith("_sd")
