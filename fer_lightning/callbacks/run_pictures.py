"""Pictures of what a model makes while it trains, into the run folder and W&B."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, cast

from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_only
from PIL import Image

from fer_lightning.callbacks.clock import crossed, images_seen
from fer_lightning.loggers.wandb_mirror import WandbMirror
from fer_lightning.models.base import TrainingModule


class RunPictures(Callback):
    """Writes ``<images_seen>.png`` every ``interval`` images and at the end.

    Args:
        folder: Where pictures go.
        interval: In real images.
    """

    def __init__(self, folder: Path, interval: int) -> None:
        self.folder = folder
        self.interval = interval

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Draw, where it is time."""
        if trainer.should_stop or crossed(self.interval, pl_module, batch):
            self.draw(trainer, cast(TrainingModule, pl_module))

    @rank_zero_only
    def draw(self, trainer: Trainer, module: TrainingModule) -> None:
        """Draw now."""
        path = self.folder / f"{images_seen(module):09d}.png"
        self.grid(module).save(path)
        for logger in trainer.loggers:
            if isinstance(logger, WandbMirror):
                logger.log_picture("samples", path, images_seen(module))

    @abstractmethod
    def grid(self, module: Any) -> Image.Image:
        """The picture of a model as it is now; disturbs neither its weights nor its noise."""
