"""Intervals on the one clock of a run, real images seen."""

from __future__ import annotations

from typing import cast

from lightning import LightningModule, Trainer

from fer_lightning.data.loader import FaceLoader
from fer_lightning.models.base import TrainingModule


def crossed(interval: int, module: LightningModule, batch: object) -> bool:
    """Whether the last batch moved the clock across a multiple of ``interval``."""
    training = cast(TrainingModule, module)
    images = len(cast("list[object]", batch)) * training.trainer.world_size
    return training.images_seen // interval > (training.images_seen - images) // interval


def due(interval: int, max_images: int, module: LightningModule, batch: object) -> bool:
    """Whether ``interval`` was crossed or the run has its full length.

    A run that the user stops is in neither case: it goes on later as if nothing had been.
    """
    return crossed(interval, module, batch) or images_seen(module) >= max_images


def images_seen(module: LightningModule) -> int:
    """The clock."""
    return cast(TrainingModule, module).images_seen


def training_loader(trainer: Trainer) -> FaceLoader:
    """The loader that feeds the run; it knows its epoch and position."""
    return cast(FaceLoader, trainer.train_dataloader)
