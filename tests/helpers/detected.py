"""Archives of images in which a detector found faces in some, made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fer_lightning.data.archive import FaceArchive
from fer_lightning.data.archive_writer import ArchiveWriter, DetectionCost, write_shard
from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.data.index import Exclusion, excluded_table, index_table
from fer_lightning.detectors.base import Detection

Losses = Mapping[str | None, tuple[int, int]]
"""Emotion to images and how many of them, the first ones, gave no face."""


def detected_archive(
    path: Path,
    losses: Losses,
    detector: str = "mtcnn",
    *,
    excluded: Sequence[tuple[str | None, str]] = (),
    stand_ins: bool = False,
    box: Sequence[float] = (0, 0, 10, 10),
    seconds: float | None = 2.0,
    source: str = "photographs",
    corpus: str = "table",
    seed: int = 0,
    **settings: Any,
) -> FaceArchive:
    """Faces of noise; ``excluded`` are emotions and reasons of images that could not be used."""
    kept, detections, left_out = [], [], []
    for emotion, (images, lost) in losses.items():
        for number in range(images):
            row = SourceRow(path=f"{emotion}/{number}.png", emotion=emotion)
            found = number >= lost
            if not found and not stand_ins:
                left_out.append(Exclusion(row, "no_face"))
                continue
            kept.append(row)
            detections.append(Detection(np.array(box, np.float32), 0.9 if found else 0.0))
    for number, (emotion, reason) in enumerate(excluded):
        row = SourceRow(path=f"excluded/{number}.png", emotion=emotion)
        left_out.append(Exclusion(row, reason))
    faces = np.random.default_rng(seed).integers(0, 256, (len(kept), 16, 16, 1), np.uint8)
    decoded = sum(images for images, _ in losses.values())
    cost = None if seconds is None else DetectionCost(decoded, seconds)
    writer = ArchiveWriter(path, f"key-{path.name}")
    index = index_table(kept, detections)
    write_shard(writer.partial, 0, faces, index, excluded_table(left_out), cost)
    manifest = {
        "corpus": corpus,
        "settings": {},
        "source": source,
        "detector": {"name": detector, **settings},
        "command": f"fer prepare detector={detector}",
    }
    return writer.publish(1, manifest)
