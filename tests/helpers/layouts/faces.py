"""FACES as it is delivered: ``004_o_m_a_a.jpg``."""

from __future__ import annotations

from pathlib import Path

from fer_lightning.labels import CODES
from tests.helpers.layouts.pictures import picture, write


def _name(person: int, code: object, part: str) -> str:
    return f"{person:03d}_{'ymo'[person % 3]}_{'fm'[person % 2]}_{code}_{part}.jpg"


def names() -> list[str]:
    """The 2,052 names."""
    return [_name(n, code, part) for n in range(1, 172) for code in CODES["faces"] for part in "ab"]


def build(root: Path, size: int = 96, people: int = 2) -> Path:
    """Both sets of the first people; gives the folder for ``data.root``."""
    files = {
        f"bilder/{_name(person, code, part)}": picture(emotion, size)
        for person in range(1, people + 1)
        for code, emotion in CODES["faces"].items()
        for part in "ab"
    }
    return write(root, files)
