"""Which point of the space is meant, by each way of saying it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from fer_lightning.config.edit import EditConfig
from fer_lightning.editing.point import Point, point_of
from fer_lightning.errors import UserError
from fer_lightning.models.ganmut.config import Space
from tests.helpers.editing import tiny_editor

ASKED = Path("RUN"), Path("photo.jpg")


def config(**keys: Any) -> EditConfig:
    return EditConfig(run=ASKED[0], image=ASKED[1], **keys)


def point(module: Any, **keys: Any) -> Point:
    found = point_of(config(**keys), module)
    assert found is not None
    assert found.coordinates.shape == (1, module.dimension)
    return found


def coordinates(module: Any, **keys: Any) -> Tensor:
    return point(module, **keys).coordinates[0]


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("space", Space)
def test_an_emotion_of_an_intensity(space: Space, dimension: int) -> None:
    module = tiny_editor(space=space, dimension=dimension)
    learnt = module.directions()
    weak = 0.3 * learnt["fear"] + 0.7 * learnt["neutral"]
    assert torch.allclose(coordinates(module, emotion="fear", intensity=0.3), weak, atol=1e-6)
    assert torch.allclose(coordinates(module, emotion="fear"), learnt["fear"], atol=1e-6)
    none = coordinates(module, emotion="fear", intensity=0.0)
    assert torch.allclose(none, learnt["neutral"], atol=1e-6)


@pytest.mark.parametrize("space", Space)
def test_a_blend_is_the_weighted_sum_and_the_rest_is_neutral(space: Space) -> None:
    module = tiny_editor(space=space)
    learnt = module.directions()
    both = 0.5 * learnt["happiness"] + 0.3 * learnt["surprise"] + 0.2 * learnt["neutral"]
    found = coordinates(module, blend={"happiness": 0.5, "surprise": 0.3, "anger": None})
    assert torch.allclose(found, both, atol=1e-6)
    alone = coordinates(module, blend={"happiness": 0.5})
    same = coordinates(module, emotion="happiness", intensity=0.5)
    assert torch.allclose(alone, same, atol=1e-6)
    nothing = coordinates(module, blend={"neutral": 0.4})
    assert torch.allclose(nothing, learnt["neutral"], atol=1e-6)


def test_an_angle_is_in_radians() -> None:
    module = tiny_editor()
    found = coordinates(module, theta=math.pi / 2, rho=0.5)
    assert torch.allclose(found, torch.tensor([0.0, 0.5]), atol=1e-6)
    angle = math.atan2(*module.directions()["anger"].flip(0).tolist())
    apex = coordinates(module, theta=angle, rho=1.0)
    assert torch.allclose(apex, module.directions()["anger"], atol=1e-6)


def test_names_for_files() -> None:
    module = tiny_editor()
    assert point(module, emotion="fear", intensity=0.25).name == "fear0.25"
    assert point(module, emotion="fear").name == "fear1"
    assert point(module, theta=-1.5, rho=1).name == "theta-1.5-rho1"
    assert point(module, blend={"fear": 0.6, "anger": 0.4}).name == "fear0.6-anger0.4"


def test_a_sheet_needs_no_point() -> None:
    assert point_of(config(sheet=True), tiny_editor()) is None


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"emotion": "contempt"}, "emotion=contempt: the model of run=RUN knows neutral, "),
        ({"blend": {"contempt": 0.1}}, "blend.contempt: the model of run=RUN knows neutral, "),
    ],
)
def test_unknown_emotions_are_told(keys: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told):
        point(tiny_editor(), **keys)


def test_three_dimensions_have_no_angle() -> None:
    with pytest.raises(UserError, match=r"theta= and rho=.* 3 dimensions: give emotion="):
        point(tiny_editor(dimension=3), theta=0.1, rho=0.2)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({}, r"which emotion is wanted\? Give emotion=NAME"),
        ({"emotion": "fear", "rho": 1.0, "theta": 1.0}, "emotion and theta each say a point"),
        ({"emotion": "fear", "blend": {"anger": 0.1}}, "emotion and blend each say a point"),
        ({"rho": 1.0, "blend": {"anger": 0.1}}, "rho and blend each say a point"),
        ({"rho": 1.0}, "rho is half a point: give theta=RADIANS rho=DISTANCE"),
        ({"theta": 1.0, "sheet": True}, "theta is half a point"),
        ({"intensity": 0.5, "sheet": True}, "intensity=0.5 is of an emotion: give emotion=NAME"),
        ({"emotion": "fear", "intensity": 1.1}, "intensity=1.1: give 0"),
        ({"emotion": "fear", "intensity": math.nan}, "intensity=nan: give 0"),
        ({"theta": math.inf, "rho": 0.1}, "theta=inf: give an angle"),
        ({"theta": 90.0, "rho": 0.1}, "theta=90.0: give .* 90 degrees are 1.571"),
        ({"theta": 0.1, "rho": -0.1}, "rho=-0.1: give a distance"),
        ({"blend": {"fear": -0.1}}, "blend.fear=-0.1: give a share"),
        ({"blend": {"fear": 0.7, "anger": 0.7}}, "add up to 1.4: give at most 1"),
        ({"emotion": "fear", "accelerator": "tpu"}, "accelerator=tpu: choose"),
    ],
)
def test_mistakes_name_key_and_remedy(keys: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told):
        config(**keys)
