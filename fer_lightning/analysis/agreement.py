"""What archives have in common: images that their detectors were given, or near-duplicates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from fer_lightning.analysis.archives import ArchiveFigures
from fer_lightning.data.duplicates import near_duplicates, pairs_sheet


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Two detectors on the same images.

    Attributes:
        first: Name of the one.
        second: Name of the other.
        both: Images in which both found a face.
        only_first: Images in which the first alone did.
        only_second: Images in which the second alone did.
        neither: Images in which neither did.
        overlap: Median intersection over union of their boxes where both found one, else None.
    """

    first: str
    second: str
    both: int
    only_first: int
    only_second: int
    neither: int
    overlap: float | None


@dataclass(frozen=True, kw_only=True)
class SameImages:
    """Archives made from the same images.

    Attributes:
        names: Of the archives.
        images: Number that every detector was given; an image that is in the source twice counts
            once.
        searching: Names of those whose detectors look for faces.
        found_by_all: Images in which every one of these found a face.
        found_by_none: Images in which none of these did.
        pairs: Two by two.
    """

    names: Sequence[str]
    images: int
    searching: Sequence[str]
    found_by_all: int
    found_by_none: int
    pairs: Sequence[Agreement]


def same_images(compared: Sequence[ArchiveFigures]) -> list[SameImages]:
    """Agreement within every group of two or more archives made from the same images."""
    groups: list[list[ArchiveFigures]] = []
    for one in compared:
        if one.detector is None:
            continue
        group = next((found for found in groups if found[0].images == one.images), None)
        if group is None:
            groups.append([one])
        else:
            group.append(one)
    return [_agreements(group) for group in groups if len(group) > 1]


def _agreements(group: Sequence[ArchiveFigures]) -> SameImages:
    shared = set.intersection(*(set(one.boxes) for one in group))
    searching = [one for one in group if one.searches]
    counts = Counter(sum(one.boxes[image] is not None for one in searching) for image in shared)
    return SameImages(
        names=[one.name for one in group],
        images=len(shared),
        searching=[one.name for one in searching],
        found_by_all=counts[len(searching)],
        found_by_none=counts[0],
        pairs=[_agreement(first, second) for first, second in combinations(group, 2)],
    )


def _agreement(first: ArchiveFigures, second: ArchiveFigures) -> Agreement:
    shared = first.boxes.keys() & second.boxes.keys()
    pairs = [(first.boxes[image], second.boxes[image]) for image in shared]
    found = [(one, other) for one, other in pairs if one is not None and other is not None]
    counts = Counter((one is not None, other is not None) for one, other in pairs)
    return Agreement(
        first=first.name,
        second=second.name,
        both=len(found),
        only_first=counts[True, False],
        only_second=counts[False, True],
        neither=counts[False, False],
        overlap=float(np.median(overlaps(*map(np.array, zip(*found, strict=True)))))
        if found
        else None,
    )


def overlaps(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of boxes (N, 4), row by row."""
    low, high = np.maximum(first, second)[:, :2], np.minimum(first, second)[:, 2:]
    intersection = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = sum(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (first, second))
    ratio: NDArray[np.float64] = intersection / np.maximum(areas - intersection, 1e-12)
    return ratio


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """Near-duplicates between two archives of different images.

    Attributes:
        first: Name of the one.
        second: Name of the other.
        in_first: Faces of the first with a near-duplicate in the second.
        in_second: Faces of the second with one in the first.
        sheet: A picture of pairs; None where there are none.
    """

    first: str
    second: str
    in_first: int
    in_second: int
    sheet: Image | None = None


def duplicates_between(compared: Sequence[ArchiveFigures]) -> list[NearDuplicates]:
    """Near-duplicates of every two archives but those made from the same images."""
    found = []
    for first, second in combinations(compared, 2):
        if first.images == second.images:
            continue
        pairs = near_duplicates(first.archive, second.archive)
        found.append(
            NearDuplicates(
                first.name,
                second.name,
                len(pairs),
                len(near_duplicates(second.archive, first.archive)),
                pairs_sheet(first.archive, pairs, second.archive) if len(pairs) else None,
            )
        )
    return found
