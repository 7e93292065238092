"""RAF-DB's basic emotions, as delivered or as the copy in class folders."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from fer_lightning.data.corpora.base import Corpus, Facts, SourceRow
from fer_lightning.data.corpora.layout import (
    contents,
    files_below,
    locate,
    open_text,
    subfolders,
)
from fer_lightning.errors import UserError
from fer_lightning.labels import CODES, canonical_emotion

LISTS = ("list_patition_label.txt", "list_partition_label.txt")
"""The list file as the authors spell it, and as it is meant."""

EMOTIONS = {str(code): name for code, name in CODES["raf_db"].items()}


class Images(enum.Enum):
    """Which of the delivered images are taken."""

    aligned = "aligned"
    original = "original"


@dataclass(kw_only=True)
class RAFDB(Corpus):
    """RAF-DB, the part with one of seven basic emotions; 12,271 train and 3,068 test images.

    Under ``data.root``, or up to two folders below, lies one of:

    - ``basic/`` as delivered, or what is in it: ``EmoLabel/list_patition_label.txt`` (or
      ``list_partition_label.txt``) with lines such as ``train_00001.jpg 5``, and
      ``Image/aligned/train_00001_aligned.jpg`` (100 x 100) and ``Image/original/train_00001.jpg``.
      The name's beginning gives the split; a name that begins otherwise is excluded as
      ``misnamed``.
    - ``train/`` and ``test/`` with folders ``1`` to ``7``, as a public copy has it (layout not
      confirmed); its own label tables are not read. Images in folders of other names are excluded
      as ``no_label``.

    Codes: 1 surprise, 2 fear, 3 disgust, 4 happiness, 5 sadness, 6 anger, 7 neutral. Compound
    emotions, landmarks, gender, race and age are not read, and people are unknown.

    The YAML chooses ``detector=whole_image``, because aligned images are tight crops; choose
    another with ``data.images=original``.

    Attributes:
        images: ``aligned`` or ``original``.
    """

    facts: ClassVar[Facts | None] = Facts(
        title="RAF-DB (basic emotions)",
        images="15,339 (12,271 train, 3,068 test)",
        emotions="7",
        terms="non-commercial research only, no redistribution; ask its authors",
        source="http://www.whdeng.cn/RAF/model1.html",
    )
    crops: ClassVar[bool] = True

    name: str = "raf_db"
    images: Images = Images.aligned

    def rows(self) -> list[SourceRow]:
        """Read the list file in its order, or the class folders by path."""
        place, listed = self._source()
        return self._folder_rows(place) if listed is None else self._listed_rows(listed)

    def files(self, rows: Iterable[SourceRow]) -> list[Path]:
        """The images, and the list file where there is one."""
        _, listed = self._source()
        return [*super().files(rows), *([] if listed is None else [listed])]

    def _source(self) -> tuple[Path, Path | None]:
        """Where the dataset begins, and its list file or None for the copy in class folders."""
        lists = [f"{base}EmoLabel/{name}" for base in ("basic/", "") for name in LISTS]
        place = locate(self.folder, [*lists, "train/1"], "RAF-DB")
        return place, next((place / name for name in lists if (place / name).is_file()), None)

    def _listed_rows(self, source: Path) -> list[SourceRow]:
        pictures = source.parents[1] / "Image" / self.images.name
        if not pictures.is_dir():
            raise UserError(
                f"data.images={self.images.name}: RAF-DB has no {pictures}; found "
                f"{contents(source.parents[1])}"
            )
        if (pictures / self.images.name).is_dir():  # unpacked into a folder of its own
            pictures /= self.images.name
        start = pictures.relative_to(self.folder).as_posix()
        suffix = "_aligned" if self.images is Images.aligned else ""
        rows = []
        known: dict[str, int] = {}
        with open_text(source) as file:
            lines = file.read().splitlines()
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            where = f"data.root: {source}, line {number}"
            name, code = _cells(line, where)
            first = known.setdefault(name, number)
            if first != number:
                raise UserError(f"{where}: {name} is in line {first} too; remove one")
            stem, _, kind = name.rpartition(".")
            beginning = name.partition("_")[0]
            split = beginning if beginning in ("train", "test") else None
            rows.append(
                SourceRow(
                    path=f"{start}/{stem}{suffix}.{kind}",
                    emotion=EMOTIONS[code],
                    split=split,
                    unusable=None if split else "misnamed",
                )
            )
        if not any(row.unusable is None for row in rows):
            raise UserError(
                f"data.root: {source} names no image of RAF-DB; looked for lines such as "
                f"'train_00001.jpg 5'; found {lines[:1]}"
            )
        return rows

    def _folder_rows(self, place: Path) -> list[SourceRow]:
        if self.images is not Images.aligned:
            raise UserError(
                f"data.images={self.images.name}: {place} holds the copy of RAF-DB in class "
                "folders, which has the aligned images alone; leave data.images out"
            )
        rows = []
        for split in ("test", "train"):
            folders = subfolders(place / split) if (place / split).is_dir() else []
            for folder in folders:
                emotion = EMOTIONS.get(folder.name) or canonical_emotion(folder.name)
                rows += [
                    SourceRow(
                        path=file.relative_to(self.folder).as_posix(),
                        emotion=emotion,
                        split=split,
                        unusable=None if emotion else "no_label",
                    )
                    for file in files_below(folder)
                ]
        if not any(row.emotion for row in rows):
            raise UserError(
                f"data.root={self.root}: looked in {place} for images in train/1 to test/7; found "
                f"{contents(place)} without such"
            )
        return rows


def _cells(line: str, where: str) -> tuple[str, str]:
    """Name and code of one line of the list."""
    cells = line.split()
    if len(cells) != 2 or not Path(cells[0]).suffix:
        raise UserError(f"{where}: {line!r} is no image with its code, such as 'train_00001.jpg 5'")
    if cells[1] not in EMOTIONS:
        raise UserError(
            f"{where}: {cells[1]!r} is no code of a basic emotion (1 to 7); compound emotions are "
            "another part of RAF-DB, give the folder basic/"
        )
    return cells[0], cells[1]
