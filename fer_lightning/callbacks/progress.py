"""A progress bar on the run's own clock."""

from __future__ import annotations

import time
from typing import Any

from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_only
from tqdm import tqdm

from fer_lightning.callbacks.clock import images_seen
from fer_lightning.progress import progress_bar

SHOWN = ("d_mean", "g_loss", "loss", "train_accuracy")
"""What is shown of a model that has it."""


class ImagesBar(Callback):
    """Images of ``max_images``, their rate, the time left and the newest losses.

    Args:
        max_images: Length of the run.
        shown: Losses beside the bar, by their name in ``training_step``'s result.
    """

    def __init__(self, max_images: int, shown: tuple[str, ...] = SHOWN) -> None:
        self.max_images = max_images
        self.shown = shown
        self.bar: tqdm[Any] | None = None
        self.refreshed = 0.0

    @rank_zero_only
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Open the bar where the run stands."""
        self.bar = progress_bar(
            total=self.max_images,
            initial=images_seen(pl_module),
            desc="Training",
            unit="img",
            unit_scale=True,
        )

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Move the bar; losses are read once a second, since reading waits for the device."""
        if self.bar is None:
            return
        self.bar.update(min(images_seen(pl_module), self.max_images) - self.bar.n)
        if time.monotonic() - self.refreshed > 1:
            self.refreshed = time.monotonic()
            losses = {name: outputs[name].item() for name in self.shown if name in outputs}
            self.bar.set_postfix(
                {name: f"{value:.2f}" for name, value in losses.items()}, refresh=False
            )

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Close the bar."""
        self._close()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Close the bar, so that the error has a line of its own; there is no teardown then."""
        self._close()

    def _close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None
