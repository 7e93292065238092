"""Searches sets of faces for pairs that look alike, by hashes first and by pixels then.

A pair within some bits of the hash agrees in one of several bands of it, so only faces of equal
bands are compared (multi-index hashing: Norouzi, Punjani and Fleet, CVPR 2012); what is within
the bits is compared by thumbnails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_lightning.data.archive import FaceArchive
from fer_lightning.data.perceptual_hash import (
    BITS,
    BLANK,
    MIRROR,
    THUMBNAIL,
    perceptual_hash,
    thumbnails,
)
from fer_lightning.progress import progress_bar

DISTANCE = 8
"""Bits of 64 in which the hashes of near-duplicates differ at most."""

CORRELATION = 0.96
"""Correlation of the thumbnails of near-duplicates at least."""

BLOCK = 1024
"""Faces of either side that are compared at once."""

READ = 256
"""Faces whose pixels are read at once."""

KEPT = 1 << 16
"""Faces whose thumbnails are kept, so that memory stays flat: 64 MiB."""

DENSE = 0.01
"""Share of candidates in a block from which all its thumbnails are multiplied, not pair by pair."""

ENOUGH = 256
"""Near-duplicates of a face after which no more are looked for: a generator that has collapsed to
one image makes millions of pairs."""

Rows = NDArray[np.int64]

Read = Callable[[Rows], NDArray[np.uint8]]
"""Gives the faces at positions (n,) as uint8 (n, H, W, C)."""


class FaceSet:
    """Faces by their hashes; pixels are read of those alone that need a second look.

    Args:
        hashes: uint64 of shape (N,).
        read: Gives their pixels.
    """

    def __init__(self, hashes: NDArray[np.uint64], read: Read) -> None:
        self.hashes = hashes
        self.read = read
        places = min(len(hashes), KEPT)
        self._thumbnails = np.empty((places, THUMBNAIL**2), np.float32)
        self._owners = np.full(places, -1)

    @classmethod
    def of(cls, faces: NDArray[np.uint8]) -> FaceSet:
        """Faces in memory, uint8 of shape (N, H, W, C)."""
        return cls(perceptual_hash(faces), faces.__getitem__)

    @classmethod
    def of_archives(cls, archives: Sequence[FaceArchive], rows: Rows | None = None) -> FaceSet:
        """Rows of several archives, counted through all of them; None takes every one."""
        starts = np.cumsum([0, *(len(archive) for archive in archives)])
        chosen = np.arange(starts[-1]) if rows is None else rows
        shape = archives[0].shape[1:]
        hashes = np.concatenate([archive.hashes for archive in archives])[chosen]

        def read(positions: Rows) -> NDArray[np.uint8]:
            wanted = chosen[positions]
            found = np.empty((len(wanted), *shape), np.uint8)
            for archive, start in zip(archives, starts[:-1], strict=True):
                here = np.flatnonzero((wanted >= start) & (wanted < start + len(archive)))
                found[here] = archive.faces[wanted[here] - start]
            return found

        return cls(hashes, read)

    def __len__(self) -> int:
        return len(self.hashes)

    def thumbnails(self, positions: Rows) -> NDArray[np.float32]:
        """:func:`thumbnails` of faces; those computed last are kept."""
        wanted, order = np.unique(positions, return_inverse=True)
        places = wanted % max(len(self._owners), 1)
        known = self._owners[places] == wanted
        found = np.empty((len(wanted), THUMBNAIL**2), np.float32)
        found[known] = self._thumbnails[places[known]]
        for part in blocks(np.flatnonzero(~known), READ):
            found[part] = thumbnails(self.read(wanted[part]))
        self._thumbnails[places] = found
        self._owners[places] = wanted
        repeated: NDArray[np.float32] = found[order]
        return repeated


@dataclass(frozen=True)
class Pairs:
    """Faces that have a near-duplicate, each with its nearest; the nearest pairs first.

    Attributes:
        first: Positions in the first set, each once.
        second: Position of the nearest one in the second set, or in the same.
        correlations: Of their thumbnails, from :data:`CORRELATION` to 1; of even faces 1.
        mirrored: Whether one is the mirror image of the other.
    """

    first: Rows
    second: Rows
    correlations: NDArray[np.float32]
    mirrored: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.first)


def find(first: FaceSet, second: FaceSet | None = None) -> Pairs:
    """Faces of ``first`` with a near-duplicate in ``second``, or in ``first`` but themselves.

    Every face that has one is found, beside its nearest, or one of the first :data:`ENOUGH` where
    it has more. Time grows with the pairs that agree in one of nine bands of the hash, a tenth of
    all in FER-2013; memory is some 50 bytes a face and the thumbnails that are kept.
    """
    best = _Best(first, second)
    best.join_blank()
    steps = [(mirrored, band) for mirrored in (False, True) for band in range(len(_BANDS))]
    for mirrored, band in progress_bar(
        steps, desc="Comparing faces", unit="band", leave=False, delay=1
    ):
        for block in _candidates(first, second, mirrored, band, best.settled):
            best.confirm(*block, mirrored)
    return best.pairs()


class _Best:
    """The nearest near-duplicate of every face as far as it is known."""

    def __init__(self, first: FaceSet, second: FaceSet | None) -> None:
        self.first = first
        self.second = second
        self.correlations = np.zeros(len(first), np.float32)
        self.partners = np.full(len(first), -1)
        self.mirrored = np.zeros(len(first), np.bool_)
        self.counts = np.zeros(len(first), np.int64)
        self.settled = np.zeros(len(first), np.bool_)

    def join_blank(self) -> None:
        """Even faces differ by brightness alone, which does not count: all are alike."""
        here = np.flatnonzero(self.first.hashes == BLANK)
        if self.second is None:
            partners = np.roll(here, 1) if len(here) > 1 else here[:0]
        else:
            partners = np.flatnonzero(self.second.hashes == BLANK)[:1].repeat(len(here))
        if len(partners):
            self._note(here, partners, np.ones(len(here), np.float32), False)

    def confirm(self, rows: Rows, columns: Rows, i: Rows, j: Rows, mirrored: bool) -> None:
        """Compare the thumbnails of ``rows[i]`` and ``columns[j]``."""
        other = self.first if self.second is None else self.second
        if len(i) > DENSE * len(rows) * len(columns):
            products = self.first.thumbnails(rows) @ _turned(other.thumbnails(columns), mirrored).T
            found = products[i, j]
        else:
            left, right = self.first.thumbnails(rows[i]), other.thumbnails(columns[j])
            found = np.einsum("nd,nd->n", left, _turned(right, mirrored))
        near = found >= CORRELATION
        first, second, found = rows[i[near]], columns[j[near]], found[near].clip(max=1)
        self._note(first, second, found, mirrored)
        if self.second is None:
            self._note(second, first, found, mirrored)

    def _note(self, rows: Rows, partners: Rows, found: NDArray[np.float32], mirrored: bool) -> None:
        # The best of each row stands first, and of equals the partner with the lowest number.
        order = np.lexsort((partners, -found, rows))
        rows, places, counts = np.unique(rows[order], return_index=True, return_counts=True)
        self.counts[rows] += counts
        self.settled[rows] = self.counts[rows] >= ENOUGH
        partners, found = partners[order][places], found[order][places]
        better = found > self.correlations[rows]
        rows = rows[better]
        self.correlations[rows] = found[better]
        self.partners[rows] = partners[better]
        self.mirrored[rows] = mirrored

    def pairs(self) -> Pairs:
        """Those found, by falling correlation."""
        rows = np.flatnonzero(self.partners >= 0)
        rows = rows[np.argsort(-self.correlations[rows], kind="stable")]
        return Pairs(rows, self.partners[rows], self.correlations[rows], self.mirrored[rows])


# A pair within DISTANCE bits agrees in at least one of DISTANCE + 1 bands. Bits of neighbouring
# frequencies go to different bands, since they are not independent.
_BANDS = [
    np.bitwise_or.reduce(np.uint64(1) << np.arange(band, BITS, DISTANCE + 1, dtype=np.uint64))
    for band in range(DISTANCE + 1)
]


def _candidates(
    first: FaceSet, second: FaceSet | None, mirrored: bool, band: int, settled: NDArray[np.bool_]
) -> Iterator[tuple[Rows, Rows, Rows, Rows]]:
    """Blocks of faces that agree in a band and in none before, and which are within DISTANCE.

    Blocks in which every face is ``settled``, (N,), are left out; it may change on the way.

    Yields:
        Positions in ``first`` (n,) and in ``second`` (m,), and which of either are candidates,
        (k,) each, k at least 1; within one set, each pair once.
    """
    own = first.hashes
    other = (own if second is None else second.hashes) ^ (MIRROR if mirrored else np.uint64(0))
    blank = (own if second is None else second.hashes) == BLANK
    own_rows, own_starts, own_codes = _buckets(own, own == BLANK, band)
    other_rows, other_starts, other_codes = _buckets(other, blank, band)
    _, a, b = np.intersect1d(own_codes, other_codes, assume_unique=True, return_indices=True)
    for left, right in zip(a, b, strict=True):
        bucket = own_rows[own_starts[left] : own_starts[left + 1]]
        against = other_rows[other_starts[right] : other_starts[right + 1]]
        for rows in blocks(bucket, BLOCK):
            signs = _signs(own[rows])
            for columns in blocks(against, BLOCK):
                if second is None and columns[-1] <= rows[0]:
                    continue  # rows of a bucket rise, and each pair is wanted once
                if settled[rows].all() and (second is not None or settled[columns].all()):
                    continue
                alike = signs @ _signs(other[columns]).T >= BITS - 2 * DISTANCE
                i, j = np.divmod(np.flatnonzero(alike), len(columns))
                difference = own[rows[i]] ^ other[columns[j]]
                new = np.ones(len(i), np.bool_) if second is not None else rows[i] < columns[j]
                for earlier in _BANDS[:band]:
                    new &= difference & earlier != 0
                if new.any():
                    yield rows, columns, i[new], j[new]


def _buckets(
    hashes: NDArray[np.uint64], left_out: NDArray[np.bool_], band: int
) -> tuple[Rows, Rows, NDArray[np.uint64]]:
    """Positions sorted by a band, where each bucket begins (and the last ends), and its code."""
    rows = np.flatnonzero(~left_out)
    codes = hashes[rows] & _BANDS[band]
    order = np.argsort(codes, kind="stable")
    found, starts = np.unique(codes[order], return_index=True)
    return rows[order], np.append(starts, len(rows)), found


def blocks(rows: Rows, size: int) -> list[Rows]:
    """Rows in parts of ``size``; the last may be shorter."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _signs(hashes: NDArray[np.uint64]) -> NDArray[np.float32]:
    """Bits as 1 and -1, (N, 64): a product of two is 64 less twice the bits that differ."""
    octets = hashes[:, None].view(np.uint8)
    return np.unpackbits(octets, axis=1).astype(np.float32) * 2 - 1


def _turned(vectors: NDArray[np.float32], mirrored: bool) -> NDArray[np.float32]:
    """Thumbnails, mirrored if wanted."""
    if not mirrored:
        return vectors
    return vectors.reshape(-1, THUMBNAIL, THUMBNAIL)[:, :, ::-1].reshape(vectors.shape)
