"""Rates before and after a translation, computed by hand; SSIM against its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torchmetrics.functional.image import structural_similarity_index_measure

from fer_lightning.metrics.functional import translation
from fer_lightning.metrics.functional.translation import (
    paired_ssim,
    translation_metrics,
    true_positive_rates,
)

CLASSES = ["happiness", "fear", "anger", "surprise"]
LABELS = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 2])
# Two classifiers. Happiness: 3 and 1 of 4; fear: 1 and 2 of 2; anger: 2 and 0 of 4.
BEFORE = np.array([[0, 0, 0, 1, 1, 0, 2, 2, 0, 1], [0, 1, 1, 2, 1, 1, 0, 0, 1, 1]])
# Happiness: 0 and 0; fear: 2 and 2; anger: 4 and 3, the last one taken for surprise.
AFTER = np.array([[1, 1, 2, 2, 1, 1, 2, 2, 2, 2], [1, 1, 1, 1, 1, 1, 2, 2, 2, 3]])


def test_rates_are_those_counted_by_hand() -> None:
    rates = true_positive_rates(BEFORE, LABELS, 4)
    expected = [[0.75, 0.5, 0.5, np.nan], [0.25, 1, 0, np.nan]]
    np.testing.assert_allclose(rates, expected)


def test_means_and_deviations_are_over_the_classifiers() -> None:
    found = translation_metrics(BEFORE, AFTER, LABELS, CLASSES).metrics
    # The deviation (n - 1) of two values is their distance by the root of 2.
    expected = {
        # 6 and 3 of 10; then 6 and 5.
        "tpr_before": 0.45,
        "tpr_before_sd": 0.3 / math.sqrt(2),
        "tpr_after": 0.55,
        "tpr_after_sd": 0.1 / math.sqrt(2),
        "tpr_before/happiness": 0.5,
        "tpr_before_sd/happiness": 0.5 / math.sqrt(2),
        "tpr_before/fear": 0.75,
        "tpr_before_sd/fear": 0.5 / math.sqrt(2),
        "tpr_before/anger": 0.25,
        "tpr_before_sd/anger": 0.5 / math.sqrt(2),
        "tpr_after/happiness": 0.0,
        "tpr_after_sd/happiness": 0.0,
        "tpr_after/fear": 1.0,
        "tpr_after_sd/fear": 0.0,
        "tpr_after/anger": 0.875,
        "tpr_after_sd/anger": 0.25 / math.sqrt(2),
        # (0.75 + 0.5 + 0.5) / 3 and (0.25 + 1 + 0) / 3.
        "tpr_before_macro": 0.5,
        "tpr_before_macro_sd": 0.5 / 3 / math.sqrt(2),
        "tpr_after_macro": (2 / 3 + 1.75 / 3) / 2,
        "tpr_after_macro_sd": 0.25 / 3 / math.sqrt(2),
        "gain": 0.1,
        "gain/happiness": -0.5,
        "gain/fear": 0.25,
        "gain/anger": 0.625,
        "gain_macro": 0.375 / 3,
        "gain_worst": -0.5,
    }
    answered = {k: v for k, v in found.items() if "predicted" not in k and "effective" not in k}
    assert answered == pytest.approx(expected)


def test_answers_show_a_collapse() -> None:
    found = translation_metrics(BEFORE, AFTER, LABELS, CLASSES).metrics
    shares = [found[f"predicted_after/{name}"] for name in CLASSES]
    # 0, 4, 6, 0 and 0, 6, 3, 1 of 10.
    assert shares == pytest.approx([0, 0.5, 0.45, 0.05])
    assert found["classes_predicted_before"] == 3
    assert found["classes_predicted_after"] == 2.5
    first = math.exp(-(0.4 * math.log(0.4) + 0.6 * math.log(0.6)))
    second = math.exp(-(0.6 * math.log(0.6) + 0.3 * math.log(0.3) + 0.1 * math.log(0.1)))
    assert found["effective_classes_after"] == pytest.approx((first + second) / 2)
    even = np.arange(8)[None] % 4
    one = translation_metrics(even, np.zeros_like(even), even[0], CLASSES).metrics
    assert one["effective_classes_before"] == pytest.approx(4)
    assert one["effective_classes_after"] == pytest.approx(1)


def test_what_there_is_not_has_a_reason() -> None:
    found = translation_metrics(BEFORE[:1], AFTER[:1], LABELS, CLASSES)
    assert found.left_out["tpr_before/surprise"] == "no image of this class"
    assert found.left_out["tpr_after_sd"] == "one classifier has no spread"
    assert "gain/surprise" not in found.metrics
    assert all(math.isfinite(value) for value in found.metrics.values())
    assert not found.metrics.keys() & found.left_out.keys()


def test_paper_cs_collapse_would_be_seen() -> None:
    # Its Table 2: disgust at 100, three classes at 0, and yet a higher mean.
    labels = np.repeat(np.arange(3), 100)
    before = np.where(np.arange(300) % 100 < 30, labels, (labels + 1) % 3)[None]
    after = np.zeros((1, 300), np.int64)
    found = translation_metrics(before, after, labels, CLASSES[:3]).metrics
    assert found["gain"] > 0
    assert found["gain_worst"] == pytest.approx(-0.3)
    assert found["classes_predicted_after"] == 1


def test_other_answers_are_wrong_and_counted() -> None:
    labels = np.array([0, 0, 1, 1])
    found = translation_metrics(
        np.array([[0, 0, 1, 1]]), np.array([[0, 2, 2, 1]]), labels, CLASSES[:2], ["contempt"]
    ).metrics
    assert found["tpr_before"] == 1
    assert found["tpr_after"] == found["tpr_after/fear"] == 0.5
    assert found["predicted_before/contempt"] == 0
    assert found["predicted_after/contempt"] == 0.5
    assert found["classes_predicted_after"] == 2
    assert "tpr_after/contempt" not in found


def test_a_class_is_answered_from_one_percent_on() -> None:
    labels = np.arange(1000) % 2
    rare = np.where(np.arange(1000) < 9, 2, labels)[None]
    enough = np.where(np.arange(1000) < 10, 2, labels)[None]
    found = translation_metrics(rare, enough, labels, CLASSES[:3]).metrics
    assert found["classes_predicted_before"] == 2
    assert found["classes_predicted_after"] == 3


@pytest.mark.parametrize(
    ("before", "after", "labels", "message"),
    [
        (BEFORE[0], AFTER, LABELS, "do not fit 10 labels"),
        (BEFORE[:0], AFTER[:0], LABELS, "do not fit"),
        (BEFORE, AFTER[:1], LABELS, "before and after differ"),
        (BEFORE, AFTER, LABELS - 1, r"labels must lie in \[0, 4\)"),
        (BEFORE, AFTER + 1, LABELS, r"answers must lie in \[0, 4\)"),
    ],
)
def test_what_does_not_fit_is_refused(
    before: np.ndarray, after: np.ndarray, labels: np.ndarray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        translation_metrics(before, after, labels, CLASSES)


def noise(seed: int, count: int = 3, side: int = 24) -> torch.Tensor:
    random = np.random.default_rng(seed)
    smooth = gaussian_filter(random.normal(size=(count, 2, side, side)), (0, 0, 2, 2))
    return torch.from_numpy(np.clip(3 * smooth, -1, 1)).float()


def test_ssim_is_the_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translation, "CHUNK", 2)
    images, sources = noise(0), noise(1) * 0.4 + noise(0) * 0.6
    scores = []
    for one, other in zip(images.numpy(), sources.numpy(), strict=True):
        for x, y in zip((one.astype(float) + 1) / 2, (other.astype(float) + 1) / 2, strict=True):
            blurred = [
                gaussian_filter(v, 1.5, truncate=5 / 1.5)[5:-5, 5:-5]
                for v in (x, y, x * x, y * y, x * y)
            ]
            mx, my, xx, yy, xy = blurred
            c1, c2 = 0.01**2, 0.03**2
            luminance = (2 * mx * my + c1) / (mx**2 + my**2 + c1)
            structure = (2 * (xy - mx * my) + c2) / (xx - mx**2 + yy - my**2 + c2)
            scores.append((luminance * structure).mean())
    assert 0.3 < np.mean(scores) < 0.95
    assert paired_ssim(images, sources) == pytest.approx(np.mean(scores), abs=1e-6)


def test_ssim_is_that_of_torchmetrics() -> None:
    one, other = noise(0)[..., :14], (noise(1) + 3 * noise(0))[..., :14] / 4
    unit = ((v.double() + 1) / 2 for v in (one, other))
    _, places = structural_similarity_index_measure(
        *unit, reduction="none", data_range=1.0, return_full_image=True
    )
    expected = float(places[:, :, 5:-5, 5:-5].mean())  # around them it pads
    assert paired_ssim(one, other) == pytest.approx(expected, abs=1e-12)


def test_ssim_of_known_cases() -> None:
    images = noise(0)
    assert paired_ssim(images, images) == pytest.approx(1)
    black, white = torch.full((2, 1, 16, 16), -1.0), torch.ones(2, 1, 16, 16)
    assert paired_ssim(black, white) == pytest.approx(1e-4 / (1 + 1e-4))
    with pytest.raises(ValueError, match="are no pairs"):
        paired_ssim(images, images[:2])
