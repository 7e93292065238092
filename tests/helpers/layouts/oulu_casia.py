"""Oulu-CASIA as it is delivered: ``B_OriginalImg/OriginalImg/VL/Strong/P001/Anger/000.jpeg``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fer_lightning.labels import canonical_emotion
from tests.helpers.layouts.pictures import picture, write

WORDS = ("Anger", "Disgust", "Fear", "Happiness", "Sadness", "Surprise")
CONDITIONS = tuple(
    f"{camera}/{light}" for camera in ("VL", "NI") for light in ("Strong", "Weak", "Dark")
)


def names(condition: str, frames: int = 1) -> list[str]:
    """The 480 sequences of a condition such as ``VL/Strong``."""
    return [
        f"{condition}/P{person:03d}/{word}/{frame:03d}.jpeg"
        for person in range(1, 81)
        for word in WORDS
        for frame in range(frames)
    ]


def build(
    root: Path,
    size: int = 96,
    conditions: Sequence[str] = ("VL/Strong", "NI/Dark"),
    wrapper: str = "B_OriginalImg/OriginalImg/",
    frames: int = 3,
) -> Path:
    """Two people, each sequence beginning neutral; gives the folder for ``data.root``."""
    files = {
        f"{wrapper}{condition}/P{person:03d}/{word}/{frame:03d}.jpeg": picture(
            str(canonical_emotion(word)) if frame else "neutral", size, ".jpeg"
        )
        for condition in conditions
        for person in (1, 2)
        for word in WORDS
        for frame in range(frames)
    }
    return write(root, files)
