"""A classifier as a judge: what it says, what it lets through, and what never reaches it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from fer_lightning.data.batch import to_unit_range
from fer_lightning.errors import UserError
from fer_lightning.features.classifier import ClassifierFeatureConfig
from fer_lightning.models.cgan.config import CGANConfig
from fer_lightning.models.classifier.config import ClassifierConfig
from fer_lightning.models.classifier.frozen import FrozenClassifier
from fer_lightning.models.config import FaceFormat
from tests.helpers.runs import saved_run

CLASSES = ["sadness", "fear", "anger"]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return classifier_run(tmp_path / "run")


def classifier_run(folder: Path, channels: int = 1) -> Path:
    faces = FaceFormat(image_size=16, channels=channels, classes=CLASSES, frequencies=[1] * 3)
    torch.manual_seed(1)
    return saved_run(folder, ClassifierConfig(width=4), faces)


def images(size: int = 32, channels: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand((4, channels, size, size), generator=generator) * 2 - 1


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("size", "given"), [(16, 1), (16, 3), (24, 1), (40, 3)])
def test_it_says_what_the_feature_network_says(
    tmp_path: Path, channels: int, size: int, given: int
) -> None:
    folder = classifier_run(tmp_path / "run", channels)
    generator = torch.Generator().manual_seed(0)
    faces = torch.randint(0, 256, (5, size, size, given), dtype=torch.uint8, generator=generator)
    expected = ClassifierFeatureConfig(run=folder).build()(faces).logits
    found = FrozenClassifier(folder, CLASSES)(to_unit_range(faces))
    torch.testing.assert_close(found, expected)


def test_classes_go_by_name(run: Path) -> None:
    every = FrozenClassifier(run, CLASSES)(images())
    some = FrozenClassifier(run, ["anger", "sadness"])(images())
    assert torch.equal(some, every[:, [2, 0]])
    whole = FrozenClassifier(run, ["anger", "sadness"], others=True)
    assert whole.classes == ["anger", "sadness", "fear"]
    assert torch.equal(whole(images()), every[:, [2, 0, 1]])
    with pytest.raises(UserError, match="does not know surprise, contempt; it was trained on sad"):
        FrozenClassifier(run, ["fear", "surprise", "contempt"])


def test_gradients_reach_the_images_alone(run: Path) -> None:
    judge = FrozenClassifier(run, CLASSES)
    shown = images().requires_grad_()
    judge(shown)[:, 0].sum().backward()
    assert shown.grad is not None
    assert all(shown.grad.abs().amax((1, 2, 3)) > 0)
    assert all(weight.grad is None for weight in judge.network.parameters())


def test_nothing_that_goes_over_parts_reaches_it(run: Path) -> None:
    around = torch.nn.Sequential(FrozenClassifier(run, CLASSES))
    judge: Any = around[0]
    before = {k: v.clone() for k, v in judge.network.state_dict().items()}
    around.train()
    around.requires_grad_(True)
    around(images())
    assert not judge.network.training
    assert not any(weight.requires_grad for weight in judge.network.parameters())
    assert not list(around.parameters())
    assert not around.state_dict()
    around.load_state_dict({})
    after = judge.network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_moves_reach_it(run: Path) -> None:
    around = torch.nn.Sequential(FrozenClassifier(run, CLASSES))
    judge: Any = around[0]
    expected = around(images())
    around.to(torch.float64)
    assert next(judge.network.parameters()).dtype is torch.float64
    found = around(images())
    assert found.dtype is torch.float32
    torch.testing.assert_close(found, expected)


def test_only_a_classifier_will_do(tmp_path: Path) -> None:
    faces = FaceFormat(image_size=16, channels=1, classes=CLASSES, frequencies=[1] * 3)
    gan = saved_run(tmp_path / "gan", CGANConfig(width=4), faces)
    with pytest.raises(UserError, match=r"model\.classifier=.* is no classifier"):
        FrozenClassifier(gan, CLASSES)
    with pytest.raises(UserError, match=r"judge=.*there is no checkpoints"):
        FrozenClassifier(tmp_path / "nowhere", CLASSES, "judge")
