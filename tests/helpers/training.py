"""The real trainer on a batch that a test makes."""

from __future__ import annotations

from collections.abc import Iterator

import lightning
import torch
from torch import Tensor

from fer_lightning.data.batch import FaceBatch
from fer_lightning.models.base import TrainingModule


class Repeated(torch.utils.data.IterableDataset[FaceBatch]):
    """One batch over and over."""

    def __init__(self, batch: FaceBatch) -> None:
        self.batch = batch

    def __iter__(self) -> Iterator[FaceBatch]:
        return iter([self.batch] * 100)


class Keep(lightning.Callback):
    """What each step recorded, and the rate of those that have one."""

    def __init__(self) -> None:
        self.records: list[dict[str, Tensor]] = []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):  # type: ignore[no-untyped-def]
        rate = {"rate": torch.tensor(pl_module.rate)} if hasattr(pl_module, "rate") else {}
        self.records.append({**outputs, **rate})


def train(module: TrainingModule, batch: FaceBatch, steps: int) -> list[dict[str, Tensor]]:
    """Train for some steps; returns what each recorded."""
    keep = Keep()
    trainer = lightning.Trainer(
        accelerator="cpu",
        logger=False,
        max_epochs=1,
        limit_train_batches=steps,
        callbacks=[keep],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, torch.utils.data.DataLoader(Repeated(batch), batch_size=None))
    return keep.records
