"""Precision, recall, density, coverage: against the definition written out, and known cases."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances

from fer_lightning.metrics.functional import nearest
from fer_lightning.metrics.functional.prdc import PRDC, prdc


def vectors(count: int, seed: int, shift: float = 0.0, width: int = 6) -> torch.Tensor:
    return torch.randn((count, width), generator=torch.Generator().manual_seed(seed)) + shift


def brute_force(real: NDArray[np.float64], fake: NDArray[np.float64], k: int) -> PRDC:
    """Naeem et al. 2020, equations 1 to 7, over whole matrices."""

    def reach(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sort(pairwise_distances(points), axis=1)[:, k]  # column 0 is the point itself

    between = pairwise_distances(real, fake)
    in_real, in_fake = between <= reach(real)[:, None], between <= reach(fake)[None]
    return PRDC(
        precision=in_real.any(0).mean(),
        recall=in_fake.any(1).mean(),
        density=in_real.sum() / (k * len(fake)),
        coverage=in_real.any(1).mean(),
    )


@pytest.mark.parametrize(("neighbours", "shift"), [(1, 0.0), (5, 0.5), (3, 2.0)])
def test_it_is_the_definition(neighbours: int, shift: float) -> None:
    real, fake = vectors(83, 0), vectors(61, 1, shift)
    wanted = brute_force(real.double().numpy(), fake.double().numpy(), neighbours)
    assert prdc(real, fake, neighbours) == pytest.approx(wanted)


def test_pieces_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = vectors(50, 0), vectors(40, 1, 0.3)
    whole = prdc(real, fake, 5)
    monkeypatch.setattr(nearest, "PIECE", 170)
    assert prdc(real, fake, 5) == whole


def test_equal_sets_overlap_wholly() -> None:
    real = vectors(40, 0)
    found = prdc(real, real.clone(), 5)
    assert (found.precision, found.recall, found.coverage) == (1.0, 1.0, 1.0)
    assert found.density == pytest.approx(1.2)  # k others and the point itself, over k


def test_a_lost_mode_costs_recall_and_coverage_alone() -> None:
    real = torch.cat([vectors(50, 0), vectors(50, 1, 100.0)])
    found = prdc(real, vectors(100, 2), 5)
    assert found.precision > 0.8
    assert found.recall <= 0.5
    assert found.coverage <= 0.5


def test_a_single_repeated_image_has_no_recall() -> None:
    real = vectors(60, 0)
    found = prdc(real, real[:1].repeat(60, 1), 5)
    assert found.precision == 1.0
    assert found.recall == pytest.approx(1 / 60)


def test_far_away_nothing_overlaps() -> None:
    assert prdc(vectors(30, 0), vectors(30, 1, 100.0), 5) == (0.0, 0.0, 0.0, 0.0)


def test_too_few_vectors_are_refused() -> None:
    with pytest.raises(ValueError, match="5 neighbours"):
        prdc(vectors(5, 0), vectors(30, 1), 5)
