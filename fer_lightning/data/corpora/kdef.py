"""KDEF: 4,900 photographs of seventy people from five angles."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from fer_lightning.data.corpora.base import Corpus, Facts, SourceRow
from fer_lightning.data.corpora.named_files import check_selected, check_selection, rows_by_name
from fer_lightning.labels import CODES


class Angle(enum.Enum):
    """Where the camera stands, in the dataset's own letters."""

    FL = "full left profile"
    HL = "half left profile"
    S = "straight"
    HR = "half right profile"
    FR = "full right profile"


_NAME = re.compile(
    rf"[AB](?P<subject>[FM]\d{{2}})(?P<code>{'|'.join(map(str, CODES['kdef']))})"
    rf"(?P<angle>{'|'.join(Angle.__members__)})",
    re.IGNORECASE,
)


@dataclass(kw_only=True)
class KDEF(Corpus):
    """The Karolinska Directed Emotional Faces.

    Names such as ``AF01ANS.JPG`` say all: session (``A``, ``B``), gender and number of the person
    (``F01``: the subject, the same in both sessions), expression (``AF`` fear, ``AN`` anger,
    ``DI`` disgust, ``HA`` happiness, ``NE`` neutral, ``SA`` sadness, ``SU`` surprise) and angle.
    The files may lie in any folders below ``data.root``, as delivered in one for each person and
    session (``AF01/``); case and suffix do not matter. Images with other names are counted as
    ``misnamed``: copies are known in which ``AF31V.JPG`` and ``AM31H.JPG`` are, and the averaged
    faces of AKDEF are counted so where they lie beside.

    Attributes:
        angles: ``FL`` and ``FR`` (full profiles), ``HL`` and ``HR`` (half profiles), ``S``
            (straight).
    """

    facts: ClassVar[Facts] = Facts(
        title="KDEF",
        images="4,900",
        emotions="7",
        subjects=70,
        terms="researchers, non-commercial; no redistribution without written consent",
        source="https://kdef.se",
    )

    name: str = "kdef"
    angles: list[Angle] = field(default_factory=lambda: list(Angle))

    def __post_init__(self) -> None:
        super().__post_init__()
        check_selection("angles", self.angles, list(Angle))

    def rows(self) -> list[SourceRow]:
        """Read the file names; rows are sorted by path."""
        rows = rows_by_name(self.folder, self.facts.title, "AF01ANS.JPG", _NAME, self._row)
        check_selected(rows, angles=self.angles)
        return rows

    def _row(self, path: str, parts: Mapping[str, str]) -> SourceRow | None:
        if Angle[parts["angle"].upper()] not in self.angles:
            return None
        emotion = CODES["kdef"][parts["code"].upper()]
        return SourceRow(path=path, emotion=emotion, subject=parts["subject"].upper())
