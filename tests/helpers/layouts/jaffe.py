"""JAFFE as it is delivered: ``jaffedbase/KA.AN1.39.tiff``."""

from __future__ import annotations

from pathlib import Path

from fer_lightning.labels import CODES
from tests.helpers.layouts.pictures import picture, write

SUBJECTS = ("KA", "KL", "KM", "KR", "MK", "NA", "NM", "TM", "UY", "YM")
COUNTS = {"AN": 30, "DI": 29, "FE": 32, "HA": 31, "NE": 30, "SA": 31, "SU": 30}


def names() -> list[str]:
    """The 213 names: three takes a subject and expression, but for a few."""
    taken = [
        (SUBJECTS[number % 10], code, number // 10 + 1)
        for code, count in COUNTS.items()
        for number in range(count)
    ]
    return [
        f"{subject}.{code}{take}.{serial}.tiff"
        for serial, (subject, code, take) in enumerate(sorted(taken), 1)
    ]


def build(root: Path, size: int = 96, suffix: str = ".tiff", people: int = 2) -> Path:
    """One take of each expression; gives the folder for ``data.root``."""
    files = {
        f"jaffedbase/{subject}.{code}1.{serial}{suffix}": picture(emotion, size, suffix, gray=True)
        for person, subject in enumerate(SUBJECTS[:people])
        for serial, (code, emotion) in enumerate(CODES["jaffe"].items(), 7 * person + 1)
    }
    return write(root, {"jaffedbase/README_FIRST.txt": "Thank you", **files})
