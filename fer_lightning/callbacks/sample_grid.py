"""Pictures of what the model makes, from the same noise every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_only
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from fer_lightning.callbacks.clock import crossed, images_seen
from fer_lightning.data.batch import to_bytes
from fer_lightning.loggers.wandb_mirror import WandbMirror
from fer_lightning.models.base import AdversarialModule
from fer_lightning.pictures import labelled_grid
from fer_lightning.rng import sample_generator

UNLABELLED_ROWS = 6
"""Rows of a picture whose rows are of no emotion."""


class SampleGrid(Callback):
    """Writes ``<images_seen>.png`` every ``interval`` images and at the end: a row an emotion.

    Of a model without labels it writes six rows of different samples.

    Args:
        folder: Where pictures go.
        interval: In real images.
        seed: Of the noise; a column is one latent vector under every label.
        columns: Samples of each emotion.
    """

    def __init__(self, folder: Path, interval: int, seed: int, columns: int = 10) -> None:
        self.folder = folder
        self.interval = interval
        self.seed = seed
        self.columns = columns

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Draw, where it is time."""
        if trainer.should_stop or crossed(self.interval, pl_module, batch):
            self.draw(trainer, cast(AdversarialModule, pl_module))

    @rank_zero_only
    def draw(self, trainer: Trainer, module: AdversarialModule) -> None:
        """Draw now."""
        path = self.folder / f"{images_seen(module):09d}.png"
        self.grid(module).save(path)
        for logger in trainer.loggers:
            if isinstance(logger, WandbMirror):
                logger.log_picture("samples", path, images_seen(module))

    def grid(self, module: AdversarialModule) -> Image.Image:
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

    def _faces(self, module: AdversarialModule, emotions: Tensor) -> NDArray[np.uint8]:
        with module.uncompiled():
            images = module.sample(emotions, sample_generator(self.seed))
        faces: NDArray[np.uint8] = to_bytes(images).cpu().numpy()
        return faces
