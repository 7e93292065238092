"""Batches of two domains at once: faces of the one, and of the other with the same labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fer_lightning.data.augmentation import augment
from fer_lightning.data.batch import FaceBatch, to_unit_range
from fer_lightning.data.corpora.base import AugmentationConfig
from fer_lightning.data.loader import FaceLoader, FaceStore
from fer_lightning.errors import UserError

PARTNERS = 1
"""Ends the seeds of what is drawn for the target domain, so that they are no others'."""


class PairLoader(FaceLoader):
    """Goes through the source faces of an epoch, each with a target face of its class.

    Target faces are drawn with replacement. Which pairs a batch holds depends on seed, epoch and
    position alone, however many ranks share it; the state is that of a
    :class:`~fer_lightning.data.loader.FaceLoader`.

    Args:
        source: Where source faces come from.
        source_rows: Row numbers in it, (N,).
        source_emotions: Class index of each, (N,), at least 0.
        target: Where target faces come from.
        target_rows: Row numbers in it, (M,).
        target_emotions: Class index of each, (M,), at least 0, counted as the sources'.
        batch_size: Pairs a batch; an epoch drops the last short one.
        seed: Draws order, partners and augmentation.
        balance: Draw every class of the sources equally often, with replacement.
        source_augmentation: What to do to source faces.
        target_augmentation: What to do to target faces.
        rank: Number of this process among ``ranks``, each of which takes its share of a batch.
        ranks: Processes that train together; divides ``batch_size``.

    Raises:
        UserError: If a class of the sources has no target face.
    """

    def __init__(
        self,
        source: FaceStore,
        source_rows: NDArray[np.int64],
        source_emotions: NDArray[np.int64],
        target: FaceStore,
        target_rows: NDArray[np.int64],
        target_emotions: NDArray[np.int64],
        batch_size: int,
        seed: int,
        balance: bool = False,
        source_augmentation: AugmentationConfig | None = None,
        target_augmentation: AugmentationConfig | None = None,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        super().__init__(
            source,
            source_rows,
            source_emotions,
            batch_size,
            seed,
            training=True,
            balance=balance,
            augmentation=source_augmentation,
            rank=rank,
            ranks=ranks,
        )
        self.target = target
        self.target_augmentation = target_augmentation or AugmentationConfig()
        classes = int(source_emotions.max(initial=-1)) + 1
        self.counts = np.bincount(target_emotions, minlength=classes)
        missing = [k for k in np.unique(source_emotions) if not self.counts[k]]
        if missing:
            raise UserError(
                f"the target domain has no face of class {', '.join(map(str, missing))}, which the "
                "source domain has: leave the class out, or give another data@domains.target="
            )
        self.by_class = target_rows[np.argsort(target_emotions, kind="stable")]
        self.starts = np.cumsum(self.counts) - self.counts

    def __iter__(self) -> Iterator[FaceBatch]:
        partners: Tensor | None = None
        for batch in super().__iter__():
            if partners is None:  # the base class has settled the epoch by now
                partners = torch.from_numpy(self._partners()).to(self.target.home)
            start = (self.position - 1) * self.batch_size
            share = partners[start + self.rank : start + self.batch_size : self.ranks]
            images = self._target_images(share)
            yield FaceBatch(images, batch.emotions, source=batch.images)

    def _partners(self) -> NDArray[np.int64]:
        """Row of a target face for every source face of the epoch, in its order, (N,)."""
        emotions = self.emotions[self._order()]
        random = np.random.default_rng([self.seed, self.epoch, 0, 0, PARTNERS])
        chosen = random.integers(self.counts[emotions])
        rows: NDArray[np.int64] = self.by_class[self.starts[emotions] + chosen]
        return rows

    def _target_images(self, rows: Tensor) -> Tensor:
        images = to_unit_range(self.target.gather(rows))
        words = [self.seed, self.epoch, self.position, self.rank, PARTNERS]
        seeds = np.random.SeedSequence(words).generate_state(1, np.uint64)
        generator = torch.Generator().manual_seed(int(seeds[0]) >> 1)
        return augment(images, self.target_augmentation, generator)
