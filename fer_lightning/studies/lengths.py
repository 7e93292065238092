"""Trainings of a study that are of another length than they should be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import yaml

from fer_lightning.studies.cells import Cell

_LENGTH = re.compile(r"\+{0,2}trainer\.max_images=(\d+)")


def lengths_to_mind(cells: Iterable[Cell]) -> list[str]:
    """Finished trainings that are longer than their cell asks for, or unlike their stage's others.

    A run knows its settings by its hash, in which its length is not, so an earlier and longer run
    is taken for the cell.
    """
    stages: dict[str, list[tuple[Cell, int]]] = {}
    for cell in cells:
        if (seen := cell.images_seen) is not None:
            stages.setdefault(cell.stage, []).append((cell, seen))
    lines: list[str] = []
    for stage, trained in stages.items():
        counts = Counter(seen for _, seen in trained)
        usual = [seen for seen, count in counts.items() if count == max(counts.values())]
        for cell, seen in trained:
            asked, had = _asked(cell), _had(cell)
            if asked is not None and had is not None and asked != had:
                lines.append(
                    f"{cell.label} was trained before with trainer.max_images={had}, and has seen "
                    f"{seen:,} images; this study asks for {asked}"
                )
            elif len(counts) > 1 and usual != [seen]:
                others = ", ".join(f"{other:,}" for other in sorted(counts) if other != seen)
                lines.append(f"{cell.label} has seen {seen:,} images; others of {stage} {others}")
    return lines


def _asked(cell: Cell) -> int | None:
    """The length that a cell's overrides state, if they do."""
    found = [match for override in cell.overrides if (match := _LENGTH.fullmatch(override))]
    return int(found[-1][1]) if found else None


def _had(cell: Cell) -> int | None:
    """The length that a run's last training was asked for."""
    try:
        text = (Path(str(cell.path)) / "config.yaml").read_text(encoding="utf-8")
        return int(yaml.safe_load(text)["trainer"]["max_images"])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return None
