"""Reads datasets whose file names say everything, in whatever folders the files lie."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.data.corpora.layout import contents, files_below
from fer_lightning.errors import UserError

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff")

ReadName = Callable[[str, Mapping[str, str]], SourceRow | None]
"""Makes the row of a path from the parts of its name; None leaves the image out."""


def rows_by_name(
    root: Path, title: str, example: str, pattern: re.Pattern[str], read: ReadName
) -> list[SourceRow]:
    """The images below ``root`` as rows, sorted by path.

    Args:
        root: Where to look.
        title: The dataset's name, for messages.
        example: One of its file names, for messages.
        pattern: Its names without the suffix; named groups are their parts.
        read: What the parts mean.

    Returns:
        What ``read`` made; images with other names are ``misnamed``.

    Raises:
        UserError: If no image is named so, or two bear the same name: then the dataset lies there
            twice, and its images would be on both sides of any split.
    """
    rows: list[SourceRow | None] = []
    known: dict[str, str] = {}
    for file in files_below(root):
        if file.suffix.lower() not in IMAGE_SUFFIXES:
            continue
        path = file.relative_to(root).as_posix()
        parts = pattern.fullmatch(file.stem)
        if parts is None:
            rows.append(SourceRow(path=path, unusable="misnamed"))
            continue
        other = known.setdefault(file.stem.upper(), path)
        if other != path:
            raise twice(root, title, other, path)
        rows.append(read(path, parts.groupdict()))
    if not known:
        raise UserError(
            f"data.root={root} holds no {title}; looked there and in all folders below for images "
            f"with names like {example}; found {contents(root)}"
        )
    return [row for row in rows if row is not None]


def twice(root: Path, title: str, one: str, other: str) -> UserError:
    """What to raise where two files, told by their paths below ``root``, are one of a dataset."""
    return UserError(
        f"data.root={root} holds {title} more than once ({one} and {other}); remove one, or give "
        "the folder of one copy"
    )


def check_selection(key: str, chosen: Sequence[Any], known: Sequence[Any]) -> None:
    """Check a list that selects a part of a dataset, such as ``data.cameras``.

    Raises:
        UserError: If it is empty, names something twice or something unknown.
    """
    if not chosen or len(set(chosen)) < len(chosen) or not set(chosen) <= set(known):
        raise UserError(
            f"data.{key}={listed(chosen)}: give one or more of {listed(known)}, each once"
        )


def check_selected(rows: Sequence[SourceRow], **selection: Sequence[Any]) -> None:
    """Check that a selection left something over.

    Raises:
        UserError: If no row can be used; names the keys of the selection.
    """
    if all(row.unusable for row in rows):
        keys = ", ".join(f"data.{key}={listed(chosen)}" for key, chosen in selection.items())
        raise UserError(f"{keys}: none of the images below data.root is such; choose others")


def listed(values: Sequence[Any]) -> str:
    """Numbers or members of an enum as they are written in an override."""
    return f"[{','.join(str(getattr(value, 'name', value)) for value in values)}]"
