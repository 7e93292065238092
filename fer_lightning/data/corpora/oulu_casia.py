"""Oulu-CASIA NIR&VIS: sequences from neutral to apex, by camera and light."""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from fer_lightning.data.corpora.base import Corpus, Facts, SourceRow
from fer_lightning.data.corpora.layout import contents, hidden, locate, subfolders
from fer_lightning.data.corpora.named_files import (
    IMAGE_SUFFIXES,
    check_selection,
    listed,
    twice,
)
from fer_lightning.errors import UserError
from fer_lightning.labels import canonical_emotion


class Camera(enum.Enum):
    """Visible light or near infrared."""

    VL = "visible light"
    NI = "near infrared"


class Light(enum.Enum):
    """How the scene is lit."""

    Strong = "good normal light"
    Weak = "only the screen of a computer"
    Dark = "nearly none"


class Labelled(enum.Enum):
    """Which frames of a sequence carry its emotion."""

    all = "all"
    last_third = "last_third"
    last = "last"


_SUBJECT = re.compile(r"P\d+", re.IGNORECASE)
_FRAME = re.compile(r"(\d+)\.jpe?g", re.IGNORECASE)


@dataclass(kw_only=True)
class OuluCASIA(Corpus):
    """The Oulu-CASIA NIR&VIS facial expression database.

    The layout is ``VL/Strong/P001/Anger/000.jpeg``: camera, light, subject, expression (an
    English word: anger, disgust, fear, happiness, sadness, surprise), frame. ``data.root`` is the
    folder that holds ``VL`` or ``NI``, or up to three folders above it (``B_OriginalImg/``,
    ``OriginalImg/``, ...: copies differ, and it is not confirmed which is the delivered one; where
    the cropped faces lie beside the whole images, give the folder of one of them). Frames of
    folders that are no subject (``P001``) or no expression, and frames whose names are no
    numbers, are counted as ``misnamed``.

    Each sequence runs from a neutral face to the apex, but has one label. Frames that
    ``labelled`` leaves out are no rows. The intensity of a frame is not known.

    Attributes:
        cameras: ``VL`` (visible light), ``NI`` (near infrared).
        lights: ``Strong``, ``Weak``, ``Dark``.
        labelled: Frames that carry the emotion: ``all`` as in paper C (which counts 10,379 frames
            of ``VL`` under ``Strong``), ``last_third`` (rounded down, at least one), ``last``.
        neutral: Take the first frame of each sequence as neutral; then it does not carry the
            emotion.
    """

    facts: ClassVar[Facts] = Facts(
        title="Oulu-CASIA NIR&VIS",
        images="480 sequences in each of 6 conditions",
        emotions="6, and neutral by the first frames",
        subjects=80,
        terms="ask the University of Oulu for the terms",
        source="https://www.oulu.fi/cmvs/node/41316",
    )

    name: str = "oulu_casia"
    cameras: list[Camera] = field(default_factory=lambda: [Camera.VL])
    lights: list[Light] = field(default_factory=lambda: [Light.Strong])
    labelled: Labelled = Labelled.all
    neutral: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_selection("cameras", self.cameras, list(Camera))
        check_selection("lights", self.lights, list(Light))

    def rows(self) -> list[SourceRow]:
        """Read the folders of the chosen conditions; rows are sorted by path."""
        every = [f"{camera.name}/{light.name}" for camera in Camera for light in Light]
        start = locate(self.folder, every, self.facts.title, depth=3)
        rows = [row for place in self._conditions(start) for row in self._condition(place)]
        if all(row.unusable for row in rows):
            raise UserError(
                f"data.root={self.root} holds no frame of {self.facts.title} in {start}; looked "
                "in its folders of cameras and lights for P001/Anger/000.jpeg"
            )
        return sorted(rows, key=lambda row: row.path)

    def _conditions(self, start: Path) -> list[Path]:
        chosen = [start / c.name / light.name for c in self.cameras for light in self.lights]
        for place in chosen:
            if not place.is_dir():
                raise UserError(
                    f"data.cameras={listed(self.cameras)}, data.lights={listed(self.lights)}: "
                    f"there is no folder {place}; unpack it or choose others; {start} holds "
                    f"{contents(start)}"
                )
        return chosen

    def _condition(self, place: Path) -> Iterator[SourceRow]:
        for person in subfolders(place):
            known = _SUBJECT.fullmatch(person.name)
            for sequence in subfolders(person):
                emotion = canonical_emotion(sequence.name) if known else None
                yield from self._sequence(sequence, person.name.upper(), emotion)

    def _sequence(self, place: Path, subject: str, emotion: str | None) -> Iterator[SourceRow]:
        folder = place.relative_to(self.folder).as_posix()
        numbers: dict[int, str] = {}
        for name in sorted(os.listdir(place)):
            frame = _FRAME.fullmatch(name)
            if frame and emotion:
                other = numbers.setdefault(int(frame[1]), name)
                if other != name:
                    title = self.facts.title
                    raise twice(self.folder, title, f"{folder}/{other}", f"{folder}/{name}")
            elif name.lower().endswith(IMAGE_SUFFIXES) and not hidden(name):
                yield SourceRow(path=f"{folder}/{name}", unusable="misnamed")
        frames = [f"{folder}/{numbers[number]}" for number in sorted(numbers)]
        first = frames[:1] if self.neutral else []
        for path in first:
            yield SourceRow(path=path, emotion="neutral", subject=subject)
        for path in frames[max(len(first), len(frames) - self._count(len(frames))) :]:
            yield SourceRow(path=path, emotion=emotion, subject=subject)

    def _count(self, frames: int) -> int:
        """How many frames at the end of a sequence carry the emotion."""
        counts = {Labelled.all: frames, Labelled.last_third: max(1, frames // 3), Labelled.last: 1}
        return counts[self.labelled]
