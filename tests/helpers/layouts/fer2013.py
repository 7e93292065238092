"""FER-2013 as Kaggle's folders: ``train/happy/Training_1.jpg``."""

from __future__ import annotations

from pathlib import Path

from fer_lightning.labels import canonical_emotion
from tests.helpers.layouts.pictures import picture, write

WORDS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
NAMES = ("train/{}/Training_1", "train/{}/Training_2", "test/{}/PublicTest_3",
         "test/{}/PrivateTest_4")  # fmt: skip


def build(root: Path, size: int = 96) -> Path:
    """Four images of each class; gives the folder for ``data.root``."""
    files = {
        f"{name.format(word)}.jpg": picture(str(canonical_emotion(word)), size, gray=True)
        for word in WORDS
        for name in NAMES
    }
    return write(root, files)
