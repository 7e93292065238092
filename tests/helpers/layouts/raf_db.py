"""RAF-DB as delivered, and as the copy in class folders."""

from __future__ import annotations

from pathlib import Path

from fer_lightning.labels import CODES
from tests.helpers.layouts.pictures import picture, write

OFFICIAL = {"train": (1290, 281, 717, 4772, 1982, 705, 2524)}
OFFICIAL["test"] = (329, 74, 160, 1185, 478, 162, 680)
"""Images of the codes 1 to 7."""

EACH = {"train": 2, "test": 1}


def numbered(counts: dict[str, tuple[int, ...]]) -> list[tuple[str, int]]:
    """File names and codes with so many images of the codes 1 to 7."""
    return [
        (f"{split}_{number:05d}.jpg", code)
        for split, of_codes in counts.items()
        for number, code in enumerate(
            (code for code, count in enumerate(of_codes, 1) for _ in range(count)), 1
        )
    ]


def build(
    root: Path,
    misspelt: bool = True,
    copy: bool = False,
    wrapper: str = "basic/",
    images: tuple[str, ...] = ("aligned", "original"),
    size: int = 100,
) -> Path:
    """Two images of each emotion to train and one to test.

    Args:
        root: Where ``basic/`` or, as ``copy``, ``DATASET/`` goes.
        misspelt: Name the list as the authors do.
        copy: Folders ``1`` to ``7`` instead.
        wrapper: Folders around the content of ``basic/``.
        images: Which of the delivered images there are.
        size: Side of the images.
    """
    rows = numbered({split: (each,) * 7 for split, each in EACH.items()})
    for name, code in rows:
        face = picture(CODES["raf_db"][code], size)
        split, stem = name.split("_")[0], name.removesuffix(".jpg")
        if copy:
            write(root, {f"DATASET/{split}/{code}/{stem}_aligned.jpg": face})
        if "aligned" in images and not copy:
            write(root, {f"{wrapper}Image/aligned/{stem}_aligned.jpg": face})
        if "original" in images and not copy:
            write(root, {f"{wrapper}Image/original/{name}": face})
    spelling = "patition" if misspelt else "partition"
    lines = "".join(f"{name} {code}\n" for name, code in rows)
    return root if copy else write(root, {f"{wrapper}EmoLabel/list_{spelling}_label.txt": lines})
