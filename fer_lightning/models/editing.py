"""GANs that edit the emotion of a given face by a point of an emotion space."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from fer_lightning.errors import UserError
from fer_lightning.models.base import AdversarialModule


class EditingModule(AdversarialModule):
    """A GAN that edits the emotion of a given face by a point of an emotion space.

    A point says which emotion is wanted, and how strongly; where the points of an emotion lie is
    learnt. The generator takes images and points, so ``generator(images, points)`` are the edits.

    :attr:`classes` hold ``neutral``, from which all other emotions depart.
    """

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Coordinates of a point: 2 or 3."""

    @property
    @abstractmethod
    def extent(self) -> float:
        """How far from the origin training draws points."""

    @abstractmethod
    def points(self, emotions: Tensor, intensity: Tensor | float) -> Tensor:
        """Where emotions of a given intensity lie.

        Args:
            emotions: Class indices, int64 of shape (N,).
            intensity: From 0, neutral, to 1, the apex; of shape (N,), or one for all.

        Returns:
            float32 of shape (N, dimension), without gradients, on the device of the model.
        """

    @abstractmethod
    def edit(self, images: Tensor, points: Tensor) -> Tensor:
        """Faces with another emotion, by :attr:`best_generator` in eval mode.

        An image's edit does not depend on the others of its batch.

        Args:
            images: (N, C, H, W) in [-1, 1], of the size and channels of the training.
            points: (N, dimension).

        Returns:
            float32 of the shape of ``images``, in [-1, 1], on the device of the model.
        """

    @abstractmethod
    def criticise(self, images: Tensor) -> Tensor:
        """How real the discriminator finds faces; a critic's score, which has no fixed scale.

        Args:
            images: (N, C, H, W) in [-1, 1].

        Returns:
            float32 of shape (N,), without gradients; larger is more real.
        """

    @abstractmethod
    def locate(self, images: Tensor) -> Tensor:
        """Where the discriminator sees faces, float32 of shape (N, dimension), no gradients.

        Args:
            images: (N, C, H, W) in [-1, 1].
        """

    def polar(self, theta: Tensor, rho: Tensor) -> Tensor:
        """Points of a plane by their angle and radius.

        Args:
            theta: Angles in radians, of shape (N,).
            rho: Distances from the origin, of shape (N,).

        Returns:
            (N, 2): ``rho (cos theta, sin theta)``.

        Raises:
            UserError: If the space is no plane.
        """
        if self.dimension != 2:
            raise UserError(
                f"theta= and rho= are a point of a plane, and this run's space has "
                f"{self.dimension} dimensions: give emotion= and intensity="
            )
        return torch.stack([rho * theta.cos(), rho * theta.sin()], 1)

    def directions(self) -> dict[str, Tensor]:
        """The point of each emotion at intensity 1: float32 of shape (dimension,), on the CPU."""
        emotions = torch.arange(len(self.classes), device=self.device)
        return dict(zip(self.classes, self.points(emotions, 1.0).float().cpu(), strict=True))

    @property
    def reach(self) -> float:
        """How far from the origin the farthest emotion lies at intensity 1; 1 or more."""
        return max(1.0, *(float(point.norm()) for point in self.directions().values()))
