"""Several corpora as one, with classes reconciled by name."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_lightning.config.compose import relocated
from fer_lightning.data.corpora.base import Corpus, SourceRow
from fer_lightning.data.fingerprint import digest
from fer_lightning.errors import UserError


class Classes(enum.Enum):
    """Which classes a combined corpus has."""

    shared = "shared"
    all = "all"


@dataclass(kw_only=True)
class Combined(Corpus):
    """Corpora side by side in one archive; ``source`` keeps the part that an image is from.

    Labels are canonical names before they meet, whatever codes the parts use. An emotion that only
    some parts know is also a sign of where an image is from: by default such images are excluded
    as ``class_not_shared``. Unlabelled images are kept, and parts without any label do not count.

    What feeds the faces (split, batch size, detector, ...) is set for the whole, not for a part.

    Attributes:
        parts: Name to corpus, each with its own ``root``.
        classes: ``shared`` by all parts that have labels, or ``all``.
    """

    name: str = "combined"
    parts: dict[str, Corpus] = field(default_factory=dict)
    classes: Classes = Classes.shared

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.root is not None:
            raise UserError(
                f"data.root={self.root}: data=combined has a folder a part; give "
                f"{' and '.join(f'data.parts.{name}.root' for name in self.parts)}"
            )
        corpus: type[Any] = Corpus  # abstract, but here only its defaults are asked for
        own = corpus()
        for name, part in self.parts.items():
            for key in (f.name for f in fields(Corpus) if f.name not in ("name", "root")):
                if getattr(part, key) != getattr(own, key):
                    raise UserError(f"data.parts.{name}.{key} has no effect; set data.{key}")

    @property
    def native_channels(self) -> int:
        """3 unless all parts are gray."""
        return max((part.native_channels for part in self.parts.values()), default=3)

    def rows(self) -> list[SourceRow]:
        """The rows of each part in turn; subjects are told apart by the part's name."""
        if not self.parts:
            raise UserError("data=combined has no parts; see conf/data/combined.yaml")
        by_part = {name: self._rows_of(name, part) for name, part in self.parts.items()}
        known = [{row.emotion for row in rows} - {None} for rows in by_part.values()]
        labelled = [emotions for emotions in known if emotions]
        shared = set.intersection(*labelled) if labelled else set()
        rows = [row for rows in by_part.values() for row in rows]
        if self.classes is Classes.all:
            return rows
        kept = shared | {None}
        return [
            row
            if row.emotion in kept
            else replace(row, unusable=row.unusable or "class_not_shared")
            for row in rows
        ]

    def _rows_of(self, name: str, part: Corpus) -> list[SourceRow]:
        try:
            rows = part.rows()
        except UserError as error:
            keys = [f.name for f in fields(part)]
            raise UserError(relocated(str(error), keys, f"data.parts.{name}")) from error
        return [replace(row, source=name, subject=_subject(name, row.subject)) for row in rows]

    def files(self, rows: Iterable[SourceRow]) -> list[Path]:
        """The files of all parts."""
        by_part = self._divided(rows)
        return sorted(file for name in by_part for file in self.parts[name].files(by_part[name]))

    def fingerprint(self, rows: Sequence[SourceRow], cache: Path) -> str:
        """Hash of the parts' fingerprints, so that it does not matter where each lies."""
        by_part = self._divided(rows)
        return digest(
            {name: self.parts[name].fingerprint(by_part[name], cache) for name in by_part}
        )

    def remarks(self) -> list[str]:
        """Those of all parts."""
        return [remark for part in self.parts.values() for remark in part.remarks()]

    def load(self, row: SourceRow) -> NDArray[np.uint8]:
        """Let the part decode its own image."""
        return self.parts[str(row.source)].load(_of_part(row))

    def source_settings(self) -> dict[str, Any]:
        """Every part's own keys."""
        parts = {
            name: {"corpus": part.name, **part.source_settings()}
            for name, part in self.parts.items()
        }
        return {"classes": self.classes.name, "parts": parts}

    def _divided(self, rows: Iterable[SourceRow]) -> dict[str, list[SourceRow]]:
        by_part: dict[str, list[SourceRow]] = {name: [] for name in self.parts}
        for row in rows:
            by_part[str(row.source)].append(_of_part(row))
        return by_part


def _subject(part: str, subject: str | None) -> str | None:
    return None if subject is None else f"{part}/{subject}"


def _of_part(row: SourceRow) -> SourceRow:
    """A row as its part gave it."""
    subject = row.subject and row.subject.removeprefix(f"{row.source}/")
    return replace(row, source=None, subject=subject)
