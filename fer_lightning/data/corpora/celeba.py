"""CelebA: celebrities without emotion labels, for training without supervision."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from fer_lightning.data.corpora.base import Corpus, Facts, SourceRow
from fer_lightning.data.corpora.layout import hidden, locate, open_text, subfolders
from fer_lightning.errors import UserError
from fer_lightning.labels import SPLITS

FACES = "img_align_celeba"
PARTITIONS = ("list_eval_partition.txt", "list_eval_partition.csv")
IDENTITIES = ("identity_CelebA.txt", "identity_CelebA.csv")


@dataclass(kw_only=True)
class CelebA(Corpus):
    """CelebA's aligned and cropped images (178 x 218), which have no emotion labels.

    Under ``data.root``, or up to two folders below, lies ``img_align_celeba/000001.jpg`` and so
    on, also as ``Img/img_align_celeba/`` or ``img_align_celeba/img_align_celeba/``. Beside it, or
    in a folder beside it (``Eval/``, ``Anno/``), may lie:

    - ``list_eval_partition.txt`` (``000001.jpg 0``) or ``.csv`` (with a header; not confirmed):
      its images are taken, 0 is train, 1 val and 2 test. Without it, all files of the folder
      are taken and there is no official split.
    - ``identity_CelebA.txt`` (``000001.jpg 2880``): the subject.

    Attributes, boxes and landmarks are not read.

    Attributes:
        count: How many images, from the first on; null for all. Paper D says 30,000, but gives
            the 10,177 identities of the full 202,599 (CelebA-HQ has 30,000 images).
    """

    facts: ClassVar[Facts | None] = Facts(
        title="CelebA",
        images="202,599 (162,770 train, 19,867 val, 19,962 test)",
        emotions="none",
        subjects=10_177,
        terms="non-commercial research only, under the agreement on its page",
        source="http://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
    )

    name: str = "celeba"
    count: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.count is not None and self.count < 1:
            raise UserError(f"data.count={self.count}: give at least 1, or null for all images")

    def rows(self) -> list[SourceRow]:
        """Read the partition or the folder; rows are sorted by number."""
        place = self._place()
        faces = _faces(place)
        partition = _beside(place, PARTITIONS)
        if partition is None:
            names = (name for name in os.listdir(faces) if not hidden(name))
            splits: dict[str, str | None] = dict.fromkeys(names)
        else:
            splits = dict(_partition(partition))
        if not splits:
            raise UserError(f"data.root={self.root}: {partition or faces} names no image of CelebA")
        if self.count is not None and self.count > len(splits):
            raise UserError(f"data.count={self.count}: CelebA here has {len(splits):,} images")
        identities = _beside(place, IDENTITIES)
        people = {} if identities is None else {name: who for _, name, who in _pairs(identities)}
        start = faces.relative_to(self.folder).as_posix()
        chosen = sorted(splits.items())[: self.count]
        return [
            SourceRow(path=f"{start}/{name}", split=split, subject=people.get(name))
            for name, split in chosen
        ]

    def files(self, rows: Iterable[SourceRow]) -> list[Path]:
        """The images, the partition and the identities."""
        place = self._place()
        lists = [_beside(place, names) for names in (PARTITIONS, IDENTITIES)]
        return sorted([*super().files(rows), *(file for file in lists if file is not None)])

    def _place(self) -> Path:
        return locate(self.folder, [FACES, f"Img/{FACES}"], "CelebA")


def _faces(place: Path) -> Path:
    """The folder of the images, which some copies wrap once more."""
    wrapped = (place / FACES / FACES, place / "Img" / FACES)
    return next((folder for folder in wrapped if folder.is_dir()), place / FACES)


def _beside(place: Path, names: Iterable[str]) -> Path | None:
    """The first of ``names`` in ``place`` or in a folder of it."""
    for name in names:
        for folder in (place, *subfolders(place)):
            if (folder / name).is_file():
                return folder / name
    return None


def _partition(source: Path) -> Iterator[tuple[str, str]]:
    codes = {str(code): split for code, split in enumerate(SPLITS)}
    for number, name, code in _pairs(source):
        if code not in codes:
            raise UserError(
                f"data.root: {source}, line {number}: {code!r} is no part of CelebA (0 to 2)"
            )
        yield name, codes[code]


def _pairs(source: Path) -> Iterator[tuple[int, str, str]]:
    """Line number, image and value of each line, without a header."""
    with open_text(source) as file:
        lines = csv.reader(file) if source.suffix == ".csv" else map(str.split, file)
        for number, cells in enumerate(lines, 1):
            if not cells or (number == 1 and cells[0] == "image_id"):
                continue
            if len(cells) != 2:
                raise UserError(
                    f"data.root: {source}, line {number} has {len(cells)} cells instead of an "
                    "image and its number"
                )
            yield number, cells[0], cells[1]
