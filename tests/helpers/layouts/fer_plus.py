"""FER-2013's table with the votes of FER+ beside it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from fer_lightning.labels import CODES
from tests.helpers.layouts.pictures import picture, write

COLUMNS = (
    "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"  # as published
)
VOTES = [
    ("Training", (10, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
    ("Training", (0, 9, 0, 0, 0, 0, 0, 0, 1, 0)),
    ("Training", (4, 0, 0, 1, 3, 2, 0, 0, 0, 0)),
    ("Training", (6, 0, 0, 1, 0, 0, 1, 1, 1, 0)),
    ("Training", (0, 0, 0, 0, 0, 0, 0, 0, 0, 10)),
    ("Training", (2, 0, 0, 1, 0, 0, 0, 0, 7, 0)),
    ("Training", (0, 5, 5, 0, 0, 0, 0, 0, 0, 0)),
    ("Training", (1, 0, 0, 0, 0, 0, 0, 9, 0, 0)),
    ("PublicTest", (0, 0, 0, 8, 1, 1, 0, 0, 0, 0)),
    ("PublicTest", (1, 1, 1, 1, 1, 1, 1, 1, 1, 1)),
    ("PrivateTest", (0, 0, 4, 0, 0, 0, 6, 0, 0, 0)),
    ("PrivateTest", (0, 0, 0, 0, 2, 8, 0, 0, 0, 0)),
]
"""Usage and votes of each image."""


def votes(rows: list[tuple[str, tuple[int, ...]]] = VOTES) -> str:
    """The table of the votes."""
    lines = [f"Usage,Image name,{COLUMNS}"]
    for number, (usage, counts) in enumerate(rows):
        name = "" if counts[-1] == 10 else f"fer{number:07d}.png"
        lines.append(f"{usage},{name},{','.join(map(str, counts))}")
    return "\n".join(lines) + "\n"


def build(
    root: Path, name: str = "fer2013.csv", wrapper: str = "", size: int = 48, beside: str = ""
) -> Path:
    """Twelve images, with each way in which ten people can agree or not.

    Args:
        root: Where the tables go.
        name: ``fer2013.csv``, or ``icml_face_data.csv`` with its own order of columns.
        wrapper: Folder of the votes.
        size: Side of the pictures before they are reduced to 48.
        beside: Folder of the images' table.
    """
    codes = {emotion: code for code, emotion in CODES["fer2013"].items()}
    ordered = name == "fer2013.csv"
    lines = ["emotion,pixels,Usage" if ordered else "emotion, Usage, pixels"]
    for usage, counts in VOTES:
        emotion = COLUMNS.split(",")[int(np.argmax(counts))]
        code = codes.get(emotion, 6)
        file = io.BytesIO(picture(emotion if emotion in codes else "neutral", size, ".png"))
        gray = np.asarray(Image.open(file).convert("L").resize((48, 48)))
        pixels = " ".join(map(str, gray.ravel()))
        lines.append(f"{code},{pixels},{usage}" if ordered else f"{code},{usage},{pixels}")
    table = {f"{beside}{name}": "\n".join(lines) + "\n"}
    return write(root, {**table, f"{wrapper}fer2013new.csv": votes()})


def build_written(root: Path, wrapper: str = "", box: bool = False) -> Path:
    """The folders that the code of FER+ writes; what has no name in the table is not there.

    Args:
        root: Where the folders go.
        wrapper: Folders around them.
        box: Whether the labels hold the image's box, as those that come with the code do.
    """
    folders = {"Training": "Train", "PublicTest": "Valid", "PrivateTest": "Test"}
    files: dict[str, bytes | str] = {}
    for number, (usage, counts) in enumerate(VOTES):
        if counts[-1] == 10:
            continue
        place, name = f"{wrapper}FER2013{folders[usage]}", f"fer{number:07d}.png"
        files[f"{place}/{name}"] = picture("neutral", 48, ".png", gray=True)
        cells = [name, *(['"(0, 0, 48, 48)"'] if box else []), *map(str, counts)]
        files[f"{place}/label.csv"] = f"{files.get(f'{place}/label.csv', '')}{','.join(cells)}\n"
    return write(root, files)
