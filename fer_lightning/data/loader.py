"""Batches straight from an archive: an index gather, no worker processes, resumable anywhere."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fer_lightning.data.archive import FaceArchive
from fer_lightning.data.augmentation import augment
from fer_lightning.data.batch import FaceBatch, to_unit_range
from fer_lightning.data.corpora.base import AugmentationConfig


class FaceStore:
    """The faces of one or more archives as one indexable whole, on disk or on a device.

    Args:
        archives: Archives of equal image size and channels.
        device: Where batches are wanted. The faces are moved there whole when they fit into a
            quarter of the device's free memory, else they stay mapped from disk.
    """

    def __init__(self, archives: Sequence[FaceArchive], device: torch.device) -> None:
        self.device = device
        self.starts = np.cumsum([0, *(len(archive) for archive in archives)])
        self.parts = [_as_tensor(archive.faces) for archive in archives]
        if device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            if sum(part.nbytes for part in self.parts) < free / 4:
                self.parts = [torch.cat([part.to(device) for part in self.parts])]
                self.starts = self.starts[[0, -1]]

    def __len__(self) -> int:
        return int(self.starts[-1])

    @property
    def home(self) -> torch.device:
        """Where the faces lie: on the device, or in memory mapped from disk."""
        return self.parts[0].device

    def gather(self, rows: NDArray[np.int64] | Tensor) -> Tensor:
        """Faces by row number, (N,), best at :attr:`home`; uint8 (N, H, W, C) on the device."""
        rows = torch.as_tensor(rows, device=self.home)
        # `index_select` copies whole rows: on a CPU some seven times as fast as indexing.
        if len(self.parts) == 1:
            return self.parts[0].index_select(0, rows).to(self.device)
        owner = torch.bucketize(rows, torch.from_numpy(self.starts[1:]), right=True)
        gathered = torch.empty((len(rows), *self.parts[0].shape[1:]), dtype=torch.uint8)
        for number, part in enumerate(self.parts):
            here = torch.nonzero(owner == number).flatten()
            start = int(self.starts[number])
            gathered.index_copy_(0, here, part.index_select(0, rows[here] - start))
        return gathered.to(self.device)


def _as_tensor(faces: NDArray[np.uint8]) -> Tensor:
    # A read-only map is wanted, and nothing here writes into it; torch would warn of every one.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*not writable.*")
        return torch.from_numpy(faces)


class FaceLoader:
    """Iterates batches of one epoch; which rows they hold depends on seed and epoch alone.

    The state is two numbers, epoch and position, so a run that stops in mid-epoch goes on with
    the batch that would have come next.

    Args:
        store: Where faces come from.
        rows: Row numbers in the store, (N,).
        emotions: Class index of every row in ``rows``, -1 where unknown.
        batch_size: Images a batch.
        seed: Draws order and augmentation.
        training: Shuffle, augment and drop the last short batch; else go through in order.
        balance: Draw every class equally often, with replacement.
        augmentation: What to do to training batches.
        rank: Number of this process among ``ranks``. Every one goes through the same batches and
            takes its share of each, so that no image is repeated to fill a batch up.
        ranks: Processes that train together; divides ``batch_size``.
        targets: Share of each class for every row in ``rows``, float32 (N, K); None gives batches
            without them.
    """

    def __init__(
        self,
        store: FaceStore,
        rows: NDArray[np.int64],
        emotions: NDArray[np.int64],
        batch_size: int,
        seed: int,
        training: bool,
        balance: bool = False,
        augmentation: AugmentationConfig | None = None,
        rank: int = 0,
        ranks: int = 1,
        targets: NDArray[np.float32] | None = None,
    ) -> None:
        self.store = store
        self.rows = rows
        self.emotions = emotions
        self.batch_size = batch_size
        self.seed = seed
        self.training = training
        self.balance = balance
        self.augmentation = augmentation or AugmentationConfig()
        self.rank = rank
        self.ranks = ranks
        self.targets = targets
        self.epoch = 0
        self.position = 0

    def __len__(self) -> int:
        batches = len(self.rows) / self.batch_size
        return int(batches) if self.training else int(np.ceil(batches))

    def __iter__(self) -> Iterator[FaceBatch]:
        # Lightning never exhausts a loader of known length, so nothing may follow the last yield.
        if self.position >= len(self):
            self.epoch, self.position = self.epoch + 1, 0
        order = self._order()
        # Moved once an epoch: for every batch, a GPU would have to be waited for.
        rows = torch.from_numpy(self.rows[order]).to(self.store.home)
        emotions = torch.from_numpy(self.emotions[order]).to(self.store.device)
        targets = None
        if self.targets is not None:
            targets = torch.from_numpy(self.targets[order]).to(self.store.device)
        while self.position < len(self):
            start = self.position * self.batch_size
            share = slice(start + self.rank, start + self.batch_size, self.ranks)
            self.position += 1
            images = self._images(rows[share])
            yield FaceBatch(images, emotions[share], None if targets is None else targets[share])

    def _order(self) -> NDArray[np.int64]:
        """Positions in ``rows`` for the whole epoch."""
        count = len(self.rows)
        if not self.training:
            return np.arange(count)
        random = np.random.default_rng([self.seed, self.epoch])
        if not self.balance:
            return random.permutation(count)
        sizes = np.bincount(self.emotions)
        weights = 1.0 / (np.count_nonzero(sizes) * sizes[self.emotions])
        return random.choice(count, count, p=weights)

    def _images(self, rows: Tensor) -> Tensor:
        images = to_unit_range(self.store.gather(rows))
        if self.training:
            generator = torch.Generator()
            seeds = np.random.SeedSequence([self.seed, self.epoch, self.position, self.rank])
            generator.manual_seed(int(seeds.generate_state(1, np.uint64)[0]) >> 1)
            images = augment(images, self.augmentation, generator)
        return images

    def state_dict(self) -> dict[str, Any]:
        """Where the loader stands."""
        return {"epoch": self.epoch, "position": self.position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where another loader stood."""
        self.epoch, self.position = state["epoch"], state["position"]
