"""FER+: the votes of ten people for each image of FER-2013."""

from __future__ import annotations

import csv
import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from fer_lightning.data.corpora.base import Facts, SourceRow
from fer_lightning.data.corpora.fer2013 import CSV_NAMES, FER2013
from fer_lightning.data.corpora.layout import contents, find, open_text, subfolders
from fer_lightning.data.corpora.named_files import twice
from fer_lightning.errors import UserError
from fer_lightning.labels import canonical_emotion, canonical_split

VOTES = "fer2013new.csv"
NO_FACE = "NF"
UNKNOWN = "unknown"
FOLDERS = {"FER2013Train": "train", "FER2013Valid": "val", "FER2013Test": "test"}
"""Folders that the code of FER+ writes, and their splits."""

COLUMNS = [
    *("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"),
    *(UNKNOWN, NO_FACE),
]
"""Last columns of ``label.csv`` in these folders, which has no header."""


class Labels(enum.Enum):
    """How votes become a label."""

    majority = "majority"
    soft = "soft"


@dataclass(kw_only=True)
class FERPlus(FER2013):
    """FER+: FER-2013's images and split with eight emotions by the votes of ten people.

    Under ``data.root`` lies one of:

    - ``fer2013new.csv`` (columns ``Usage``, ``Image name``, the eight emotions, ``unknown`` and
      ``NF``, not a face) and ``fer2013.csv`` or ``icml_face_data.csv``, each there or one folder
      below. The n-th line of the one is of the n-th image of the other, so FER-2013's folders of
      classes cannot be used.
    - Where these tables of pixels are not, the folders that the code of FER+ writes from them,
      up to two folders below: ``FER2013Train``, ``FER2013Valid`` and ``FER2013Test`` with images
      ``fer0000000.png`` and ``label.csv``: the image's name, in some copies its box, and the ten
      counts. Images that have no name in ``fer2013new.csv`` are not among them. The ``label.csv``
      that come with the code have no images beside them, and cannot be used alone.

    As in the code that comes with the votes, an emotion, ``unknown`` or ``NF`` with a single
    vote counts as having none. What remains decides:

    - ``majority``: what has more than half of the remaining votes. An image without such is
      excluded as ``no_majority``.
    - ``soft``: what has most of them; of equals, the first of the columns. An image on which no
      two people agree is excluded as ``no_majority``. (The published code has stricter rules for
      its distributions; these are not applied.)

    Images for which ``unknown`` wins are excluded as ``no_emotion``, those for which ``NF`` wins
    as ``not_a_face``. In both cases the index holds the votes as shares of the eight emotions,
    ``vote_<emotion>``, counted without single votes, ``unknown`` and ``NF``.

    Attributes:
        labels: ``majority`` or ``soft``.
    """

    facts: ClassVar[Facts | None] = Facts(
        title="FER+",
        images="35,887 (28,709 train, 3,589 val, 3,589 test) before the vote",
        emotions="8",
        terms="votes under the MIT licence; images of FER-2013 on its own terms",
        source="https://github.com/microsoft/FERPlus",
    )

    name: str = "fer_plus"
    labels: Labels = Labels.majority

    def rows(self) -> list[SourceRow]:
        """FER-2013's rows in its order, with emotions and shares by the votes."""
        written = self._written()
        if written:
            return [row for folder in written for row in self._written_rows(folder)]
        images = super().rows()
        source = self._votes()
        votes = list(_read(source))
        if len(votes) != len(images):
            raise UserError(
                f"data.root: {source} has {len(votes):,} lines of votes for {len(images):,} "
                f"images in {self._source()}; both are needed whole, as published"
            )
        labelled = []
        for (number, split, counts), image in zip(votes, images, strict=True):
            if split != image.split:
                raise UserError(
                    f"data.root: {source}, line {number} is of {split}, but the image there in "
                    f"{self._source()} of {image.split}; both are needed in their published order"
                )
            labelled.append(self._labelled(image, counts))
        return labelled

    def files(self, rows: Iterable[SourceRow]) -> list[Path]:
        """The images or their table, and the files of the votes."""
        labels = [folder / "label.csv" for folder in self._written()] or [self._votes()]
        return sorted([*super().files(rows), *labels])

    def _written(self) -> list[Path]:
        """The folders that the code of FER+ writes; none where there is a table of pixels."""
        if self._below(CSV_NAMES):
            return []
        place = find(self.folder, [f"{name}/fer*.png" for name in FOLDERS], "FER+")
        return (
            [] if place is None else [place / name for name in FOLDERS if (place / name).is_dir()]
        )

    def _written_rows(self, folder: Path) -> Iterator[SourceRow]:
        labels = folder / "label.csv"
        if not labels.is_file():
            raise UserError(f"data.root: there is no {labels}; found {contents(folder)}")
        start = folder.relative_to(self.folder).as_posix()
        known: set[str] = set()
        with open_text(labels) as file:
            lines = csv.reader(file)
            for cells in filter(None, lines):
                name, counts = cells[0], _counts(cells[-len(COLUMNS) :])
                where = f"data.root: {labels}, line {lines.line_num}"
                if counts is None or len(cells) - len(COLUMNS) not in (1, 2):
                    raise UserError(
                        f"{where}: {','.join(cells)!r} is no image with {len(COLUMNS)} counts of "
                        "votes"
                    )
                if name in known:
                    raise UserError(f"{where}: {name} is in an earlier line too; remove one")
                known.add(name)
                image = SourceRow(path=f"{start}/{name}", split=FOLDERS[folder.name])
                yield self._labelled(image, dict(zip(COLUMNS, counts, strict=True)))

    def _labelled(self, image: SourceRow, counts: dict[str, int]) -> SourceRow:
        kept = {name: count if count > 1 else 0 for name, count in counts.items()}
        of_emotions = {n: c for n, c in kept.items() if n not in (UNKNOWN, NO_FACE)}
        total = sum(of_emotions.values())
        votes = {name: count / total for name, count in of_emotions.items()} if total else None
        winner = max(kept, key=kept.__getitem__)
        needed = sum(kept.values()) / 2 if self.labels is Labels.majority else 0
        reasons = {UNKNOWN: "no_emotion", NO_FACE: "not_a_face"}
        unusable = reasons.get(winner) if kept[winner] > needed else "no_majority"
        emotion = None if unusable else winner
        return replace(image, emotion=emotion, votes=votes, unusable=unusable)

    def _source(self) -> Path:
        """The CSV file of the images; the folders have lost the order."""
        source = self._one(CSV_NAMES, "FER-2013")
        if source is None:
            raise UserError(
                f"data.root={self.root} holds no {' or '.join(CSV_NAMES)}, there or one folder "
                f"below, and no images in {', '.join(FOLDERS)}; found {contents(self.folder)}. "
                "The votes go by the order of the table, so folders of classes cannot be used"
            )
        return source

    def _votes(self) -> Path:
        votes = self._one((VOTES,), "the votes of FER+")
        if votes is None:
            raise UserError(
                f"data.root={self.root} holds no {VOTES}; looked there and one folder below; found "
                f"{contents(self.folder)}. It comes from https://github.com/microsoft/FERPlus"
            )
        return votes

    def _one(self, names: Sequence[str], title: str) -> Path | None:
        """The file of one of ``names``, there or one folder below."""
        found = self._below(names)
        if len(found) > 1:
            two = [file.relative_to(self.folder).as_posix() for file in found[:2]]
            raise twice(self.folder, title, *two)
        return found[0] if found else None

    def _below(self, names: Sequence[str]) -> list[Path]:
        places = [
            folder / name for folder in (self.folder, *subfolders(self.folder)) for name in names
        ]
        return sorted(file for file in places if file.is_file())


def _read(source: Path) -> Iterator[tuple[int, str, dict[str, int]]]:
    """Line number, split, and votes by canonical emotion, ``unknown`` and ``NF``."""
    with open_text(source) as file:
        lines = csv.reader(file)
        header = [cell.strip() for cell in next(lines, [])]
        names = {
            column: canonical_emotion(cell) or cell
            for column, cell in enumerate(header)
            if canonical_emotion(cell) or cell in (UNKNOWN, NO_FACE)
        }
        if len(names) != 10 or "Usage" not in header:
            raise UserError(
                f"data.root: {source} needs the columns Usage, the eight emotions, {UNKNOWN} and "
                f"{NO_FACE}; found {header}"
            )
        usage = header.index("Usage")
        for cells in lines:
            if not cells:
                continue
            where = f"data.root: {source}, line {lines.line_num}"
            if len(cells) != len(header):
                raise UserError(f"{where} has {len(cells)} cells instead of {len(header)}")
            split = canonical_split(cells[usage])
            counts = _counts([cells[column] for column in names])
            if split is None or counts is None:
                raise UserError(f"{where}: {','.join(cells)!r} is no Usage with counts of votes")
            yield lines.line_num, split, dict(zip(names.values(), counts, strict=True))


def _counts(cells: Sequence[str]) -> list[int] | None:
    """Counts of votes as numbers; None where one is not."""
    stripped = [cell.strip() for cell in cells]
    return [int(cell) for cell in stripped] if all(map(str.isdecimal, stripped)) else None
