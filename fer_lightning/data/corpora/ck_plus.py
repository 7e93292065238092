"""CK+: 593 sequences from neutral to peak, with emotions and FACS codes of the peaks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from fer_lightning.data.corpora.base import Corpus, Facts, SourceRow
from fer_lightning.data.corpora.layout import contents, files_below, open_text
from fer_lightning.data.corpora.named_files import IMAGE_SUFFIXES, twice
from fer_lightning.errors import UserError
from fer_lightning.labels import ACTION_UNITS, CODES

UNGRADED = 0.5
"""Intensity of an action unit that is present without a grade."""

_NAME = re.compile(r"(S\d{3})_(\d{3})_(\d+)(|_emotion|_facs)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LabelFile:
    """A label file and the number of the frame that its name gives, the peak."""

    peak: int
    path: Path


@dataclass(slots=True)
class Recording:
    """The files of one sequence.

    Attributes:
        subject: Such as ``S005``.
        session: Such as ``001``.
        frames: Number to path, relative to the root.
        emotion: The emotion file.
        facs: The FACS file.
    """

    subject: str
    session: str
    frames: dict[int, str] = field(default_factory=dict)
    emotion: LabelFile | None = None
    facs: LabelFile | None = None


@dataclass(kw_only=True)
class CKPlus(Corpus):
    """The Extended Cohn-Kanade dataset.

    Files are known by their names, wherever below ``data.root`` they lie: images
    ``S005_001_00000011.png`` (delivered as ``cohn-kanade-images/S005/001/``, also within
    ``extended-cohn-kanade-images/``), ``…_emotion.txt`` (``Emotion/``, ``Emotion_labels/``) and
    ``…_facs.txt`` (``FACS/``, ``FACS_labels/``). Landmarks are not read. Emotion files are
    needed; without FACS files no action units are known. Images with other names are counted as
    ``misnamed``.

    A sequence with an emotion file (327 of 593) gives its last frame with that emotion (0 neutral,
    1 anger, 2 contempt, 3 disgust, 4 fear, 5 happiness, 6 sadness, 7 surprise) and its first frame
    as neutral. One with a FACS file alone gives its last frame, without an emotion. An empty
    emotion file is counted as ``no_label``, another code as ``no_emotion``.

    FACS files code the last frame alone, on a scale from 0 to 5: 1 to 5 are the grades A to E, 0.5
    stands for a unit that is present without a grade (written 0), and 0 for those of the 20 units
    that this package knows which are not listed. Other units are ignored.

    Attributes:
        neutral: Take the first frame of each sequence with an emotion as neutral; then it does
            not carry the emotion.
        peak_frames: How many of the last frames carry the emotion.
    """

    facts: ClassVar[Facts] = Facts(
        title="CK+",
        images="593 sequences, 327 with an emotion",
        emotions="8, neutral by the first frames",
        action_units="20 by FACS coders at the peak, intensity 0 to 5",
        subjects=123,
        terms="research, by agreement with the distributor",
        source="https://www.pitt.edu/~emotion/ck-spread.htm",
    )
    needs: ClassVar[str] = "_emotion"
    """Ending of the label files without which a folder is refused."""

    name: str = "ck_plus"
    neutral: bool = True
    peak_frames: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.peak_frames < 1:
            raise UserError(f"data.peak_frames={self.peak_frames}: give at least 1")

    def rows(self) -> list[SourceRow]:
        """Read the label files; rows are sorted by subject, session and frame."""
        recordings, misnamed = self._read()
        image = next((path for one in recordings for path in one.frames.values()), None)
        if image is None:
            raise self._nothing("images", "S005_001_00000001.png")
        labelled = self.labelled(recordings)
        if not labelled:
            raise self._nothing("labels", f"S005_001_00000011{self.needs}.txt")
        start = "".join(f"{part}/" for part in image.split("/")[:-3])  # where subjects' folders are
        rows = [row for one in labelled for row in self._rows_of(one, start)]
        return rows + [SourceRow(path=path, unusable="misnamed") for path in misnamed]

    def files(self, rows: Iterable[SourceRow]) -> list[Path]:
        """The images and all label files."""
        found = [label for one in self._read()[0] for label in (one.emotion, one.facs)]
        return sorted({*super().files(rows), *(label.path for label in found if label)})

    def labelled(self, recordings: list[Recording]) -> list[Recording]:
        """The sequences that may give rows; none where there is not one emotion file."""
        return recordings if any(one.emotion for one in recordings) else []

    def _nothing(self, what: str, example: str) -> UserError:
        return UserError(
            f"data.root={self.root} holds no {what} of {self.facts.title}; looked there and in "
            f"all folders below for files with names like {example}; found {contents(self.folder)}"
        )

    def _read(self) -> tuple[list[Recording], list[str]]:
        """All sequences, sorted, and the images that have other names."""
        found: dict[tuple[str, str], Recording] = {}
        seen: dict[str, str] = {}
        misnamed: list[str] = []
        root = self.folder
        for file in files_below(root):
            suffix = file.suffix.lower()
            if suffix not in (*IMAGE_SUFFIXES, ".txt"):
                continue
            path = file.relative_to(root).as_posix()
            parts = _NAME.fullmatch(file.stem)
            if parts is None or (parts[4] == "") == (suffix == ".txt"):
                misnamed += [path] if suffix != ".txt" else []
                continue
            other = seen.setdefault(file.stem.upper(), path)
            if other != path:
                raise twice(root, self.facts.title, other, path)
            subject, session, number = parts[1].upper(), parts[2], int(parts[3])
            one = found.setdefault((subject, session), Recording(subject, session))
            if suffix != ".txt":
                one.frames[number] = path
            elif parts[4].lower() == "_emotion":
                one.emotion = LabelFile(number, file)
            else:
                one.facs = LabelFile(number, file)
        return [found[key] for key in sorted(found)], misnamed

    def _rows_of(self, one: Recording, start: str) -> Iterator[SourceRow]:
        label = one.emotion or one.facs
        if label is None:
            return
        emotion, reason = _emotion(one.emotion.path) if one.emotion else (None, None)
        units = _action_units(one.facs.path) if one.facs else {}
        frames = [one.frames[number] for number in sorted(one.frames) if number < label.peak]
        if emotion is not None:
            first = frames[:1] if self.neutral else []
            more = frames[max(len(first), len(frames) - (self.peak_frames - 1)) :]
            for path, name in [(p, "neutral") for p in first] + [(p, emotion) for p in more]:
                yield SourceRow(path=path, emotion=name, subject=one.subject)
        usual = f"{one.subject}/{one.session}/{one.subject}_{one.session}_{label.peak:08d}.png"
        yield SourceRow(
            path=one.frames.get(label.peak, start + usual),
            emotion=emotion,
            subject=one.subject,
            action_units=units,
            unusable=reason or (None if emotion or units else "no_label"),
        )


def _emotion(file: Path) -> tuple[str | None, str | None]:
    """The emotion, or why there is none."""
    for _, (code,) in _numbers(file, 1):
        name = CODES["ck_plus"].get(int(code)) if code.is_integer() else None
        return name, None if name else "no_emotion"
    return None, "no_label"


def _action_units(file: Path) -> dict[int, float]:
    """Intensity of every known action unit; empty where the file is."""
    units: dict[int, float] = {}
    for line, (unit, grade) in _numbers(file, 2):
        units = units or dict.fromkeys(ACTION_UNITS, 0.0)
        if not unit.is_integer() or not 0 <= grade <= 5:
            raise UserError(
                f"{file}, line {line}: {unit:g} {grade:g} is no action unit with a grade"
            )
        if int(unit) in units:
            units[int(unit)] = max(units[int(unit)], grade or UNGRADED)
    return units


def _numbers(file: Path, count: int) -> Iterator[tuple[int, list[float]]]:
    """The numbers in each line that is not blank, with the number of the line."""
    with open_text(file) as opened:
        lines = opened.read().splitlines()
    for line, words in enumerate(map(str.split, lines), 1):
        try:
            numbers = [float(word) for word in words]
        except ValueError:
            numbers = []
        if words and len(numbers) != count:
            raise UserError(f"{file}, line {line}: {' '.join(words)!r} is not {count} number(s)")
        if words:
            yield line, numbers
