"""Measured numbers as a table for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


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


def cautions(protocol: Mapping[str, Any]) -> Iterator[str]:
    """What a protocol says about its numbers that is easily taken for something else."""
    yield (
        f"{protocol['count']:,} of the {protocol['labelled']:,} labelled images of "
        f"{protocol['corpus']} were measured"
        + ("" if protocol["split"] == "all" else "; split=all takes every one")
    )
    if protocol["unknown_emotions"]:
        yield f"left out, since the model does not know them: {protocol['unknown_emotions']}"
    trained = protocol["trained_on"]
    if trained is not None and trained["no_yardstick"]:
        yield (
            f"{trained['no_yardstick']:,} of the measured images are training images and no "
            "yardstick for copies"
        )
    spaces = [
        f"{', '.join(found['groups'])} in {name} ({found['dimensions']:,})"
        for name, found in protocol["below_dimensions"].items()
    ]
    if spaces:
        yield (
            "fewer images than dimensions, so that Fréchet distances are too high and hold only "
            f"beside others of equal count: {'; '.join(spaces)}"
        )


def _is_spread(name: str) -> bool:
    """Deviations would double the columns; the file has them."""
    return name.endswith("_sd")
