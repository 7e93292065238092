"""Measures of edits against closed forms, and scikit-learn and SciPy as oracles."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.metrics import f1_score, roc_auc_score

from fer_lightning.metrics.functional.editing import (
    LEAST_RANGE,
    STEPS,
    binary_f1,
    critic_metrics,
    intensity_metrics,
    rank_correlation,
    smoothness,
    smoothness_metrics,
)

RAMP = np.linspace(0.1, 0.9, 10)
STEP = np.array([0.2] * 4 + [0.8] * 6)


def test_an_even_ramp_is_as_smooth_as_can_be_and_a_step_is_not_smooth() -> None:
    scores = smoothness(np.stack([RAMP, STEP, RAMP[[0, 9]].repeat(5)]))
    assert scores == pytest.approx([1 / 9, 1, 1])
    assert len(STEPS) == 10
    assert smoothness(np.linspace(0, 1, 11)) == pytest.approx(1 / 10)
    rising = np.sort(np.random.default_rng(0).random((200, 10)))
    scores = smoothness(rising)
    assert scores.min() >= 1 / 9
    assert scores.max() <= 1
    ends = np.diff(rising).max(1) / (rising[:, -1] - rising[:, 0])
    assert scores == pytest.approx(ends)  # as the paper has it


def test_the_range_divides_where_a_curve_overshoots() -> None:
    curve = np.array([0.0, 0.5, 1.0, 0.5])
    assert smoothness(curve) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "curve",
    [RAMP[::-1], np.full(10, 0.5), 0.5 + 0.9 * LEAST_RANGE * (RAMP - 0.1) / 0.8, RAMP[[0, 9, 0]]],
    ids=["falling", "constant", "flat", "back where it was"],
)
def test_curves_that_do_not_rise_have_no_smoothness(curve: NDArray[np.float64]) -> None:
    assert np.isnan(smoothness(curve))


def test_curves_are_averaged_over_faces_before_the_ratio() -> None:
    late, early = np.array([0.0] * 5 + [1.0] * 5), np.array([0.0] * 2 + [1.0] * 8)
    curves = np.stack([np.stack([late, RAMP]), np.stack([early, RAMP])])
    found = smoothness_metrics(curves, ["anger", "fear"]).metrics
    # Two jumps at two places are a mean curve with two halves of a jump.
    assert found["smoothness/anger"] == pytest.approx(0.5)
    assert found["smoothness/fear"] == pytest.approx(1 / 9)
    assert found["smoothness"] == pytest.approx((0.5 + 1 / 9) / 2)
    assert found["smoothness_median/anger"] == pytest.approx(1)
    assert found["smoothness_median"] == pytest.approx((1 + 1 / 9) / 2)
    assert found["smoothness_skipped"] == 0
    assert found["smoothness_median_skipped"] == 0


def test_curves_that_do_not_rise_are_left_out_and_counted() -> None:
    falling = RAMP[::-1]
    curves = np.stack([np.stack([RAMP, falling, STEP]), np.stack([RAMP, falling, falling])])
    found = smoothness_metrics(curves, ["anger", "fear", "surprise"])
    assert found.metrics["smoothness"] == pytest.approx(1 / 9)
    assert found.metrics["smoothness_skipped"] == 2
    assert found.metrics["smoothness_median_skipped"] == 0.5
    assert found.metrics["smoothness_median/surprise"] == pytest.approx(1)
    assert found.left_out == {
        "smoothness/fear": "the curve is flat or falls",
        "smoothness/surprise": "the curve is flat or falls",
        "smoothness_median/fear": "the curve is flat or falls",
    }
    none = smoothness_metrics(curves[:, 1:2], ["fear"])
    assert none.metrics == {"smoothness_skipped": 1, "smoothness_median_skipped": 1}
    assert none.left_out["smoothness"] == "no mean curve rises"
    assert none.left_out["smoothness_median"] == "no curve rises"


@pytest.mark.parametrize("shape", [(0, 2, 10), (3, 1, 10), (2, 10)])
def test_curves_have_to_fit_their_emotions(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="do not fit 2 emotions"):
        smoothness_metrics(np.zeros(shape), ["anger", "fear"])


def test_f1_is_scikit_learns() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        positive, answered = random.random((2, 30)) < random.random((2, 1))
        assert binary_f1(positive, answered) == pytest.approx(
            f1_score(positive, answered, zero_division=0)
        )
    assert binary_f1(np.zeros(3, bool), np.zeros(3, bool)) == 0


def test_the_critics_scores_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(1)
    real, fake = random.normal(0.6, 1, 200), random.normal(-0.2, 1, 200)
    found = critic_metrics(real, fake, 0).metrics
    is_real, scores = np.repeat([True, False], 200), np.concatenate([real, fake])
    of_real = f1_score(is_real, scores > 0)
    of_fake = f1_score(~is_real, scores <= 0)
    assert found["critic_f1_real"] == pytest.approx(of_real)
    assert found["critic_f1_fake"] == pytest.approx(of_fake)
    assert found["critic_f1"] == pytest.approx((of_real + of_fake) / 2)
    assert found["critic_auc"] == pytest.approx(roc_auc_score(is_real, scores))


def test_the_middle_bound_is_found_on_one_half_and_applied_to_the_other() -> None:
    # All above 0, so that the faithful bound calls everything real; the middle parts them.
    real, fake = np.full(10, 7.0), np.full(10, 5.0)
    found = critic_metrics(real, fake, 0).metrics
    assert found["critic_f1_real"] == pytest.approx(2 / 3)
    assert found["critic_f1_fake"] == 0
    assert found["critic_f1"] == pytest.approx(1 / 3)
    for name in ("critic_f1_midpoint", "critic_f1_midpoint_real", "critic_f1_midpoint_fake"):
        assert found[name] == 1
    assert found["critic_auc"] == 1
    # Half of the pairs decide, so one pair that is far off moves the bound or is not rated.
    real[0] = 1000
    by_seed = {critic_metrics(real, fake, seed).metrics["critic_f1_midpoint"] for seed in range(9)}
    assert len(by_seed) == 2
    assert max(by_seed) == 1


def test_equal_scores_cannot_be_told_apart() -> None:
    scores = np.random.default_rng(2).normal(size=50)
    assert critic_metrics(scores, scores, 0).metrics["critic_auc"] == pytest.approx(0.5)


@pytest.mark.parametrize(("real", "fake"), [(3, 2), (1, 1)])
def test_pairs_are_needed(real: int, fake: int) -> None:
    with pytest.raises(ValueError, match="give 2 pairs or more"):
        critic_metrics(np.zeros(real), np.zeros(fake), 0)


def test_ranks_correlate_as_in_scipy_and_what_never_changes_follows_nothing() -> None:
    random = np.random.default_rng(3)
    one, other = random.integers(0, 5, (2, 40)).astype(float)
    assert rank_correlation(one, other) == pytest.approx(spearmanr(one, other).statistic)
    assert rank_correlation(one, np.exp(one)) == pytest.approx(1)
    assert rank_correlation(one, np.zeros(40)) == 0


def test_intensities_are_ranked_over_all_edits_and_face_by_face() -> None:
    asked = np.linspace(0, 1, 11)
    # The second face starts where the first one ends; fear does not change at all.
    anger = np.stack([asked, asked + 1])
    read = np.stack([anger, np.full((2, 11), 0.3)], 1)
    found = intensity_metrics(asked, read, ["anger", "fear"])
    pooled = spearmanr(np.tile(asked, 2), anger.ravel()).statistic
    assert found["intensity_rank/anger"] == pytest.approx(pooled)
    assert found["intensity_rank/anger"] < 0.6
    assert found["intensity_rank_face/anger"] == pytest.approx(1)
    assert found["intensity_rank/fear"] == found["intensity_rank_face/fear"] == 0
    assert found["intensity_rank"] == pytest.approx(pooled / 2)
    assert found["intensity_rank_face"] == pytest.approx(0.5)
