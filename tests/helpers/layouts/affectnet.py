"""AffectNet's two releases."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from fer_lightning.data.corpora.affectnet import HEADER
from fer_lightning.labels import CODES
from tests.helpers.layouts.pictures import picture, write

OFFICIAL = (74_874, 134_415, 25_459, 14_090, 6_378, 3_803, 24_882, 3_750)
"""Training images of the codes 0 to 7; the validation part has 500 each."""

EACH = {"training.csv": 2, "validation.csv": 1, "automatically_annotated.csv": 1}
SIDES = {"training.csv": "Manually", "validation.csv": "Manually"}
CODED = range(11)


def line(path: str, code: int) -> str:
    """One line of a table."""
    landmarks = ";".join(["1.5;2.5"] * 68)
    return f"{path},3,4,80,80,{landmarks},{code},-0.25,0.5\n"


def build(
    root: Path,
    header: bool = True,
    lists: str = "{side}_Annotated_file_lists/",
    images: str = "{side}_Annotated_Images/",
    tables: tuple[str, ...] = tuple(EACH),
    size: int = 96,
) -> Path:
    """The first release: all eleven codes in each table, twice to train.

    Args:
        root: Where the dataset goes.
        header: Whether tables name their columns.
        lists: Folder of the tables; ``{side}`` is Manually or Automatically.
        images: Folder of the images.
        tables: Which tables there are.
        size: Side of the images.
    """
    for table in tables:
        side = SIDES.get(table, "Automatically")
        text = ",".join(HEADER) + "\n" if header else ""
        for code in CODED:
            for number in range(EACH[table]):
                path = f"{code % 3}/{table[:3]}{code:02d}{number}.jpg"
                face = picture(CODES["affectnet"].get(code, "neutral"), size)
                write(root, {images.format(side=side) + path: face})
                text += line(path, code)
        write(root, {lists.format(side=side) + table: text})
    return root


def annotation(code: object) -> bytes:
    """A ``.npy`` file with one value."""
    file = io.BytesIO()
    np.save(file, np.array(code), allow_pickle=True)
    return file.getvalue()


def build_sets(root: Path, text: bool = True, size: int = 96) -> Path:
    """The later release: eight emotions, twice to train and once to validate.

    Args:
        root: Where ``train_set/`` and ``val_set/`` go.
        text: Whether codes are stored as text, else as integers.
        size: Side of the images.
    """
    for name, each in (("train_set", 2), ("val_set", 1)):
        for number in range(8 * each):
            code = number % 8
            start = f"{root}/{name}"
            value = annotation(str(code) if text else code)
            write(Path(start), {
                f"images/{number}.jpg": picture(CODES["affectnet"][code], size),
                f"annotations/{number}_exp.npy": value,
                f"annotations/{number}_val.npy": annotation("0.5"),
                f"annotations/{number}_aro.npy": annotation("0.5"),
                f"annotations/{number}_lnd.npy": annotation(np.zeros(136)),
            })  # fmt: skip
    return root
