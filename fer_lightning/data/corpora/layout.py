"""Finds a dataset's official layout below the folder that a user gives."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from fer_lightning.errors import UserError


def locate(root: Path, wanted: Sequence[str], title: str, depth: int = 2) -> Path:
    """The folder where a dataset begins, for archives wrap it into more or fewer folders.

    Args:
        root: What the user gave.
        wanted: Paths or glob patterns relative to the folder that is looked for; it holds at
            least one.
        title: The dataset's name, for messages.
        depth: How many levels below ``root`` may be looked at; the shallowest find counts.

    Raises:
        UserError: If there is none, or several on one level; says what was looked for and found.
    """
    level = [root]
    for _ in range(depth + 1):
        found = [folder for folder in level if any(_holds(folder, path) for path in wanted)]
        if len(found) > 1:
            names = [folder.relative_to(root).as_posix() for folder in found]
            raise UserError(
                f"data.root={root} holds {title} more than once (in {names}); give one of these"
            )
        if found:
            return found[0]
        level = [below for folder in level for below in subfolders(folder)]
    raise UserError(
        f"data.root={root} holds no {title}; looked there and up to {depth} folders below for "
        f"{' or '.join(wanted)}; found {contents(root)}"
    )


def _holds(folder: Path, path: str) -> bool:
    return next(folder.glob(path), None) is not None


def subfolders(folder: Path) -> list[Path]:
    """The folders directly in ``folder``, sorted, without hidden ones."""
    return sorted(f for f in folder.iterdir() if f.is_dir() and not f.name.startswith("."))


def files_below(folder: Path) -> list[Path]:
    """The files in ``folder`` and below it, without hidden ones and those in hidden folders."""
    found: list[Path] = []
    for place, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place, name) for name in files if not name.startswith(".")]
    return sorted(found)


def contents(folder: Path, limit: int = 8) -> str:
    """The first few entries of ``folder``, for messages."""
    names = sorted(entry.name + "/" * entry.is_dir() for entry in folder.iterdir())
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more if names else "nothing"
