"""Mean losses into the logger: over short windows, and over whole epochs."""

from __future__ import annotations

from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor

from fer_lightning.callbacks.clock import due, images_seen, training_loader
from fer_lightning.ranks import mean_over_ranks, of_all_ranks, rank


class RunningMean:
    """Means of named scalars over steps and ranks, summed without waiting for the device.

    Steps with the same names are summed as one vector, so that a GPU has one thing to do, not
    one a name.
    """

    def __init__(self) -> None:
        self.sums: dict[tuple[str, ...], Tensor] = {}
        self.counts: dict[tuple[str, ...], int] = {}

    def add(self, names: tuple[str, ...], values: Tensor) -> None:
        """Add one step.

        Args:
            names: N names.
            values: Their values, float64 of shape (N,).
        """
        before = self.sums.get(names)
        self.sums[names] = values if before is None else before.to(values.device) + values
        self.counts[names] = self.counts.get(names, 0) + 1

    def take(self, prefix: str = "") -> dict[str, float]:
        """The means so far; starts anew. All ranks take together, having made equal steps."""
        sums: dict[str, Tensor] = {}
        counts: dict[str, int] = {}
        for names, values in self.sums.items():
            for name, value in zip(names, values, strict=True):
                sums[name] = sums[name] + value if name in sums else value
                counts[name] = counts.get(name, 0) + self.counts[names]
        means = mean_over_ranks({name: total / counts[name] for name, total in sums.items()})
        self.sums, self.counts = {}, {}
        return {f"{prefix}{name}": mean for name, mean in means.items()}


class LossLog(Callback):
    """Logs what ``training_step`` returns.

    ``metrics.csv`` gets a row of means every ``interval`` images and, at the end of each epoch,
    one whose columns begin with ``epoch_``: the numbers of paper A's Table II.

    Args:
        interval: In real images.
        max_images: Length of the run, at whose end an open window is written, too.

    Attributes:
        newest: The last value of everything that was logged here.
    """

    def __init__(self, interval: int, max_images: int) -> None:
        self.interval = interval
        self.max_images = max_images
        self.window = RunningMean()
        self.whole_epoch = RunningMean()
        self.newest: dict[str, float] = {}

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Add the step; write a row where one is due."""
        names, values = tuple(outputs), torch.stack(list(outputs.values())).double()
        self.window.add(names, values)
        self.whole_epoch.add(names, values)
        row: dict[str, float] = {}
        if due(self.interval, self.max_images, pl_module, batch):
            row |= self.window.take()
        loader = training_loader(trainer)
        if loader.position == len(loader):
            row |= {"epoch": loader.epoch + 1} | self.whole_epoch.take("epoch_")
        if row:
            self.newest |= row
            for logger in trainer.loggers:
                logger.log_metrics(row, step=images_seen(pl_module))

    def state_dict(self) -> dict[str, Any]:
        """Sums of the windows that are still open, of every rank; all ranks ask together."""
        windows = {
            name: of_all_ranks(
                {"sums": {k: v.tolist() for k, v in mean.sums.items()}, "counts": mean.counts}
            )
            for name, mean in (("window", self.window), ("epoch", self.whole_epoch))
        }
        return {**windows, "newest": dict(self.newest)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the open windows; a rank that was not there before takes the first one's."""
        for name, mean in (("window", self.window), ("epoch", self.whole_epoch)):
            ranks = state_dict[name]
            saved = ranks[rank()] if rank() < len(ranks) else ranks[0]
            mean.sums = {
                _names(k): torch.tensor(v, dtype=torch.float64).reshape(-1)
                for k, v in saved["sums"].items()
            }
            mean.counts = {_names(k): count for k, count in saved["counts"].items()}
        self.newest = dict(state_dict["newest"])


def _names(key: str | tuple[str, ...]) -> tuple[str, ...]:
    """Earlier checkpoints hold a number a name, not one vector for all names of a step."""
    return (key,) if isinstance(key, str) else key
