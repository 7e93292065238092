"""KDEF as it is delivered: ``KDEF/AF01/AF01ANS.JPG``."""

from __future__ import annotations

from pathlib import Path

from fer_lightning.labels import CODES
from tests.helpers.layouts.pictures import picture, write

ANGLES = ("FL", "HL", "S", "HR", "FR")


def names() -> list[str]:
    """The 4,900 paths."""
    return [
        f"{session}{gender}{number:02d}/{session}{gender}{number:02d}{code}{angle}.JPG"
        for session in "AB"
        for gender in "FM"
        for number in range(1, 36)
        for code in CODES["kdef"]
        for angle in ANGLES
    ]


def build(root: Path, size: int = 96, angles: tuple[str, ...] = ("HL", "S")) -> Path:
    """A woman and a man in both sessions; gives the folder for ``data.root``."""
    files = {
        f"KDEF/{who}/{who}{code}{angle}.JPG": picture(emotion, size)
        for who in ("AF01", "AM01", "BF01", "BM01")
        for code, emotion in CODES["kdef"].items()
        for angle in angles
    }
    return write(root, files)
