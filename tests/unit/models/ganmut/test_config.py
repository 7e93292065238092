"""Impossible hyper-parameters stop before anything is built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fer_lightning.config.plain import identity
from fer_lightning.errors import UserError
from fer_lightning.models.config import FaceFormat
from fer_lightning.models.ganmut.config import Cycle, GANmutConfig, Penalty, Space


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dimension", 4),
        ("generator_width", 0),
        ("discriminator_width", -1),
        ("depth", 1),
        ("generator_blocks", -1),
        ("random_directions", -1),
        ("decay_images", -1),
        ("penalty_weight", -0.5),
        ("strength_weight", -1.0),
        ("prediction_weight", -1.0),
        ("generator_lr", 0.0),
        ("critic_steps", 0),
    ],
)
def test_an_impossible_value_names_its_key(key: str, value: Any) -> None:
    with pytest.raises(UserError, match=rf"model\.{key}={value}"):
        GANmutConfig(**{key: value})


def test_a_schedule_has_a_length() -> None:
    with pytest.raises(UserError, match=r"model\.schedule_images=0: give"):
        GANmutConfig(schedule_images=0)


@pytest.mark.parametrize(
    ("size", "depth", "remedy"),
    [
        (48, 6, "try image_size=64 or model.depth=4$"),
        (32, 6, "try image_size=64 or model.depth=5$"),
        (100, 6, "try image_size=128 or model.depth=2$"),
        (50, 4, "try image_size=48$"),
        (8, 4, "try image_size=16 or model.depth=3$"),
    ],
)
def test_a_size_that_cannot_be_halved_names_a_remedy(size: int, depth: int, remedy: str) -> None:
    with pytest.raises(UserError, match=rf"image_size={size}: .*model\.depth={depth}.*{remedy}"):
        GANmutConfig(depth=depth).check(size)


@pytest.mark.parametrize(("size", "depth"), [(64, 6), (128, 6), (256, 6), (48, 4), (32, 4)])
def test_sizes_that_the_depth_allows(size: int, depth: int) -> None:
    GANmutConfig(depth=depth).check(size)


@pytest.mark.parametrize("cycle", [Cycle.approximate, Cycle.approximate_official])
def test_a_gaussian_space_has_one_cycle(cycle: Cycle) -> None:
    with pytest.raises(UserError, match=rf"model\.cycle={cycle.name} .* model\.cycle=original"):
        GANmutConfig(space=Space.gaussian, cycle=cycle)


@pytest.mark.parametrize(
    ("classes", "told"),
    [
        (["happiness", "fear"], "show happiness, fear"),
        (["neutral"], "show neutral:"),
        ([], "show no emotion"),
    ],
)
def test_neutral_and_another_emotion_are_needed(classes: list[str], told: str) -> None:
    faces = FaceFormat(image_size=64, channels=3, classes=classes, frequencies=[1] * len(classes))
    with pytest.raises(UserError, match=f"{told}.*needs neutral"):
        GANmutConfig().build(faces, seed=0)


def test_an_official_discriminator_comes_with_its_generator() -> None:
    with pytest.raises(UserError, match=r"is for model\.official_weights=: pass that, too"):
        GANmutConfig(official_discriminator=Path("D.ckpt"))


def test_the_defaults_are_the_official_ones_but_for_the_cycle() -> None:
    config = GANmutConfig(schedule_images=3_200_000)
    assert (config.space, config.dimension, config.cycle) == (Space.linear, 2, Cycle.original)
    assert (config.generator_width, config.generator_blocks) == (64, 6)
    assert (config.discriminator_width, config.depth) == (64, 6)
    assert (config.generator_lr, config.discriminator_lr) == (1e-4, 1e-4)
    assert (config.beta1, config.beta2, config.critic_steps) == (0.5, 0.999, 5)
    assert (config.penalty, config.penalty_weight) == (Penalty.gradient, 10)
    assert (config.class_weight, config.reconstruction_weight) == (1, 10)
    assert (config.strength_weight, config.prediction_weight) == (1, 0.5)
    assert (config.generator_point_weight, config.discriminator_point_weight) == (1, 1)
    assert config.random_directions == 5
    assert config.decay_images == 100_000 * 16
    assert GANmutConfig.edits
    assert not GANmutConfig.translates


def test_what_nothing_reads_is_no_part_of_a_run() -> None:
    constant = GANmutConfig(decay_images=0)
    assert identity(constant) == identity(GANmutConfig(decay_images=0, schedule_images=9))
    assert identity(constant) == identity(GANmutConfig())
    assert identity(constant) != identity(GANmutConfig(schedule_images=9))


@pytest.mark.parametrize(
    ("space", "key", "value"),
    [
        (Space.linear, "prediction_weight", 3.0),
        (Space.gaussian, "strength_weight", 3.0),
        (Space.gaussian, "generator_point_weight", 0.0),
        (Space.gaussian, "random_directions", 1),
        (Space.gaussian, "cycle", Cycle.approximate),
    ],
)
def test_what_the_space_does_not_have_is_refused(space: Space, key: str, value: Any) -> None:
    with pytest.raises(UserError, match=rf"^model\.{key}=.*model\.space={space.name}"):
        GANmutConfig(space=space, **{key: value})


def test_clipping_is_refused_since_the_directions_begin_close_to_0() -> None:
    with pytest.raises(UserError, match=r"^model\.gradient_clip=1"):
        GANmutConfig(gradient_clip=1.0)
