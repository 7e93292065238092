"""E.4's and E.6's rules of where emotions lie and what training draws."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from fer_lightning.models.ganmut.space import DrawnPoints, EmotionSpace, GaussianSpace, LinearSpace

CLASSES, NEUTRAL = 7, 0
MANY = 8000


def linear(dimension: int = 2, neutral: int = NEUTRAL, seed: int = 0) -> LinearSpace:
    torch.manual_seed(seed)
    return LinearSpace(CLASSES, neutral, dimension)


def gaussian(dimension: int = 2, seed: int = 0) -> GaussianSpace:
    torch.manual_seed(seed)
    return GaussianSpace(CLASSES, NEUTRAL, dimension)


def draw(space: EmotionSpace, count: int = MANY, seed: int = 0) -> DrawnPoints:
    emotions = torch.arange(count) % CLASSES
    return space.draw(emotions, torch.arange(count), count, torch.Generator().manual_seed(seed))


def norms(points: Tensor) -> Tensor:
    return torch.linalg.vector_norm(points, dim=1)


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("neutral", [0, 3, 6])
def test_axes_have_length_one_but_neutral_has_none(dimension: int, neutral: int) -> None:
    space = linear(dimension, neutral)
    assert space.axes.shape == (6, dimension)
    assert space.axes.abs().max() <= 1e-4 / math.sqrt(dimension)
    lengths = norms(space.unit_axes())
    assert lengths[neutral] == 0
    others = [c for c in range(CLASSES) if c != neutral]
    torch.testing.assert_close(lengths[others], torch.ones(6))
    directions = space.axes / norms(space.axes)[:, None]
    torch.testing.assert_close(space.unit_axes()[others], directions)


def test_points_lie_on_their_axis_and_neutral_at_the_origin() -> None:
    space, emotions = linear(), torch.arange(CLASSES)
    points = space.points(emotions, torch.full((7,), 0.4))
    torch.testing.assert_close(points, 0.4 * space.unit_axes())
    assert points[NEUTRAL].tolist() == [0, 0]


def test_intensities_of_training() -> None:
    drawn = draw(linear())
    assert drawn.intensity is not None
    of_neutral = drawn.intensity[drawn.emotions == NEUTRAL]
    others = drawn.intensity[drawn.emotions != NEUTRAL]
    assert of_neutral.min() >= 0
    assert of_neutral.max() <= 0.2
    assert of_neutral.mean().item() == pytest.approx(0.1, abs=0.01)
    assert others.min() >= 0.2
    assert others.max() <= 1
    assert others.mean().item() == pytest.approx(0.6, abs=0.01)


def test_targets_are_the_labels_in_another_order() -> None:
    drawn = draw(linear(), 70)
    assert torch.bincount(drawn.emotions).tolist() == [10] * 7
    assert not torch.equal(drawn.emotions, torch.arange(70) % 7)


@pytest.mark.parametrize("dimension", [2, 3])
def test_noise_lies_around_the_point_and_is_all_that_neutral_has(dimension: int) -> None:
    space = linear(dimension)
    drawn = draw(space)
    assert drawn.intensity is not None
    noise = (drawn.points - space.points(drawn.emotions, drawn.intensity))[drawn.directed]
    assert noise.std(0).tolist() == pytest.approx([0.075] * dimension, abs=0.003)
    assert noise.mean(0).tolist() == pytest.approx([0] * dimension, abs=0.004)
    neutral = drawn.points[drawn.directed & (drawn.emotions == NEUTRAL)]
    assert neutral.std(0).tolist() == pytest.approx([0.075] * dimension, abs=0.006)


@pytest.mark.parametrize(("total", "first"), [(16, 5), (8, 5), (4, 2), (1, 0)])
def test_the_first_rows_of_a_batch_have_random_directions(total: int, first: int) -> None:
    directed = linear().directed(torch.arange(total), total)
    assert directed.tolist() == [row >= first for row in range(total)]


@pytest.mark.parametrize("dimension", [2, 3])
def test_random_directions_are_as_long_as_asked_and_of_any_direction(dimension: int) -> None:
    space = linear(dimension)
    intensity = torch.linspace(0.1, 1, MANY)
    nowhere = torch.zeros(MANY, dtype=torch.bool)
    generator = torch.Generator().manual_seed(2)
    points = space.scatter(torch.ones(MANY, dtype=torch.int64), intensity, nowhere, generator)
    torch.testing.assert_close(norms(points), intensity)
    unit = points / intensity[:, None]
    assert unit.mean(0).tolist() == pytest.approx([0] * dimension, abs=0.03)
    assert unit.square().mean(0).tolist() == pytest.approx([1 / dimension] * dimension, abs=0.02)


def test_ranks_share_the_rows_of_one_batch() -> None:
    whole = [linear().directed(torch.arange(rank, 16, 2), 16) for rank in (0, 1)]
    assert [part.sum().item() for part in whole] == [5, 6]


def test_gradients_reach_the_axes_from_points_near_them_alone() -> None:
    space = linear()
    drawn = draw(space, 16)
    drawn.points[~drawn.directed].square().sum().backward(retain_graph=True)
    assert space.axes.grad is not None
    assert space.axes.grad.abs().max() == 0
    drawn.points[drawn.directed].sum().backward()
    assert space.axes.grad.abs().max() > 0


@pytest.mark.parametrize("dimension", [2, 3])
def test_covariances_are_one_at_first(dimension: int) -> None:
    space = gaussian(dimension)
    wanted = torch.eye(dimension).expand(CLASSES, -1, -1)
    torch.testing.assert_close(space.covariances(), wanted, atol=2e-4, rtol=0)


@pytest.mark.parametrize("dimension", [2, 3])
def test_covariances_stay_positive_definite(dimension: int) -> None:
    space = gaussian(dimension)
    with torch.no_grad():
        for parameter in space.parameters():
            parameter.normal_(std=3)
        (space.variances if dimension == 2 else space.factors)[0].zero_()
    covariances = space.covariances().detach()
    torch.testing.assert_close(covariances, covariances.mT)
    assert torch.linalg.eigvalsh(covariances.double()).min() > 5e-5
    assert space.distances(torch.rand(9, dimension)).min() >= 0


def test_a_turned_covariance_is_the_equation() -> None:
    space = gaussian()
    with torch.no_grad():
        space.angles.fill_(math.pi / 6)
        space.variances.copy_(torch.tensor([[4.0, -1.0]]).expand(CLASSES, 2))
    cos, sin = math.cos(math.pi / 6), math.sin(math.pi / 6)
    turn = torch.tensor([[cos, -sin], [sin, cos]])
    wanted = turn @ torch.diag(torch.tensor([4.0, 1.0])) @ turn.T
    torch.testing.assert_close(space.covariances()[3], wanted, atol=2e-4, rtol=0)
    point = torch.tensor([[0.3, -0.8]])
    apart = (point - space.means()[3])[0]
    squared = apart @ torch.linalg.inv(wanted) @ apart
    torch.testing.assert_close(space.distances(point)[0, 3], squared, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("dimension", [2, 3])
def test_a_mean_is_most_likely_of_its_own_class(dimension: int) -> None:
    space = gaussian(dimension)
    means = space.means()
    assert means.abs().max() < 1
    chances = (-space.distances(means)).softmax(1)
    assert chances.argmax(1).tolist() == list(range(CLASSES))


def test_the_first_rows_are_the_means_and_the_others_anywhere() -> None:
    space = gaussian()
    drawn = draw(space)
    assert torch.equal(drawn.points[:CLASSES], space.means())
    assert drawn.emotions[:CLASSES].tolist() == list(range(CLASSES))
    assert drawn.directed.tolist() == [row < CLASSES for row in range(MANY)]
    others = drawn.points[CLASSES:].detach()
    assert others.abs().max() <= 1
    assert others.std(0).tolist() == pytest.approx([3**-0.5] * 2, abs=0.02)
    assert drawn.intensity is None


def test_gaussian_points_go_straight_from_neutral_to_the_mean() -> None:
    space, emotions = gaussian(), torch.arange(CLASSES)
    start, half, end = (space.points(emotions, torch.full((7,), s)) for s in (0.0, 0.5, 1.0))
    means = space.means()
    torch.testing.assert_close(start, means[NEUTRAL].expand(7, 2))
    torch.testing.assert_close(end, means)
    torch.testing.assert_close(half, (means + means[NEUTRAL]) / 2)
