"""Pictures of what a translator makes of the same source faces every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from fer_lightning.callbacks.run_pictures import RunPictures
from fer_lightning.data.batch import to_bytes, to_unit_range
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.loader import FaceStore
from fer_lightning.features.network import FeatureNetwork
from fer_lightning.features.pixels import PixelsConfig
from fer_lightning.metrics.extraction import real_vectors
from fer_lightning.metrics.functional.nearest import nearest
from fer_lightning.models.egc_gan.module import EGCGAN
from fer_lightning.pictures import labelled_grid
from fer_lightning.rng import SAMPLES, stream_seed

HEADINGS = ("source", "translated", "nearest target")
CPU = torch.device("cpu")
BAND = 20
"""Height of the headings in pixels."""


class TranslationSheet(RunPictures):
    """Writes ``<images_seen>.png`` every ``interval`` images and at the end: a row an emotion.

    A row holds source faces, of the validation part where it has the emotion; their translations,
    in the same order; and of each translation the nearest of the target faces that the model
    trains on, of any emotion, by pixels (``feature=pixels``). A translation that equals its nearest
    one is a copy.

    Args:
        folder: Where pictures go.
        interval: In real images.
        source: The source domain, set up.
        target: The target domain, set up.
        seed: Of the choice of source faces.
        columns: Source faces of each emotion; as many as there are where there are fewer.
    """

    def __init__(
        self,
        folder: Path,
        interval: int,
        source: FaceDataModule,
        target: FaceDataModule,
        seed: int,
        columns: int = 4,
    ) -> None:
        super().__init__(folder, interval)
        self.source = source
        self.target = target
        self.seed = seed
        self.columns = columns
        self.pixels: FeatureNetwork = PixelsConfig().build()

    def grid(self, module: EGCGAN) -> Image.Image:
        """The sheet of a model as it is now."""
        trained = self.target.division["train"]
        references = real_vectors(self.pixels, self.target, trained, "target faces", CPU)
        sources, targets = (FaceStore(d.archives, CPU) for d in (self.source, self.target))
        rows = []
        for number in range(len(module.classes)):
            faces = sources.gather(self._chosen(number))
            with module.uncompiled():
                labels = torch.full((len(faces),), number)
                made = to_bytes(module.translate(to_unit_range(faces), labels)).cpu()
            _, near = nearest(self.pixels(made).vectors, references)
            rows.append(self._row(faces, made, targets.gather(trained[near.numpy()])))
        grid = labelled_grid(rows, module.classes)
        return _headed(grid, len(rows), self.columns)

    def _chosen(self, number: int) -> NDArray[np.int64]:
        """Source rows of a class, the same every time."""
        parts = (self.source.division[name] for name in ("val", "train"))
        of_class = (part[self.source.labels[part] == number] for part in parts)
        rows = next(rows for rows in of_class if len(rows))  # the training part has every class
        random = np.random.default_rng(stream_seed(self.seed, SAMPLES))
        chosen = random.choice(rows, min(self.columns, len(rows)), replace=False)
        return np.sort(chosen)

    def _row(self, *blocks: Tensor) -> NDArray[np.uint8]:
        """Blocks of faces side by side, each filled up to ``columns``, with a gap between."""
        blank = torch.full_like(blocks[0][:1], 255)
        pieces: list[Tensor] = []
        for block in blocks:
            missing = self.columns - len(block)
            pieces += [block, *[blank] * (missing + 1)]
        row: NDArray[np.uint8] = torch.cat(pieces[:-1]).numpy()
        return row


def _headed(grid: Image.Image, rows: int, columns: int) -> Image.Image:
    """The grid under what its three blocks are."""
    step = (grid.height - 2) // rows
    left = grid.width - 2 - (3 * columns + 2) * step
    sheet = Image.new("RGB", (grid.width, grid.height + BAND), "white")
    sheet.paste(grid, (0, BAND))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=13)
    for number, heading in enumerate(HEADINGS):
        x = left + number * (columns + 1) * step
        draw.text((x, BAND // 2), heading, "black", font, anchor="lm")
    return sheet
