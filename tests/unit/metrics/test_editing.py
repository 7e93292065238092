"""The torchmetrics classes: batches give what the functional cores give of all at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from fer_lightning.metrics.distribution import frechet_distance
from fer_lightning.metrics.editing import (
    ClassifierF1,
    CriticF1,
    FrechetEmotionDistance,
    PairedSSIM,
    SmoothnessScore,
)
from fer_lightning.metrics.functional.editing import critic_metrics, smoothness_metrics
from fer_lightning.metrics.functional.translation import paired_ssim

CLASSES = ["neutral", "happiness", "fear"]


def test_fed_of_equal_sets_is_zero_and_of_a_shift_its_squared_length() -> None:
    vectors = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
    same, shifted = FrechetEmotionDistance(4), FrechetEmotionDistance(4)
    for part in vectors.split(25):
        for metric, by in ((same, 0.0), (shifted, 2.0)):
            metric.update(part, real=True)
            metric.update(part + by, real=False)
    assert float(same.compute()) == pytest.approx(0, abs=1e-9)
    assert float(shifted.compute()) == pytest.approx(4 * 2.0**2)
    other = vectors * torch.tensor([1.0, 3.0, 1.0, 0.5])
    stretched = FrechetEmotionDistance(4)
    stretched.update(vectors, real=True)
    stretched.update(other, real=False)
    assert float(stretched.compute()) == pytest.approx(frechet_distance(vectors, other))


def test_smoothness_is_that_of_all_curves() -> None:
    curves = torch.rand(9, 2, 10, generator=torch.Generator().manual_seed(0)).sort(2).values
    metric = SmoothnessScore(["fear", "anger"])
    for part in curves.split(4):
        metric.update(part)
    expected = smoothness_metrics(curves.double().numpy(), ["fear", "anger"])
    assert metric.compute() == expected
    mean = curves.double().mean(0)
    assert metric.mean_curves()["anger"] == pytest.approx(mean[1].tolist())


def test_the_critics_f1_is_that_of_all_pairs() -> None:
    real, fake = torch.randn(2, 31, generator=torch.Generator().manual_seed(0))
    metric = CriticF1(seed=5)
    for own, other in zip(real.split(8), fake.split(8), strict=True):
        metric.update(own, other)
    expected = critic_metrics(real.double().numpy(), fake.double().numpy(), 5)
    assert metric.compute() == expected
    np.testing.assert_array_equal(metric.scores()[1], fake.double().numpy())


def test_a_classifiers_f1_is_scikit_learns_over_the_classes_of_the_model() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(40, 4, generator=generator)
    meant = torch.randint(0, 3, (40,), generator=generator)
    metric = ClassifierF1([*CLASSES, "anger"], CLASSES)
    for part, own in zip(logits.split(16), meant.split(16), strict=True):
        metric.update(part, own)
    found = metric.compute()
    said = logits.argmax(1)
    assert (said == 3).any()
    expected = f1_score(meant, said, labels=range(3), average="macro", zero_division=0)
    assert found.metrics["macro_f1"] == pytest.approx(expected)
    assert found.metrics["accuracy"] == pytest.approx(float((said == meant).double().mean()))
    of_fear = float((said[meant == 2] == 2).double().mean())
    assert found.metrics["recall/fear"] == pytest.approx(of_fear)
    assert metric.answers().tolist() == said.tolist()


def test_a_class_without_a_face_counts_as_zero() -> None:
    metric = ClassifierF1(CLASSES, CLASSES)
    metric.update(torch.eye(3)[:2], torch.tensor([0, 1]))
    found = metric.compute()
    assert found.metrics["macro_f1"] == pytest.approx(2 / 3)
    assert found.left_out == {"recall/fear": "no face was to show it"}


def test_ssim_is_the_mean_over_all_pairs() -> None:
    images, sources = torch.rand(2, 7, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    metric = PairedSSIM()
    for one, other in zip(images.split(3), sources.split(3), strict=True):
        metric.update(one, other)
    assert float(metric.compute()) == pytest.approx(paired_ssim(images, sources))
    same = PairedSSIM()
    same.update(images, images)
    assert float(same.compute()) == pytest.approx(1)
