"""Finds a dataset's official layout below the folder that a user gives, and opens its lists."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from fer_lightning.errors import UserError

_OF_SYSTEMS = ("__macosx", "thumbs.db", "desktop.ini")
"""What macOS and Windows leave in archives and folders."""


def locate(root: Path, wanted: Sequence[str], title: str, depth: int = 2) -> Path:
    """The folder where a dataset begins, for archives wrap it into more or fewer folders.

    Args:
        root: What the user gave.
        wanted: Paths or glob patterns relative to the folder that is looked for; it holds at
            least one.
        title: The dataset's name, for messages.
        depth: How many levels below ``root`` are looked at, but not those below a find.

    Raises:
        UserError: If there is none, or several; says what was looked for and found.
    """
    found = find(root, wanted, title, depth)
    if found is None:
        raise UserError(
            f"data.root={root} holds no {title}; looked there and up to {depth} "
            f"folder{'s' * (depth > 1)} below for {' or '.join(wanted)}; found {contents(root)}"
        )
    return found


def find(root: Path, wanted: Sequence[str], title: str, depth: int = 2) -> Path | None:
    """Like :func:`locate`, but None where there is none."""
    found: list[Path] = []
    level = [root]
    for _ in range(depth + 1):
        others: list[Path] = []
        for folder in level:
            holds = any(_holds(folder, path) for path in wanted)
            (found if holds else others).append(folder)
        # Beside a dataset may lie what one must not read, such as lost+found.
        readable = [folder for folder in others if os.access(folder, os.R_OK | os.X_OK)]
        level = [below for folder in readable for below in subfolders(folder)]
    if len(found) > 1:
        names = [folder.relative_to(root).as_posix() for folder in found]
        raise UserError(
            f"data.root={root} holds {title} more than once (in {names}); give one of these"
        )
    return found[0] if found else None


def _holds(folder: Path, path: str) -> bool:
    return next(folder.glob(path), None) is not None


def hidden(name: str) -> bool:
    """Whether a file or folder of this name is the operating system's, not the dataset's."""
    return name.startswith(".") or name.lower() in _OF_SYSTEMS


def subfolders(folder: Path) -> list[Path]:
    """The folders directly in ``folder``, sorted, without hidden ones."""
    with os.scandir(folder) as entries:
        names = sorted(f.name for f in entries if f.is_dir() and not hidden(f.name))
    return [folder / name for name in names]


def files_below(folder: Path) -> list[Path]:
    """The files in ``folder`` and below it, without hidden ones and those in hidden folders."""
    found: list[Path] = []
    for place, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not hidden(name)]
        found += [Path(place, name) for name in files if not hidden(name)]
    return sorted(found)


def contents(folder: Path, limit: int = 8) -> str:
    """The first few entries of ``folder``, for messages."""
    names = sorted(entry.name + "/" * entry.is_dir() for entry in folder.iterdir())
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more if names else "nothing"


@contextmanager
def open_text(file: Path) -> Iterator[TextIO]:
    """Open a list, a table or annotations of a dataset.

    Raises:
        UserError: If it is not UTF-8, or what is read within is no CSV.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            yield opened
    except UnicodeDecodeError as error:
        raise UserError(f"data.root: {file} is not UTF-8 ({error}); save it as UTF-8") from error
    except csv.Error as error:
        raise UserError(
            f"data.root: {file} is no valid CSV file ({error}); fetch it again"
        ) from error
