"""AffectNet: the release with tables, and the later one with a file an annotation."""

from __future__ import annotations

import csv
import enum
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from fer_lightning.data.corpora.base import Corpus, Facts, SourceRow
from fer_lightning.data.corpora.layout import contents, hidden, locate, open_text, subfolders
from fer_lightning.data.corpora.named_files import twice
from fer_lightning.errors import UserError
from fer_lightning.labels import CODES
from fer_lightning.progress import progress_bar

SETS = {"train_set": "train", "val_set": "val"}
"""Folders of the later release and their splits."""

HEADER = [
    "subDirectory_filePath",
    *("face_x", "face_y", "face_width", "face_height"),
    "facial_landmarks",
    "expression",
    *("valence", "arousal"),
]
"""Columns of the tables, for copies whose first line is an image."""

NO_EMOTION = (8, 9, 10)
"""Codes of none, uncertain and no-face."""


class Annotated(enum.Enum):
    """Whose labels are taken."""

    manually = "manually"
    automatically = "automatically"
    both = "both"


TABLES = {
    Annotated.manually: {"training.csv": "train", "validation.csv": "val"},
    Annotated.automatically: {"automatically_annotated.csv": "train"},
}
"""The tables of the first release and their splits."""


@dataclass(kw_only=True)
class AffectNet(Corpus):
    """AffectNet with eight emotions; which release it is, is found out.

    Under ``data.root``, or up to one folder below, lies one of:

    - The first release: ``training.csv`` and ``validation.csv``, of which one may be missing, and
      ``automatically_annotated.csv``, up to two folders deep; some copies lack the header (not
      confirmed), and the columns ``subDirectory_filePath`` and ``expression`` suffice. The
      images are looked for where the tables say, below a folder whose name begins with
      ``Manually_Annotated`` or ``Automatically_Annotated``, which some copies nest.
    - The later release, of faces cut to 224 x 224: ``train_set/`` and ``val_set/``, each with
      ``images/<number>.jpg`` and ``annotations/<number>_exp.npy``, a single number or the text
      of one (not confirmed). Its 3,999 validation images are one fewer than the first's. An
      annotation that cannot be read, or an image without one, is excluded as ``no_label``.

    Codes: 0 neutral, 1 happiness, 2 sadness, 3 surprise, 4 fear, 5 disgust, 6 anger, 7 contempt;
    8 none, 9 uncertain and 10 no-face are excluded as ``no_emotion``. The training tables are
    ``train`` and the validation table is ``val``; the test part was not published. Boxes,
    landmarks, valence and arousal are not read, and people are unknown.

    Attributes:
        annotated: ``manually``, ``automatically`` (labels by a network, first release only), or
            ``both``.
    """

    facts: ClassVar[Facts | None] = Facts(
        title="AffectNet",
        images="over a million, about 440,000 labelled by people; with an emotion 287,651 train "
        "and 4,000 val",
        emotions="8",
        terms="research only; professors and lab managers request it with a signed agreement",
        source="http://mohammadmahoor.com/pages/databases/affectnet/",
    )

    name: str = "affectnet"
    annotated: Annotated = Annotated.manually

    def rows(self) -> list[SourceRow]:
        """Read the tables in their order, or the folders by number."""
        place = self._place()
        sets = _sets(place)
        if not sets:
            return [row for table in self._tables(place) for row in self._table_rows(place, table)]
        if self.annotated is not Annotated.manually:
            raise UserError(
                f"data.annotated={self.annotated.name}: {place} is AffectNet's later release, "
                "which has no automatic labels; leave data.annotated out"
            )
        rows = [row for folder in sets for row in self._set_rows(folder)]
        if all(row.unusable == "no_label" for row in rows):
            raise UserError(
                f"data.root={self.root}: not one of {len(rows):,} images of AffectNet has a label; "
                f"looked for {sets[0]}/annotations/<number>_exp.npy with a code; found "
                f"{contents(sets[0] / 'annotations')}"
            )
        return rows

    def files(self, rows: Iterable[SourceRow]) -> list[Path]:
        """The images that are used, and the tables or the annotations of all."""
        found, place, root = list(rows), self._place(), self.folder
        if _sets(place):
            labels = [root / _annotation(row.path) for row in found]
        else:
            labels = self._tables(place)
        read = super().files(row for row in found if not row.unusable)
        return sorted([*read, *labels])

    def _place(self) -> Path:
        tables = [name for group in TABLES.values() for name in group]
        wanted = [f"{name}/annotations" for name in SETS]
        wanted += [f"{wrapper}{name}" for wrapper in ("", "*/", "*/*/") for name in tables]
        return locate(self.folder, wanted, "AffectNet", depth=1)

    def _tables(self, place: Path) -> list[Path]:
        """The chosen tables of the first release."""
        groups = [group for group in TABLES if self.annotated in (group, Annotated.both)]
        tables = []
        for group in groups:
            found = [file for name in TABLES[group] for file in self._within(place, name)]
            if not found:
                raise UserError(
                    f"data.annotated={self.annotated.name}: looked in {place} for "
                    f"{' or '.join(TABLES[group])}; found {contents(place)}"
                )
            tables += found
        return tables

    def _table_rows(self, place: Path, table: Path) -> Iterator[SourceRow]:
        group = next(group for group in TABLES if table.name in TABLES[group])
        split = TABLES[group][table.name]
        start: str | None = None
        bar = progress_bar(_expressions(table), desc=table.name, unit="row", leave=False, delay=1)
        for number, name, text in bar:
            if start is None:
                folder = _images_of(place, f"{group.name}_annotated", name)
                start = folder.relative_to(self.folder).as_posix()
            emotion, unusable = _meaning(text)
            if unusable == "no_label":
                raise UserError(
                    f"data.root: {table}, line {number}: expression {text!r} is no code of "
                    "AffectNet (0 to 10)"
                )
            path = f"{start}/{name}".removeprefix("./")
            yield SourceRow(path=path, emotion=emotion, split=split, unusable=unusable)
        if start is None:
            raise UserError(f"data.root: {table} names no image of AffectNet; fetch it again")

    def _set_rows(self, folder: Path) -> Iterator[SourceRow]:
        start = (folder / "images").relative_to(self.folder).as_posix()
        images = self._images(folder)
        ending = "_exp.npy"
        annotated = {
            name.removesuffix(ending)
            for name in os.listdir(folder / "annotations")
            if name.endswith(ending)
        }
        numbers = sorted(annotated | images.keys(), key=lambda name: (len(name), name))
        for number in progress_bar(numbers, desc=folder.name, unit="file", leave=False, delay=1):
            known = number in annotated
            code = _read(f"{folder}/annotations/{number}{ending}") if known else None
            emotion, unusable = _meaning(code)
            yield SourceRow(
                path=f"{start}/{images.get(number, f'{number}.jpg')}",
                emotion=emotion,
                split=SETS[folder.name],
                unusable=unusable,
            )

    def _images(self, folder: Path) -> dict[str, str]:
        """The names of a set's images by their numbers."""
        if not (folder / "images").is_dir():
            raise UserError(
                f"data.root: {folder} has annotations/ but no images/; found {contents(folder)}; "
                "unpack the images there"
            )
        images: dict[str, str] = {}
        for name in sorted(name for name in os.listdir(folder / "images") if not hidden(name)):
            other = images.setdefault(Path(name).stem, name)
            if other != name:
                start = (folder / "images").relative_to(self.folder).as_posix()
                title = "an image of AffectNet"
                raise twice(self.folder, title, f"{start}/{other}", f"{start}/{name}")
        return images

    def _within(self, place: Path, name: str) -> list[Path]:
        """The file ``name`` in ``place`` or up to two folders below."""
        level = [place]
        for _ in range(3):
            found = [folder / name for folder in level if (folder / name).is_file()]
            if len(found) > 1:
                two = [file.relative_to(self.folder).as_posix() for file in found[:2]]
                raise twice(self.folder, f"AffectNet's {name}", *two)
            if found:
                return found
            level = [below for folder in level for below in subfolders(folder)]
        return []


def _sets(place: Path) -> list[Path]:
    """The folders of the later release, or none."""
    return [place / name for name in SETS if (place / name / "annotations").is_dir()]


def _annotation(image: str) -> str:
    """The annotation's path of an image's, both relative to the root."""
    folder, _, name = image.rpartition("images/")
    return f"{folder}annotations/{Path(name).stem}_exp.npy"


def _images_of(place: Path, beginning: str, example: str) -> Path:
    """The folder below which ``example``, a path of a table, lies; nested ones included.

    Copies can lack some images: the folder of ``example`` will do, or else the innermost.
    """
    level, found = [place, *subfolders(place)], []
    for _ in range(3):
        names = {f: f.name.lower().replace(" ", "_") for up in level for f in subfolders(up)}
        level = [f for f, name in names.items() if name.startswith(beginning)]
        found += [f for f in level if "list" not in names[f]]  # the tables' own folder
    if not found:
        raise UserError(
            f"data.root: {place} holds no images of AffectNet; looked for folders that begin with "
            f"{beginning}; found {contents(place)}"
        )
    image = Path(example)
    return max(reversed(found), key=lambda f: ((f / image).is_file(), (f / image.parent).is_dir()))


def _expressions(table: Path) -> Iterator[tuple[int, str, str]]:
    """Line number, image and expression of each line."""
    with open_text(table) as file:
        lines = csv.reader(file)
        first = next(lines, [])
        header = first if HEADER[0] in first else HEADER
        if "expression" not in header or len(header) != len(first):
            raise UserError(
                f"data.root: {table} needs the columns subDirectory_filePath and expression; "
                f"found {first}"
            )
        image, expression = header.index(HEADER[0]), header.index("expression")
        for cells in lines if header is first else chain([first], lines):
            if not cells:
                continue
            if len(cells) != len(header):
                raise UserError(
                    f"data.root: {table}, line {lines.line_num} has {len(cells)} cells instead "
                    f"of {len(header)}"
                )
            yield lines.line_num, cells[image].strip(), cells[expression].strip()


def _meaning(text: Any) -> tuple[str | None, str | None]:
    """Emotion, and why the image cannot be used, of a code or the text of one."""
    try:
        code = int(text)
    except (TypeError, ValueError, OverflowError):
        return None, "no_label"
    if code in NO_EMOTION:
        return None, "no_emotion"
    emotion = CODES["affectnet"].get(code)
    return emotion, None if emotion else "no_label"


def _read(path: str) -> Any:
    """The one value in a .npy file, or None; many times faster than ``np.load``."""
    try:
        with open(path, "rb") as file:
            data = file.read(1024)
        end = 10 + int.from_bytes(data[8:10], "little")
        values = np.frombuffer(data, _dtype(data[:end]), count=1, offset=end)
    except (OSError, ValueError):
        return None
    return values[0].item()


@lru_cache(maxsize=64)
def _dtype(header: bytes) -> np.dtype[Any]:
    """Type of the values after ``header``, which is nearly the same in all files.

    Raises:
        ValueError: If it is no header. Of Python objects, which could run code, it is one, and
            ``np.frombuffer`` refuses them.
    """
    file = io.BytesIO(header)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("another version of the format")
    _, _, dtype = np.lib.format.read_array_header_1_0(file)
    return dtype
