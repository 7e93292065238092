"""RaFD as it is delivered: ``Rafd090_01_Caucasian_female_angry_frontal.jpg``."""

from __future__ import annotations

from pathlib import Path

from fer_lightning.labels import canonical_emotion
from tests.helpers.layouts.pictures import picture, write

CAMERAS = (0, 45, 90, 135, 180)
GAZES = ("frontal", "left", "right")
WORDS = ("angry", "contemptuous", "disgusted", "fearful", "happy", "neutral", "sad", "surprised")
GROUPS = {
    ("Caucasian", "male"): 20,
    ("Caucasian", "female"): 19,
    ("Kid", "male"): 4,
    ("Kid", "female"): 6,
    ("Moroccan", "male"): 18,
}
MODELS = tuple(kind for kind, count in GROUPS.items() for _ in range(count))


def _name(camera: int, model: int, word: str, gaze: str) -> str:
    group, gender = MODELS[model]
    return f"Rafd{camera:03d}_{model + 1:02d}_{group}_{gender}_{word}_{gaze}.jpg"


def names() -> list[str]:
    """The 8,040 names."""
    return [
        _name(camera, model, word, gaze)
        for camera in CAMERAS
        for model in range(len(MODELS))
        for word in WORDS
        for gaze in GAZES
    ]


def build(root: Path, size: int = 96, people: int = 2) -> Path:
    """Two cameras and two gazes of the first models; gives the folder for ``data.root``."""
    files = {
        f"RafD/{_name(camera, model, word, gaze)}": picture(str(canonical_emotion(word)), size)
        for camera in (45, 90)
        for model in range(people)
        for word in WORDS
        for gaze in ("frontal", "left")
    }
    return write(root, files)
