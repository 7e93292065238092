"""Impossible hyper-parameters stop before anything is built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fer_lightning.config.plain import identity
from fer_lightning.errors import UserError
from fer_lightning.models.config import FaceFormat
from fer_lightning.models.egc_gan.config import EGCGANConfig, Encoder, LabelPlane


def egc_gan(**settings: Any) -> EGCGANConfig:
    return EGCGANConfig(**{"classifier": Path("RUN"), **settings})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("code_dim", 0),
        ("width", -1),
        ("embedding_dim", 0),
        ("classifier_weight", -0.1),
        ("reconstruction_weight", -1.0),
        ("identity_weight", -1.0),
        ("init_std", 0.0),
        ("critic_steps", 0),
        ("generator_lr", 0.0),
    ],
)
def test_an_impossible_value_names_its_key(key: str, value: Any) -> None:
    with pytest.raises(UserError, match=rf"model\.{key}={str(value).strip()}"):
        egc_gan(**{key: value})


@pytest.mark.parametrize(
    ("encoder", "size", "remedy"),
    [
        (Encoder.alexnet, 48, "pass image_size=64 or model.encoder=lite"),
        (Encoder.alexnet, 32, "pass image_size=64 or model.encoder=lite"),
        (Encoder.alexnet, 16, "pass image_size=64$"),
        (Encoder.lite, 16, "pass image_size=32$"),
        (Encoder.alexnet, 100, "try image_size=96"),
        (Encoder.lite, 39, "try image_size=32"),
    ],
)
def test_a_size_that_cannot_be_made_names_a_remedy(
    encoder: Encoder, size: int, remedy: str
) -> None:
    with pytest.raises(UserError, match=remedy):
        egc_gan(encoder=encoder).check(size)


def test_sizes_that_can_be_made_pass() -> None:
    for size in (64, 80, 96, 128):
        egc_gan().check(size)
    for size in (32, 48, 96):
        egc_gan(encoder=Encoder.lite).check(size)


def test_one_emotion_is_too_few() -> None:
    faces = FaceFormat(image_size=96, channels=3, classes=["fear"], frequencies=[1])
    with pytest.raises(UserError, match="two emotions that both domains have"):
        egc_gan().build(faces, 0)


def test_where_the_classifier_lies_is_no_part_of_what_a_run_is() -> None:
    assert identity(egc_gan(classifier=Path("a"))) == identity(egc_gan(classifier=Path("b")))


def test_a_key_that_nothing_reads_is_no_part_either() -> None:
    plain = {"label_plane": LabelPlane.constant}
    assert egc_gan(**plain, embedding_dim=7) == egc_gan(**plain)


def test_a_weight_needs_a_classifier() -> None:
    with pytest.raises(UserError, match=r"model\.classifier is required: .* experiment:NAME"):
        EGCGANConfig().check(96)
    EGCGANConfig(classifier_weight=0).check(96)
