"""Datasets as they are delivered, of a few drawn faces, for whatever a page calls ``DIR``."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.data.corpora.drawn import Drawn
from fer_lightning.registry import corpora

NAMES = ("fer2013", "folder", "table", "lab")
"""Those of many faces; of the other datasets there are as few as their layouts need."""
COUNT = 70
"""Faces: ten of each of seven emotions, two of each of five people."""

Face = tuple[int, SourceRow, NDArray[np.uint8]]


def faces() -> Iterator[Face]:
    """Number, labels and picture of each."""
    corpus = Drawn(count=COUNT, picture_size=128, subjects=5)
    for number, row in enumerate(corpus.rows()):
        yield number, row, corpus.load(row)


def make(root: Path) -> dict[str, Path]:
    """Write every layout below ``root``; corpus to folder."""
    made = {name: root / name for name in NAMES}
    for name in corpora.builtin:
        if name not in NAMES and corpora.load(name).facts is not None:
            builder = import_module(f"tests.helpers.layouts.{name}")
            made[name] = builder.build(root / name, size=128)
    table = []
    for number, row, picture in faces():
        image, emotion, subject = Image.fromarray(picture), str(row.emotion), str(row.subject)
        part = ("train", "train", "train", "val", "test")[number // 7 % 5]
        usage = {"train": "Training", "val": "PublicTest", "test": "PrivateTest"}[part]
        half = "train" if part == "train" else "test"
        cut = image.crop((24, 24, 104, 104)).resize((48, 48)).convert("L")
        _save(cut, made["fer2013"] / half / emotion / f"{usage}_{number}.jpg")
        _save(image, made["folder"] / emotion / f"{number}.jpg")
        _save(image, made["table"] / "images" / f"{number}.jpg")
        _save(image, made["lab"] / f"{subject}_{emotion}_{number}.png")
        table.append([f"images/{number}.jpg", emotion, subject, part])
    with (made["table"] / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["image", "emotion", "subject", "split"], *table])
    return made


def _save(image: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
