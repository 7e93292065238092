"""Distances between two sets of vectors, in pieces that fit into memory."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

PIECE = 1 << 24
"""Distances held at once: 128 MiB in float64."""


def squared_distances(queries: Tensor, references: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Squared Euclidean distances of a slice of the queries to all references, slice by slice.

    Args:
        queries: Shape (N, d).
        references: Shape (M, d), M at least 1.

    Yields:
        The slice of the queries, and float64 distances of shape (its length, M), none negative.
    """
    # By |a-b|^2 = |a|^2 - 2ab + |b|^2; about a common centre, less of it cancels.
    centre = references.double().mean(0)
    references = references.double() - centre
    lengths = references.square().sum(1)
    step = max(1, PIECE // len(references))
    for start in range(0, len(queries), step):
        piece = queries[start : start + step].double() - centre
        squares = piece.square().sum(1, keepdim=True) - 2 * piece @ references.T + lengths
        yield slice(start, start + len(piece)), squares.clamp_(min=0)


def nearest(queries: Tensor, references: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest reference of every query.

    Args:
        queries: Shape (N, d).
        references: Shape (M, d), M at least 1.

    Returns:
        Euclidean distances, float64 of shape (N,), exactly 0 for a copy; and indices of the
        references, int64 of shape (N,).
    """
    found = [squares.argmin(1) for _, squares in squared_distances(queries, references)]
    indices = torch.cat(found) if found else queries.new_zeros(0, dtype=torch.int64)
    # Anew, since the expanded square leaves a copy a little away from its original.
    difference = queries.double() - references[indices].double()
    return difference.square().sum(1).sqrt(), indices
