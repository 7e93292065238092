"""Pictures of what the model makes, from the same noise every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from fer_lightning.callbacks.run_pictures import RunPictures
from fer_lightning.data.batch import to_bytes
from fer_lightning.models.sampling import SamplingModule
from fer_lightning.pictures import labelled_grid
from fer_lightning.rng import sample_generator

UNLABELLED_ROWS = 6
"""Rows of a picture whose rows are of no emotion."""


class SampleGrid(RunPictures):
    """Writes ``<images_seen>.png`` every ``interval`` images and at the end: a row an emotion.

    Of a model without labels it writes six rows of different samples.

    Args:
        folder: Where pictures go.
        interval: In real images.
        seed: Of the noise; a column is one latent vector under every label.
        columns: Samples of each emotion.
    """

    def __init__(self, folder: Path, interval: int, seed: int, columns: int = 10) -> None:
        super().__init__(folder, interval)
        self.seed = seed
        self.columns = columns

    def grid(self, module: SamplingModule) -> Image.Image:
        """The picture of a model as it is now."""
        if module.labelled:
            labels = module.classes
            numbers = range(len(labels))
            rows = [self._faces(module, torch.full((self.columns,), n)) for n in numbers]
        else:
            labels = [""] * UNLABELLED_ROWS
            unused = torch.zeros(UNLABELLED_ROWS * self.columns, dtype=torch.int64)
            rows = np.split(self._faces(module, unused), UNLABELLED_ROWS)
        return labelled_grid(rows, labels)

    def _faces(self, module: SamplingModule, emotions: Tensor) -> NDArray[np.uint8]:
        with module.uncompiled():
            images = module.sample(emotions, sample_generator(self.seed))
        faces: NDArray[np.uint8] = to_bytes(images).cpu().numpy()
        return faces
