"""Datasets as they are delivered, of a few drawn faces, for whatever a page calls ``DIR``."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.data.corpora.drawn import Drawn
from fer_lightning.labels import CODES
from fer_lightning.registry import corpora
from tests.helpers.layouts.fer_plus import COLUMNS

NAMES = ("fer2013", "fer_plus", "folder", "table", "lab")
"""Those of many faces; of the other datasets there are as few as their layouts need."""
COUNT = 70
"""Faces: ten of each of seven emotions, two of each of five people."""
CODED = [CODES["fer2013"][code] for code in range(7)]
"""FER-2013's emotions by code."""
VOTED = COLUMNS.split(",")[:8]
"""Emotions that FER+'s raters chose from, in the order of its columns."""

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
    table, pixels, votes = [], [], []
    for number, row, picture in faces():
        image, emotion, subject = Image.fromarray(picture), str(row.emotion), str(row.subject)
        part = ("train", "train", "train", "val", "test")[number // 7 % 5]
        usage = {"train": "Training", "val": "PublicTest", "test": "PrivateTest"}[part]
        half = "train" if part == "train" else "test"
        cut = image.crop((24, 24, 104, 104)).resize((48, 48)).convert("L")
        if emotion != "disgust" or number // 7 % 5:  # rarer in training, as in FER-2013
            _save(cut, made["fer2013"] / half / emotion / f"{usage}_{number}.jpg")
        values = " ".join(map(str, np.asarray(cut).ravel()))
        pixels.append([CODED.index(emotion), values, usage])
        shares = [6 * (voted == emotion) + 2 * (voted == "neutral") for voted in VOTED]
        votes.append([usage, f"fer{number:07d}.png", *shares, 2, 0])
        _save(image, made["folder"] / emotion / f"{number}.jpg")
        _save(image, made["table"] / "images" / f"{number}.jpg")
        _save(image, made["lab"] / f"{subject}_{emotion}_{number}.png")
        table.append([f"images/{number}.jpg", emotion, subject, part])
    _write(made["table"] / "labels.csv", [["image", "emotion", "subject", "split"], *table])
    _write(made["fer_plus"] / "fer2013.csv", [["emotion", "pixels", "Usage"], *pixels])
    header = ["Usage", "Image name", *VOTED, "unknown", "NF"]
    _write(made["fer_plus"] / "fer2013new.csv", [header, *votes])
    return made


def _write(path: Path, rows: list[list[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def _save(image: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
