"""Saves the run, whole or not at all."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.callbacks import Checkpoint

from fer_lightning.callbacks.clock import crossed
from fer_lightning.errors import UserError
from fer_lightning.files import whole


class Checkpointing(Checkpoint):
    """Writes ``last.ckpt`` every ``interval`` images and when the run stops.

    Lightning's own callback counts optimizer steps, of which a GAN has several a batch.

    Args:
        path: The file.
        interval: In real images.

    Attributes:
        seconds: Training time of the run so far, earlier attempts included.
    """

    def __init__(self, path: Path, interval: int) -> None:
        self.path = path
        self.interval = interval
        self._earlier = 0.0
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Training time of the run so far, earlier attempts included."""
        return self._earlier + time.monotonic() - self._started

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Write files in our own way."""
        trainer.strategy.checkpoint_io = WholeFile()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self._started = time.monotonic()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save where it is due; Lightning calls checkpoint callbacks after all others."""
        if trainer.should_stop or crossed(self.interval, pl_module, batch):
            self.save(trainer, pl_module)

    def save(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save now.

        Raises:
            UserError: If a weight is not finite; the checkpoint before it is kept.
        """
        for name, weight in pl_module.named_parameters():
            if not torch.isfinite(weight).all():
                raise UserError(
                    f"training diverged: {name} is not finite. Lower the learning rates "
                    "(model.lr, model.*_lr), or use trainer.precision=32-true; the last "
                    "checkpoint is kept"
                )
        trainer.save_checkpoint(self.path)  # gathers from all ranks, writes on the first

    def state_dict(self) -> dict[str, Any]:
        """The time that this run has taken."""
        return {"seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Count on from an earlier attempt."""
        self._earlier = state_dict["seconds"]


class WholeFile(TorchCheckpointIO):
    """Writes a checkpoint beside the last one, and over it once its bytes are on the disk.

    Lightning's own way leads through the system's temporary folder, which may be another disk,
    and where a killed process leaves the file.
    """

    def save_checkpoint(
        self, checkpoint: Mapping[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Write, and leave nothing behind where there is no room."""
        content = io.BytesIO()
        torch.save(checkpoint, content)
        with whole(Path(path)) as unfinished, unfinished.open("wb") as file:
            file.write(content.getbuffer())
            file.flush()
            os.fsync(file.fileno())
