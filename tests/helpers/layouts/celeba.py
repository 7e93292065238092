"""CelebA's aligned images with their lists, as delivered and as Kaggle has them."""

from __future__ import annotations

from pathlib import Path

from fer_lightning.labels import EMOTIONS
from tests.helpers.layouts.pictures import picture, write

OFFICIAL = (162_770, 19_867, 19_962)
"""Images of train, val and test, which follow one another."""


def partition(counts: tuple[int, ...], comma: bool = False) -> str:
    """The list of the split, as text or as CSV with a header."""
    between = "," if comma else " "
    codes = (code for code, count in enumerate(counts) for _ in range(count))
    lines = (f"{number:06d}.jpg{between}{code}\n" for number, code in enumerate(codes, 1))
    return ("image_id,partition\n" if comma else "") + "".join(lines)


def build(
    root: Path,
    faces: str = "img_align_celeba",
    lists: str = "",
    comma: bool = False,
    identities: bool = True,
    count: int = 12,
    size: int = 96,
) -> Path:
    """Half of the images to train, a quarter to validate and the rest to test.

    Args:
        root: Where the dataset goes.
        faces: Folder of the images.
        lists: Folders of the lists, ``Eval/`` for example.
        comma: Lists as CSV.
        identities: Whether people are known; two images each.
        count: How many images.
        size: Side of the images.
    """
    for number in range(1, count + 1):
        face = picture(EMOTIONS[number % len(EMOTIONS)], size)
        write(root, {f"{faces}/{number:06d}.jpg": face})
    parts = (count // 2, count // 4, count - count // 2 - count // 4)
    suffix = "csv" if comma else "txt"
    write(root, {f"{lists}list_eval_partition.{suffix}": partition(parts, comma)})
    if identities:
        people = "".join(f"{n:06d}.jpg {2880 + n // 2}\n" for n in range(1, count + 1))
        write(root, {f"{lists}identity_CelebA.txt": people})
    return root
