"""Ends a run: at its full length, or on the user's wish, always between two batches."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, cast

from lightning import Callback, LightningModule, Trainer

from fer_lightning.callbacks.clock import images_seen
from fer_lightning.models.base import TrainingModule
from fer_lightning.ranks import any_rank


class Stopping(Callback):
    """Stops at ``max_images``, and after the batch in which Ctrl-C or SIGTERM came.

    A second Ctrl-C stops at once; what was saved last is kept. Ranks agree after every batch, so
    that all stop after the same one.

    Args:
        max_images: Length of the run in real images.

    Attributes:
        interrupted: Whether the user stopped it.
    """

    def __init__(self, max_images: int) -> None:
        self.max_images = max_images
        self.interrupted = False
        self._previous: dict[int, Any] = {}
        self._agree: Callable[[bool], bool] = bool

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take over the signals from Lightning, which would leave without saving."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._note)
        self._agree = any_rank()
        # Killed after its last batch, before its results were written: nothing is left to train.
        converged = cast(TrainingModule, pl_module).converged
        trainer.should_stop = converged or images_seen(pl_module) >= self.max_images

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.interrupted and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.interrupted = True
        print("\nfinishing the batch and saving; Ctrl-C again stops at once", file=sys.stderr)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Ask the trainer to stop where it is time."""
        self.interrupted = self._agree(self.interrupted)
        if self.interrupted or images_seen(pl_module) >= self.max_images:
            trainer.should_stop = True

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Give the signals back."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}
