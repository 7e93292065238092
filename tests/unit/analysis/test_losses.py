"""The statistics of losses, beside values worked out by other means."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import fisher_exact

from fer_lightning.analysis.losses import Rate, dependence, shift


def test_wilson_interval() -> None:
    # By hand: centre and half width of (k + z²/2) / (n + z²) with z = 1.959964.
    low, high = Rate(125, 153).interval
    z, n, p = 1.959964, 153, 125 / 153
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert (low, high) == pytest.approx((centre - half, centre + half), abs=1e-6)
    assert Rate(5, 5).interval[1] == 1.0
    assert Rate(5, 5).interval[0] == pytest.approx(0.5655, abs=1e-3)


def test_statistic_is_pearsons() -> None:
    test = dependence([100, 100], [10, 30])
    assert test is not None
    assert (test.statistic, test.freedom) == (pytest.approx(12.5), 1)  # 2 · 10² / 20 + 2 · 10² / 80
    assert test.rejects


def test_p_is_that_of_the_exact_test_where_counts_are_small() -> None:
    lost, decoded = np.array([3, 1]), np.array([8, 30])
    test = dependence(decoded.tolist(), lost.tolist())
    assert test is not None
    exact = fisher_exact([lost, decoded - lost]).pvalue
    assert test.p == pytest.approx(exact, abs=0.01)


def test_losses_in_proportion_are_no_dependence() -> None:
    test = dependence([200, 100, 50], [20, 10, 5])
    assert test is not None
    assert test.statistic == pytest.approx(0)
    assert test.p == 1.0
    assert not test.rejects


@pytest.mark.parametrize(
    ("decoded", "lost"), [([], []), ([5], [2]), ([5, 5], [0, 0]), ([5, 5], [5, 5])]
)
def test_where_there_is_nothing_to_test(decoded: list[int], lost: list[int]) -> None:
    assert dependence(decoded, lost) is None


def test_shift_is_the_share_of_labels_that_changed() -> None:
    moved = shift([50, 50], [50, 25], [0, 25])
    assert moved is not None
    assert moved.distance == pytest.approx(2 / 3 - 1 / 2)
    assert moved.by_chance is not None
    assert moved.by_chance < moved.distance


def test_shift_in_proportion_is_within_chance() -> None:
    moved = shift([60, 40], [30, 20], [30, 20])
    assert moved is not None
    assert moved.distance == pytest.approx(0)
    assert moved.by_chance is not None
    # The SD of a share of 0.6 in 50 drawn out of 100 is 0.0492, of which 1.96 are 0.096.
    assert 0.07 < moved.by_chance < 0.11


def test_shift_without_losses_of_the_detector() -> None:
    moved = shift([50, 50], [50, 30], [0, 0])
    assert moved is not None
    assert moved.distance == pytest.approx(0.125)
    assert moved.by_chance is None
    assert shift([5], [0], [5]) is None
