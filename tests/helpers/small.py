"""Small datasets and archives that tests make."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from fer_lightning.data.archive import FaceArchive
from fer_lightning.data.archive_writer import ArchiveWriter, write_shard
from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.data.index import Columns, excluded_table, index_table

EMOTIONS = ("happiness", "sadness", "anger")


def small_archive(
    path: Path,
    count: int = 60,
    size: int = 16,
    channels: int = 1,
    seed: int = 0,
    splits: tuple[str | None, ...] = ("train", "train", "train", "train", "val", "test"),
    emotions: Sequence[str | None] = EMOTIONS,
    votes: Sequence[Mapping[str, float] | None] = (None,),
) -> FaceArchive:
    """Noise with emotions in turn, ten people, and an official split, by default of 4 : 1 : 1.

    Votes are taken in turn, too.
    """
    rows = [
        SourceRow(
            path=f"{i}.png",
            emotion=emotions[i % len(emotions)],
            subject=f"S{i % 10}",
            split=splits[i // 3 % len(splits)],
            votes=None if (shares := votes[i % len(votes)]) is None else dict(shares),
        )
        for i in range(count)
    ]
    faces = np.random.default_rng(seed).integers(0, 256, (count, size, size, channels), np.uint8)
    writer = ArchiveWriter(path, f"key-{count}-{size}-{channels}-{seed}")
    index = index_table(rows, [None] * count, Columns.of(rows))
    write_shard(writer.partial, 0, faces, index, excluded_table([]))
    return writer.publish(1, {"corpus": "small"})


def class_folders(root: Path, each: int = 12, size: int = 24) -> Path:
    """A folder per class of gray noise around a brightness of the class's own."""
    random = np.random.default_rng(0)
    for number, emotion in enumerate(EMOTIONS):
        folder = root / emotion
        folder.mkdir(parents=True)
        for i in range(each):
            pixels = random.integers(0, 60, (size, size)) + 70 * number
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{i}.png")
    return root


def content(archive: Path) -> dict[str, object]:
    """All of a prepared archive but how long it took, by file."""
    files: dict[str, object] = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in archive.iterdir()
    }
    manifest = json.loads((archive / "manifest.json").read_text())
    del manifest["detection"]["seconds"]
    return files | {"manifest.json": manifest}
