"""Our numbers beside torch-fidelity's, on the same features and from the same images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torchmetrics.image.fid import FrechetInceptionDistance

from fer_lightning.features.inception import InceptionConfig
from fer_lightning.features.network import Features
from fer_lightning.metrics.distribution import FrechetDistance, GivenFeatures, compare
from tests.helpers.inception import random_inception


def two_sets(count: int, width: int) -> tuple[Tensor, Tensor]:
    """Skewed, correlated and non-negative, as pool features are."""
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn((width, width), generator=generator) / width**0.5
    real, fake = (torch.randn((count, width), generator=generator) @ mixing for _ in range(2))
    return real.relu(), (fake * 1.1 + 0.1).relu()


@pytest.mark.parametrize(("count", "width"), [(400, 64), (50, 128)])
def test_fid_equals(count: int, width: int) -> None:
    real, fake = two_sets(count, width)
    statistics = [fid_features_to_statistics(features) for features in (real, fake)]
    wanted = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    found = compare("inception", real, Features(fake, None), 5, 0)
    assert found.metrics["fid"] == pytest.approx(wanted, rel=1e-5)


def test_kid_equals_where_one_subset_holds_all() -> None:
    real, fake = two_sets(300, 64)
    theirs = kid_features_to_metric(
        real, fake, kid_subsets=3, kid_subset_size=300, rng_seed=1, verbose=False
    )
    found = compare("inception", real, Features(fake, None), 5, 0)
    wanted = theirs["kernel_inception_distance_mean"]
    assert found.metrics["kid"] == pytest.approx(wanted, rel=1e-4)


@pytest.mark.slow
def test_kid_is_within_the_spread_of_its_subsets() -> None:
    real, fake = two_sets(1200, 16)
    theirs = kid_features_to_metric(
        real, fake, kid_subsets=20, kid_subset_size=1000, rng_seed=1, verbose=False
    )
    found = compare("inception", real, Features(fake, None), 5, 0)
    difference = abs(found.metrics["kid"] - theirs["kernel_inception_distance_mean"])
    assert found.metrics["kid_sd"] > 0
    assert difference < theirs["kernel_inception_distance_std"]
    assert found.metrics["kid_sd"] == pytest.approx(
        theirs["kernel_inception_distance_std"], rel=0.6
    )


def test_inception_score_equals_within_its_spread() -> None:
    logits = torch.randn((2000, 12), generator=torch.Generator().manual_seed(0)) * 3
    theirs = isc_features_to_metric(logits, splits=10, shuffle=True, rng_seed=1)
    found = compare("inception", torch.rand((30, 4)), Features(torch.rand((30, 4)), logits), 5, 0)
    difference = abs(found.metrics["inception_score"] - theirs["inception_score_mean"])
    assert difference < theirs["inception_score_std"]


@pytest.mark.slow
def test_images_give_the_features_of_torch_fidelity(tmp_path: Path) -> None:
    weights = tmp_path / "random.pth"
    torch.save(random_inception(), weights)
    network = InceptionConfig(weights=weights).build()
    reference = FeatureExtractorInceptionV3(
        "inception-v3-compat", ["2048", "logits_unbiased"], str(weights)
    )
    random = np.random.default_rng(0)
    for side, channels in ((48, 1), (400, 3)):  # enlarged, shrunk
        faces = torch.from_numpy(random.integers(0, 256, (2, side, side, channels), np.uint8))
        images = faces.permute(0, 3, 1, 2).expand(-1, 3, -1, -1)
        with torch.no_grad():
            vectors, logits = reference(images)
            found = network(faces)
        assert vectors.std() > 1e-2
        torch.testing.assert_close(found.vectors, vectors, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(found.logits, logits, rtol=1e-4, atol=1e-5)
    smooth = InceptionConfig(weights=weights, antialias=True).build()
    with torch.no_grad():
        assert not torch.allclose(smooth(faces).vectors, vectors, rtol=1e-4)


def test_symmetric_eigenvalues_replace_the_last_step_of_torchmetrics_alone() -> None:
    real, fake = two_sets(60, 64)  # fewer images than dimensions: no Cholesky factor
    theirs = FrechetInceptionDistance(GivenFeatures(64))
    ours = FrechetDistance(GivenFeatures(64))
    for metric in (theirs, ours):
        metric.update(real.double(), True)
        metric.update(fake.double(), False)
    assert float(ours.compute()) == pytest.approx(float(theirs.compute()), rel=1e-6)
    ours.reset()
    with pytest.raises(RuntimeError, match="two images"):
        ours.compute()
