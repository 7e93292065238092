"""Learning curves of ``metrics.csv`` over images seen, thinned to what a page can hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_lightning.analysis.files import log_rows
from fer_lightning.analysis.html.lines import Line
from fer_lightning.errors import UserError
from fer_lightning.progress import progress_bar

CLOCK = "images_seen"
CLOCKS = (CLOCK, "epoch")
"""Columns that are no results."""
MOST, LEAST = 120, 20
"""Points of a curve."""
IN_ALL = 500_000
"""Points of all curves together, by which there are fewer of each."""

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Images seen, ascending, and a column's values there; not finite where it diverged."""


@dataclass
class Grids:
    """Images seen that several curves share, each kept once."""

    known: dict[str, int] = field(default_factory=dict)

    def place(self, grid: Sequence[float]) -> int:
        """Its number."""
        return self.known.setdefault(json.dumps(grid), len(self.known))

    def plain(self) -> list[list[float]]:
        """All of them."""
        return [json.loads(text) for text in self.known]


def curves_of(lines: Sequence[Line]) -> dict[str, Any]:
    """Curves of every column and line as plain data.

    ``columns`` names the columns, ``grids`` holds images seen, ``curves`` for every line its
    columns by number: the number of a grid, and of each of its ``seeds`` the values there.
    ``points`` is the most of a curve, ``thinned`` says whether one has lost points,
    ``interpolated`` whether seeds of one were logged at different places.

    Raises:
        UserError: If a log is damaged.
    """
    folders = {m.folder for line in lines for m in line.members if m.folder is not None}
    bar = progress_bar(sorted(folders), desc="Reading curves", unit="run", leave=False, delay=1)
    logs = {folder: read_curves(folder / "metrics.csv") for folder in bar}
    columns = list(dict.fromkeys(name for folder in sorted(logs) for name in logs[folder]))
    points = min(MOST, max(LEAST, IN_ALL // max(1, sum(len(log) for log in logs.values()))))
    grids, found, thinned, interpolated = Grids(), [], False, False
    for line in lines:
        members = [m for m in line.members if m.folder is not None and logs[m.folder]]
        own: dict[int, list[Any]] = {}
        for number, column in enumerate(columns):
            having = [
                (m.seed, logs[m.folder][column])
                for m in members
                if m.folder is not None and column in logs[m.folder]
            ]
            if not having:
                continue
            grid, values = on_one_grid([curve for _, curve in having], points)
            thinned |= any(len(curve[0]) > points for _, curve in having)
            interpolated |= len({curve[0].tobytes() for _, curve in having}) > 1
            seeds = [seed for seed, _ in having]
            own[number] = [grids.place(grid.tolist()), seeds, [_plain(v) for v in values]]
        found.append(own)
    return {
        "columns": columns,
        "grids": grids.plain(),
        "curves": found,
        "points": points,
        "thinned": thinned,
        "interpolated": interpolated,
    }


def read_curves(path: Path) -> dict[str, Curve]:
    """Columns of a log that have a value, without the clocks; none where there is no log.

    Raises:
        UserError: If a cell is no number.
    """
    cells: dict[str, list[tuple[float, float]]] = {}
    try:
        for row in log_rows(path):
            for name, text in row.items():
                if text and name not in CLOCKS:
                    cells.setdefault(name, []).append((float(row[CLOCK]), float(text)))
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is damaged ({error}): train this run anew") from error
    curves: Mapping[str, NDArray[np.float64]] = {k: np.array(v) for k, v in cells.items()}
    return {name: (pairs[:, 0], pairs[:, 1]) for name, pairs in curves.items()}


def on_one_grid(
    curves: Sequence[Curve], points: int
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """Curves of several seeds at the same images seen.

    Where all were logged at the same places, points are left out evenly and those that stay are
    as they were measured, the first and the last among them. Else they are interpolated linearly
    wherever one was logged between the latest beginning and the earliest end.

    Args:
        curves: One a seed, at least one.
        points: The most to keep, at least 2.

    Returns:
        Images seen, and of each curve the values there.
    """
    low, high = max(x[0] for x, _ in curves), min(x[-1] for x, _ in curves)
    every = np.unique(np.concatenate([x for x, _ in curves]))
    shared = every[(every >= low) & (every <= max(low, high))]
    kept = np.unique(np.linspace(0, len(shared) - 1, min(points, len(shared))).round().astype(int))
    grid = shared[kept]
    return grid, [_at(grid, *curve) for curve in curves]


def _at(
    grid: NDArray[np.float64], x: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """A curve at other places: itself where it was measured, nothing beyond its ends."""
    found = np.interp(grid, x, values, left=np.nan, right=np.nan)
    place = np.searchsorted(x, grid).clip(max=len(x) - 1)
    # Between a finite value and one that is not, NumPy would give nothing at either.
    return np.where(x[place] == grid, values[place], found)


def _plain(values: NDArray[np.float64]) -> list[float | None]:
    """Four significant digits; what is not finite, which JSON cannot hold, is None."""
    return [float(f"{value:.4g}") if np.isfinite(value) else None for value in values]
