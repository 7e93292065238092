"""The one command that uploads what the cells of a study have written offline for W&B."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from fer_lightning.studies.cells import MEASURING, Cell

OFFLINE = "offline-run-*"
"""Folders that W&B writes without a network: ``offline-run-<time>-<id>``."""


def sync_line(study: Path, cells: Iterable[Cell]) -> str | None:
    """The command line, or None where there is nothing to upload.

    It names ``wandb/`` in the study's folder, into which the newest attempt of each W&B run is
    linked: that one holds the whole history.

    Args:
        study: The study's folder.
        cells: Its cells; those that were not run say no folder.
    """
    links = study / "wandb"
    for link in links.glob(OFFLINE):
        if link.is_symlink():
            link.unlink()
    waiting = [run for folder in dict.fromkeys(_folders(cells)) for run in offline_runs(folder)]
    for run in waiting:
        links.mkdir(parents=True, exist_ok=True)
        (links / run.name).symlink_to(os.path.relpath(run.resolve(), links.resolve()))
    return f"wandb sync {shlex.quote(str(links))}/{OFFLINE}" if waiting else None


def offline_runs(folder: Path) -> list[Path]:
    """Of each W&B run in a run folder the newest attempt, if that was not uploaded yet."""
    newest: dict[str, Path] = {}
    for place in sorted(folder.glob(f"wandb/{OFFLINE}")):  # by time
        newest[place.name.split("-", 3)[-1]] = place
    return [place for place in newest.values() if not any(place.glob("*.wandb.synced"))]


def _folders(cells: Iterable[Cell]) -> Iterator[Path]:
    """Run folders of what is done, and of trainings that failed."""
    for cell in cells:
        if cell.path is not None and cell.status != "missing":
            if cell.job == "train":
                yield Path(cell.path)
            elif cell.job in MEASURING and cell.status == "done":
                yield Path(cell.path).parent.parent
