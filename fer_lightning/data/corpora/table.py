"""Images listed in a CSV or Parquet file with their labels."""

from __future__ import annotations

import math
import os
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fer_lightning.config.plain import LATER
from fer_lightning.data.corpora.base import Corpus, SourceRow
from fer_lightning.data.corpora.layout import contents, subfolders
from fer_lightning.data.corpora.table_file import SUFFIXES, read_header, read_records
from fer_lightning.errors import UserError
from fer_lightning.labels import ACTION_UNITS, canonical_split, check_labels, read_labels

PATH_COLUMNS = ("path", "image", "file", "subDirectory_filePath")
EMOTION_COLUMNS = ("label", "emotion", "expression")


@dataclass(kw_only=True)
class ColumnsConfig:
    """Which column of a table says what.

    Attributes:
        path: The image's path; null finds ``path``, ``image``, ``file`` or
            ``subDirectory_filePath``.
        emotion: The label; null finds ``label``, ``emotion`` or ``expression``, and an empty
            name means that the table has none.
        split: Official split (``train``, ``valid``, ``PrivateTest``, ...).
        subject: Identity of the person.
        intensity: Intensity of the expression in [0, 1].
        frame: Number of the frame from 0, where paths are videos.
        action_units: FACS number to column; if empty, the columns ``au_<number>``.
    """

    path: str | None = None
    emotion: str | None = None
    split: str | None = None
    subject: str | None = None
    intensity: str | None = None
    frame: str | None = field(default=None, metadata=LATER)
    action_units: dict[Any, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number in self.action_units:
            if str(number) not in map(str, ACTION_UNITS):
                raise UserError(
                    f"data.columns.action_units.{number}: give FACS numbers of {[*ACTION_UNITS]}"
                )

    def found_in(self, header: list[str]) -> ColumnsConfig:
        """The same with every column named that ``header`` holds.

        Raises:
            UserError: If a column is missing, or could be one of several.
        """
        units = {int(n): c for n, c in self.action_units.items()} or {
            number: f"au_{number}" for number in ACTION_UNITS if f"au_{number}" in header
        }
        path, emotion = self.path or _only("path", PATH_COLUMNS, header), self.emotion
        if emotion is None:
            emotion = _only("emotion", EMOTION_COLUMNS, header)
        found = replace(self, path=path, emotion=emotion, action_units=units)
        for key, column in found.used().items():
            if header.count(column) != 1:
                raise UserError(
                    f"data.columns.{key}={column}: {header.count(column)} columns of the table "
                    f"have that name; it has {header}"
                )
        return found

    def used(self) -> dict[str, str]:
        """The columns that are named, by their key below ``data.columns``."""
        keys = ("path", "emotion", "split", "subject", "intensity", "frame")
        named = {key: getattr(self, key) for key in keys}
        named |= {f"action_units.{n}": column for n, column in self.action_units.items()}
        return {key: column for key, column in named.items() if column}


@dataclass(kw_only=True)
class Table(Corpus):
    """A table with a line for each image.

    Image paths are absolute, or count from :attr:`image_folder`. An image that does not exist
    stays a row, to be listed among the excluded; a row with an empty label has no emotion.

    Attributes:
        table: The ``.csv`` (UTF-8, commas) or ``.parquet`` file, absolute or below the root;
            null finds the only one directly in the root.
        image_folder: Where image paths start, absolute or below the root; null takes the root
            if it holds one of the images, else the one folder in it that does.
        columns: Which column says what.
        labels: Word or code of the emotion column to canonical emotion, for what is no English
            emotion word; null keeps the rows, without an emotion.
        codes: Table of :data:`fer_lightning.labels.CODES` by which codes are read.
    """

    name: str = "table"
    table: Path | None = None
    image_folder: Path | None = None
    columns: ColumnsConfig = field(default_factory=ColumnsConfig)
    # Any, because Hydra reads the key of data.labels={-1:null} as a number.
    labels: dict[Any, str | None] = field(default_factory=dict)
    codes: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_labels(self.labels, self.codes)

    def rows(self) -> list[SourceRow]:
        """Read the table; rows keep its order."""
        source = self._table_file()
        columns = self.columns.found_in(read_header(source))
        records = read_records(source, columns.used().values())
        if not records:
            raise UserError(f"data.table={source} has no rows below its header")
        words = Counter(_cell(record, columns.emotion) for record in records)
        del words[""]
        where = f"{source}, column {columns.emotion!r}"
        emotions = read_labels(words, self.labels, self.codes, where)

        root = Path(os.path.abspath(self.folder))
        start = self._image_start(root, [record[str(columns.path)] for record in records])
        rows = []
        for number, record in enumerate(records, 1):
            try:
                path = _stored_path(record[str(columns.path)], start, root)
                rows.append(_row(path, record, columns, emotions))
            except ValueError as error:
                raise UserError(f"{source}, row {number}: {error}") from error
        return rows

    def files(self, rows: Iterable[SourceRow]) -> list[Path]:
        """The images and the table."""
        return sorted({*super().files(rows), self._table_file()})

    def _table_file(self) -> Path:
        root = self.folder
        if self.table is None:
            found = [f for f in sorted(root.iterdir()) if f.suffix.lower() in SUFFIXES]
            found = [f for f in found if not f.name.startswith(".")]
            if len(found) == 1:
                return found[0]
            held = f"several tables, {[f.name for f in found]}" if found else "no table"
            raise UserError(
                f"data.root={root} holds {held}; name one by data.table=FILE, "
                f"{' or '.join(SUFFIXES)}; found {contents(root)}"
            )
        source = root / self.table.expanduser()
        if not source.is_file() or source.suffix.lower() not in SUFFIXES:
            raise UserError(f"data.table={self.table}: {source} is no {' or '.join(SUFFIXES)} file")
        return source

    def _image_start(self, root: Path, cells: list[str]) -> Path:
        """The folder where the relative paths of ``cells`` start."""
        if self.image_folder is not None:
            start = Path(os.path.abspath(root / self.image_folder.expanduser()))
            if not start.is_dir():
                raise UserError(f"data.image_folder={self.image_folder}: {start} is no folder")
            return start
        by_top: dict[str, list[str]] = defaultdict(list)
        for cell in cells:
            if cell.strip() and not cell.startswith("/"):
                by_top[os.path.normpath(cell).partition("/")[0]].append(cell)

        def holds_one(folder: Path) -> bool:
            # One listing for each folder; asking for every image of a large table takes hours.
            tops = (entry for entry in os.listdir(folder) if entry in by_top)
            return any(os.path.isfile(f"{folder}/{cell}") for top in tops for cell in by_top[top])

        if not by_top or holds_one(root):
            return root
        found = [folder for folder in subfolders(root) if holds_one(folder)]
        if len(found) == 1:
            return found[0]
        example = next(iter(by_top.values()))[0]
        held = f"in several folders: {[f.name for f in found]}" if found else "nowhere"
        raise UserError(
            f"data.root={root}: looked there and in each folder there for the table's images, such "
            f"as {example!r}, and found them {held}; say where their paths start by "
            f"data.image_folder=DIR; the root holds {contents(root)}"
        )


def _row(
    path: str, record: Mapping[str, str], columns: ColumnsConfig, emotions: Mapping[str, str | None]
) -> SourceRow:
    word = _cell(record, columns.split)
    split = canonical_split(word)
    if word and split is None:
        raise ValueError(f"data.columns.split: {word!r} is not train, val or test")
    units = {
        number: _number(_cell(record, column), f"action_units.{number}", math.inf)
        for number, column in columns.action_units.items()
    }
    return SourceRow(
        path=path,
        frame=_frame(_cell(record, columns.frame)),
        emotion=emotions.get(_cell(record, columns.emotion)),
        split=split,
        subject=_cell(record, columns.subject) or None,
        intensity=_number(_cell(record, columns.intensity), "intensity", 1),
        action_units={n: value for n, value in units.items() if value is not None},
    )


def _stored_path(cell: str, start: Path, root: Path) -> str:
    """The path that a row stores: below ``root`` where it can be, else absolute."""
    if not cell.strip():
        raise ValueError("data.columns.path: the cell is empty")
    if cell.startswith("/"):
        return cell
    path = os.path.normpath(f"{start}/{cell}")
    if path.startswith(f"{root}/"):
        return path[len(f"{root}/") :]
    if path.startswith(f"{start}/"):
        return path
    raise ValueError(f"{cell!r} leads out of data.root; write it as an absolute path")


def _cell(record: Mapping[str, str], column: str | None) -> str:
    return record[column].strip() if column else ""


def _number(text: str, key: str, most: float) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= most or math.isinf(value):
        raise ValueError(
            f"data.columns.{key}: {text!r} is no number from 0 to {most}; empty means unknown"
        )
    return value


def _frame(text: str) -> int:
    if text and not re.fullmatch(r"\d+", text):
        raise ValueError(f"data.columns.frame: {text!r} is no number of a frame, from 0")
    return int(text or 0)


def _only(key: str, names: Collection[str], header: list[str]) -> str:
    found = [name for name in names if name in header]
    if len(found) == 1:
        return found[0]
    held = f"several of its columns could be it, {found}" if found else f"none is of {[*names]}"
    none = " ('' if there is none)" if key == "emotion" else ""
    raise UserError(
        f"data.columns.{key} is needed for this table: {held}; give data.columns.{key}=COLUMN"
        f"{none}; the table has {header}"
    )
