"""The drawn pictures that all layouts share, and how they come onto the disk."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from PIL import Image

from fer_lightning.data.corpora.drawn import Drawn
from fer_lightning.labels import EMOTIONS

FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
}


@cache
def picture(emotion: str, size: int = 96, suffix: str = ".jpg", gray: bool = False) -> bytes:
    """A file with one drawn face; the face is the same for the same emotion and size."""
    corpus = Drawn(count=len(EMOTIONS), emotions=list(EMOTIONS), picture_size=size)
    image = Image.fromarray(corpus.load(corpus.row(EMOTIONS.index(emotion))))
    encoded = io.BytesIO()
    image.convert("L" if gray else "RGB").save(encoded, FORMATS[suffix.lower()])
    return encoded.getvalue()


def write(root: Path, files: Mapping[str, bytes | str]) -> Path:
    """Write files by their path below ``root``; gives ``root``."""
    for folder in {(root / name).parent for name in files}:
        folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (root / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def touch(root: Path, names: Iterable[str]) -> Path:
    """Make empty files, for counting a whole dataset by its names; gives ``root``."""
    return write(root, dict.fromkeys(names, b""))
