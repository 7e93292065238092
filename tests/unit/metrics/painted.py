"""Faces whose colour is their emotion, a model that paints them, and a classifier of colours."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from fer_lightning.data.archive_writer import ArchiveWriter, write_shard
from fer_lightning.data.batch import to_unit_range
from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.data.corpora.folder import Folder
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.index import Columns, excluded_table, index_table
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.features.network import Features
from fer_lightning.metrics.editing_judges import EditingJudge
from fer_lightning.models.config import FaceFormat
from fer_lightning.models.ganmut.config import GANmutConfig
from fer_lightning.models.ganmut.module import GANmut
from tests.unit.metrics.helpers import no_faces

SIDE = 16
CLASSES = ["neutral", "happiness", "fear"]
FULL = 100
"""How many levels red (happiness) or green (fear) stand above blue at intensity 1."""
KEY = "key-of-the-faces"


def painted_faces(folder: Path, known: bool = True, overlap: bool = False) -> FaceDataModule:
    """33 training faces of six people, 10 test faces of two, 3 to validate and one of contempt.

    Args:
        folder: Of the archive.
        known: Whether intensities are.
        overlap: Whether the people of the test part are among those of training.
    """
    rows, faces = [], []
    random = np.random.default_rng(0)
    for n in range(47):
        training = n < 36
        emotion = "contempt" if n == 46 else CLASSES[n % 3]
        intensity = 0.0 if emotion == "neutral" else float(random.uniform(0.2, 1))
        person = n % 6 if training else n % 2 + 6 * (not overlap)
        rows.append(
            SourceRow(
                path=f"{n}.png",
                emotion=emotion,
                subject=f"S{person}",
                split="train" if training else "test",
                intensity=intensity if known else None,
            )
        )
        colour = np.full(3, 60 + 8 * person + n % 5)
        if emotion in CLASSES[1:]:
            colour[CLASSES.index(emotion) - 1] += round(FULL * intensity)
        faces.append(np.broadcast_to(colour, (SIDE, SIDE, 3)))
    writer = ArchiveWriter(folder, KEY)
    index = index_table(rows, [None] * len(rows), Columns.of(rows))
    write_shard(writer.partial, 0, np.stack(faces).astype(np.uint8), index, excluded_table([]))
    writer.publish(1, {"corpus": "painted"})
    data = Folder(archive=folder, batch_size=1)
    found = FaceDataModule(data, WholeImageConfig(), SIDE, 3, 0, CLASSES)
    found.setup()
    return found


class Painter(GANmut):
    """Gives every face the colour of a point, and finds the point in a colour.

    Args:
        loss: Levels by which every edit is darker than what it was made from.
    """

    def __init__(self, loss: float = 0.0) -> None:
        ones = [1.0] * len(CLASSES)
        shape = FaceFormat(image_size=SIDE, channels=3, classes=CLASSES, frequencies=ones)
        widths = {"generator_width": 2, "generator_blocks": 1, "discriminator_width": 2}
        super().__init__(GANmutConfig(depth=2, **widths), shape, 0)
        self.batches: list[int] = []
        self.loss = loss

    def points(self, emotions: Tensor, intensity: Tensor | float) -> Tensor:
        return nn.functional.one_hot(emotions, 3)[:, 1:] * intensity

    def edit(self, images: Tensor, points: Tensor) -> Tensor:
        self.batches.append(len(images))
        paint = torch.cat([points, torch.zeros(len(points), 1)], 1) * FULL / 127.5
        darker = images[:, 2:] - self.loss / 127.5
        return darker.expand(-1, 3, -1, -1) + paint[:, :, None, None]

    def criticise(self, images: Tensor) -> Tensor:
        return images.mean((1, 2, 3)) + 0.3

    def locate(self, images: Tensor) -> Tensor:
        red, green, blue = images.mean((2, 3)).T
        return torch.stack([red - blue, green - blue], 1) * 127.5 / FULL


class Colours(nn.Module):
    """Takes a face for the emotion whose colour stands out, else for neutral."""

    num_features = 3
    name = "classifier"
    emotions = ("happiness", "anger", "neutral", "fear")

    def __init__(self, sharpness: float = 8.0) -> None:
        super().__init__()
        self.sharpness = sharpness
        self.protocol = {"checkpoint": f"colours-{sharpness}"}

    def forward(self, faces: Tensor) -> Features:
        vectors = to_unit_range(faces).mean((2, 3))
        red, green, blue = vectors.T
        logits = [red - blue, torch.full_like(red, -0.5), torch.full_like(red, 0.1), green - blue]
        return Features(vectors, self.sharpness * torch.stack(logits, 1))


def judge(sharpness: float = 8.0, **settings: Any) -> EditingJudge:
    """A judge that was trained on none of the faces."""
    given = {"trained_on": no_faces(), **settings}
    emotions = [*CLASSES, "anger"]
    network = cast(Any, Colours(sharpness))
    run = Path(f"judge-{sharpness:g}")
    return EditingJudge(run=run, network=network, emotions=emotions, **given)
