"""Near-duplicates: a test image in the training set, or a generated copy of a training image.

Two faces are near-duplicates if their perceptual hashes differ in at most ``DISTANCE`` bits and
their thumbnails correlate by at least ``CORRELATION``, as they are or one of them mirrored.
Aligned faces resemble one another, so the hash alone does not decide. How both bounds were
chosen: ``docs/decisions/012-duplicates.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fer_lightning.data.archive import FaceArchive
from fer_lightning.data.duplicate_search import READ, FaceSet, Pairs, Read, Rows, blocks, find
from fer_lightning.labels import SPLITS
from fer_lightning.pictures import labelled_grid

if TYPE_CHECKING:
    from fer_lightning.data.datamodule import FaceDataModule
    from fer_lightning.data.domains import DomainDataModule

    Faces: TypeAlias = FaceDataModule | DomainDataModule


def near_duplicates(first: FaceArchive, second: FaceArchive | None = None) -> Pairs:
    """Faces of one archive with a near-duplicate in another, or among themselves.

    Args:
        first: Whose faces are looked up.
        second: Where; None looks for another face of ``first``. Sizes and channels may differ.
    """
    return find(
        FaceSet.of_archives([first]), None if second is None else FaceSet.of_archives([second])
    )


def count_duplicates(
    hashes: NDArray[np.uint64], read: Read, splits: Sequence[str | None]
) -> dict[str, Any]:
    """What an archive's manifest says of near-duplicates.

    Args:
        hashes: Perceptual hash of every face, (N,).
        read: Gives their pixels.
        splits: Official split of every face, None where unknown.

    Returns:
        ``images``, how many have a near-duplicate in the archive; ``identical``, for how many of
        them the nearest has the very same pixels; ``across_splits``, with ``train-val`` and so
        on for those splits that exist: images of the second with a near-duplicate in the first.
    """

    def part(rows: Rows) -> FaceSet:
        return FaceSet(hashes[rows], lambda positions: read(rows[positions]))

    named = np.array([split or "" for split in splits])
    parts = {name: np.flatnonzero(named == name) for name in SPLITS}
    across = {
        f"{earlier}-{later}": len(find(part(parts[later]), part(parts[earlier])))
        for earlier, later in combinations(SPLITS, 2)
        if len(parts[earlier]) and len(parts[later])
    }
    pairs = find(part(np.arange(len(hashes))))
    identical = 0
    for places in blocks(np.arange(len(pairs)), READ):
        same = read(pairs.first[places]) == read(pairs.second[places])
        identical += int(same.all((1, 2, 3)).sum())
    return {"images": len(pairs), "identical": identical, "across_splits": across}


def seen_in_training(
    faces: Faces, trained_on: Faces, parts: Sequence[str] = ("val", "test")
) -> dict[str, dict[str, int]]:
    """Images of held-out parts with a near-duplicate among those that were trained on.

    Args:
        faces: The data whose parts are looked up, set up; of two domains, those of both.
        trained_on: The data of the training, set up; extra archives count.
        parts: Parts of ``faces``; those without images are left out.

    Returns:
        For each part ``images``, how many have one, and ``of``, how many there are.
    """
    trained = trained_faces(trained_on)
    found = {}
    for name in parts:
        rows = faces.division[name]
        if len(rows):
            pairs = find(FaceSet.of_archives(faces.archives, rows), trained)
            found[name] = {"images": len(pairs), "of": len(rows)}
    return found


def trained_faces(trained_on: Faces) -> FaceSet:
    """The training part of a data module, extra archives included."""
    return FaceSet.of_archives(trained_on.archives, trained_on.division["train"])


def leak_warning(seen: Mapping[str, Mapping[str, int]]) -> str | None:
    """What people should know of :func:`seen_in_training`; None where nothing was found."""
    parts = [
        f"{found['images']:,} of {found['of']:,} {name} images "
        f"({found['images'] / found['of']:.1%})"
        for name, found in seen.items()
        if found["images"]
    ]
    if not parts:
        return None
    return (
        f"fer: warning: {' and '.join(parts)} have a near-duplicate among the training images; "
        "see docs/results/duplicates.md"
    )


def pairs_sheet(
    first: FaceArchive,
    pairs: Pairs,
    second: FaceArchive | None = None,
    count: int = 20,
    columns: int = 10,
) -> Image.Image:
    """A picture of pairs, one face above the other: the nearest, then the least alike.

    Args:
        first: The archive whose faces were looked up.
        pairs: What :func:`near_duplicates` found of it, at least one.
        second: Where they were found; None is ``first``.
        count: Pairs in the picture, half of either kind; all where there are no more.
        columns: Pairs side by side.
    """
    other = first if second is None else second
    shown = min(count, len(pairs))
    chosen = {
        "nearest": np.arange(-(-shown // 2)),
        "least alike": np.arange(len(pairs) - shown // 2, len(pairs)),
    }
    rows, labels = [], []
    for label, places in chosen.items():
        for start in range(0, len(places), columns):
            part = places[start : start + columns]
            rows += [_colour(first.faces[pairs.first[part]])]
            rows += [_colour(other.faces[pairs.second[part]])]
            labels += [label, "its near-duplicate"]
    return labelled_grid(rows, labels)


def _colour(faces: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Three channels, since the archives of a pair may differ in theirs."""
    return np.broadcast_to(faces, (*faces.shape[:3], 3))
