"""The space of conditions: where emotions lie, and what training draws."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from fer_lightning.models.ganmut.config import GANmutConfig, Space

THRESHOLD = 0.2
"""T: below it an emotion counts as neutral, which is all that is drawn there."""
NOISE = 0.075
"""Standard deviation of the noise around a direction, along each axis."""
FIRST_LENGTH = 1e-4
"""Scale of the first axes; short ones are turned quickly."""
LEAST_VARIANCE = 1e-4
"""Added along each axis of a covariance, so that it stays positive definite."""


@dataclass(frozen=True)
class DrawnPoints:
    """What training asks of a batch of edits.

    Attributes:
        points: (N, dimension), attached to the space's parameters.
        emotions: int64 of shape (N,), the class that each point stands for; where it stands for
            none, of no meaning.
        directed: bool of shape (N,), whether it stands for one.
        intensity: (N,), how far from neutral; None where the space does not draw it.
    """

    points: Tensor
    emotions: Tensor
    directed: Tensor
    intensity: Tensor | None = None

    def detached(self) -> DrawnPoints:
        """The same without a graph."""
        return replace(self, points=self.points.detach())


class EmotionSpace(nn.Module):
    """Parameters that say where emotions lie; they are trained with the generator's.

    Args:
        classes: K, how many emotions there are.
        neutral: Index of neutral among them.
        dimension: Coordinates of a point.
    """

    def __init__(self, classes: int, neutral: int, dimension: int) -> None:
        super().__init__()
        self.classes = classes
        self.neutral = neutral
        self.dimension = dimension

    @property
    @abstractmethod
    def extent(self) -> float:
        """How far from the origin points are drawn, noise aside."""

    @abstractmethod
    def points(self, emotions: Tensor, intensity: Tensor) -> Tensor:
        """Points (N, dimension) of class indices (N,) at intensities (N,), without noise."""

    @abstractmethod
    def draw(self, emotions: Tensor, rows: Tensor, total: int, generator: Generator) -> DrawnPoints:
        """Points for a batch of training.

        Args:
            emotions: Class indices of the real faces, (N,).
            rows: Places of these faces in the batch of all ranks, (N,).
            total: Size of that batch.
            generator: Source of the noise.
        """

    def _uniform(self, *shape: int) -> nn.Parameter:
        """PyTorch's own initial values of a linear layer from the space."""
        bound = self.dimension**-0.5
        return nn.Parameter(torch.empty(shape).uniform_(-bound, bound))


class LinearSpace(EmotionSpace):
    """A learnt direction for each emotion but neutral, which is the origin (E.4).

    Args:
        classes: How many emotions there are.
        neutral: Index of neutral among them.
        dimension: 2 or 3.
        random_directions: Rows of a batch whose direction is drawn at random.

    Attributes:
        axes: (K - 1, dimension), of which the direction alone matters.
    """

    def __init__(
        self, classes: int, neutral: int, dimension: int, random_directions: int = 5
    ) -> None:
        super().__init__(classes, neutral, dimension)
        self.random_directions = random_directions
        self.axes = self._uniform(classes - 1, dimension)
        with torch.no_grad():
            self.axes.mul_(FIRST_LENGTH)

    @property
    def extent(self) -> float:
        """Intensities end at 1."""
        return 1.0

    def unit_axes(self) -> Tensor:
        """(K, dimension): ``A_c / |A_c|``, and zeros for neutral."""
        axes = F.normalize(self.axes, dim=1)
        before, after = axes[: self.neutral], axes[self.neutral :]
        return torch.cat([before, axes.new_zeros(1, self.dimension), after])

    def points(self, emotions: Tensor, intensity: Tensor) -> Tensor:
        """``rho a_c``; neutral is the origin, however intense."""
        return intensity[:, None] * self.unit_axes()[emotions]

    def draw(self, emotions: Tensor, rows: Tensor, total: int, generator: Generator) -> DrawnPoints:
        """Permuted labels; intensities from U[0.2, 1], of neutral from U[0, 0.2]."""
        order = torch.randperm(len(emotions), generator=generator, device=generator.device)
        targets = emotions[order]
        share = torch.rand(len(emotions), generator=generator, device=generator.device)
        intense = THRESHOLD + (1 - THRESHOLD) * share
        intensity = torch.where(targets == self.neutral, THRESHOLD * share, intense)
        directed = self.directed(rows, total)
        points = self.scatter(targets, intensity, directed, generator)
        return DrawnPoints(points, targets, directed, intensity)

    def directed(self, rows: Tensor, total: int) -> Tensor:
        """Which rows of a batch stand for their emotion: all but the first ones."""
        return rows >= min(self.random_directions, total * 5 // 8)

    def scatter(
        self, emotions: Tensor, intensity: Tensor, directed: Tensor, generator: Generator
    ) -> Tensor:
        """Training's points: ``rho a_c`` and noise, and ``rho u`` with a random u where undirected.

        In three dimensions u is uniform on the sphere; the official code has the positive octant.
        """
        device, shape = generator.device, (len(emotions), self.dimension)
        noise, anywhere = (
            torch.randn(shape, generator=generator, device=device).to(self.axes) for _ in range(2)
        )
        near = self.points(emotions, intensity) + NOISE * noise
        far = intensity[:, None] * F.normalize(anywhere, dim=1)
        return torch.where(directed[:, None], near, far)


class GaussianSpace(EmotionSpace):
    """A normal distribution for each emotion, neutral too (E.6).

    Args:
        classes: How many emotions there are.
        neutral: Index of neutral among them.
        dimension: 2 or 3.

    Attributes:
        raw_means: (K, dimension), before the tanh.
        angles: (K,), directions of the covariances' first axes; in two dimensions alone.
        variances: (K, 2), along both axes, whose sign does not matter; likewise.
        factors: (K, 3, 3), L of a covariance L Lᵀ; in three dimensions alone.
    """

    def __init__(self, classes: int, neutral: int, dimension: int) -> None:
        super().__init__(classes, neutral, dimension)
        self.raw_means = self._uniform(classes, dimension)
        if dimension == 2:
            self.angles = nn.Parameter(torch.zeros(classes))
            self.variances = nn.Parameter(torch.ones(classes, 2))
        else:
            self.factors = nn.Parameter(torch.eye(dimension).repeat(classes, 1, 1))

    @property
    def extent(self) -> float:
        """The corners of the square, or of the cube."""
        return float(self.dimension**0.5)

    def means(self) -> Tensor:
        """(K, dimension) in (-1, 1)."""
        return self.raw_means.tanh()

    def covariances(self) -> Tensor:
        """(K, dimension, dimension): ``R diag(|s|) Rᵀ`` in a plane, ``L Lᵀ`` else; at first 1."""
        floor = LEAST_VARIANCE * torch.eye(self.dimension).to(self.raw_means)
        if self.dimension == 3:
            return self.factors @ self.factors.mT + floor
        cos, sin = self.angles.cos(), self.angles.sin()
        rotation = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
        return (rotation * self.variances.abs()[:, None, :]) @ rotation.mT + floor

    def distances(self, points: Tensor) -> Tensor:
        """Squared Mahalanobis distances (N, K) of points to the emotions."""
        with torch.autocast(points.device.type, enabled=False):
            apart = points[:, None, :] - self.means()
            inverse = torch.linalg.inv(self.covariances())
            return torch.einsum("nki,kij,nkj->nk", apart, inverse, apart)

    def points(self, emotions: Tensor, intensity: Tensor) -> Tensor:
        """Straight from the mean of neutral (0) to that of the emotion (1)."""
        means = self.means()
        origin = means[self.neutral]
        return origin + intensity[:, None] * (means[emotions] - origin)

    def draw(self, emotions: Tensor, rows: Tensor, total: int, generator: Generator) -> DrawnPoints:
        """The K means in the first K rows, U[-1, 1] in all others, whatever the labels."""
        shape = (len(rows), self.dimension)
        anywhere = torch.rand(shape, generator=generator, device=generator.device) * 2 - 1
        directed, targets = rows < self.classes, rows.clamp(max=self.classes - 1)
        points = torch.where(directed[:, None], self.means()[targets], anywhere.to(self.raw_means))
        return DrawnPoints(points, targets, directed)


def build_space(config: GANmutConfig, classes: int, neutral: int) -> EmotionSpace:
    """The space that the configuration asks for, with initial parameters."""
    if config.space is Space.gaussian:
        return GaussianSpace(classes, neutral, config.dimension)
    return LinearSpace(classes, neutral, config.dimension, config.random_directions)
