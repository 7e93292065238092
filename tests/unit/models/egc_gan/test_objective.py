"""Losses of paper C: equations written out, weights, and which terms there are."""

from __future__ import annotations

import pytest
import torch

from fer_lightning.models.egc_gan.config import EGCGANConfig
from fer_lightning.models.egc_gan.objective import discriminator_terms, generator_terms

REAL, FAKE = torch.tensor([1.5, -0.5, 2.0]), torch.tensor([-1.0, 0.3, 0.0])


def test_the_discriminators_loss_is_the_equation() -> None:
    terms = discriminator_terms(REAL, FAKE)
    real, fake = -REAL.sigmoid().log().mean(), -(1 - FAKE.sigmoid()).log().mean()
    torch.testing.assert_close(terms["real"], real)
    torch.testing.assert_close(terms["fake"], fake)
    torch.testing.assert_close(terms["loss"], real + fake)
    torch.testing.assert_close(terms["mean"], (real + fake) / 2)


def test_the_generators_loss_is_the_equation() -> None:
    logits, emotions = torch.tensor([[1.0, 0.0], [0.5, 2.0]]), torch.tensor([0, 0])
    terms = generator_terms(EGCGANConfig(classifier_weight=3.0), FAKE, (logits, emotions))
    adversarial = -FAKE.sigmoid().log().mean()
    classifier = -logits.softmax(1)[:, 0].log().mean()
    assert set(terms) == {"loss", "adversarial", "classifier"}
    torch.testing.assert_close(terms["adversarial"], adversarial)
    torch.testing.assert_close(terms["classifier"], classifier)
    torch.testing.assert_close(terms["loss"], adversarial + 3 * classifier)


def test_differences_are_absolute_and_weighted() -> None:
    config = EGCGANConfig(reconstruction_weight=10.0, identity_weight=2.0)
    one, other = torch.tensor([[1.0, -1.0]]), torch.tensor([[0.5, 0.0]])
    terms = generator_terms(config, FAKE, None, (one, other), (one, -other))
    assert terms["reconstruction"].item() == pytest.approx((0.5 + 1.0) / 2)
    assert terms["identity"].item() == pytest.approx((1.5 + 1.0) / 2)
    wanted = terms["adversarial"].item() + 10 * 0.75 + 2 * 1.25
    assert terms["loss"].item() == pytest.approx(wanted)


def test_without_extras_the_discriminator_alone_is_heard() -> None:
    terms = generator_terms(EGCGANConfig(), FAKE)
    assert set(terms) == {"loss", "adversarial"}
    assert terms["loss"] is terms["adversarial"]
