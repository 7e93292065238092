"""Whether a model makes up faces or repeats those that it was trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.loader import FaceStore
from fer_lightning.metrics.functional.nearest import nearest as nearest_of
from fer_lightning.pictures import labelled_grid

QUANTILE = 0.01
"""Of held-out images' distances: nearer than that to a training image counts as copied.

Exact copies do not enter it: 8 % of FER-2013's test faces are in its training part, too, and
would make the bound zero.
"""

YARDSTICK = ("nearest_train_pixels_real", "copied_pixels", "copied_pixels_real")
"""What is not measured without held-out images."""


@dataclass(frozen=True)
class Nearest:
    """Distances of images to their nearest training images, and which these are.

    Attributes:
        distances: Root mean square difference of two images' pixel features, gray values in
            [0, 1]; float64 of shape (N,).
        indices: Positions among the training rows, (N,).
    """

    distances: Tensor
    indices: Tensor

    @classmethod
    def of(cls, images: Tensor, trained: Tensor) -> Nearest:
        """Search ``trained`` (M, d) for the nearest of every one of ``images`` (N, d)."""
        distances, indices = nearest_of(images, trained)
        return cls((distances / images.shape[1] ** 0.5).cpu(), indices.cpu())


def memorisation(fake: Nearest, held_out: Nearest | None) -> dict[str, float]:
    """Distances to the training images, and the share of copies.

    A blurred or nearly even image lies near many others, so a high share is a reason to look at
    the picture of pairs, no proof.

    Args:
        fake: Of generated images.
        held_out: Of real images that the model was not trained on, the yardstick.

    Returns:
        ``nearest_train_pixels``, the median for generated images; with a yardstick also its own
        median, ``nearest_train_pixels_real``; and ``copied_pixels``, the share of generated
        images at most as far from a training image as the nearest 1 % of the held-out ones that
        are no copies, beside the same share of held-out images, ``copied_pixels_real``.
    """
    found = {"nearest_train_pixels": float(fake.distances.median())}
    if held_out is not None:
        apart = held_out.distances[held_out.distances > 0]
        bound = torch.quantile(apart, QUANTILE) if len(apart) else held_out.distances.max()
        found["nearest_train_pixels_real"] = float(held_out.distances.median())
        for name, nearest in (("copied_pixels", fake), ("copied_pixels_real", held_out)):
            found[name] = float((nearest.distances <= bound).double().mean())
    return found


def trained_images(
    faces: FaceDataModule, rows: NDArray[np.int64], trained_on: FaceDataModule
) -> NDArray[np.bool_]:
    """Which rows of ``faces`` were trained on: the same rows of archives with equal keys.

    One corpus divided by another seed or scheme has training images in every part.
    """
    found = np.zeros(len(rows), np.bool_)
    trained = trained_on.division["train"]
    for key, start, end in _places(faces):
        here = np.flatnonzero((rows >= start) & (rows < end))
        for other, first, last in _places(trained_on):
            if key == other:
                there = trained[(trained >= first) & (trained < last)] - first
                found[here] |= np.isin(rows[here] - start, there)
    return found


def _places(faces: FaceDataModule) -> Iterator[tuple[str, int, int]]:
    """Key, first row and end of each archive of a data module."""
    start = 0
    for archive in faces.archives:
        yield archive.key, start, start + len(archive)
        start += len(archive)


@dataclass(frozen=True)
class Pairs:
    """Images beside their nearest training images, the nearest first.

    Attributes:
        label: What the images are.
        images: uint8 of shape (n, H, W, C).
        trained: Their nearest training images, likewise.
    """

    label: str
    images: NDArray[np.uint8]
    trained: NDArray[np.uint8]


def closest_pairs(
    label: str, images: Tensor, found: Nearest, trained_on: FaceDataModule, count: int
) -> Pairs:
    """The ``count`` pairs with the smallest distances; ``images`` is uint8 (N, H, W, C)."""
    order = found.distances.argsort(stable=True)[:count]
    rows = trained_on.division["train"][found.indices[order].numpy()]
    store = FaceStore(trained_on.archives, torch.device("cpu"))
    return Pairs(label, images[order].numpy(), store.gather(rows).numpy())


def nearest_sheet(pairs: list[Pairs], columns: int = 10) -> Image.Image:
    """A picture in which every other row shows the training images nearest to the row above."""
    rows, labels = [], []
    for pair in pairs:
        for start in range(0, len(pair.images), columns):
            part = slice(start, start + columns)
            rows += [pair.images[part], pair.trained[part]]
            labels += [pair.label, "nearest in training"]
    return labelled_grid(rows, labels)
