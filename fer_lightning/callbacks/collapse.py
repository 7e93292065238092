"""Tells whether a generator comes to make one picture over and over."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor

from fer_lightning.callbacks.clock import due, images_seen
from fer_lightning.data.batch import to_bytes
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.loader import FaceStore
from fer_lightning.metrics.functional.ssim import pairwise_ssim
from fer_lightning.models.sampling import SamplingModule
from fer_lightning.rng import SAMPLES, sample_generator, stream_seed

IMAGES, LEAST = 32, 8
"""Images of a look, shared among the classes, and the least of each class."""
SHARE = 0.75
"""Share of equal pairs from which samples are as good as one picture."""


class CollapseWatch(Callback):
    """Measures every ``interval`` images, and at the end, how alike samples are.

    ``metrics.csv`` gets ``sample_ssim``, the mean structural similarity (:func:`pairwise_ssim`) of
    two samples of one class, and ``real_ssim``, that of as many training images. Samples come from
    the same noise every time, and neither they nor the measuring disturb a training.

    Where a share s of all pairs is one and the same picture, similarity is s + (1 - s) times the
    real one. The watch warns, once in a run, when that has meant more than three of four pairs in
    ``patience`` looks in a row: young generators paint all faces alike, and sharing one texture
    takes a healthy one to two of three pairs.

    Args:
        faces: What the model trains on, set up.
        interval: In real images.
        max_images: Length of the run; it looks at its end, too.
        seed: Of the noise and of the choice of real images.
        patience: Looks in a row that count as collapsed.
    """

    def __init__(
        self,
        faces: FaceDataModule,
        interval: int,
        max_images: int,
        seed: int,
        patience: int = 3,
    ) -> None:
        self.faces = faces
        self.interval = interval
        self.max_images = max_images
        self.seed = seed
        self.patience = patience
        self.real: float | None = None
        self.alike = 0
        self.warned = False

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Look, where it is time; other ranks wait with their next step."""
        if trainer.is_global_zero and due(self.interval, self.max_images, pl_module, batch):
            self.look(trainer, cast(SamplingModule, pl_module))

    def look(self, trainer: Trainer, module: SamplingModule) -> None:
        """Measure, log and warn now."""
        if self.real is None:
            self.real = _mean_ssim(module, self._real_images)
        samples = _mean_ssim(module, lambda number, count: self._samples(module, number, count))
        for logger in trainer.loggers:
            logger.log_metrics(
                {"sample_ssim": samples, "real_ssim": self.real}, step=images_seen(module)
            )
        alike = samples > SHARE + (1 - SHARE) * self.real
        self.alike = self.alike + 1 if alike else 0
        if self.alike >= self.patience and not self.warned:
            self.warned = True
            print(
                f"fer: warning: the generator is collapsing: at {images_seen(module):,} images two "
                f"samples of a class have a structural similarity of {samples:.2f}, two real faces "
                f"of {self.real:.2f}. If the samples show it, stop, and try another seed or lower "
                "model.generator_lr and model.discriminator_lr",
                file=sys.stderr,
            )

    def _samples(self, module: SamplingModule, number: int, count: int) -> Tensor:
        """Samples of one class, uint8 (count, H, W, C)."""
        with module.uncompiled():
            images = module.sample(torch.full((count,), number), sample_generator(self.seed))
        return to_bytes(images).cpu()

    def _real_images(self, number: int, count: int) -> Tensor:
        """Training images of one class, of all where there are no classes; at most ``count``."""
        rows = self.faces.division["train"]
        if self.faces.classes:
            rows = rows[self.faces.labels[rows] == number]
        random = np.random.default_rng(stream_seed(self.seed, SAMPLES))
        chosen = random.choice(rows, min(count, len(rows)), replace=False)
        return FaceStore(self.faces.archives, torch.device("cpu")).gather(np.sort(chosen))

    def state_dict(self) -> dict[str, Any]:
        """How many looks in a row saw one picture, and whether there was a warning."""
        return {"alike": self.alike, "warned": self.warned}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on watching."""
        self.alike, self.warned = state_dict["alike"], state_dict["warned"]


def _mean_ssim(module: SamplingModule, images_of: Callable[[int, int], Tensor]) -> float:
    """Mean over the classes that have a pair; 0 without any, which looks like no collapse."""
    groups = max(1, len(module.classes))
    found = []
    for number in range(groups):
        images = images_of(number, max(LEAST, IMAGES // groups))
        if len(images) > 1:
            found.append(pairwise_ssim(images.permute(0, 3, 1, 2)))
    return sum(found) / len(found) if found else 0.0
