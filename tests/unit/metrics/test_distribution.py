"""Distances between sets of features: closed forms, names, and what is left out."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from fer_lightning.config.evaluate import EvaluationConfig
from fer_lightning.errors import UserError
from fer_lightning.features.network import Features
from fer_lightning.metrics.distribution import compare, frechet_distance, kernel_distance
from fer_lightning.metrics.generation import GenerationEvaluator
from fer_lightning.registry import metrics
from tests.unit.metrics.helpers import small_cgan, small_faces


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
    emotions = {"fed/fear", "is_fer/fear", "is_fer_sd/fear", "kernel_classifier/fear"}
    assert other.metrics.keys() == emotions | {f"{n}_classifier/fear" for n in prdc}
    third = compare("own", features(40, 0).vectors, features(40, 1, True), 5, 0, "fear")
    assert third.metrics.keys() == {f"{n}_own/fear" for n in ("frechet", "kernel", *prdc)}


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


def shift(real: Tensor, fake: Tensor) -> float:
    return float((fake.mean(0) - real.mean(0)).norm())


def chance(real: Tensor, fake: Tensor) -> float:
    return float(torch.rand(()))


def nothing(real: Tensor, fake: Tensor) -> float:
    return float("nan")


def install(monkeypatch: pytest.MonkeyPatch, *names: str, function: str = "") -> None:
    paths = {name: f"{__name__}:{function or name}" for name in names}
    monkeypatch.setitem(metrics.__dict__, "paths", paths)
    monkeypatch.setitem(metrics.__dict__, "packages", dict.fromkeys(names, "theirs 1.0"))


def test_metrics_of_third_parties_are_measured_like_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = features(40, 0), features(40, 1)
    before = compare("pixels", real.vectors, fake, 5, 0)
    install(monkeypatch, "shift", "nothing")
    found = compare("pixels", real.vectors, fake, 5, 0)
    expected = float((fake.vectors.mean(0) - real.vectors.mean(0)).norm())
    assert found.metrics == {**before.metrics, "shift_pixels": pytest.approx(expected)}
    assert found.left_out["nothing_pixels"] == "is no number (nan)"
    one = compare("pixels", real.vectors, features(1, 1), 5, 0, "fear")
    assert one.left_out["shift_pixels/fear"] == "needs 2 images, has 1"


def test_the_protocol_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faces = small_faces(tmp_path)
    measuring, model = GenerationEvaluator(faces, "val", [], EvaluationConfig()), small_cgan(faces)
    before = measuring.protocol(model)
    install(monkeypatch, "shift")
    assert measuring.protocol(model) == {**before, "metrics": {"shift": "theirs 1.0"}}


def test_their_random_numbers_are_seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "chance")
    state = torch.get_rng_state()
    drawn = [
        compare("pixels", features(9, 0).vectors, features(9, 1), 5, seed).metrics["chance_pixels"]
        for seed in (3, 3, 4)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("name", ["frechet", "coverage"])
def test_a_name_of_ours_is_not_for_others(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, name, function="shift")
    with pytest.raises(UserError, match=f"'{name}' of theirs 1.0 has the name of a built-in one"):
        compare("pixels", features(9, 0).vectors, features(9, 1), 5, 0)
