"""Which real images a model is measured against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.fingerprint import digest
from fer_lightning.data.splits import EVERY
from fer_lightning.errors import UserError
from fer_lightning.rng import SUBSETS, stream_seed


@dataclass(frozen=True, slots=True)
class Selection:
    """The real images; as many are generated, with their labels.

    Attributes:
        rows: Row numbers in the data module's archives, (N,), ascending.
        emotions: Class number of each in the model's own order, (N,); 0 where it has no classes.
        unknown: Images left out, by an emotion that the model does not know.
    """

    rows: NDArray[np.int64]
    emotions: NDArray[np.int64]
    unknown: dict[str, int]

    def record(self, faces: FaceDataModule, classes: Sequence[str]) -> dict[str, Any]:
        """What a protocol says of the images, as plain data.

        Args:
            faces: The data that they are of.
            classes: The model's, in its order.
        """
        sizes = np.bincount(self.emotions, minlength=len(classes)).tolist()
        return {
            "corpus": faces.archives[0].manifest["corpus"],
            "archives": [archive.key for archive in faces.archives],
            "rows": digest(self.rows.tolist()),
            "labelled": len(faces.parts[EVERY]),
            "count": len(self.rows),
            "classes": dict(zip(classes, sizes, strict=True)),
            "unknown_emotions": self.unknown,
        }


def select(
    faces: FaceDataModule, split: str, classes: Sequence[str], count: int | None, seed: int
) -> Selection:
    """The rows of a part whose emotion the model knows, or a stratified draw of them.

    A model without classes is measured on all rows of a part.

    Args:
        faces: The data, set up.
        split: ``train``, ``val``, ``test`` or ``all``.
        classes: The model's, in its order.
        count: Images to draw; None or more than there are takes all.
        seed: Of the draw.

    Raises:
        UserError: If fewer than two images are left; names the split.
    """
    rows = np.sort(faces.parts[split])
    emotions, unknown = np.zeros(len(rows), np.int64), {}
    if classes:
        names = [str(faces.emotions[row]) for row in rows]
        own = {name: number for number, name in enumerate(classes)}
        emotions = np.array([own.get(name, -1) for name in names], np.int64)
        unknown = dict(sorted(Counter(name for name in names if name not in own).items()))
        rows, emotions = rows[emotions >= 0], emotions[emotions >= 0]
    if count is not None and count < len(rows):
        chosen = stratified(emotions, count, stream_seed(seed, SUBSETS))
        rows, emotions = rows[chosen], emotions[chosen]
    if len(rows) < 2:
        if not classes:
            raise UserError(
                f"split={split}: {len(rows)} images, and at least 2 are needed; choose another "
                "split (split=all takes every image), or measure more of them"
            )
        why = f"; of other emotions: {unknown}" if unknown else ""
        raise UserError(
            f"split={split}: {len(rows)} images with an emotion that the model knows, and at least "
            f"2 are needed{why}; choose another split (split=all takes every labelled image), or "
            "measure more of them"
        )
    return Selection(rows, emotions, unknown)


def stratified(labels: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """Positions of ``count`` labels in their proportions, to the nearest one; ascending."""
    sizes = np.bincount(labels)
    shares = sizes * count / len(labels)
    quota = np.floor(shares).astype(np.int64)
    for label in np.argsort(quota - shares, kind="stable")[: count - quota.sum()]:
        quota[label] += 1
    random = np.random.default_rng(seed)
    drawn = [
        random.permutation(np.flatnonzero(labels == label))[:number]
        for label, number in enumerate(quota)
    ]
    return np.sort(np.concatenate(drawn))
