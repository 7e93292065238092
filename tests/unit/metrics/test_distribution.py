"""Distances between sets of features: closed forms, names, and what is left out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from fer_lightning.features.network import Features
from fer_lightning.metrics.distribution import compare, frechet_distance, kernel_distance


def gaussian(count: int, mean: Tensor, root: Tensor, seed: int) -> Tensor:
    """A sample with exactly this mean and covariance ``root @ root.T``."""
    noise = torch.randn(
        (count, len(mean)), generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    noise -= noise.mean(0)
    covariance = noise.T @ noise / (count - 1)
    white = noise @ torch.linalg.inv(torch.linalg.cholesky(covariance)).T
    return white @ root.T + mean


def test_frechet_distance_of_two_gaussians_is_the_closed_form() -> None:
    one, two = torch.tensor([1.0, 2.0, 3.0]).double(), torch.tensor([2.0, 0.5, 1.0]).double()
    real = gaussian(200, torch.zeros(3).double(), one.diag(), 0)
    fake = gaussian(300, torch.tensor([1.0, -1.0, 0.5]).double(), two.diag(), 1)
    wanted = 1 + 1 + 0.25 + float((one - two).square().sum())  # commuting covariances
    assert frechet_distance(real, fake) == pytest.approx(wanted, rel=1e-9)


def test_a_set_is_at_distance_zero_of_itself() -> None:
    real = torch.rand((100, 8), generator=torch.Generator().manual_seed(0))
    assert frechet_distance(real, real) == pytest.approx(0, abs=1e-9)
    assert kernel_distance(real, real, 0)[0] < 0  # the unbiased estimate


def features(count: int, seed: int, logits: bool = False) -> Features:
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.rand((count, 4), generator=generator)
    return Features(vectors, torch.rand((count, 5), generator=generator) if logits else None)


def test_only_inception_gives_fid() -> None:
    found = compare("inception", features(40, 0).vectors, features(40, 1, True), 5, 0)
    names = {"fid", "kid", "inception_score", "inception_score_sd"}
    prdc = {"precision", "recall", "density", "coverage"}
    assert found.metrics.keys() == names | {f"{n}_inception" for n in prdc}
    assert 1 <= found.metrics["inception_score"] <= 5
    assert found.left_out == {"kid_sd": "one subset holds all images"}
    other = compare("classifier", features(40, 0).vectors, features(40, 1, True), 5, 0, "fear")
    assert other.metrics.keys() == {f"{n}_classifier/fear" for n in ("frechet", "kernel", *prdc)}


@pytest.mark.parametrize(("count", "missing"), [(0, 6), (1, 6), (2, 4), (5, 4), (6, 0)])
def test_too_few_images_are_left_out_with_the_reason(count: int, missing: int) -> None:
    found = compare("pixels", features(count, 0).vectors, features(count, 1), 5, 0, "fear")
    found.left_out.pop("kernel_pixels_sd/fear")  # for another reason
    assert set(found.left_out.values()) <= {f"needs {n} images, has {count}" for n in (2, 6)}
    assert (len(found.left_out), len(found.metrics)) == (missing, 6 - missing)


def test_what_is_no_number_is_left_out() -> None:
    broken = Features(torch.full((10, 4), torch.inf), None)
    found = compare("pixels", features(10, 0).vectors, broken, 5, 0)
    assert "is no number" in found.left_out["kernel_pixels"]
    assert "kernel_pixels" not in found.metrics


def test_the_seed_alone_decides_and_the_global_state_stays() -> None:
    real, fake = features(1100, 0).vectors, features(1100, 1).vectors
    before = torch.get_rng_state()
    first = kernel_distance(real, fake, 3)
    torch.rand(5)
    torch.set_rng_state(before)
    assert kernel_distance(real, fake, 3) == first
    assert kernel_distance(real, fake, 4) != first
    assert torch.equal(torch.get_rng_state(), before)
    assert first[1] > 0
