"""GANmut beside what the official code computes in double precision."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fer_lightning.data.batch import FaceBatch
from fer_lightning.labels import EMOTIONS
from fer_lightning.models.config import FaceFormat
from fer_lightning.models.ganmut import module as ganmut
from fer_lightning.models.ganmut.config import Cycle, GANmutConfig, Penalty
from fer_lightning.models.ganmut.module import EditBatch, GANmut
from fer_lightning.models.ganmut.networks import Verdict
from fer_lightning.models.ganmut.official import discriminator_weights, generator_weights
from fer_lightning.models.ganmut.space import DrawnPoints, LinearSpace
from tests.conftest import real_file

FACES = FaceFormat(image_size=32, channels=3, classes=EMOTIONS[:7], frequencies=[1] * 7)
SMALL = {"generator_width": 8, "generator_blocks": 2, "discriminator_width": 8, "depth": 4}


@dataclass
class Golden:
    """The official numbers; images in our order of channels."""

    numbers: dict[str, Tensor]

    def __getitem__(self, name: str) -> Tensor:
        return self.numbers[name]

    def weights(self, network: str) -> dict[str, Tensor]:
        return {
            name.removeprefix(f"{network}."): value
            for name, value in self.numbers.items()
            if name.startswith(f"{network}.")
        }

    def image(self, name: str) -> Tensor:
        return self.numbers[name].flip(1)


@pytest.fixture(scope="module")
def golden(real_data: Path) -> Golden:
    with np.load(real_file(real_data / "ganmut_golden.npz")) as file:
        return Golden({name: torch.as_tensor(file[name]) for name in file.files})


@pytest.fixture
def model(golden: Golden, monkeypatch: pytest.MonkeyPatch) -> GANmut:
    return official(golden, monkeypatch)


def official(golden: Golden, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> GANmut:
    """Our model with the official weights, which blends images by the official alpha."""
    module = GANmutConfig(**SMALL, **settings).build(FACES, seed=0).double()
    module.generator.load_state_dict(generator_weights(golden.weights("G")))
    module.discriminator.load_state_dict(discriminator_weights(golden.weights("D")))
    alpha = golden["alpha"]
    monkeypatch.setattr(ganmut, "blend", lambda real, fake, _: alpha * real + (1 - alpha) * fake)
    return module


def step(model: GANmut, golden: Golden) -> tuple[FaceBatch, EditBatch]:
    """The real faces, and edits by the official points, attached to the axes where these are."""
    targets, rho, z = (golden[name] for name in ("target_labels", "rho", "z"))
    real = FaceBatch(golden.image("x"), golden["labels"])
    space = model.generator.space
    assert isinstance(space, LinearSpace)
    directed = space.directed(torch.arange(8), 8)
    assert directed.tolist() == [False] * 5 + [True] * 3
    near = space.points(targets, rho)
    points = torch.where(directed[:, None], near + (z - near).detach(), z)
    drawn = DrawnPoints(points, targets, directed, rho)
    return real, EditBatch(model.generator(real.images, points), targets, drawn=drawn)


def same(ours: Tensor | float, official: Tensor) -> None:
    """To 1e-8: relative, and absolute below 1."""
    found = torch.as_tensor(ours, dtype=torch.float64).detach()
    assert found.shape == official.shape
    assert ((found - official).abs() <= 1e-8 * official.abs().clamp(min=1)).all()


def gradient_norm(network: nn.Module) -> Tensor:
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    return torch.stack([g.square().sum() for g in gradients]).sum().sqrt()


def test_outputs(model: GANmut, golden: Golden) -> None:
    real, fake = step(model, golden)
    same(fake.images, golden.image("fake"))
    said = model.discriminator(real.images)
    assert isinstance(said, Verdict)
    same(said.scores, golden["d_src"])
    same(said.logits, golden["d_cls"])
    same(said.points, golden["d_coor"])
    same(said.points, golden["coor_real"])
    same(model.generator(fake.images, golden["coor_real"]), golden.image("reconstruction"))


def test_points_without_noise(model: GANmut, golden: Golden) -> None:
    space = model.generator.space
    same(space.points(golden["target_labels"], golden["rho"]), golden["z_test"])


def test_a_step_of_the_discriminator(model: GANmut, golden: Golden) -> None:
    real, fake = step(model, golden)
    terms = model.discriminator_loss(real, fake.detached())
    for ours, theirs in (
        ("real", "real"),
        ("fake", "fake"),
        ("class", "cls"),
        ("penalty", "gp"),
        ("point", "info"),
    ):
        same(terms[ours], golden[f"d_loss_{theirs}"])
    same(terms["loss"], golden["d_loss"])
    terms["loss"].backward()
    same(gradient_norm(model.discriminator), golden["d_grad_norm"])
    assert all(p.grad is None for p in model.generator.parameters())


def test_r1(golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    model = official(golden, monkeypatch, penalty=Penalty.r1)
    real, fake = step(model, golden)
    same(model.discriminator_loss(real, fake.detached())["penalty"], golden["d_loss_r1"])


def test_a_step_of_the_generator(model: GANmut, golden: Golden) -> None:
    real, fake = step(model, golden)
    terms = model.generator_loss(real, fake)
    for ours, theirs in (
        ("fake", "fake"),
        ("class", "cls"),
        ("strength", "strength"),
        ("point", "info"),
        ("reconstruction", "rec"),
    ):
        same(terms[ours], golden[f"g_loss_{theirs}"])
    same(terms["loss"], golden["g_loss"])
    terms["loss"].backward()
    same(gradient_norm(model.generator), golden["g_grad_norm"])
    axes = model.generator.space.axes
    assert isinstance(axes, nn.Parameter)
    assert axes.grad is not None
    same(axes.grad, golden["axes_grad"])


def test_the_approximate_cycles_are_other_ways_back(
    golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = []
    for cycle in Cycle:
        model = official(golden, monkeypatch, cycle=cycle)
        losses.append(model.generator_loss(*step(model, golden))["reconstruction"].item())
    assert len(set(losses)) == 3
