"""JAFFE: 213 gray photographs of ten Japanese women."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from fer_lightning.data.corpora.base import Corpus, Facts, SourceRow
from fer_lightning.data.corpora.named_files import rows_by_name
from fer_lightning.labels import CODES

_NAME = re.compile(
    rf"(?P<subject>[A-Z]{{2}})\.(?P<code>{'|'.join(map(str, CODES['jaffe']))})\d+\.\d+",
    re.IGNORECASE,
)


@dataclass(kw_only=True)
class JAFFE(Corpus):
    """The Japanese Female Facial Expression dataset.

    Names such as ``KA.AN1.39.tiff`` say all: subject (two letters), expression (``AN`` anger,
    ``DI`` disgust, ``FE`` fear, ``HA`` happiness, ``NE`` neutral, ``SA`` sadness, ``SU``
    surprise) with the number of the take, and a serial number. The files may lie in any folders
    below ``data.root``; case and suffix (``.tiff``, ``.tif``, or a converted copy's) do not
    matter. Images with other names are counted as ``misnamed``.
    """

    facts: ClassVar[Facts] = Facts(
        title="JAFFE",
        images="213",
        emotions="7",
        subjects=10,
        terms="non-commercial research, on request",
        source="https://doi.org/10.5281/zenodo.3451524",
    )

    name: str = "jaffe"

    @property
    def native_channels(self) -> int:
        """The dataset is gray."""
        return 1

    def rows(self) -> list[SourceRow]:
        """Read the file names; rows are sorted by path."""
        return rows_by_name(self.folder, self.facts.title, "KA.AN1.39.tiff", _NAME, _row)


def _row(path: str, parts: Mapping[str, str]) -> SourceRow:
    emotion = CODES["jaffe"][parts["code"].upper()]
    return SourceRow(path=path, emotion=emotion, subject=parts["subject"].upper())
