"""Pictures of what the model makes, from the same noise every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_only

from fer_lightning.callbacks.clock import crossed, images_seen
from fer_lightning.data.batch import to_bytes
from fer_lightning.loggers.wandb_mirror import WandbMirror
from fer_lightning.models.base import AdversarialModule
from fer_lightning.pictures import labelled_grid
from fer_lightning.rng import sample_generator


class SampleGrid(Callback):
    """Writes ``<images_seen>.png`` every ``interval`` images and at the end: a row an emotion.

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
        rows = []
        for number in range(len(module.classes)):
            emotions = torch.full((self.columns,), number)
            with module.uncompiled():
                images = module.sample(emotions, sample_generator(self.seed))
            rows.append(to_bytes(images).cpu().numpy())
        path = self.folder / f"{images_seen(module):09d}.png"
        labelled_grid(rows, module.classes).save(path)
        for logger in trainer.loggers:
            if isinstance(logger, WandbMirror):
                logger.log_picture("samples", path, images_seen(module))
