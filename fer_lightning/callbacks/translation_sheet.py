"""Pictures of what a translator makes of the same source faces every time."""

from __future__ import annotations

from collections.abc import Sequence
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

    def grid(self, module: EGCGAN) -> Image.Image:
        """The sheet of a model as it is now."""
        chosen = [self._chosen(number) for number in range(len(module.classes))]
        return translation_sheet(module, self.source, chosen, self.target, self.columns)

    def _chosen(self, number: int) -> NDArray[np.int64]:
        """Source rows of a class, the same every time."""
        parts = (self.source.division[name] for name in ("val", "train"))
        of_class = (part[self.source.labels[part] == number] for part in parts)
        rows = next(rows for rows in of_class if len(rows))  # the training part has every class
        return drawn(rows, self.columns, self.seed)


def drawn(rows: NDArray[np.int64], columns: int, seed: int) -> NDArray[np.int64]:
    """As many of the rows as a sheet has columns, or all; ascending, the same every time."""
    random = np.random.default_rng(stream_seed(seed, SAMPLES))
    return np.sort(random.choice(rows, min(columns, len(rows)), replace=False))


def translation_sheet(
    module: EGCGAN,
    source: FaceDataModule,
    chosen: Sequence[NDArray[np.int64]],
    target: FaceDataModule | None,
    columns: int,
) -> Image.Image:
    """Source faces, their translations and the nearest of the target's training faces.

    Args:
        module: Translates, with the true labels where it takes any.
        source: The source faces, set up.
        chosen: Of each of the model's classes rows of ``source``, at most ``columns``; a class
            without any has no row in the sheet, and one at least has some.
        target: The target faces, set up; None leaves out the last block.
        columns: Of each block.
    """
    pixels: FeatureNetwork = PixelsConfig().build()
    sources = FaceStore(source.archives, CPU)
    if target is not None:
        trained, targets = target.division["train"], FaceStore(target.archives, CPU)
        references = real_vectors(pixels, target, trained, "target faces", CPU)
    rows, names = [], []
    for number, of_class in enumerate(chosen):
        if not len(of_class):
            continue
        faces = sources.gather(of_class)
        with module.uncompiled():
            labels = torch.full((len(faces),), number)
            made = to_bytes(module.translate(to_unit_range(faces), labels)).cpu()
        blocks = [faces, made]
        if target is not None:
            _, near = nearest(pixels(made).vectors, references)
            blocks.append(targets.gather(trained[near.numpy()]))
        rows.append(_row(blocks, columns))
        names.append(module.classes[number])
    return _headed(labelled_grid(rows, names), len(rows), columns, HEADINGS[: len(blocks)])


def _row(blocks: Sequence[Tensor], columns: int) -> NDArray[np.uint8]:
    """Blocks of faces side by side, each filled up to ``columns``, with a gap between."""
    blank = torch.full_like(blocks[0][:1], 255)
    pieces: list[Tensor] = []
    for block in blocks:
        missing = columns - len(block)
        pieces += [block, *[blank] * (missing + 1)]
    row: NDArray[np.uint8] = torch.cat(pieces[:-1]).numpy()
    return row


def _headed(grid: Image.Image, rows: int, columns: int, headings: Sequence[str]) -> Image.Image:
    """The grid under what its blocks are."""
    step = (grid.height - 2) // rows
    left = grid.width - 2 - (len(headings) * (columns + 1) - 1) * step
    sheet = Image.new("RGB", (grid.width, grid.height + BAND), "white")
    sheet.paste(grid, (0, BAND))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=13)
    for number, heading in enumerate(headings):
        x = left + number * (columns + 1) * step
        draw.text((x, BAND // 2), heading, "black", font, anchor="lm")
    return sheet
