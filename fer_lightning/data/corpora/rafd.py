"""RaFD: 8,040 photographs of sixty-seven people by gaze and camera."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from fer_lightning.data.corpora.base import Corpus, Facts, SourceRow
from fer_lightning.data.corpora.named_files import check_selected, check_selection, rows_by_name
from fer_lightning.labels import EMOTION_ACTION_UNITS, canonical_emotion

CAMERAS = (0, 45, 90, 135, 180)
"""Angles of the cameras in degrees; 90 sees the face from the front."""


class Gaze(enum.Enum):
    """Where the eyes look."""

    frontal = "frontal"
    left = "left"
    right = "right"


class Group(enum.Enum):
    """Group of models, as the file names call it."""

    Caucasian = "Caucasian"
    Moroccan = "Moroccan"
    Kid = "Kid"


_EMOTIONS = "angry|contemptuous|disgusted|fearful|happy|neutral|sad|surprised"
_UNITS = sorted({unit for units in EMOTION_ACTION_UNITS.values() for unit in units})
_NAME = re.compile(
    rf"Rafd(?P<camera>{'|'.join(f'{angle:03d}' for angle in CAMERAS)})_(?P<subject>\d+)"
    rf"_(?P<group>{'|'.join(Group.__members__)})_(?:fe)?male"
    rf"_(?P<emotion>{_EMOTIONS})_(?P<gaze>{'|'.join(Gaze.__members__)})",
    re.IGNORECASE,
)


@dataclass(kw_only=True)
class RaFD(Corpus):
    """The Radboud Faces Database.

    Names such as ``Rafd090_01_Caucasian_female_angry_frontal.jpg`` say all: camera, model (the
    subject), group, gender, expression and gaze. The files may lie in any folders below
    ``data.root``; case and suffix do not matter. Images with other names are counted as
    ``misnamed``.

    Nobody coded the action units of the images: they are those that paper D, Table VI gives the
    expression, 1 for each that it lists and 0 for the others of its fourteen.

    Attributes:
        cameras: Angles in degrees out of 0, 45, 90, 135, 180; 90 is frontal.
        gazes: ``frontal``, ``left``, ``right``.
        groups: ``Caucasian``, ``Moroccan``, ``Kid``.
    """

    facts: ClassVar[Facts] = Facts(
        title="RaFD",
        images="8,040",
        emotions="8",
        action_units="14 by the expression (paper D, Table VI), present or absent",
        subjects=67,
        terms="non-commercial science; researchers at universities, each on request",
        source="https://rafd.socsci.ru.nl",
    )

    name: str = "rafd"
    cameras: list[int] = field(default_factory=lambda: list(CAMERAS))
    gazes: list[Gaze] = field(default_factory=lambda: list(Gaze))
    groups: list[Group] = field(default_factory=lambda: list(Group))

    def __post_init__(self) -> None:
        super().__post_init__()
        check_selection("cameras", self.cameras, CAMERAS)
        check_selection("gazes", self.gazes, list(Gaze))
        check_selection("groups", self.groups, list(Group))

    def rows(self) -> list[SourceRow]:
        """Read the file names; rows are sorted by path."""
        example = "Rafd090_01_Caucasian_female_angry_frontal.jpg"
        rows = rows_by_name(self.folder, self.facts.title, example, _NAME, self._row)
        check_selected(rows, cameras=self.cameras, gazes=self.gazes, groups=self.groups)
        return rows

    def _row(self, path: str, parts: Mapping[str, str]) -> SourceRow | None:
        if (
            int(parts["camera"]) not in self.cameras
            or Gaze[parts["gaze"].lower()] not in self.gazes
            or Group[parts["group"].capitalize()] not in self.groups
        ):
            return None
        emotion = canonical_emotion(parts["emotion"])
        present = EMOTION_ACTION_UNITS[str(emotion)]
        units = {unit: float(unit in present) for unit in _UNITS}
        return SourceRow(path=path, emotion=emotion, subject=parts["subject"], action_units=units)
