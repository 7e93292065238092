"""FER+: the votes of ten people for each image of FER-2013."""

from __future__ import annotations

import csv
import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from fer_lightning.data.corpora.base import Facts, SourceRow
from fer_lightning.data.corpora.fer2013 import CSV_NAMES, FER2013
from fer_lightning.data.corpora.layout import contents
from fer_lightning.errors import UserError
from fer_lightning.labels import canonical_emotion, canonical_split

VOTES = "fer2013new.csv"
NO_FACE = "NF"
UNKNOWN = "unknown"


class Labels(enum.Enum):
    """How votes become a label."""

    majority = "majority"
    soft = "soft"


@dataclass(kw_only=True)
class FERPlus(FER2013):
    """FER+: FER-2013's images and split with eight emotions by the votes of ten people.

    Under ``data.root`` lie ``fer2013new.csv`` (columns ``Usage``, ``Image name``, the eight
    emotions, ``unknown`` and ``NF``, not a face) and ``fer2013.csv`` or ``icml_face_data.csv``,
    each there or one folder below. The n-th line of the one is of the n-th image of the other,
    so the folders of images that go round cannot be used.

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
        """The images' file and the votes' file."""
        return sorted([*super().files(rows), self._votes()])

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
        found = self._below(CSV_NAMES)
        if len(found) == 1:
            return found[0]
        if found:
            raise UserError(f"data.root={self.root} holds FER-2013 more than once: {found}")
        raise UserError(
            f"data.root={self.root} holds no {' or '.join(CSV_NAMES)}, there or one folder below; "
            f"found {contents(self.folder)}. The votes go by its order, so folders of images "
            "cannot be used"
        )

    def _votes(self) -> Path:
        found = self._below((VOTES,))
        if len(found) == 1:
            return found[0]
        what = f"more than once: {found}" if found else f"not; found {contents(self.folder)}"
        raise UserError(
            f"data.root={self.root}: looked for {VOTES} there and one folder below, and it is "
            f"there {what}. It comes from https://github.com/microsoft/FERPlus"
        )

    def _below(self, names: Iterable[str]) -> list[Path]:
        places = [f"{wrapper}{name}" for name in names for wrapper in ("", "*/")]
        return sorted(file for place in places for file in self.folder.glob(place))


def _read(source: Path) -> Iterator[tuple[int, str, dict[str, int]]]:
    """Line number, split, and votes by canonical emotion, ``unknown`` and ``NF``."""
    with source.open(newline="", encoding="utf-8-sig") as file:
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
            counts = {name: cells[column].strip() for column, name in names.items()}
            if split is None or not all(count.isdecimal() for count in counts.values()):
                raise UserError(f"{where}: {','.join(cells)!r} is no Usage with counts of votes")
            yield lines.line_num, split, {name: int(count) for name, count in counts.items()}
