"""CK+ as it is delivered: images, ``Emotion/`` and ``FACS/``, each ``S005/001/…``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fer_lightning.labels import CODES, EMOTION_ACTION_UNITS
from tests.helpers.layouts.pictures import picture, write

IMAGES = "cohn-kanade-images"
COUNTS = {1: 45, 2: 18, 3: 59, 4: 25, 5: 69, 6: 28, 7: 83}


def numbers(*lines: Sequence[float]) -> str:
    """Lines as the label files write them, such as ``   3.0000000e+00``."""
    return "".join("".join(f"   {number:.7e}" for number in line) + "\n" for line in lines)


def sequence(
    subject: int,
    session: int,
    frames: int = 3,
    code: int | None = None,
    facs: Sequence[tuple[int, int]] | None = None,
    size: int | None = 96,
    folders: Mapping[str, str] | None = None,
) -> dict[str, bytes | str]:
    """The files of one sequence; ``size`` None makes the images empty.

    ``folders`` renames ``cohn-kanade-images``, ``Emotion`` and ``FACS``.
    """
    named = {"images": IMAGES, "Emotion": "Emotion", "FACS": "FACS", **(folders or {})}
    place = f"S{subject:03d}/{session:03d}"
    stem = f"S{subject:03d}_{session:03d}_{{:08d}}"
    emotion = CODES["ck_plus"][code or 0]
    files: dict[str, bytes | str] = {
        f"{named['images']}/{place}/{stem.format(number)}.png": b""
        if size is None
        else picture(emotion if number > 1 else "neutral", size, ".png", gray=True)
        for number in range(1, frames + 1)
    }
    last = stem.format(frames)
    if code is not None:
        files[f"{named['Emotion']}/{place}/{last}_emotion.txt"] = numbers([code])
    if facs is not None:
        files[f"{named['FACS']}/{place}/{last}_facs.txt"] = numbers(*facs)
    return files


def build(
    root: Path, size: int = 96, people: int = 2, folders: Mapping[str, str] | None = None
) -> Path:
    """Seven labelled sequences a person, one with FACS alone, one with nothing; and landmarks."""
    files: dict[str, bytes | str] = {}
    for person in range(people):
        for code in COUNTS:
            facs = [(unit, 3) for unit in EMOTION_ACTION_UNITS[CODES["ck_plus"][code]]]
            files |= sequence(person + 5, code, code=code, facs=facs, size=size, folders=folders)
        files |= sequence(person + 5, 8, facs=[(1, 0), (64, 2)], size=size, folders=folders)
        files |= sequence(person + 5, 9, size=size, folders=folders)
    landmarks = "Landmarks/S005/001/S005_001_00000003_landmarks.txt"
    return write(root, {**files, landmarks: numbers([1.5, 2.5])})


def whole(root: Path) -> Path:
    """All 593 sequences of 123 subjects with 327 emotion files; the images are empty."""
    codes = [code for code, count in COUNTS.items() for _ in range(count)]
    files: dict[str, bytes | str] = {}
    for number in range(593):
        code = codes[number] if number < len(codes) else None
        place = (number % 123 + 1, number // 123 + 1)
        files |= sequence(*place, frames=2, code=code, facs=[(12, 2)], size=None)
    return write(root, files)
