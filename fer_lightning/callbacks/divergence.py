"""Stops a run that cannot recover, and says why."""

from __future__ import annotations

import math
from typing import Any

from lightning import Callback, LightningModule, Trainer

from fer_lightning.callbacks.clock import due, images_seen
from fer_lightning.errors import UserError
from fer_lightning.ranks import mean_over_ranks


class DivergenceGuard(Callback):
    """Looks at the losses every ``interval`` images.

    Raises :class:`UserError` when one is NaN or infinite, or when none has changed over
    ``patience`` looks. The last checkpoint was saved before and is kept.

    Args:
        interval: In real images.
        max_images: Length of the run; it looks at its end, too.
        patience: Looks without any change that count as frozen.
    """

    def __init__(self, interval: int, max_images: int, patience: int = 10) -> None:
        self.interval = interval
        self.max_images = max_images
        self.patience = patience
        self.seen: dict[str, float] = {}
        self.unchanged = 0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Look, where it is time."""
        if not due(self.interval, self.max_images, pl_module, batch):
            return
        losses = mean_over_ranks(outputs)  # so that all ranks stop together
        now = f"at {images_seen(pl_module):,} images"
        for name, value in losses.items():
            if not math.isfinite(value):
                raise UserError(
                    f"training diverged: {name} is {value} {now}. Lower the learning rates "
                    "(model.lr, model.*_lr), or use trainer.precision=32-true; the last "
                    "checkpoint is kept"
                )
        same = losses.keys() == self.seen.keys() and all(
            math.isclose(value, self.seen[name], rel_tol=1e-6, abs_tol=1e-12)
            for name, value in losses.items()
        )
        self.unchanged = self.unchanged + 1 if same else 0
        self.seen = losses
        if self.unchanged >= self.patience:
            raise UserError(
                f"training is frozen: no loss has changed over {self.patience} looks {now} "
                f"({losses}). Lower the learning rates (model.lr, model.*_lr), or try another "
                "seed; the last checkpoint is kept"
            )

    def state_dict(self) -> dict[str, Any]:
        """What was seen last."""
        return {"seen": self.seen, "unchanged": self.unchanged}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on comparing."""
        self.seen, self.unchanged = dict(state_dict["seen"]), state_dict["unchanged"]
