"""Precision, recall, density and coverage: fidelity and diversity apart."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from fer_lightning.metrics.functional.nearest import squared_distances


class PRDC(NamedTuple):
    """How two sets of vectors overlap.

    Attributes:
        precision: Share of fakes among the reals, [0, 1].
        recall: Share of reals among the fakes, [0, 1]; low where modes are missing.
        density: Mean number of real neighbourhoods around a fake over k; 1 for equal
            distributions, and not bounded by it.
        coverage: Share of reals with a fake in their neighbourhood, [0, 1].
    """

    precision: float
    recall: float
    density: float
    coverage: float


def prdc(real: Tensor, fake: Tensor, neighbours: int) -> PRDC:
    """Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020).

    The neighbourhood of a vector is the closed ball around it that reaches its k-th nearest
    neighbour in its own set, itself not counted. Precision and density ask how many real balls
    hold a fake, recall how many fake balls hold a real, coverage how many real balls hold any.

    Args:
        real: Shape (N, d), N above k.
        fake: Shape (M, d), M above k.
        neighbours: k, at least 1.

    Raises:
        ValueError: If a set has not more than k vectors.
    """
    if min(len(real), len(fake)) <= neighbours:
        raise ValueError(f"{neighbours} neighbours need more vectors than that on each side")
    reach_real = _reach(real, neighbours)
    reach_fake = _reach(fake, neighbours)
    held = torch.zeros(len(fake), dtype=torch.int64, device=fake.device)
    recalled = covered = 0
    for rows, squares in squared_distances(real, fake):
        within = squares <= reach_real[rows, None]
        held += within.sum(0)
        covered += int(within.any(1).sum())
        recalled += int((squares <= reach_fake).any(1).sum())
    return PRDC(
        precision=float((held > 0).double().mean()),
        recall=recalled / len(real),
        density=float(held.double().mean()) / neighbours,
        coverage=covered / len(real),
    )


def _reach(vectors: Tensor, neighbours: int) -> Tensor:
    """Squared distance of every vector to its k-th nearest other one."""
    reaches = []
    for rows, squares in squared_distances(vectors, vectors):
        own = torch.arange(rows.start, rows.stop, device=vectors.device)
        squares[own - rows.start, own] = torch.inf
        reaches.append(squares.kthvalue(neighbours, dim=1).values)
    return torch.cat(reaches)
