"""What every model's configuration has; imports no torch."""

from __future__ import annotations

import enum
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from omegaconf import MISSING

from fer_lightning.errors import UserError

if TYPE_CHECKING:
    from fer_lightning.models.base import TrainingModule


WEIGHTS = {"weights": True}
"""Metadata of a field with a file of weights to start from: its content is part of what a run is,
wherever the file lies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceFormat:
    """What the data fixes about a model, known once its archives are open.

    Attributes:
        image_size: Side of the square images in pixels.
        channels: 1 or 3.
        classes: Emotions by class index; a checkpoint stores this order. Empty for a model
            without labels, unless all its training images are of one emotion.
        frequencies: How often training shows each class, up to a factor: its images, or equal
            numbers where batches are balanced.
        counts: Training images of each class, however they are drawn; empty in checkpoints that
            were written before it was kept.
    """

    image_size: int
    channels: int
    classes: Sequence[str]
    frequencies: Sequence[float]
    counts: Sequence[int] = ()


class Prior(enum.Enum):
    """Distribution of the latent vector of a generator."""

    normal = "normal"
    uniform = "uniform"


@dataclass(kw_only=True)
class ModelConfig:
    """Hyper-parameters of a model; a system's own are added by its subclass.

    Attributes:
        name: Name in the registry of models.
    """

    labelled: ClassVar[bool] = True
    """Whether the model learns from labels. One that does not trains on images without them,
    too."""
    translates: ClassVar[bool] = False
    """Whether the model carries faces of one domain into another, and so trains on two."""
    edits: ClassVar[bool] = False
    """Whether the model edits the emotion of given faces, as an
    :class:`~fer_lightning.models.editing.EditingModule` does."""

    name: str = MISSING

    @abstractmethod
    def check(self, image_size: int) -> None:
        """Refuse what the networks cannot make, before any data is touched.

        Raises:
            UserError: Names the key and the remedy.
        """

    @abstractmethod
    def build(self, faces: FaceFormat, seed: int) -> TrainingModule:
        """Make the LightningModule; torch is imported here, not before.

        Args:
            faces: What the data fixes.
            seed: Seeds the initial weights and the training noise.
        """


@dataclass(kw_only=True)
class AdversarialConfig(ModelConfig):
    """What the adversarial training base reads; the defaults are DCGAN's.

    Attributes:
        generator_lr: Adam's step size for the generator.
        discriminator_lr: Adam's step size for the discriminator.
        beta1: Adam's first moment decay, both networks.
        beta2: Adam's second moment decay, both networks.
        critic_steps: Discriminator steps for each generator step.
        gradient_clip: Largest norm of a network's gradient; 0 turns clipping off.
        ema_half_life: Real images after which a weight's share in the averaged generator has
            halved; 0 turns averaging off.
    """

    generator_lr: float = 2e-4
    discriminator_lr: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    critic_steps: int = 1
    gradient_clip: float = 0.0
    ema_half_life: int = 0

    def __post_init__(self) -> None:
        for key in ("generator_lr", "discriminator_lr"):
            if not getattr(self, key) > 0:
                raise UserError(f"model.{key}={getattr(self, key)}: give a number above 0")
        for key in ("beta1", "beta2"):
            if not 0 <= getattr(self, key) < 1:
                raise UserError(f"model.{key}={getattr(self, key)}: give a number in [0, 1)")
        if self.critic_steps < 1:
            raise UserError(f"model.critic_steps={self.critic_steps}: give at least 1")
        if not self.gradient_clip >= 0:
            raise UserError(f"model.gradient_clip={self.gradient_clip}: give a norm, or 0 for off")
        if self.ema_half_life < 0:
            raise UserError(f"model.ema_half_life={self.ema_half_life}: give images, or 0 for off")
