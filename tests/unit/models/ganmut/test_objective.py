"""Losses of GANmut: equations written out, and which rows count."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from fer_lightning.models.ganmut.config import GANmutConfig, Space
from fer_lightning.models.ganmut.networks import Verdict
from fer_lightning.models.ganmut.objective import (
    discriminator_terms,
    gaussian_generator_terms,
    linear_generator_terms,
)
from fer_lightning.models.ganmut.space import DrawnPoints

RANDOM = torch.Generator().manual_seed(0)
SCORES = torch.randn(4, 1, 2, 2, generator=RANDOM)
LOGITS = torch.randn(4, 3, generator=RANDOM)
POINTS = torch.randn(4, 2, generator=RANDOM)
VERDICT = Verdict(SCORES, LOGITS, POINTS)
WANTED = torch.zeros(4, 2)
EMOTIONS = torch.tensor([0, 1, 2, 1])


def cross_entropy(logits: Tensor, emotions: Tensor) -> Tensor:
    return -logits.log_softmax(1)[torch.arange(len(emotions)), emotions].mean()


def drawn(directed: list[bool], intensity: list[float] | None = None) -> DrawnPoints:
    strength = None if intensity is None else torch.tensor(intensity)
    return DrawnPoints(WANTED, EMOTIONS, torch.tensor(directed), strength)


def test_the_discriminators_loss_is_the_equation() -> None:
    config = GANmutConfig(class_weight=2, penalty_weight=7, discriminator_point_weight=3)
    real = Verdict(SCORES + 1, LOGITS.flip(0), POINTS)
    terms = discriminator_terms(config, real, VERDICT, EMOTIONS, WANTED, torch.tensor(0.5))
    expected = {
        "real": -(SCORES + 1).mean(),
        "fake": SCORES.mean(),
        "class": cross_entropy(LOGITS.flip(0), EMOTIONS),
        "point": POINTS.square().mean(),
        "penalty": torch.tensor(0.5),
    }
    assert terms.keys() == {"loss", *expected}
    for name, value in expected.items():
        torch.testing.assert_close(terms[name], value)
    total = expected["real"] + expected["fake"] + 2 * expected["class"] + 3 * expected["point"]
    torch.testing.assert_close(terms["loss"], total + 3.5)
    without = discriminator_terms(config, real, VERDICT, EMOTIONS, WANTED, None)
    assert without.keys() == terms.keys() - {"penalty"}
    torch.testing.assert_close(without["loss"], total)


def test_the_linear_generators_loss_is_the_equation() -> None:
    config = GANmutConfig(
        class_weight=2, reconstruction_weight=5, strength_weight=3, generator_point_weight=4
    )
    asked = drawn([False, True, True, True], [0.9, 0.1, 0.2, 0.6])
    terms = linear_generator_terms(config, VERDICT, asked, torch.tensor(0.25))
    certainty = LOGITS.softmax(1).max(1).values
    # Not the second and third row: an intensity up to 0.2 is neutral's.
    strength = ((certainty[0] - 0.9) ** 2 + (certainty[3] - 0.6) ** 2) / 2
    torch.testing.assert_close(terms["fake"], -SCORES.mean())
    torch.testing.assert_close(terms["class"], cross_entropy(LOGITS[1:], EMOTIONS[1:]))
    torch.testing.assert_close(terms["strength"], strength)
    torch.testing.assert_close(terms["point"], POINTS.square().mean())
    total = terms["fake"] + 2 * terms["class"] + 5 * 0.25 + 3 * strength + 4 * terms["point"]
    torch.testing.assert_close(terms["loss"], total)


def test_a_batch_of_neutral_targets_has_no_strength_to_match() -> None:
    asked = drawn([True] * 4, [0.0, 0.1, 0.2, 0.05])
    terms = linear_generator_terms(GANmutConfig(), VERDICT, asked, torch.tensor(0.0))
    assert terms["strength"].item() == 0
    assert terms["loss"].isfinite()


def test_the_gaussian_generators_loss_is_the_equation() -> None:
    config = GANmutConfig(space=Space.gaussian, class_weight=2, prediction_weight=3)
    distances = torch.rand(4, 3, generator=torch.Generator().manual_seed(1))
    asked = drawn([True, True, False, False])
    terms = gaussian_generator_terms(config, VERDICT, asked, torch.tensor(0.1), distances)
    wanted, seen = (-distances).softmax(1), LOGITS.softmax(1)
    divergence = (wanted * (wanted / seen).log()).sum() + (seen * (seen / wanted).log()).sum()
    torch.testing.assert_close(terms["class"], divergence / 4)
    torch.testing.assert_close(terms["prediction"], cross_entropy(LOGITS[:2], EMOTIONS[:2]))
    total = -SCORES.mean() + 1.0 + 2 * divergence / 4 + 3 * terms["prediction"]
    torch.testing.assert_close(terms["loss"], total)
    assert terms.keys() == {"loss", "fake", "reconstruction", "class", "prediction"}


def test_equal_distributions_do_not_diverge() -> None:
    terms = gaussian_generator_terms(
        GANmutConfig(space=Space.gaussian), VERDICT, drawn([True] * 4), torch.tensor(0.0), -LOGITS
    )
    assert terms["class"].item() == pytest.approx(0, abs=1e-6)
