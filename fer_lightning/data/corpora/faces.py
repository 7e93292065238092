"""FACES: 2,052 photographs of adults of three age groups."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from fer_lightning.data.corpora.base import Corpus, Facts, SourceRow
from fer_lightning.data.corpora.named_files import rows_by_name
from fer_lightning.labels import CODES

_NAME = re.compile(
    rf"(?P<subject>\d+)_[ymo]_[fm]_(?P<code>{'|'.join(map(str, CODES['faces']))})_[ab]",
    re.IGNORECASE,
)


@dataclass(kw_only=True)
class FACES(Corpus):
    """FACES, the lifespan database of the Max Planck Institute for Human Development.

    Names such as ``004_o_m_a_a.jpg`` say all: person, age group (``y`` young, ``m`` middle-aged,
    ``o`` old), gender (``f``, ``m``), expression (``a`` anger, ``d`` disgust, ``f`` fear, ``h``
    happiness, ``n`` neutral, ``s`` sadness; there is no surprise) and set (``a``, ``b``). The
    files may lie in any folders below ``data.root``; case and suffix do not matter. Images with
    other names are counted as ``misnamed``.
    """

    facts: ClassVar[Facts] = Facts(
        title="FACES",
        images="2,052",
        emotions="6, without surprise and contempt",
        subjects=171,
        terms="research, after registration; granted case by case",
        source="https://faces.mpdl.mpg.de",
    )

    name: str = "faces"

    def rows(self) -> list[SourceRow]:
        """Read the file names; rows are sorted by path."""
        return rows_by_name(self.folder, self.facts.title, "004_o_m_a_a.jpg", _NAME, _row)


def _row(path: str, parts: Mapping[str, str]) -> SourceRow:
    emotion = CODES["faces"][parts["code"].lower()]
    return SourceRow(path=path, emotion=emotion, subject=parts["subject"])
